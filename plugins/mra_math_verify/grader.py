"""From math-verify's lists of candidates and its bare True or False to a Grade that says what happened."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from typing import Any

from mra_bench.types import Grade, Problem
from mra_math_verify.options import Options

_DELIMITED = re.compile(r"(?<!\\)\$|\\\(|\\\[")
_SHOWN = 60

MAX_TEXT = 20_000  # its patterns take seconds and minutes on much longer texts


def grade_text(problem: Problem, text: str, options: Options) -> Grade:
    """The verdict on a model's text, in whose last MAX_TEXT characters math-verify looks for the answer."""
    return _grade(problem.answer, text, read(text[-MAX_TEXT:]), options)


def compare_answers(gold: str, prediction: str, options: Options) -> Grade:
    """The verdict on two bare answers."""
    return _grade(gold, prediction, read(wrapped(prediction)), options)


def wrapped(answer: str) -> str:
    """A bare answer as LaTeX: math-verify finds next to nothing in LaTeX that stands in no ``$...$``, ``\\(`` or
    ``\\[``."""
    return answer if _DELIMITED.search(answer) else f"${answer}$"


def read(text: str) -> list[Any]:
    """What math-verify finds in a text: a sympy value, then the string it was read from after its own tidying; the
    string alone where it cannot be read as mathematics; [] for nothing.

    Its own time limit is a signal, which only works in the main thread and does not stop C code: it is off, because
    graders run in workers that can be killed.
    """
    from math_verify import parse

    logging.getLogger("math_verify.parser").setLevel(logging.ERROR)  # it warns about exactly this
    found: list[Any] = parse(text, parsing_timeout=None)
    return found


def same(gold: list[Any], found: list[Any], options: Options) -> bool:
    """math-verify's verdict on what it found in two texts."""
    from math_verify import verify

    logging.getLogger("math_verify.grader").setLevel(logging.ERROR)
    return bool(verify(gold, found, timeout_seconds=None, **asdict(options)))


def _grade(gold: str, text: str, found: list[Any], options: Options) -> Grade:
    wanted = read(wrapped(gold))
    if not wanted:
        reason = f"math-verify finds no answer in the gold answer {_quoted(gold)}."
        return Grade(None, reason=reason, kind="unparseable")
    if not found:
        return Grade(False, reason="math-verify finds no answer in the text.", kind="no-answer")
    source = found[-1] if isinstance(found[-1], str) else ""
    correct = same(wanted, found, options)
    reason = f"math-verify: {_quoted(source)} {'equals' if correct else 'does not equal'} {_quoted(gold)}."
    kind = "correct" if correct else "wrong"
    return Grade(correct, _canonical(found[0], source), reason, kind, extracted=source if source in text else "")


def _canonical(value: Any, source: str) -> str:
    """The value in sympy's words; the string it was read from where sympy cannot write it (thousands of digits)."""
    try:
        return str(value)
    except (ValueError, RecursionError):
        return source


def _quoted(text: object) -> str:
    line = " ".join(str(text).split())
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "...")
