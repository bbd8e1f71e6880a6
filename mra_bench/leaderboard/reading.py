"""Rows of run folders as they are found. What stands in them is a stranger's: it is held to the format, never believed
further than that, and never made a path."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mra_bench.errors import BenchError, Interrupted, UsageError, nearest
from mra_bench.folder import RUN, manifest_of
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.rows import ROWS, VERSION, Published, Row, published
from mra_bench.leaderboard.safety import ARCHIVE, plain_file, unsafe
from mra_bench.results import RESULTS, compute
from mra_bench.store import file_hash

LONGEST = 200  # characters of a name
HASH = re.compile(r"[0-9a-f]{64}")
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Folder:
    """A run folder and its rows. date: when the run ended, as run.json tells, "" where it does not. problem: why there
    are no rows, "" where there are; rows that were left out are in `published`."""

    path: Path
    date: str
    published: Published | None
    problem: str = ""


def find_runs(places: Iterable[Path]) -> list[Path]:
    """The run folders among `places` and below those that are none, in order of their names, each once; links are not
    followed. Raises UsageError for a place that does not exist, and where there is no run at all."""
    found: dict[Path, Path] = {}
    given = list(places)
    for place in given:
        if not place.is_dir():
            what = "is a file" if place.exists() else "does not exist"
            raise UsageError(f"{place} {what}; name run folders, or a folder that holds some{_like(place)}")
        for run in _below(place):
            found.setdefault(run.resolve(), run)
    if not found:
        raise UsageError(f"There is no run folder (with {RUN} in it) in {', '.join(map(str, given))}")
    return list(found.values())


def _like(place: Path) -> str:
    """The folder beside `place` that may have been meant by it, "" where there is none."""
    try:
        beside = {path.name: path for path in place.parent.iterdir() if path.is_dir()}
    except OSError:
        return ""
    close = nearest(place.name, beside)
    return f". Did you mean {beside[close]}?" if close else ""


def _below(place: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(place):
        if RUN in files:
            names.clear()
            yield Path(folder)
        names[:] = sorted(name for name in names if not name.startswith("."))


def read_folder(path: Path) -> Folder:
    """What a run folder offers; where it has no rows of its own they are computed from what is stored there."""
    if not plain_file(path / RUN):
        return Folder(path, "", None, f"{RUN} is no plain file, or too large")
    try:
        record = json.loads((path / RUN).read_text(encoding="utf-8"))
        date = DATE.match(str(record.get("finished")))
        if record.get("finished") is None:
            return Folder(path, "", None, "the run is not finished, so it has no headline and no row")
        return Folder(path, date.group() if date else "", _published(path, record))
    except Interrupted:
        raise
    except Exception as error:  # whatever a damaged or hostile file makes fail is told, and the other folders go on
        return Folder(path, "", None, f"{_first_line(error)}")


def _published(path: Path, record: dict[str, Any]) -> Published:
    stored = path / ROWS
    if plain_file(stored) and plain_file(path / RESULTS):
        found = parse(stored.read_bytes())
        if found.results == file_hash(path / RESULTS):
            return found
    return derive(path, record)


def derive(path: Path, record: dict[str, Any]) -> Published:
    """The rows from the folder's stored files, of a packed one too; its results.json is taken as it is."""
    if reason := unsafe(path):
        raise UsageError(reason)
    with tempfile.TemporaryDirectory(prefix="mra-bench-rows-") as temporary:
        run = unpacked(path, Path(temporary)) if (path / ARCHIVE).exists() else path
        manifest_of(run)
        results = json.loads((path / RESULTS).read_text(encoding="utf-8")) if (path / RESULTS).is_file() else None
        sha256 = file_hash(path / RESULTS) if results is not None else ""
        made = published(run, record, compute(run) if results is None else results, sha256)
    for row in made.rows:
        check(row)
    return made


def parse(content: bytes) -> Published:
    """leaderboard_rows.json. Raises UsageError for what is not as mra-bench writes it."""
    import pydantic

    try:
        found: Published = _adapter().validate_json(content, strict=True)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise UsageError(f"{ROWS} is not as mra-bench writes it: {where}: {first['msg']}") from None
    if found.version != VERSION:
        raise UsageError(f"{ROWS} has version {found.version}; this mra-bench reads version {VERSION}")
    if not HASH.fullmatch(found.fingerprint):
        raise UsageError(f"{ROWS}: the run's fingerprint is none")
    for row in found.rows:
        check(row)
    return found


@functools.cache
def _adapter() -> Any:
    import pydantic

    return pydantic.TypeAdapter(Published)


def check(row: Row) -> None:
    """Whether the numbers of a row can belong together. Raises UsageError naming the first that cannot."""
    asked, samples = row.problems, row.decoding.samples
    names = (row.model, row.dataset, row.data, row.split, row.part, row.grader.name, row.grader.version)
    hashes = (row.sha256, row.prompt.sha256, row.grader.settings, row.texts)
    rules = (
        (all(0 < len(name) <= LONGEST or name == row.part for name in names), "a name is empty or too long"),
        (len(row.part) <= LONGEST, "a name is too long"),
        (all(map(HASH.fullmatch, hashes)), "a hash is none"),
        (samples > 0 and asked > 0, "it has no text"),
        (len(set(row.unreadable)) == len(row.unreadable), "a problem is left out twice"),
        (all(0 <= place < asked for place in row.unreadable), "a problem is left out that is none"),
        (row.n == asked - len(row.unreadable) > 0, "n is not the number of problems that count"),
        (all(map(math.isfinite, (row.accuracy, row.low, row.high, row.tokens_mean))), "a figure is no number"),
        (0 <= row.low <= row.accuracy <= row.high <= 1, "the accuracy lies outside of its interval"),
        (row.tokens_mean >= 0 and (row.compute or 0) >= 0 and (row.parameters or 0) >= 0, "a figure is negative"),
        (_packed_bytes(row) == math.ceil(asked * samples / 8), "there is not one verdict for each text"),
    )
    for holds, what in rules:
        if not holds:
            raise UsageError(f"{ROWS}: {row.model[:LONGEST]} on {row.dataset[:LONGEST]}: {what}")
    right = sum(right_of(row))
    if not math.isclose(right / (row.n * samples), row.accuracy, abs_tol=1e-9):
        said = f"{row.accuracy:.4f} is not the share of its verdicts, {right} of {row.n * samples}"
        raise UsageError(f"{ROWS}: {row.model} on {row.dataset}: the accuracy {said}")


def _packed_bytes(row: Row) -> int:
    """How many bytes the verdicts are, -1 where they are no base64."""
    try:
        return len(base64.b64decode(row.verdicts, validate=True))
    except ValueError:
        return -1


def right_of(row: Row) -> list[int]:
    """How many samples of each problem that counts are correct, in order."""
    content = base64.b64decode(row.verdicts, validate=True)
    digits = f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}"
    samples, left_out = row.decoding.samples, frozenset(row.unreadable)
    places = (place for place in range(row.problems) if place not in left_out)
    if samples == 1 and not left_out:
        return [int(digit) for digit in digits[: row.problems]]
    return [digits.count("1", place * samples, (place + 1) * samples) for place in places]


def _first_line(error: BaseException) -> str:
    if isinstance(error, BenchError):
        return str(error)
    return f"damaged ({type(error).__name__}: {str(error).partition(chr(10))[0]:.200})"
