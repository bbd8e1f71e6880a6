"""What the checks of a grader are made on: cases, and the grades that worker processes gave for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mra_bench.judging import GraderSpec
from mra_bench.testing.garbage import ANSWERS_TO_UNREADABLE, GARBAGE, UNREADABLE_GOLDS
from mra_bench.testing.probe import NAME
from mra_bench.types import Grade, Problem
from mra_bench.workers import ENDED, Limits, grade_all

RIGHT, WRONG, GOLD, GARBAGE_TEXT, UNREADABLE = "right", "wrong", "gold", "garbage", "unreadable"
MAX_LOST = 3  # workers; then the other texts are not tried: whoever hangs or dies on three has enough to put right
SHOWN = 60

Judged = tuple[Problem, str]


@dataclass(frozen=True)
class Case:
    """A text to grade, why it is asked, and its name in a message."""

    group: str
    what: str
    problem: Problem
    text: str


@dataclass(frozen=True)
class Evidence:
    """The cases and their grades: at first, again in the same process, and in another process in reverse order.

    A case that was not tried, after others that hung or ended their process, has None. seconds: the time limit for one
    text.
    """

    cases: Sequence[Case]
    first: Sequence[Grade | None]
    again: Sequence[Grade | None]
    elsewhere: Sequence[Grade | None]
    seconds: float

    def of(self, *groups: str) -> list[tuple[Case, Grade]]:
        """Cases of these groups with their first grade, where there is one."""
        pairs = zip(self.cases, self.first, strict=True)
        return [(case, grade) for case, grade in pairs if case.group in groups and grade is not None]

    @property
    def not_tried(self) -> int:
        """How many cases have no grade at all, as the grader was given up before."""
        return sum(grade is None for grade in self.first)


def make_cases(right: Sequence[Judged], wrong: Sequence[Judged], golds: Iterable[str]) -> list[Case]:
    """Every case that a grader is checked on. `golds`: gold answers that, alone, are a correct text."""
    cases = [Case(RIGHT, _named(problem, text), problem, text) for problem, text in right]
    cases += [Case(WRONG, _named(problem, text), problem, text) for problem, text in wrong]
    cases += [Case(GOLD, f"the gold answer {shown(gold)} alone", _problem(gold), gold) for gold in dict.fromkeys(golds)]
    cases += [Case(GARBAGE_TEXT, what, _problem("4"), text) for what, text in GARBAGE.items()]
    for gold in UNREADABLE_GOLDS:
        for text in ANSWERS_TO_UNREADABLE:
            cases.append(Case(UNREADABLE, _named(_problem(gold), text), _problem(gold), text))
    return cases


def gather(spec: GraderSpec, cases: Sequence[Case], seconds: float) -> Evidence:
    """Grade all cases three times, in processes that are killed when a text takes longer than `seconds`.

    Raises BenchError when no process can be started that has the grader.
    """
    items = [(case.problem, case.text) for case in cases]
    both = _grades(spec, items + items, seconds)
    first, again = both[: len(items)], both[len(items) :]
    stopped = sum(map(_lost, both)) >= MAX_LOST
    back = [] if stopped else _grades(spec, items[::-1], seconds)[::-1]
    return Evidence(cases, first, again, back or [None] * len(items), seconds)


def shown(text: str) -> str:
    """A text short enough for a message."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def _grades(spec: GraderSpec, items: Sequence[Judged], seconds: float) -> list[Grade | None]:
    grades: list[Grade | None] = []
    lost = 0
    for grade in grade_all(spec, items, limits=Limits(seconds=seconds, workers=1)):
        grades.append(grade)
        lost += _lost(grade)
        if lost >= MAX_LOST:
            break
    return grades + [None] * (len(items) - len(grades))


def _lost(grade: Grade | None) -> bool:
    """Whether this text cost its worker process."""
    died = grade is not None and grade.kind == "crashed" and grade.reason.startswith(f"{NAME} {ENDED}")
    return died or (grade is not None and grade.kind == "timeout")


def _named(problem: Problem, text: str) -> str:
    return f"{shown(text)} for the gold answer {shown(problem.answer)}"


def _problem(gold: str) -> Problem:
    return Problem("problem-0", "What is asked?", gold)
