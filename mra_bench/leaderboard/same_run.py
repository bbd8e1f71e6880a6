"""Folders that claim to be one run: whether they hold the same, so that one of them may stand for the other."""

from __future__ import annotations

import dataclasses
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from mra_bench.errors import UsageError
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.reading import Folder
from mra_bench.leaderboard.safety import ARCHIVE, entries, in_stage, plain_file, unsafe
from mra_bench.results import RESULTS
from mra_bench.store import file_hash, fingerprint


def contents(folders: Iterable[Folder]) -> dict[Path, str]:
    """What each folder holds, as a fingerprint, by its path. Files are read only where several folders have the
    fingerprint of one run; a folder that nobody shares its run with has ""."""
    by_run: dict[str, list[Folder]] = {}
    for folder in folders:
        if folder.published is not None and folder.published.rows:
            by_run.setdefault(folder.published.fingerprint, []).append(folder)
    return {folder.path: _content(folder) if len(shared) > 1 else "" for shared in by_run.values() for folder in shared}


def _content(folder: Folder) -> str:
    """Of its rows, its results.json and the rows of its stages, packed or not. What may not be opened is like no other
    folder."""
    published = dataclasses.asdict(folder.published) if folder.published else None
    if unsafe(folder.path):
        return fingerprint({"unsafe": str(folder.path.resolve())})
    with tempfile.TemporaryDirectory(prefix="mra-bench-same-") as temporary:
        try:
            run = unpacked(folder.path, Path(temporary)) if (folder.path / ARCHIVE).exists() else folder.path
        except UsageError:
            return fingerprint({"damaged": str(folder.path.resolve())})
        results = file_hash(run / RESULTS) if plain_file(run / RESULTS) else None
        return fingerprint({"published": published, "results": results, "stages": dict(_stage_files(run))})


def _stage_files(run: Path) -> Iterator[tuple[str, str]]:
    """The files of rows in its stages, with their hashes."""
    for name, mode, _ in entries(run):
        place = PurePosixPath(name)
        if stat.S_ISREG(mode) and in_stage(place) and len(place.parts) == 3 and place.suffix == ".jsonl":
            yield name, file_hash(run / name)
