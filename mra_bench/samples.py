"""Samples of a user's own file: a gold answer and a text in each row, in columns that are named or well known."""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located, read_jsonl, read_rows
from mra_bench.dataset_rows import read_choices
from mra_bench.errors import UsageError, nearest
from mra_bench.types import Problem

STDIN = "-"
WELL_KNOWN: Mapping[str, tuple[str, ...]] = {
    "gold": ("gold", "gold_answer", "expected_answer", "ground_truth", "reference", "target", "answer"),
    "text": ("text", "completion", "response", "prediction", "output", "generation", "generated_text", "answer"),
    "id": ("id", "problem_id", "unique_id", "uid", "idx"),
    "question": ("question", "problem", "prompt"),
}
NEEDED = ("gold", "text")
RIGHT = ("true", "1", "yes", "correct", "right")
WRONG = ("false", "0", "no", "wrong", "incorrect")


@dataclass(frozen=True)
class Source:
    """A file of samples and what messages call it."""

    path: Path
    name: str

    def rows(self) -> Iterator[Located]:
        """Its rows with where each stands, streaming."""
        return read_jsonl(self.path, self.name) if self.name != str(self.path) else read_rows(self.path)


@dataclass(frozen=True)
class Columns:
    """Which column holds what; None: not there, or not asked for."""

    text: str
    gold: str
    id: str | None = None
    question: str | None = None
    label: str | None = None
    choices: str | None = None


@dataclass(frozen=True)
class Sample:
    """One row: its number from 1, the problem with its gold answer, the text to grade, and the verdict that a person
    has given it, if any."""

    number: int
    problem: Problem
    text: str
    label: bool | None = None


@contextlib.contextmanager
def opened(name: str) -> Iterator[Source]:
    """The file `name`; for ``-`` a temporary copy of standard input, which is read twice like any other file."""
    if name != STDIN:
        yield Source(Path(name), str(Path(name)))
        return
    with tempfile.TemporaryDirectory(prefix="mra-bench-") as folder:
        path = Path(folder) / "stdin.jsonl"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield Source(path, "standard input")


def choose_columns(source: Source, named: Mapping[str, str | None]) -> Columns:
    """The columns `named` (by the fields of Columns), and for those not named the well-known ones.

    Raises UsageError for an empty file, a column that is not there, and a need that no column meets.
    """
    first = next(source.rows(), None)
    if first is None:
        raise UsageError(f"{source.name} has no rows; it needs a gold answer and a text in each")
    there = [str(column) for column in first[1]]
    for option, column in named.items():
        if column is not None and column not in there:
            raise UsageError(f"--{option} {column}: {source.name} has no such column.{_hint([column], there)}")
    taken = {column for column in named.values() if column is not None}
    found: dict[str, str | None] = dict(named)
    for part, known in WELL_KNOWN.items():
        if found.get(part) is None:
            found[part] = next((c for c in known if c in there and c not in taken), None)
            taken.add(found[part] or "")
    for part in NEEDED:
        if found[part] is None:
            used = next((f" '{c}' is taken by --{o}." for o, c in named.items() if c in WELL_KNOWN[part]), "")
            raise UsageError(
                f"{source.name} has no column by a name known for the {part} ({', '.join(WELL_KNOWN[part])}).{used} "
                f"Say which with --{part} COLUMN.{_hint(WELL_KNOWN[part], there, taken)}"
            )
    if found["text"] == found["gold"]:
        raise UsageError(f"--text and --gold are both '{found['text']}'; a gold answer is not its own text")
    return Columns(**found)  # type: ignore[arg-type]  # text and gold are there


def read_samples(source: Source, columns: Columns) -> Iterator[Sample]:
    """The samples in order, streaming. Raises UsageError naming the line for a missing column, or a value that is
    neither text nor a number."""
    for number, (where, row) in enumerate(source.rows(), start=1):
        cells = {
            part: _cell(row, column, where)
            for part, column in vars(columns).items()
            if column is not None and part not in ("label", "choices")
        }
        problem = Problem(
            id=cells.get("id") or str(number),
            question=cells.get("question") or "",
            answer=cells["gold"],
            choices=read_choices(row, columns.choices, where),
        )
        label = None if columns.label is None else _label(row, columns.label, where)
        yield Sample(number, problem, cells["text"], label)


def _cell(row: Mapping[str, Any], column: str, where: str) -> str:
    """The value as text, exactly; "" when missing. Whole numbers lose a ``.0``."""
    value = _value(row, column, where)
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{where}: the column '{column}' must be text or a number, got {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{where}: the column '{column}' is not a finite number")
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _label(row: Mapping[str, Any], column: str, where: str) -> bool | None:
    value = _value(row, column, where)
    word = "" if value is None else str(value).strip().lower().removesuffix(".0")
    if word in ("", "nan", "none", "null"):
        return None
    if word not in RIGHT + WRONG:
        known = f"{', '.join(RIGHT)} or {', '.join(WRONG)}"
        raise UsageError(f"{where}: the label {str(value)!r:.60} in column '{column}' is none of {known}")
    return word in RIGHT


def _value(row: Mapping[str, Any], column: str, where: str) -> Any:
    try:
        return row[column]
    except KeyError:
        raise UsageError(f"{where}: no column '{column}'.{_hint([column], list(row))}") from None


def _hint(wanted: Sequence[str], there: list[str], taken: Collection[str] = ()) -> str:
    free = [column for column in there if column not in taken]
    close = next((found for name in wanted if (found := nearest(name, free))), "")
    return f"{f' Is it {close!r}?' if close else ''} Its columns: {', '.join(there) or 'none'}."
