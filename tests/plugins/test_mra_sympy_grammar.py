"""Our grammar against latex2sympy2-extended: where both read an expression, its value is the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from mra_sympy.clean import clean
from mra_sympy.errors import Unreadable
from mra_sympy.grammar import parse
from mra_sympy.numeric import context, numeric
from mra_sympy.tokens import symbols

DATA = Path(__file__).parents[3] / "shared" / "data"
EXPRESSIONS = [
    r"\frac{1}{2}+\frac{3}{4}",
    r"\sqrt{2}+\sqrt[3]{5}",
    r"2^{3^2}",
    r"-3^2",
    r"\frac{\pi}{3}\sin\frac{\pi}{6}",
    r"\log_{2}{10}",
    r"\binom{7}{3}",
    r"5!",
    r"\frac{\sqrt{3}-1}{2\sqrt{2}}",
    r"e^{-2}",
    r"\left|3-\pi\right|",
    r"\arctan{\frac{1}{3}}",
    r"\frac{1+\sqrt{5}}{2}",
    r"\tan^2\frac{\pi}{5}",
    r"\sum_{k=1}^{10} k^2",
    r"\prod_{k=1}^{5} k",
    r"3\cdot 4\times 5",
]


def ours(text: str) -> complex | None:
    try:
        node = parse(clean(text))
        return None if symbols(node) else complex(numeric(node, {}, context(30)))
    except (Unreadable, TypeError, ValueError, OverflowError):
        return None


def theirs(text: str) -> complex | None:
    latex2sympy2_extended = pytest.importorskip("latex2sympy2_extended")
    try:
        found = latex2sympy2_extended.latex2sympy(text)
        return None if found.free_symbols else complex(found.evalf(20))
    except Exception:  # the library raises whatever it likes on what it cannot read
        return None


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_values_agree_with_the_library(text: str) -> None:
    mine, other = ours(text), theirs(text)
    assert mine is not None
    assert other is not None
    assert mine == pytest.approx(other, rel=1e-12)


def test_values_of_real_answers_agree_with_the_library() -> None:
    path = DATA / "math500" / "test.jsonl"
    if not path.exists():
        pytest.skip("the data file math500/test.jsonl is not beside the project")
    answers = [json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines()]
    latex = [answer for answer in answers if "\\" in answer and not re.search(r"text|,|;|begin|circ|%|\\\$", answer)]
    both = [(answer, ours(answer), theirs(answer)) for answer in latex]
    read = [(answer, mine, other) for answer, mine, other in both if mine is not None and other is not None]
    assert len(read) > 40
    assert [row for row in read if row[1] != pytest.approx(row[2], rel=1e-12)] == []
