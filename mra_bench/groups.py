"""Sorts problems for breakdowns: by the type of the gold answer, and by the number of steps of the reference solution.

Both are read from the problem's own text by the rules written here; nothing is parsed as mathematics.
"""

from __future__ import annotations

import re

from mra_bench.types import Problem

MANY_STEPS = 9
LONGEST = 1000  # characters of an answer that are looked at
_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)"
_DECIMAL = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d*)\.\d+"
_RATIO = r"(?:\d+\s*/\s*\d+|\\[dt]?frac\s*(?:\{\s*[+-]?\d+\s*\}|\d)\s*(?:\{\s*\d+\s*\}|\d))"
_TYPES = (
    ("integer", re.compile(_NUMBER)),
    ("decimal", re.compile(_DECIMAL)),
    ("percentage", re.compile(rf"(?:{_NUMBER}|{_DECIMAL})\s*\\?%")),
    ("fraction", re.compile(rf"[+-]?\s*(?:\d+\s*)?{_RATIO}")),
    ("choice letter", re.compile(r"\(?[A-J][.)]?")),
    ("matrix", re.compile(r"\\begin\{[a-z]*matrix\}.*", re.DOTALL)),
    ("interval", re.compile(r"\[[^()\[\],]*,[^()\[\],]*[)\]]|\([^()\[\],]*,[^()\[\],]*\]")),
    ("set", re.compile(r"\\\{.*\\\}|\{.*\}|\\emptyset|\\varnothing", re.DOTALL)),
    ("tuple", re.compile(r"\([^()]*,.*\)", re.DOTALL)),
    ("list", re.compile(r"[^,(\[{]+(?:,\s?[^,]+)+", re.DOTALL)),
    ("text", re.compile(r"[^\W\d_]{2,}(?:[\s'.-]+[^\W\d_]+)*\.?")),
)
_DRESS = re.compile(r"\\left|\\right|\\!|\\,|\\;|\\\$|\$|\^\s*\{?\\circ\}?|°")
_GROUPED = re.compile(r"\{,\}|,\\!\s*")  # a comma between thousands
_WORDS = re.compile(r"\\(?:text|mbox|textbf|mathrm)\s*\{([^{}]*)\}")
_UNIT = re.compile(rf"({_DECIMAL}|{_NUMBER}|{_RATIO})\s+\(?[^\W\d_]{{2}}[^\d\\=+*]*")
_STATED = {"choice": "choice letter"}
_EQUATION = re.compile(r"(?<![<>!=:])=(?!=)|\\approx|\u2248")
_STEP_ENDS = re.compile(r"\n|(?<=[.;!?])\s")


def answer_type(problem: Problem) -> str | None:
    """The type of the gold answer: what the dataset's specification says, else what its text looks like.

    By the text, the first that fits of: "integer", "decimal", "percentage" (with its sign), "fraction" (also a mixed
    number), "choice letter" (one capital letter from A to J, or any answer to a question with choices), "matrix",
    "interval" (two ends in brackets of which one is square, or with an infinite end), "set" (in braces), "tuple" (in
    parentheses), "list" (with commas between), "text" (words), "expression" (anything else). A unit behind a number and
    the marks of LaTeX around it do not count. "number", where that is what a specification says, is told apart into
    the types of numbers. None for an empty answer.
    """
    gold = problem.answer.strip()
    if not gold:
        return None
    if problem.expects not in ("", "number"):
        return _STATED.get(problem.expects, problem.expects)
    if problem.choices:
        return "choice letter"
    found = _by_text(gold)
    numbers = ("integer", "decimal", "percentage", "fraction")
    return "number" if problem.expects == "number" and found not in numbers else found


def _by_text(gold: str) -> str:
    if len(gold) > LONGEST:
        return "expression"
    bare = _WORDS.sub(r" \1 ", _DRESS.sub("", _GROUPED.sub(",", gold))).strip()
    if unit := _UNIT.fullmatch(bare):
        bare = unit[1]
    if ("\\infty" in bare and "," in bare) or "\\cup" in bare:
        return "interval"
    return next((name for name, pattern in _TYPES if pattern.fullmatch(bare)), "expression")


def steps_of(problem: Problem) -> str | None:
    """The number of steps of the reference solution: its calculations in ``<<...>>`` where it has such (as GSM8K's),
    else its lines and sentences that hold an equation (a chain a = b = c is one). From 9 up, "9 or more". None where
    there is no solution, or no equation in it."""
    solution = problem.solution or ""
    steps = solution.count("<<") or sum(_EQUATION.search(part) is not None for part in _STEP_ENDS.split(solution))
    if steps >= MANY_STEPS:
        return f"{MANY_STEPS} or more"
    return str(steps) if steps else None
