"""Answers in words: fixed statements, names, and words that are not the same."""

from __future__ import annotations

import pytest
from mra_sympy import equivalent, words

SAME = [
    ("no solution", "There is no solution."), ("no solution", "No solutions exist"), ("no solution", r"\emptyset"),
    ("no solution", "无解"), ("No real solution", "no real roots"), ("DNE", "The limit does not exist."),
    ("undefined", "does not exist"), ("infinitely many", "There are infinitely many solutions."),
    ("infinitely many", "an infinite number"), ("all real numbers", r"\mathbb{R}"),
    ("all real numbers", r"(-\infty,\infty)"),
    (r"\infty", "infinity"), (r"-\infty", "negative infinity"), ("diverges", "The series is divergent."),
    ("none of these", "None of the above"), ("cannot be determined", "It cannot be determined"),
    ("Yes", "Yes, because 3 > 2."),
    ("True", "yes"), ("No", "not true"), ("Quadrant III", "the third quadrant"), ("Quadrant III", "第三象限"),
    ("Monday", "Mon."),
    (r"\text{even}", "The function is even."), ("isosceles", "isosceles triangle"), ("Alice and Bob", "Bob and Alice"),
    ("A square", "square"), ("two lines", "2 lines"), ("12 remainder 3", "12 R3"), (">", r"\gt"),
    ("MR=SRMC", "SRMC=MR"),
    ("Evelyn", r"\text{evelyn}"), ("first", "1st"), ("x-axis", r"\text{the } x\text{-axis}"),
]  # fmt: skip
OTHER = [
    ("no solution", "one solution"), ("no solution", "infinitely many solutions"), ("even", "not even"),
    ("even", "odd"),
    ("even", "neither even nor odd"), ("converges", "does not converge"), ("converges", "converges conditionally"),
    ("diverges", "the series does not diverge"), ("Yes", "No, because 3 > 2"), ("No", "No solution"),
    ("No", "No. of apples"),
    ("True, True", "True"), ("all real numbers", "all positive real numbers"),
    ("all real numbers", "all real numbers except 0"),
    (r"-\infty", "infinity"), (r"\infty", "diverges"), ("Alice and Bob", "Alice"), ("dog", "hot dog"),
    ("rational", "irrational"),
    ("12 remainder 3", "12 remainder 2"), (">", "<"), ("0", r"\emptyset"), (r"\{0\}", "empty set"),
    ("Quadrant III", "Quadrant II"),
    ("two lines", "three lines"), ("does not exist", "it does exist"), ("Monday", "Tuesday"), ("0", "no"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "prediction"), SAME)
def test_the_same_in_words(gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is True
    assert equivalent(prediction, gold).correct is True


@pytest.mark.parametrize(("gold", "prediction"), OTHER)
def test_not_the_same_in_words(gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is not True
    assert equivalent(prediction, gold).correct is not True


def test_statements_that_mean_one_thing_are_one_string() -> None:
    assert equivalent("no solution", "There are no solutions.").answer == equivalent("7", r"\varnothing").answer
    assert equivalent("infinitely many", r"\infty").correct is True
    assert words.statement("one solution") is None
    assert words.statement("not even") is None


def test_words_without_frame_and_article() -> None:
    assert words.normalised("It is the red ball.") == ("red", "ball")
    assert words.normalised("x + 1") is None
