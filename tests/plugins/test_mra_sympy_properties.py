"""What must hold for every input: reflexivity, symmetry, exactness on rationals, and that no text raises."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mra_sympy import equivalent, extract, grade

from mra_bench.types import Problem

RATIONALS = st.fractions(max_denominator=10_000).filter(lambda f: abs(f) < 10**9)
PIECES = ["\\frac", "\\sqrt", "\\text{", "\\pm", *"0123456789.,-+/^_{}()[]|!=<>$%\\ abxyπ√²"]
NOISE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
FEW = settings(max_examples=60, deadline=None)
MANY = settings(max_examples=200, deadline=None)


def written(value: Fraction, style: int) -> str:
    """One of several ways to write a rational."""
    top, bottom = abs(value.numerator), value.denominator
    sign = "-" if value < 0 else ""
    if bottom == 1:
        return [f"{value.numerator}", f"{sign}{top:,}", f"{value.numerator}.0", f"${value.numerator}$"][style % 4]
    tex = rf"{sign}\frac{{{top}}}{{{bottom}}}"
    return [f"{value.numerator}/{bottom}", tex, rf"{sign}\dfrac{{{2 * top}}}{{{2 * bottom}}}", rf"\({tex}\)"][style % 4]


@MANY
@given(RATIONALS, st.integers(0, 3), st.integers(0, 3))
def test_ways_to_write_a_rational_are_equal(value: Fraction, one: int, other: int) -> None:
    found = equivalent(written(value, one), written(value, other))
    assert (found.correct, found.answer) == (True, str(value))


@MANY
@given(RATIONALS, RATIONALS, st.integers(0, 3), st.integers(0, 3))
def test_different_rationals_are_never_equal(a: Fraction, b: Fraction, one: int, other: int) -> None:
    assume(a != b)
    assert equivalent(written(a, one), written(b, other)).correct is False


EXPRESSIONS = st.sampled_from(
    [
        r"\frac{x+1}{2}",
        r"\left(1,\frac{1}{3}\right)",
        r"\sqrt{7}",
        "x^2-3x",
        r"\frac{\pi}{6}",
        "[0,2)",
        r"\{1,5\}",
        "y=2x+1",
        "12.5",
    ]
)
DRESS = {
    "brackets that grow": lambda s: s.replace(r"\left", "").replace(r"\right", ""),
    "larger fractions": lambda s: s.replace(r"\frac", r"\dfrac"),
    "spaces": lambda s: s.replace("+", " + ").replace(",", r",\;"),
    "dollar signs": lambda s: f"${s}$",
    "a box": lambda s: rf"\boxed{{{s}}}",
    "display style": lambda s: rf"\displaystyle {s}",
    "a full stop": lambda s: f"{s}.",
    "brackets of mathematics": lambda s: rf"\[ {s} \]",
}


@pytest.mark.parametrize("dress", DRESS)
@FEW
@given(EXPRESSIONS)
def test_dress_does_not_matter(dress: str, text: str) -> None:
    assert equivalent(text, DRESS[dress](text)).correct is True
    assert equivalent(DRESS[dress](text), text).correct is True


SEPARATED = {
    "1,234,567.5": "{:,.1f}",
    "1 234 567.5": lambda x: f"{x:,.1f}".replace(",", " "),
    "1\u202f234\u202f567.5": lambda x: f"{x:,.1f}".replace(",", "\u202f"),
    "1'234'567.5": lambda x: f"{x:,.1f}".replace(",", "'"),
    "1_234_567.5": lambda x: f"{x:,.1f}".replace(",", "_"),
    "1{,}234{,}567.5": lambda x: f"{x:,.1f}".replace(",", "{,}"),
    "1.234.567,5": lambda x: f"{x:,.1f}".translate(str.maketrans(",.", ".,")),
    "1 234 567,5": lambda x: f"{x:,.1f}".translate(str.maketrans(",.", " ,")),
}


@pytest.mark.parametrize("form", SEPARATED)
@FEW
@given(n=st.integers(10**6, 10**12), tenths=st.integers(1, 9), zeros=st.integers(0, 3))
def test_separators_and_trailing_zeros_do_not_matter(form: str, n: int, tenths: int, zeros: int) -> None:
    write = SEPARATED[form]
    value = n + tenths / 10
    text = write.format(value) if isinstance(write, str) else write(value)
    assert equivalent(f"{n}.{tenths}" + "0" * zeros, text).correct is True
    assert equivalent(f"{n + 1}.{tenths}", text).correct is False


@MANY
@given(
    st.integers(-(10**18), 10**18), st.text(max_size=40), st.sampled_from([" apples.", ".", " in all", "\n", "!", ""])
)
@example(n=1234567, before="", after=".")
def test_the_last_number_is_found_with_separators(n: int, before: str, after: str) -> None:
    assume(not re.search(r"[a-z]{3}", before, re.I))  # words can say that something else is the answer, or that none is
    assume("答案" not in before and "####" not in before and "$" not in before and "a:" not in before.lower())
    found = extract(f"{before} we get {n:,}{after}")
    assert found is not None
    assert int(found.answer.replace(",", "")) == n
    assert grade(Problem("p", "?", str(n)), f"{before} we get {n:,}{after}").correct is True


@FEW
@given(NOISE, NOISE)
def test_readable_answers_equal_themselves_and_compare_symmetrically(a: str, b: str) -> None:
    itself, one, other = equivalent(a, a), equivalent(a, b), equivalent(b, a)
    assert itself.correct is True or itself.kind in ("unparseable", "unjudged")
    assert (one.correct is True) == (other.correct is True)


@MANY
@given(st.one_of(st.text(), NOISE, st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))), NOISE)
@example("\x00\ud800", "5")
@example("1" * 5000, "9" * 5000)
def test_no_text_raises(text: str, gold: str) -> None:
    for found in (grade(Problem("p", "?", gold), text), grade(Problem("p", "?", "5"), text), equivalent(gold, text)):
        assert found.correct in (True, False, None)
        assert found.reason
        assert found.kind in ("correct", "wrong", "no-answer", "unparseable", "unjudged", "ran-on")


HOSTILE = [
    "9**9**9**9", "9^{9^{9^{9}}}", "10000!", "9!!!!!!!!", "(10^{10})!", "x" * 100_000, "{" * 5000,
    "{" * 2000 + "}" * 2000,
    "(" * 300 + "x" + ")" * 300, "\x00" * 10, '__import__("os").system("true")', "().__class__.__bases__[0]",
    "1e999999",
    "1" * 5000, r"\frac" * 500, r"\sqrt" * 500 + "2", "^" * 300, "2^" * 200 + "2", r"\sqrt{" * 50 + "2" + "}" * 50,
    r"\sum_{n=1}^{\infty} 9^{9^9}", r"\int_0^1 x^{x^{x^x}} dx", r"\binom{10000000}{5000000}", "(x+1)^{1000}",
    "1/0", r"\log 0",
    "a," * 5000, r"\pm" * 50, r"\text{" * 100, "$" * 50_000, r"\(" * 50_000, "answer is " * 10_000, "####" * 25_000,
    r"\boxed{" * 14_000, r"\boxed{1}" * 11_000, "1,111" * 20_000, "1/" * 50_000,
    "Q:\n" * 30_000 + "5\n" + "Q:\n" * 9000,
    "-" * 100_000, "\u202e١٢٣", r"\begin{pmatrix}" + "1&" * 3000 + r"1\end{pmatrix}", "0." + "1" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:20]!r}x{len(text)}")
def test_hostile_texts_are_survived(text: str) -> None:
    for found in (
        equivalent("5", text),
        equivalent(text, "5"),
        equivalent(text, text),
        grade(Problem("p", "?", "(1, 2)"), f"The answer is {text}"),
        grade(Problem("p", "?", "x + 1"), rf"\boxed{{{text}}}"),
    ):
        assert found.correct in (True, False, None)
        assert len(found.reason) < 1000
        assert len(found.answer) <= 5000
