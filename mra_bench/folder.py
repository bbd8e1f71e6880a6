"""A run folder as it is found: whether it is one, and whether its finished stages are as they were left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mra_bench.earlier import FOLDER as EARLIER
from mra_bench.errors import UsageError, nearest
from mra_bench.store import STAGE_FILE, file_hash, stage_record

RUN = "run.json"
RECIPE = "recipe.yaml"
PACKED = "stages.tar.xz"  # the stages of a run that was packed for a leaderboard
NAMED = 5  # run folders in a message
AGAIN = "Give the command of that run again"


def manifest_of(run: Path) -> dict[str, Any]:
    """What `run` holds, by its own record. Raises UsageError for what is no run folder, and for one whose stages are
    packed."""
    if (run / PACKED).is_file():
        raise UsageError(
            f"The stages of {run} are packed, as for a leaderboard. Unpack them: tar -xJf {run / PACKED} -C {run} && "
            f"rm {run / PACKED}"
        )
    try:
        plan = json.loads((run / RUN).read_text(encoding="utf-8"))["plan"]
        if isinstance(plan["folders"], list) and plan["models"] and plan["datasets"]:
            return dict(plan)
    except (FileNotFoundError, NotADirectoryError):
        what = "is a file" if run.is_file() else f"has no {RUN}" if run.is_dir() else "does not exist"
        raise UsageError(
            f"{run} is no run folder (what `mra-bench run` writes, with {RUN} in it): it {what}{_nearby(run)}"
        ) from None
    except OSError as error:
        raise UsageError(f"Cannot read {run / RUN}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{run / RUN} is damaged. {AGAIN}; it writes that file anew and keeps what is finished")


def _nearby(run: Path) -> str:
    """Run folders that may have been meant by one that is none: those in it, or the one beside it that is called most
    like it; "" where there are none."""
    inside = run_folders(run)
    if inside:
        more = ", ..." if len(inside) > NAMED else ""
        return f". There are run folders in it: {', '.join(map(str, inside[:NAMED]))}{more}"
    beside = {path.name: path for path in run_folders(run.parent)}
    close = nearest(run.name, beside)
    return f". Did you mean {beside[close]}?" if close else ""


def run_folders(folder: Path) -> list[Path]:
    """The run folders directly in `folder`, by name; none where it is none or cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if (path / RUN).is_file())
    except OSError:
        return []


def check_run(out: Path) -> None:
    """Raises UsageError when `out` is no run folder, holds only what was kept of a run, or a finished stage in it is
    not as it was left: results computed there would replace real ones by nothing, or by something else."""
    folders = manifest_of(out)["folders"]
    if not any((out / folder).is_dir() for folder in folders):
        where = out.resolve().parent
        if where.name == EARLIER:
            raise UsageError(
                f"{out} was kept from an earlier run; its stages are in {where.parent}. Its report stands as it is; to "
                f"compute it again give the command of that run again ({out / RECIPE} is its recipe)."
            )
        raise UsageError(f"{out} has no stage of its run yet. {AGAIN}.")
    broken = next(changed_files(out, folders), None)
    if broken is not None:
        raise UsageError(
            f"{broken} {'is not as its stage left it' if broken.is_file() else 'is gone'}. {AGAIN}: it makes that "
            "stage again, then results and report"
        )


def changed_files(out: Path, folders: Iterable[str]) -> Iterator[Path]:
    """Files of finished stages that are gone or, if they are rows, do not have their recorded hash. Weights, which may
    be large, are only looked for."""
    for folder in folders:
        record = stage_record(out / folder)
        for name, recorded in (record or {}).get("files", {}).items():
            path = out / folder / name
            if Path(name).is_absolute() or ".." in Path(name).parts:  # none that mra-bench has written
                continue
            if not path.is_file() or (path.suffix == ".jsonl" and file_hash(path) != recorded):
                yield path


def drop_changed(out: Path, folder: str) -> list[Path]:
    """Remove what is not as the finished stage in `folder` left it, and its mark of being finished, so that it is made
    again; the files that are right are kept. Returns what was wrong, nothing in most cases."""
    changed = list(changed_files(out, [folder]))
    for path in changed:
        path.unlink(missing_ok=True)
    if changed:
        (out / folder / STAGE_FILE).unlink()
    return changed
