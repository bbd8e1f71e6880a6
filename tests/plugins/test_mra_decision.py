"""The grader of a verifier's decisions."""

from __future__ import annotations

import pytest
from mra_decision import grade

from mra_bench.testing import check_grader, problem


@pytest.mark.parametrize(
    ("gold", "text", "correct", "answer"),
    [
        ("CORRECT", "CORRECT", True, "CORRECT"),
        ("CORRECT", "Every step holds, so it is correct.", True, "CORRECT"),
        ("INCORRECT", "This is not correct", True, "INCORRECT"),
        ("CORRECT", "This is not correct", False, "INCORRECT"),
        ("INCORRECT", "CORRECT", False, "CORRECT"),
        ("UNCLEAR", "I cannot say.", True, "UNCLEAR"),
        ("CORRECT", "", False, "UNCLEAR"),
    ],
)
def test_the_decision_is_read_and_compared(gold: str, text: str, correct: bool, answer: str) -> None:
    found = grade(problem(answer=gold), text)
    assert (found.correct, found.answer) == (correct, answer)


def test_another_gold_answer_cannot_be_judged() -> None:
    found = grade(problem(answer="42"), "CORRECT")
    assert (found.correct, found.kind) == (None, "unparseable")


@pytest.mark.slow
def test_it_passes_the_checks_of_a_grader() -> None:
    right = [(problem(answer="CORRECT"), "CORRECT"), (problem(answer="INCORRECT"), "it is incorrect")]
    check_grader(grade, right=right, wrong=[(problem(answer="CORRECT"), "INCORRECT")])
