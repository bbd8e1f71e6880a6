"""Types of gold answers and steps of reference solutions, by their text."""

from __future__ import annotations

import pytest

from mra_bench.groups import answer_type, steps_of
from mra_bench.types import Problem

TYPES = {
    "18": "integer", "-7": "integer", "70,000": "integer", "$90^\\circ$": "integer", "12 apples": "integer",
    "5 \\text{ cm}": "integer", "9 (balls)": "integer", "11,\\! 111,\\! 100": "integer", "100{,}000": "integer",
    "3.50": "decimal", "-.5": "decimal", "\\$1,234.56": "decimal", "0.46 dollars": "decimal",
    "12%": "percentage", "5.3\\%": "percentage",
    "3/4": "fraction", "-\\frac{1}{4}": "fraction", "\\dfrac34": "fraction", "1 1/2": "fraction",
    "C": "choice letter", "(B)": "choice letter", "\\text{(E)}": "choice letter",
    "(-\\infty, 0]": "interval", "[2,5)": "interval", "\\left(1,3\\right]": "interval", "(0,1)\\cup(2,3)": "interval",
    "\\{1, 2\\}": "set", "\\emptyset": "set",
    "\\left( 3, \\frac{\\pi}{2} \\right)": "tuple", "(1,2,4)": "tuple",
    "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}": "matrix",
    "3, 5, 7": "list", "7,9,12,13": "list",
    "\\text{Evelyn}": "text", "yes": "text", "Mrs. Hilt": "text",
    "2\\sqrt{3}": "expression", "x^2 + 1": "expression", "p - q": "expression", "3:30 p.m.": "expression",
}  # fmt: skip


@pytest.mark.parametrize(("gold", "wanted"), TYPES.items())
def test_the_type_is_read_from_the_gold(gold: str, wanted: str) -> None:
    assert answer_type(Problem("p", "", gold)) == wanted


@pytest.mark.parametrize(
    ("expects", "gold", "wanted"),
    [
        ("choice", "12", "choice letter"),
        ("interval", "(1, 2)", "interval"),
        ("text", "7", "text"),
        ("number", "7", "integer"),
        ("number", "1/2", "fraction"),
        ("number", "\\pi", "number"),
        ("", "", None),
    ],
)
def test_what_a_specification_says_wins(expects: str, gold: str, wanted: str | None) -> None:
    assert answer_type(Problem("p", "", gold, expects=expects)) == wanted


def test_an_answer_to_a_question_with_choices_is_a_letter() -> None:
    assert answer_type(Problem("p", "", "12", choices=("12", "13"))) == "choice letter"


@pytest.mark.parametrize("gold", ["(" + "," * 200_000, "a" * 200_000 + "1", "{" * 200_000, "\\frac" * 40_000])
def test_a_gold_of_any_length_is_sorted(gold: str) -> None:
    assert answer_type(Problem("p", "", gold)) == "expression"


@pytest.mark.parametrize(
    ("solution", "wanted"),
    [
        ("He has 48/2 = <<48/2=24>>24 clips. So 48+24 = <<48+24=72>>72 = 72 in all.\n#### 72", "2"),
        ("55 / 5 = 11. 11 - 2 = 9. 9 - 2 = 7. The answer is \\boxed{7} eggs.", "3"),
        ("x = 2 = 1 + 1\nso y = 3 and z = 4\nThat is 1.5 = 3/2; 2 = 2", "4"),
        ("No equation, since 3 <= 4 and 3 != 4.", None),
        ("", None),
        (None, None),
        ("a = b\n" * 9, "9 or more"),
        ("<<1=1>>" * 30, "9 or more"),
    ],
)
def test_steps_are_calculations_or_sentences_with_an_equation(solution: str | None, wanted: str | None) -> None:
    assert steps_of(Problem("p", "", "1", solution=solution)) == wanted
