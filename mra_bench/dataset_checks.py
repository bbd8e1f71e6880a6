"""Holds rows of a dataset against what its spec says: how many, which, and whether their golds can be read."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mra_bench.contamination import find_duplicates
from mra_bench.dataset_spec import UNVERIFIED, DatasetSpec, Facts, built_in_specs
from mra_bench.datasets import DatasetUse, check_verified, verification
from mra_bench.errors import BenchError, UsageError
from mra_bench.grading import boxed
from mra_bench.known_files import held_split, other_rows
from mra_bench.plugins import PluginSettings
from mra_bench.problem_rows import problems_hash
from mra_bench.types import Grade, Problem
from mra_bench.workers import GraderSpec, Limits, grade_all

GRADER = "sympy"
NAMED = 3  # problems named in what is said of a check

State = Literal["passed", "failed", "noted"]


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that was looked at. "noted" is neither right nor wrong, since the spec says nothing of it."""

    name: str
    state: State
    said: str


@dataclasses.dataclass(frozen=True)
class Checked:
    """A split's rows, looked at. `unreadable`: of each gold that the grader sympy does not take for right when a text
    gives just that, the reason, by problem id. `duplicates`: problems beyond the first that ask the same."""

    rows: int
    checksum: str
    unreadable: dict[str, str]
    duplicates: int
    checks: tuple[Check, ...]

    @property
    def failed(self) -> bool:
        """Whether the rows are not what the spec says."""
        return any(check.state == "failed" for check in self.checks)


def check_split(spec: DatasetSpec, use: DatasetUse, problems: Sequence[Problem], plugins: PluginSettings) -> Checked:
    """Count, checksum, golds and duplicates of `problems`, which were read as `use`, and whether a file holds another
    split. Golds are graded in worker processes with the grader's usual limits."""
    split = use.split
    checksum = problems_hash(problems)
    facts = known_facts(spec, split, len(problems), checksum)
    unreadable = unreadable_golds(problems, plugins)
    repeated = find_duplicates(problems)
    duplicates = sum(len(ids) - 1 for ids in repeated)
    checks: tuple[Check, ...] = (
        _rows(facts, len(problems)),
        _checksum(facts, checksum),
        _golds(facts if facts.checksum == checksum else Facts(), unreadable, problems),
        _duplicates(repeated, duplicates, problems),
    )
    if use.path and (wrong := _other_split(spec, use, problems, Path(use.path))):
        checks = (wrong, *checks)
    return Checked(len(problems), checksum, unreadable, duplicates, checks)


def unread(error: BenchError) -> Checked:
    """What stands in place of the checks of rows that could not be read."""
    return Checked(0, "", {}, 0, (Check("rows", "failed", str(error)),))


def known_facts(spec: DatasetSpec, split: str, rows: int, checksum: str) -> Facts:
    """What the spec says of rows like these, in whichever shape they came: of those with this checksum, else of as
    many, else of any; nothing where no one has read them."""
    known = [one.splits[split] for one in spec.layouts if split in one.splits]
    read = [facts for facts in known if facts.checksum != UNVERIFIED]
    fitting = sorted(read, key=lambda facts: (facts.checksum != checksum, facts.rows != rows))
    return fitting[0] if fitting else Facts()


def unreadable_golds(problems: Sequence[Problem], plugins: PluginSettings) -> dict[str, str]:
    """For each problem whose gold answer, given back in a box, is not graded correct: why, by problem id."""
    asked = [problem for problem in problems if problem.answer]
    spec = GraderSpec(GRADER, {}, PluginSettings(blocked=plugins.blocked))
    grades = grade_all(spec, ((problem, boxed(problem.answer)) for problem in asked), limits=Limits())
    found = {problem.id: _why(grade) for problem, grade in zip(asked, grades, strict=True) if grade.correct is not True}
    blank = {problem.id: "it has no gold answer" for problem in problems if not problem.answer and not problem.rejected}
    return {problem.id: {**found, **blank}[problem.id] for problem in problems if problem.id in {**found, **blank}}


def _why(grade: Grade) -> str:
    return grade.reason or grade.kind


def _other_split(spec: DatasetSpec, use: DatasetUse, problems: Sequence[Problem], file: Path) -> Check | None:
    """That the file holds another split, of this dataset or of another known one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_verified(spec, use, problems)
    except UsageError as error:
        return Check("split", "failed", str(error))
    if spec.name not in built_in_specs() or verification(spec, use.split, problems) == "verified":
        return None
    held = held_split(file)
    if held is None or held == (spec.name, use.split):
        return None
    return Check("split", "failed", other_rows(file, held))


def _rows(facts: Facts, rows: int) -> Check:
    if facts.rows == UNVERIFIED:
        return Check("rows", "noted", f"{rows:,}; the spec does not say how many there are")
    if facts.rows != rows:
        return Check("rows", "failed", f"{rows:,}, not {facts.rows:,}")
    return Check("rows", "passed", f"{rows:,}")


def _checksum(facts: Facts, checksum: str) -> Check:
    if facts.checksum == UNVERIFIED:
        return Check("checksum", "noted", f"{checksum}; the spec has none")
    if facts.checksum != checksum:
        return Check("checksum", "failed", f"{checksum}, not {facts.checksum}")
    return Check("checksum", "passed", f"{checksum}, as read from {facts.read_from}" if facts.read_from else checksum)


def _golds(facts: Facts, unreadable: dict[str, str], problems: Sequence[Problem]) -> Check:
    expected = set(facts.unreadable)
    if not any(problem.answer for problem in problems):
        return Check("golds", "noted", "the rows have no gold answers")
    new = [name for name in unreadable if name not in expected]
    share = f"{len(problems) - len(unreadable):,} of {len(problems):,} can be read by the grader {GRADER}"
    if new:
        named = "; ".join(f"{name}: {unreadable[name]}" for name in new[:NAMED])
        more = f"; and {len(new) - NAMED:,} more" if len(new) > NAMED else ""
        return Check("golds", "failed", f"{share}. Not known to the spec: {named}{more}")
    if readable := sorted(expected - set(unreadable)):
        return Check("golds", "failed", f"{share}. The spec calls unreadable, but they can be read: {readable[:NAMED]}")
    known = f"; the others are listed in the spec: {', '.join(unreadable)}" if unreadable else ""
    return Check("golds", "passed", share + known)


def _duplicates(repeated: list[list[str]], count: int, problems: Sequence[Problem]) -> Check:
    """Noted, never failed: they are the dataset's own."""
    if not count:
        return Check("duplicates", "passed", "none")
    answers = {problem.id: problem.answer for problem in problems}
    differing = [ids for ids in repeated if len({answers[one] for one in ids}) > 1]
    largest = Counter({ids[0]: len(ids) for ids in repeated}).most_common(1)[0][0]
    said = f"{count:,} problems ask what an earlier one asks, such as those like {largest}"
    if differing:
        said += (
            f"; {len(differing):,} such questions have different gold answers, such as {', '.join(differing[0][:2])}"
        )
    return Check("duplicates", "noted", said)
