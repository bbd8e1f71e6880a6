"""Repositories of the Hugging Face hub, as models and datasets need them: fetched quietly, refused in plain words."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mra_bench.errors import BenchError

Kind = Literal["model", "dataset"]


class HubError(BenchError):
    """The hub did not give a repository. The message says why and what to do, and goes on from a colon. `why`: its
    beginning; `fetch`: how to download the thing on another machine, "" where that is no help."""

    def __init__(self, why: str, fetch: str = "", give: str = "") -> None:
        super().__init__(f"{why} Or fetch it on another machine with: {fetch}; and give {give}." if fetch else why)
        self.why = why
        self.fetch = fetch


@dataclass(frozen=True)
class Snapshot:
    """A repository as it was at one commit (40 hex digits), in a folder of the hub's cache on this machine."""

    folder: Path
    commit: str


def download(
    name: str, kind: Kind, revision: str | None = None, only: Sequence[str] | None = None, *, deep: bool = False
) -> Snapshot:
    """Fetch the repository `name` at `revision`, a branch, tag or commit (None: ``main``).

    What the cache holds is not fetched again, and answers when the hub is out of reach. only: patterns of the file
    names wanted, none of them in a subfolder but with `deep`; None: every file. Raises HubError.
    """
    from huggingface_hub import snapshot_download

    limits: dict[str, Any] = {} if only is None else {"allow_patterns": list(only)}
    if only is not None and not deep:
        limits["ignore_patterns"] = ["*/*"]
    try:
        with quiet("huggingface_hub"):
            folder = Path(snapshot_download(name, repo_type=kind, revision=revision, **limits))
    except Exception as error:  # the client raises errors of many libraries
        raise _refusal(error, name, kind, revision) from error
    return Snapshot(folder, folder.name)


def fetch(address: str) -> Path:
    """The file at an https address, which is no repository's. It is fetched once: the copy beside the hub's cache
    answers from then on. Raises HubError."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    path = kept_copy(address)
    if path.is_file():
        return path
    try:
        answer = get_session().get(address, timeout=60)
        answer.raise_for_status()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_bytes(answer.content)
        partial.replace(path)
    except Exception as error:  # as above
        first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else f"{type(error).__name__}: {first}"
        raise HubError(
            f"it cannot be reached ({why}), and the cache on this machine does not hold it.",
            f"curl -LO {address}",
            "that file here",
        ) from error
    return path


def kept_copy(address: str) -> Path:
    """Where `fetch` keeps the file at an address."""
    import hashlib

    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE).parent / "mra-bench" / hashlib.sha256(address.encode()).hexdigest()[:16]
    return folder / Path(address).name


def is_cached(name: str, kind: Kind, revision: str | None = None) -> bool:
    """Whether the cache on this machine holds the repository; nothing is asked of the hub."""
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(name, repo_type=kind, revision=revision, local_files_only=True)
    except Exception:  # as above
        return False
    return True


def file_names(name: str, kind: Kind, commit: str) -> list[str]:
    """Names of all files of a repository, fetched or not; none where the hub cannot be asked."""
    from huggingface_hub import HfApi

    try:
        with quiet("huggingface_hub"):
            return sorted(HfApi().list_repo_files(name, repo_type=kind, revision=commit))
    except Exception:  # as above; the names only make a message better
        return []


@contextmanager
def quiet(package: Literal["huggingface_hub", "datasets"]) -> Iterator[None]:
    """No warnings of `package`, such as a line on every retry, and bars only on a terminal, unless the user's variables
    ask for them."""
    utils = importlib.import_module(f"{package}.utils")
    level = utils.logging.get_verbosity()
    utils.logging.set_verbosity(max(level, utils.logging.ERROR))
    hide = _bars_wanted(package) is None and not sys.stderr.isatty()
    if hide:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.logging.set_verbosity(level)
        if hide:
            utils.enable_progress_bars()


def _bars_wanted(package: str) -> bool | None:
    """What the package's environment variable says of its bars; None: nothing."""
    if package == "datasets":
        from datasets import config

        disabled = config.HF_DATASETS_DISABLE_PROGRESS_BARS
    else:
        from huggingface_hub import constants

        disabled = constants.HF_HUB_DISABLE_PROGRESS_BARS
    return None if disabled is None else not disabled


def _refusal(error: Exception, name: str, kind: Kind, revision: str | None) -> HubError:
    """Why the hub gave nothing. Errors are told by name: the library under the client changes with its versions."""
    from huggingface_hub import constants

    chain = list(_chain(error))
    names = {ancestor.__name__ for link in chain for ancestor in type(link).__mro__}
    status = next((link.response.status_code for link in chain if getattr(link, "response", None) is not None), None)
    hub = constants.ENDPOINT
    page = f"{hub}/{'datasets/' if kind == 'dataset' else ''}{name}"
    login = "with: hf auth login (or set HF_TOKEN)."
    if "RevisionNotFoundError" in names:
        return HubError(f"it has no revision '{revision}'. Its branches, tags and commits are listed at {page}.")
    if "GatedRepoError" in names:
        why = f"it is gated, so its owners must let you have it. Ask them at {page}, then log in {login}"
    elif "RepositoryNotFoundError" in names or status == 401:
        return HubError(f"there is none that you may read. Check the spelling; for a private one, log in {login}")
    elif "OfflineModeIsEnabled" in names:
        why = "HF_HUB_OFFLINE is set, and the hub's cache on this machine does not hold it. Unset it."
    elif {"RemoteProtocolError", "ReadError"} & names or "Consistency check failed" in str(error):
        why = "the connection broke off. Try again: the files that came whole are kept."
    elif {"ConnectError", "TimeoutException", "ProxyError"} & names:
        nowhere = f"{hub} cannot be reached, and its cache on this machine does not hold it."
        why = f"{nowhere} Check the network and try again."
    elif status is not None:
        why = f"{hub} answered with the error {status}. Try again later."
    else:
        first = (str(error).strip().splitlines() or [""])[0]
        return HubError(f"{type(error).__name__}: {first.rstrip('.')}.")
    return HubError(why, *_elsewhere(name, kind, revision))


def _elsewhere(name: str, kind: Kind, revision: str | None) -> tuple[str, str]:
    """How a repository is fetched on another machine, and what of it to give here."""
    at = f" --revision {revision}" if revision else ""
    if kind == "dataset":
        return f"hf download {name} --repo-type dataset{at} --local-dir FOLDER", "the file of the split here"
    there = "in a recipe with --set models.NAME.options.path=FOLDER, without one with --model NAME=FOLDER"
    return f"hf download {name}{at} --local-dir FOLDER", f"that folder here, {there}"


def _chain(error: BaseException | None) -> Iterator[Any]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
