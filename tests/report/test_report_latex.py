"""Finding formulas in texts, making MathML trees of them, and the places that a profiler's sentences quote."""

from __future__ import annotations

import json
import re
import time
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mra_bench.report.evidence import places
from mra_bench.report.latex import ATTRIBUTES, LONGEST, Converter, find_formulas, is_latex

DATA = Path(__file__).parents[3] / "shared" / "data"


def sources(text: str) -> list[str]:
    return [formula.source for formula in find_formulas(text)]


def tree(source: str) -> Any:
    made = Converter().tree(source)
    return json.loads(made) if made else None


def tags(made: Any) -> set[str]:
    return {made[0]}.union(*(tags(part) for part in made[1:] if isinstance(part, list)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("If $x^2 = 4$ then $x$?", ["x^2 = 4", "x"]),
        (r"so \(a\) and \[b = \frac{1}{2}\] and $$c$$.", ["a", r"b = \frac{1}{2}", "c"]),
        (
            "\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}",
            ["\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}"],
        ),
        ('[asy] label("$A$"); [/asy] $B$', ["B"]),
        (r"\[ x \text{ if $y$} \]", [r"x \text{ if $y$}"]),
        (r"\[ x \text{ if } y \]", [r"x \text{ if } y"]),
        (r"costs \$5, that is $5\%$", [r"5\%"]),
        ("She pays $5 and gets $10 back, $15 in all.", []),
        ("12 x 5 =$<<12*5=60>>60 and 2=$10", []),
        ("$5/day or 10$ a week", []),
        ("$the price$", []),
        ("$ x $ and $$", []),
        ("a $ b", []),
        (r"\[ never closed, $x$", []),
        ("$x\n\ny$", []),
    ],
)
def test_formulas_are_found_and_money_is_not(text: str, found: list[str]) -> None:
    assert sources(text) == found


def test_a_formula_knows_where_it_stands() -> None:
    text = "Say $x$ and \\[y\\]."
    first, second = find_formulas(text)
    assert (text[first.start : first.end], first.display) == ("$x$", False)
    assert (text[second.start : second.end], second.display) == ("\\[y\\]", True)


@pytest.mark.parametrize(
    ("answer", "latex"),
    [("42", False), (r"\frac{1}{2}", True), ("x^2", True), ("the value x_1 here", False), ("", False), ("50%", False)],
)
def test_answers_that_are_latex(answer: str, latex: bool) -> None:
    assert is_latex(answer) == latex


def test_a_tree_has_tags_attributes_and_texts() -> None:
    assert tree(r"\frac{1}{x}") == ["math", ["mfrac", ["mn", "1"], ["mi", "x"]]]
    assert json.loads(Converter().tree("x", display=True)) == ["math", {"display": "block"}, ["mi", "x"]]
    assert tree(r"\boxed{3}") == ["math", ["menclose", {"notation": "box"}, ["mn", "3"]]]
    assert tree(r"\text{if $y$}") == ["math", ["mrow", ["mtext", "if\u00a0"], ["mi", "y"], ["mtext"]]]
    assert "\u211d" in json.dumps(tree(r"\mathbb{R} x \in \mathscr{A}"), ensure_ascii=False)


@pytest.mark.parametrize(
    "source",
    [
        r"\newcommand{\a}{\a\a}\a",
        r"\def\a{xx}\a",
        r"\unknowncommand{x}",
        "{{{{",
        "{" * 900 + "}" * 900,
        r"\left(" * 400 + r"\right)" * 400,
        "x+" * LONGEST,
        "x\u202ey",
        "x\x00y",
        "\ud800",
        "x" + "^{a" * 300 + "}" * 300,
    ],
)
def test_what_is_hostile_or_unknown_stays_source(source: str) -> None:
    assert Converter().tree(source) == ""


