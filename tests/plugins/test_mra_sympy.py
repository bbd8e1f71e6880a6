"""The answer checker: what is found, what is equal, what is said."""

from __future__ import annotations

import subprocess
import sys

import pytest
from mra_sympy import Options, equivalent, extract, grade

from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.types import Grade, Problem


def graded(gold: str, text: str) -> Grade:
    return grade(Problem("p", "?", gold), text)


EQUAL = [
    ("18", "18.00"), ("1234", "1,234"), ("1234567", "1 234 567"), ("12345678", r"12\,345\,678"), ("0.5", ".5"),
    ("1/2", "0.5"), ("1/2", r"\frac12"), ("-3/4", r"-\dfrac{3}{4}"), ("5/2", r"2\frac{1}{2}"), ("5/2", "2 1/2"),
    ("1000", "1e3"), ("1200000", r"1.2 \times 10^6"), ("0.000123", "1.23E-4"), ("1/3", "0.333..."),
    ("1/6", r"0.1\overline{6}"), ("29", "$29.00"), ("1000", r"\$1,000.00"), ("5", "5 cm"), ("36", r"36^\circ"),
    ("2 m", "200 cm"), ("1 hour", "60 minutes"), ("17", r"17\text{ apples}"), ("0.5", r"50\%"), ("50", "50%"),
    ("1234.5", "1.234,5"), ("54", "204_5"), ("½", "0.5"), ("٣", "3"), ("５", "5"), ("12", "12米"),
    ("-3", "−3"), ("5", "x = 5"), ("5", r"\text{5}"), ("5", "$5$"), ("5", r"\(5\)"), ("5", r"\boxed{5}"),
    ("5", "3 + 2"),
    ("120", "5!"), ("10", r"\binom{5}{2}"), ("4", r"\sqrt{16}"), ("8", "2^3"), ("8", "2**3"), ("-9", "-3^2"),
    (r"\sqrt{8}", r"2\sqrt{2}"), (r"\frac{1}{\sqrt{3}}", r"\frac{\sqrt{3}}{3}"), ("sqrt(2)/2", r"\frac{\sqrt2}{2}"),
    ("√17", r"\sqrt{17}"), ("2π", r"2\pi"), ("1", r"\sin(\frac{\pi}{2})"), ("1/2", r"\sin 30^\circ"),
    (r"\ln(x^2)", r"2\ln x"), ("tanθ", "sinθ/cosθ"), ("3", r"\log_2 8"), ("(x+1)^2", "x^2 + 2x + 1"),
    ("x/2", r"\frac{x}{2}"),
    ("x^2", "x²"), ("v_0^2", "v^2_0"), ("a b", r"a \cdot b"), ("|x|", r"\left|x\right|"),
    ("e^{-x}", r"\frac{1}{e^x}"),
    ("3.14159265359", r"\pi"), ("(1, 2)", r"\left( 1,\, 2 \right)"), ("[0,1)", r"\left[0, 1\right)"),
    ("1, 2", "2, 1"), ("1, 2", "2 and 1"), ("1, 2", r"\{2, 1\}"), (r"\{1, 2, 2\}", r"\{1, 2\}"), ("1, -1", r"\pm 1"),
    (r"\emptyset", r"\{\}"), (r"x \ge 5", r"[5, \infty)"), ("-1 < x < 2", "(-1, 2)"), (r"x \in [1, 2]", "[1, 2]"),
    (r"(-\infty, 0) \cup (1, 2)", r"(1,2) \cup (-\infty,0)"), ("2x + 4y = 6", "x + 2y = 3"), ("y = 2x", "2x = y"),
    ("s = vt", "v = s/t"), ("y = x + 1", "x + 1"), (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    r"\begin{bmatrix} 1 & 2 \\ 3 & \frac{8}{2} \end{bmatrix}"), ("A", "(A)"), ("B", "b"), ("C", "C. Cecile"),
    ("Evelyn", r"\text{evelyn}"), ("10000!", "10000!"), ("9^{9^{9^9}}", "9**9**9**9"), ("assistant", "Assistant"),
    (r"\overline{CD}", r"\overline{ CD }"), ("1:03 PM", r"\text{1:03 pm}"),
    ("e", r"\sum_{n=0}^{\infty} \frac{1}{n!}"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_both_ways(one: str, other: str) -> None:
    assert equivalent(one, other).correct is True, equivalent(one, other).reason
    assert equivalent(other, one).correct is True, equivalent(other, one).reason


DIFFERENT = [
    ("3", "13"), ("18", "$180"), ("3", "30"), ("4", "3/4"), (r"\frac{1}{23}", r"\frac{12}{3}"), ("34", "3,4"),
    ("0.0004", "0.0001"), ("0.33", "1/3"), ("5", "5.001"), ("12345.7", "12345.68"), ("1", "-1"), ("1/2", "1/3"),
    ("13 cm", "12 cm"), ("5 m", "5 cm"), ("5", "5x"), ("5", "5 or 7"), ("5, 7", "5"), ("(1,2)", "(2,1)"),
    ("(1,2)", r"\{1,2\}"), ("(1,2)", "[1,2]"), ("[0,1)", "(0,1]"), (r"x \ge 5", r"x \le 5"), ("x > 5", r"x \ge 5"),
    ("x", "|x|"), ("x", r"\sqrt{x^2}"), ("x", "y"), ("x + 1", "x - 1"), (r"2\sqrt{2}-1", r"2\sqrt{3}-1"),
    (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"), ("7 = 11a + c", "11a + c"), ("F = ma", "F = mg"), ("A", "B"),
    ("Paris", "London"), ("10000!", "10001!"), ("5", "9^{9^{9^9}}"),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1&3\end{pmatrix}"),
    ("6", "2(5)"), ("12", "1 2"), ("204_5", "204"), ("30", r"\sin 30"), ("2", "(0,)"), ("y = 2x", "y = 3x"),
    ("x < 1", "x > -1"), (r"\{1,2\}", r"\{1,2,3\}"), ("x^2", "x^3"), ("dog", "a dog and a cat"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_both_ways(one: str, other: str) -> None:
    assert equivalent(one, other).correct is not True, equivalent(one, other).reason
    assert equivalent(other, one).correct is not True, equivalent(other, one).reason


@pytest.mark.parametrize(
    ("gold", "text"), [("3", "The sum is 13"), ("18", "It costs $180."), ("4", "so 3/4"), ("34", r"\boxed{3,4}")]
)
def test_part_of_an_answer_earns_nothing(gold: str, text: str) -> None:
    assert graded(gold, text).correct is False


def test_output_of_a_program() -> None:
    assert graded("1234", "1,234\n").correct is True


@pytest.mark.parametrize("gold", ["", "  ", "$$", r"\frac{1}{", "(1, 2", "???", "{" * 50, r"\boxed{}"])
@pytest.mark.parametrize("text", ["4", "", r"\boxed{\frac{1}{}"])
def test_an_unreadable_gold_is_never_judged(gold: str, text: str) -> None:
    for found in (graded(gold, text), equivalent(gold, text), equivalent(gold, gold)):
        assert (found.correct, found.kind) == (None, "unparseable")
        assert "gold" in found.reason


def test_an_unreadable_prediction_is_wrong() -> None:
    found = equivalent("4", r"\frac{1}{")
    assert (found.correct, found.kind) == (False, "wrong")
    assert "cannot be read" in found.reason


def test_two_boxes_the_last_counts_and_it_is_said() -> None:
    found = graded("2", r"\boxed{1}. No: \boxed{2}")
    assert found.correct is True
    assert "2 different answers" in found.reason
    assert graded("1", r"\boxed{1}. No: \boxed{2}").correct is False


def test_the_word_assistant_survives() -> None:
    assert graded("assistant", r"\boxed{\text{assistant}}").correct is True
    assert graded("4", "As an assistant I say: the answer is 4.").correct is True


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("0.5", "1/2"), (r"\frac{2}{4}", "1/2"), ("1,234", "1234"), ("18.00", "18"), ("$18", "18"), ("18 apples", "18"),
     ("x = 18", "18"), (r"2\sqrt{2}-1", "-1 + 2*sqrt(2)"), (r"-1+\sqrt{8}", "-1 + 2*sqrt(2)"), ("2, 1", "1, 2"),
     (r"\text{ Red  Ball }", "red ball"), ("(1, 0.50)", "(1, 1/2)"), ("x(x+1)", "x**2 + x"), ("[0,1)", "[0, 1)"),
     ("x=2, y=1", "x=2, y=1"), ("x=2, x=1", "1, 2"), ("yes", "yes"), (r"\text{six}", "6")],
)  # fmt: skip
def test_canonical_answers(text: str, canonical: str) -> None:
    assert equivalent("7", text).answer == canonical


def test_reasons_name_both_sides() -> None:
    assert equivalent("18", "19").reason == "'19' is not '18'."
    assert equivalent("18", "18.0").reason == "'18.0' equals '18'."
    assert equivalent("18", "18").reason == "'18' is the gold answer."


@pytest.mark.parametrize(
    ("options", "gold", "prediction"),
    [
        (Options(percent_as_number=False), "50", "50%"),
        (Options(ignore_missing_unit=False), "5", "5 cm"),
        (Options(ignore_name=False), "5", "x = 5"),
        (Options(rounding_digits=0), "1/3", "0.33333333333"),
        (Options(rounding_digits=0), r"\pi", "3.14159265359"),
    ],
)
def test_options_tighten_the_comparison(options: Options, gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is True
    assert equivalent(gold, prediction, options).correct is False


def test_registered_like_a_strangers() -> None:
    registered = load_plugins(PluginSettings()).resolve("graders", "sympy")
    grader = registered.build({"percent_as_number": False})
    assert grader(Problem("p", "?", "50"), "50%").correct is False
    with pytest.raises(UsageError, match="rounding_digits"):
        registered.parse_options({"rounding_digits": -1})
    with pytest.raises(UsageError, match="Did you mean 'rounding_digits'"):
        registered.parse_options({"rounding_digit": 3})


def test_sympy_is_imported_only_when_needed() -> None:
    script = (
        "import sys, mra_sympy\n"
        "heavy = {'sympy', 'mpmath', 'latex2sympy2_extended', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "from mra_bench.types import Problem\n"
        "assert mra_sympy.grade(Problem('p', '?', '1/2'), r'so \\boxed{\\frac{3}{6}}').correct\n"
        "assert mra_sympy.equivalent('1,234', '$1234.00').correct\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert mra_sympy.equivalent('x+1', '1+x').answer == 'x + 1'\n"
        "assert 'sympy' not in sys.modules, 'sympy works in a process of its own'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_no_text_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="two texts, got int: 5"):
        equivalent("5", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Problem and a text .* got str: '5'"):
        grade("5", "so 5")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a text, got NoneType"):
        extract(None)  # type: ignore[arg-type]
