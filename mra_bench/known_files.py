"""Of which known split the rows of a file are, whatever name it is given."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

from mra_bench.dataset_files import Located, read_rows
from mra_bench.dataset_rows import has_columns
from mra_bench.dataset_spec import UNVERIFIED, Reading, built_in_specs
from mra_bench.errors import UsageError
from mra_bench.known_splits import Known, known_splits
from mra_bench.problem_rows import problems_hash, problems_of

LOOKED_AT = 10_000  # rows of a file that tell which split they are from


def held_split(file: Path) -> tuple[str, str] | None:
    """Dataset and split whose rows `file` holds, read by the specs that can: all of them by the checksum, else those
    that its questions are from, as far as samples tell. None for a file of other rows."""
    try:
        rows = list(itertools.islice(read_rows(file), LOOKED_AT))
    except UsageError:
        return None
    fitting = [
        (name, reading)
        for name, spec in built_in_specs().items()
        for reading in spec.layouts
        if rows and has_columns(rows[0][1], reading.fields)
    ]
    wholes = ((name, _whole_split(rows, reading)) for name, reading in fitting)
    return next(((name, split) for name, split in wholes if split), None) or _likely_split(rows, fitting)


def other_rows(file: Path, held: tuple[str, str]) -> str:
    """What `held_split` found, in words."""
    return f"{file} holds the rows of '{held[0]}', split {held[1]}"


def _whole_split(rows: Sequence[Located], reading: Reading) -> str:
    """The split that the rows are all of, by its checksum; "" for others."""
    for split, facts in reading.splits.items():
        as_many = facts.checksum != UNVERIFIED and facts.rows == len(rows)
        with contextlib.suppress(UsageError):  # rows of another shape
            if as_many and problems_hash(problems_of(rows, split, reading)) == facts.checksum:
                return split
    return ""


def _likely_split(rows: Sequence[Located], fitting: Sequence[tuple[str, Reading]]) -> tuple[str, str] | None:
    """The split that the rows are from by the samples of its dataset, read by a spec of this one."""
    told: dict[tuple[str, ...], list[Known]] = {}  # most specs read the same questions
    found = []
    for name, reading in fitting:
        with contextlib.suppress(UsageError):  # as above
            questions = tuple(problem.question for problem in problems_of(rows, "", reading))
            if questions not in told:
                told[questions] = known_splits(questions)
            found += [known for known in told[questions] if known.data == name and known.likely]
    best = max(found, key=lambda known: (known.share, known.covered), default=None)
    return (best.data, best.split) if best else None
