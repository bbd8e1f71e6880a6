"""What holds of every profile: it is in range, the same each time, and no text makes it fail or take long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mra_verifier import DIMENSIONS, profile

from mra_bench.judging import complete_profile
from mra_bench.testing.garbage import GARBAGE, UNREADABLE_GOLDS
from mra_bench.types import Problem, Profile

PIECES = [
    *(
        " = ",
        "=",
        "<<",
        ">>",
        "\\boxed{",
        "}",
        "$",
        "\\[",
        "\\]",
        "\\\\",
        "&",
        "\n",
        "####",
        "x",
        "y",
        "%",
        "of",
        "half",
    ),
    *(
        "so ",
        "\\frac{1}{2}",
        "\\sqrt",
        "(",
        ")",
        " + ",
        "-",
        "*",
        "/",
        "^",
        "The answer is ",
        "12",
        "3.5",
        "1,000",
        "0",
    ),
    *(".", ", ", ":", "\\begin{align*}", "\\end{align*}", "hours ", "cents", "x ", "<think>", "</think>"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
GOLDS = st.sampled_from(
    ["5", "-3", "1/2", "x + 1", "B", "50%", "3 hours", "\\sqrt{2}", "(1, 2)", "0", *UNREADABLE_GOLDS]
)
QUESTIONS = st.sampled_from(["How many eggs are left?", "How many hours is that?", "What is 20% of 50 if x = 3?", ""])


def sound(found: Profile) -> None:
    """In range, and nothing of it is refused where profiles are taken in."""
    assert tuple(found.errors) == DIMENSIONS
    assert complete_profile(found).errors == found.errors
    assert set(found.evidence) == {name for name, error in found.errors.items() if error}
    assert all(0 <= score <= 1 for score in found.scores.values())


@settings(max_examples=300, deadline=None)
@given(GOLDS, QUESTIONS, TEXTS)
def test_every_profile_is_in_range_and_the_same_each_time(gold: str, question: str, text: str) -> None:
    problem = Problem("p", question, gold)
    found = profile(problem, text)
    sound(found)
    assert profile(problem, text) == found


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_a_profile(text: str) -> None:
    sound(profile(Problem("p", text, "5"), text))


@pytest.mark.parametrize("name", list(GARBAGE))
def test_garbage(name: str) -> None:
    sound(profile(Problem("p", "How many?", "4", choices=()), GARBAGE[name]))
    sound(profile(Problem("p", GARBAGE[name], "4"), "2 + 2 = 4. " + GARBAGE[name]))


@pytest.mark.parametrize(
    "part",
    [
        "7 + 7 = 14. ",
        "7 + ",
        "7 = ",
        "x = 5, ",
        "$x^2 = 4$ ",
        "(",
        "word ",
        "\\boxed{",
        "\\[a = b\\\\",
        "<<1+1=2>>",
        "=",
        "\n",
    ],
)
def test_a_text_of_a_megabyte_ends(part: str) -> None:
    """In half a second; a pattern that is not linear would take hours."""
    sound(profile(Problem("p", "How many?", "4"), part * (1_000_000 // len(part))))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 10_000), st.sampled_from("+-*"))
def test_a_true_equation_is_never_an_error_and_a_false_one_always(a: int, b: int, sign: str) -> None:
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    problem = Problem("p", f"{a} {sign} {b}?", str(result))
    assert profile(problem, f"{a} {sign} {b} = {result}. So it is {result}.").errors["arithmetic"] == 0
    assert profile(problem, f"{a:,} {sign} {b:,} = {result + 1:,}. So it is {result}.").errors["arithmetic"] == 1
