"""Graders that are wrong in one way each, importable as a stranger's would be."""

from __future__ import annotations

import itertools
import os
import re
import time
from typing import Any

from mra_bench import Grade, Problem

_calls = itertools.count()


def _last(text: str) -> str:
    return (re.findall(r"-?[0-9]+", text) or [""])[-1]


def sound(problem: Problem, text: str) -> Grade:
    last = _last(text)
    return Grade(correct=last == problem.answer, answer=last, reason="the last number")


def always_wrong(problem: Problem, text: str) -> Grade:
    return Grade(False, _last(text), "by principle")


def never_judges(problem: Problem, text: str) -> Grade:
    return Grade(None, _last(text))


def raises_without_a_word(problem: Problem, text: str) -> Grade:
    last = text.split()[-1]
    return Grade(last == problem.answer, last)


def gives_a_bool(problem: Problem, text: str) -> Any:
    return _last(text) == problem.answer


def answers_with_a_number(problem: Problem, text: str) -> Grade:
    answer: Any = int(_last(text)[:9] or 0)
    return Grade(_last(text) == problem.answer, answer)


def span_behind_the_end(problem: Problem, text: str) -> Grade:
    return Grade(_last(text) == problem.answer, _last(text), span=(0, len(text) + 1))


def changes_the_problem(problem: Problem, text: str) -> Grade:
    object.__setattr__(problem, "answer", problem.answer + " ")
    return sound(Problem("", "", problem.answer.strip()), text)


def counts_its_calls(problem: Problem, text: str) -> Grade:
    return Grade(_last(text) == problem.answer, _last(text), reason=f"call {next(_calls)}")


def depends_on_the_process(problem: Problem, text: str) -> Grade:
    return Grade(_last(text) == problem.answer, _last(text), reason=f"process {os.getpid()}")


def takes_unreadable_gold(problem: Problem, text: str) -> Grade:
    if problem.answer.count("{") != problem.answer.count("}"):
        return Grade(True, _last(text), "no way to tell")
    return sound(problem, text)


def hangs_on_braces(problem: Problem, text: str) -> Grade:
    while "\\boxed{{{" in text:
        time.sleep(0.01)
    return sound(problem, text)


def hangs(problem: Problem, text: str) -> Grade:
    while True:
        time.sleep(0.01)


def kills_its_process(problem: Problem, text: str) -> Grade:
    if "__import__" in text:
        os._exit(4)
    return sound(problem, text)


def always_ends_its_process(problem: Problem, text: str) -> Grade:
    os._exit(3)


def always_raises(problem: Problem, text: str) -> Grade:
    raise ValueError("no way")


def gives_a_word(problem: Problem, text: str) -> Any:
    return "correct"


class Tolerant:
    """A grader that is an object with state that can be pickled."""

    def __init__(self, tolerance: int) -> None:
        self.tolerance = tolerance

    def __call__(self, problem: Problem, text: str) -> Grade:
        last = _last(text)
        if not re.fullmatch("-?[0-9]{1,9}", last) or not re.fullmatch("-?[0-9]{1,9}", problem.answer):
            return Grade(False, last)
        return Grade(abs(int(last) - int(problem.answer)) <= self.tolerance, last)