@pytest.mark.parametrize(
    "source",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\class{evil}{x}\style{position:fixed}{y}",
        r"\color{red}x",
        r"\text{<script>alert(1)</script>}<img src=x onerror=alert(1)>",
        r"\text{&#x3c;b&#x3e;}",
    ],
)
def test_no_attribute_and_no_element_but_those_of_the_list(source: str) -> None:
    made = tree(source)

    def check(node: Any) -> None:
        attributes = node[1] if len(node) > 1 and isinstance(node[1], dict) else {}
        assert set(attributes) <= set(ATTRIBUTES.get(node[0], {})) | {"display"}
        assert all("script" not in value and ":" not in value for value in attributes.values())
        for part in node[1:]:
            if isinstance(part, list):
                check(part)

    check(made)
    assert tags(made) <= {"math", *ATTRIBUTES}


def test_the_script_has_the_same_list() -> None:
    script = (resources.files("mra_bench.report") / "templates/math.js").read_text("utf-8")
    listed = {
        tag: set(re.findall(r'"(\w+)"', names)) for tag, names in re.findall(r"^  (m\w+): \[(.*)\],$", script, re.M)
    }
    assert listed.pop("math") == {"display"}
    assert listed == {tag: set(attributes) for tag, attributes in ATTRIBUTES.items()}


@given(st.text("$\\()[]{}^_ab1 \n=&", max_size=60))
def test_any_text_is_read_and_every_formula_lies_in_it(text: str) -> None:
    converter = Converter()
    end = 0
    for formula in find_formulas(text):
        assert end <= formula.start < formula.end <= len(text)
        assert formula.source in text
        end = formula.end
        converter.tree(formula.source, formula.display)


@pytest.mark.parametrize("piece", ["$", "\\(", "\\[", "$x", "\\begin{align}", "[asy]", "$$"])
def test_time_is_linear_in_the_text(piece: str) -> None:
    def seconds(times: int) -> float:
        """The least of three: other work on the machine costs time, too."""
        taken = []
        for _ in range(3):
            started = time.process_time()
            find_formulas(piece * times)
            taken.append(time.process_time() - started)
        return min(taken)

    seconds(1_000)
    assert seconds(80_000) < 40 * max(seconds(8_000), 0.005)  # a hundred times as much, were it quadratic


def test_formulas_of_math_500_are_drawn_and_gsm8k_has_none() -> None:
    paths = [DATA / name / "test.jsonl" for name in ("math500", "gsm8k")]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"needs the data folder '{DATA}'")
    math, gsm8k = ([json.loads(line) for line in path.open(encoding="utf-8")] for path in paths)
    found = [formula for row in math for text in (row["problem"], row["solution"]) for formula in find_formulas(text)]
    converter = Converter()
    drawn = [bool(converter.tree(formula.source, formula.display)) for formula in found]
    assert len(drawn) > 5_000
    assert sum(drawn) / len(drawn) > 0.998
    assert not any(find_formulas(str(value)) for row in gsm8k for value in row.values())


@pytest.mark.parametrize(
    ("said", "text", "quoted"),
    [
        ("In '12 * 3 = 38', 12*3 is 36, not 38.", "So 12 * 3\n= 38 eggs", ["12 * 3\n= 38"]),
        ("The text breaks off: 'and then he...'.", "Well, and then he goes", ["and then he"]),
        ("The answer '36' comes without any reasoning.", "36", ["36"]),
        ("The answer '3' is odd.", "3 and 3", []),
        ("'2 = 3' is wrong.", "12 = 3", []),
        ("'a + b = 2' and \"c's d\" cannot hold.", "a + b = 2, c's d, a + b = 2", ["a + b = 2", "c's d", "a + b = 2"]),
        ("It doesn't say what it's for.", "t say what it", []),
        (r"'\\frac{1}{2}' is not 0.", r"so \frac{1}{2}", [r"\frac{1}{2}"]),
        ("Nothing is quoted.", "Nothing", []),
    ],
)
def test_places_that_sentences_quote(said: str, text: str, quoted: list[str]) -> None:
    assert [text[start:end] for start, end in places([said], text)] == quoted
