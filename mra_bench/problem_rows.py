"""The problems in located rows, the ids made for those without, and the checksum of them all."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator

from mra_bench.dataset_files import Located
from mra_bench.dataset_rows import check_named, has_columns, has_picture, to_problem
from mra_bench.dataset_spec import DatasetSpec, Reading
from mra_bench.errors import UsageError
from mra_bench.types import Problem


def from_file(rows: Iterator[Located], split: str, spec: DatasetSpec, strict: bool) -> list[Problem]:
    """The problems of a local file, read by the first of the spec's layouts whose columns its first row has."""
    first = next(rows, None)
    if first is None:
        return []
    fitting = (one for one in spec.layouts if has_columns(first[1], one.fields))
    return problems_of(itertools.chain([first], rows), split, next(fitting, spec.layouts[0]), strict)


def problems_of(rows: Iterable[Located], split: str, reading: Reading, strict: bool = False) -> list[Problem]:
    """The problems in rows that are all of one shape; those with a picture are left out. `strict`: each column that the
    spec names must be in some row. Raises UsageError naming the place of a broken row, and both of an id that comes
    twice."""
    found: dict[str, tuple[str, Problem]] = {}
    seen: dict[str, str] = {}  # columns, each with the place of the first row that has it
    where = ""
    for number, (where, row) in enumerate(rows):
        for column in row:
            seen.setdefault(column, where)
        if has_picture(row, reading.fields):
            continue
        problem = to_problem(row, where, _made_id(split, number), reading, seen)
        if problem.id in found:
            raise UsageError(
                f"{where}: the id '{problem.id}' is there twice; {found[problem.id][0]} has it too. Ids must be "
                "unique; without the column (in a spec, id: null) they are made."
            )
        found[problem.id] = where, problem
    if strict and seen:
        check_named(seen, reading.fields, where.rpartition(", ")[0] or where)
    return [problem for _, problem in found.values()]


def _made_id(split: str, number: int) -> str:
    return f"{split}-{number:05d}"


def with_made_ids(problems: Iterable[Problem], split: str, other: str) -> list[Problem]:
    """The problems as they would be had their file been read as the split `other`."""
    return [
        dataclasses.replace(problem, id=_made_id(other, number)) if problem.id == _made_id(split, number) else problem
        for number, problem in enumerate(problems)
    ]


def problems_hash(problems: Iterable[Problem]) -> str:
    """SHA-256, 64 hex digits, over the problems in order: each a line of JSON with sorted keys, in UTF-8. Fields that
    came later (`expects`, `choices`) are left out where they are empty, so that older checksums still hold."""
    digest = hashlib.sha256()
    for problem in problems:
        fields = {name: value for name, value in vars(problem).items() if value not in ("", ())}
        line = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
