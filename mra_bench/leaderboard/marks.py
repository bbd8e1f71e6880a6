"""What `leaderboard verify` has found, kept beside the leaderboard: bound to the content of a folder, so that a later
change of it voids the mark."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from mra_bench.earlier import FOLDER as EARLIER
from mra_bench.errors import UsageError
from mra_bench.leaderboard.safety import entries
from mra_bench.store import file_hash, write_json

MARKS = "verified.json"
VERSION = 1
Verdict = Literal["verified", "unverifiable", "refused"]
Mark = Literal["verified", "unverifiable", "refused", "changed", "not checked"]
CHANGED = "the folder is no longer as it was when it was checked; check it again"


@dataclasses.dataclass(frozen=True)
class Checked:
    """What was found about the row of one model on one dataset. problems, texts: sha256 over its problems and its
    texts, by which the same texts under another name are known."""

    model: str
    dataset: str
    mark: Verdict
    reason: str
    problems: str
    texts: str


@dataclasses.dataclass(frozen=True)
class FolderMarks:
    """What was found about a folder, by its place as seen from the leaderboard. refused: why all of its rows are, ""
    where each has a mark of its own. report: whether its report is the page that follows from it. checked: how much was
    looked at, and what is to be known besides."""

    folder: str
    mra_bench: str
    refused: str
    rows: tuple[Checked, ...]
    report: bool
    checked: str

    def of(self, model: str, dataset: str) -> Checked | None:
        """What was found about one row."""
        if self.refused:
            return Checked(model, dataset, "refused", self.refused, "", "")
        return next((row for row in self.rows if (row.model, row.dataset) == (model, dataset)), None)


@dataclasses.dataclass(frozen=True)
class Marks:
    """All of verified.json: by content hash of a folder."""

    version: int
    folders: Mapping[str, FolderMarks]

    def known(self, folder: str) -> bool:
        """Whether a folder at this place was ever checked."""
        return any(found.folder == folder for found in self.folders.values())


def place_of(run: Path, out: Path) -> str:
    """A run folder as seen from the leaderboard's folder."""
    return Path(os.path.relpath(run.resolve(), out.resolve())).as_posix()


def read_marks(out: Path) -> Marks:
    """The marks beside a leaderboard, none where there is no file. Raises UsageError for a damaged one."""
    path = out / MARKS
    if not path.is_file():
        return Marks(VERSION, {})
    import pydantic

    try:
        found: Marks = _adapter().validate_json(path.read_bytes(), strict=True)
    except pydantic.ValidationError as error:
        said = f"{error.errors()[0]['msg']}. Remove it and verify the folders again"
        raise UsageError(f"{path} is not as mra-bench writes it: {said}") from None
    if found.version != VERSION:
        raise UsageError(f"{path} has version {found.version}; this mra-bench reads version {VERSION}")
    return found


@functools.cache
def _adapter() -> Any:
    import pydantic

    return pydantic.TypeAdapter(Marks)


def write_marks(out: Path, marks: Marks) -> Path:
    """Write the marks beside a leaderboard."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / MARKS, json.loads(json.dumps(dataclasses.asdict(marks))))
    return out / MARKS


def content_hash(run: Path) -> str:
    """sha256 over the names and contents of the files of a run folder, of weights over names and sizes; without what is
    kept of earlier runs. A link counts as its name alone: it is refused elsewhere."""
    digest = hashlib.sha256()
    for name, mode, length in sorted(entries(run)):
        parts = PurePosixPath(name).parts
        if not stat.S_ISREG(mode) or parts[0] == EARLIER or name == ".lock":
            known = "" if stat.S_ISDIR(mode) or stat.S_ISREG(mode) else "no file"
        else:
            known = str(length) if parts[0] == "models" and len(parts) > 3 else file_hash(run / name)
        if known:
            digest.update(f"{json.dumps(name)} {known}\n".encode())
    return digest.hexdigest()
