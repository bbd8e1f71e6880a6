"""Samples of every kind that a builder may be given, for the checks of one."""

from __future__ import annotations

from collections.abc import Iterator

from mra_bench.builders import Sampled
from mra_bench.types import LENGTH, STOP, Completion, Grade, Problem, Profile

VERDICTS = (True, False, None)


def sampled_cases(with_samples: bool) -> Iterator[Sampled]:
    """Problems with and without a reference solution; with samples that are right, wrong and not judged, all right, all
    wrong, cut, empty, equal."""
    sets = [(True, False, None), (True, True), (False, False), ()] if with_samples else [()]
    for number, verdicts in enumerate(sets):
        for solution in ("2 + 2 = 4. The answer is 4.", None):
            problem = Problem(f"{number}-{solution is None}", "What is 2 + 2?", "4", solution)
            samples = tuple(
                (_completion(problem, index, correct), _grade(correct))
                for index, correct in enumerate((*verdicts, *verdicts))
            )
            yield Sampled(problem, "What is 2 + 2?", samples, tuple(_profile(grade) for _, grade in samples))


def _completion(problem: Problem, index: int, correct: bool | None) -> Completion:
    answer = "4" if correct else "5"
    text = "" if correct is None else f"It is {answer}." if index < 2 else f"2 + 2 = {answer}, so \\boxed{{{answer}}}."
    return Completion(problem.id, index, text, 5, len(text.split()), LENGTH if index == 3 else STOP)


def _grade(correct: bool | None) -> Grade:
    return Grade(correct, "4" if correct else "5", "for a check", "")


def _profile(grade: Grade) -> Profile:
    return Profile({"answer": None if grade.correct is None else float(not grade.correct)})
