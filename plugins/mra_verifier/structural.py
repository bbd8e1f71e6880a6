"""Structure of a solution: five flags, and their mean; 1 for an empty text.

1. No final answer. 2. Cut off. 3. No reasoning before the answer. 4. Repetitive. 5. The answer is of another type than
the one asked for: no whole number or a negative one where things are counted, another unit, no choice.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy import choices
from mra_sympy.errors import Unreadable
from mra_sympy.quantities import parse

from mra_bench.types import Problem
from mra_verifier.answers import Answers, as_number
from mra_verifier.arithmetic import shown
from mra_verifier.asked import Asked, other_unit, unit_of
from mra_verifier.dimension import Dimension, quote

FLAGS = 5
MIN_TRIPLES = 20
MAX_WORDS = 20_000
_DRAWING = re.compile(r"\[asy\].{0,20000}?\[/asy\]", re.DOTALL)
_STATED = ("boxed", "hash", "phrase", "correction", "whole")
_OPEN_END = re.compile(
    r"(?:[-+*/=×÷,(\[{]|\\(?:times|cdot|frac|div)|\b(?:the|a|an|and|or|of|to|is|are|so|then|because|with|for|in|by|that|"
    r"we|he|she|they|has|have|plus|minus|times))\s*\Z",
    re.I,
)
_WORD = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
_CALCULATED = re.compile(r"=|\d\s*[-+*/×÷]\s*\d|\\(?:frac|times|cdot|sqrt)|[<>≤≥]")
_UNIT_BEHIND = re.compile(r"\s*(?:\}\s*)?\$?\s*(?:\\(?:text|mathrm|mbox)\s*\{\s*)?([A-Za-z]{1,12}|[°%])")


@dataclass(frozen=True)
class Shape:
    """What structure says of a text: the flags raised, and whether it is empty or repeats itself."""

    dimension: Dimension
    degenerate: bool


def structural(problem: Problem, text: str, start: int, found: Answers, wants: Asked, limit: float) -> Shape:
    """The mean of the five flags of the text, whose solution begins at `start`."""
    if not text.strip():
        return Shape(Dimension(1.0, ("The text is empty.",)), True)
    repetitive = _repetitive(text, limit)
    flags = (
        "" if found.grade.span else "There is no final answer.",
        _cut_off(text, found),
        _bare(text, found),
        repetitive,
        _other_type(problem, text, found, wants),
    )
    raised = tuple(flag for flag in flags if flag)
    return Shape(Dimension(len(raised) / FLAGS, raised), bool(repetitive))


def _cut_off(text: str, found: Answers) -> str:
    """A thought, a box or a sentence that is never ended, where no answer is stated."""
    if text.rfind("<think>") > text.rfind("</think>"):
        return "The text ends inside of a thought."
    if found.grade.rule in _STATED:
        return ""
    end = text.rstrip()[-60:]
    if _OPEN_END.search(end):
        return f"The text breaks off: {quote(end)}."
    return "The text ends inside of a box." if re.search(r"\\boxed\s*\{[^{}]*\Z", text[-300:]) else ""


def _bare(text: str, found: Answers) -> str:
    """Is there neither a calculation nor a sentence before the answer?"""
    span = found.grade.span
    if span is None:
        return ""
    before, own = text[: span[0]], text[span[0] : span[1]]
    said = before[: max(before.rfind(mark) for mark in ".!?\n") + 1]
    if _CALCULATED.search(before[-2000:]) or _CALCULATED.search(own) or len(_WORD.findall(said, 0, 2000)) >= 5:
        return ""
    behind = text[span[1] : span[1] + 1000]
    if len(_WORD.findall(before, 0, 2000)) >= 12 or (len(_WORD.findall(behind)) >= 8 and found.grade.rule == "choice"):
        return ""
    return f"The answer {quote(own)} comes without any reasoning."


def _repetitive(text: str, limit: float) -> str:
    plain = _DRAWING.sub(" ", text) if "[asy]" in text else text
    words = plain.split(None, MAX_WORDS)[:MAX_WORDS]
    triples = list(zip(words, words[1:], words[2:], strict=False))
    if len(triples) < MIN_TRIPLES:
        return ""
    repeated = 1 - len(set(triples)) / len(triples)
    return f"{repeated:.0%} of its word triples are repeated." if repeated > limit else ""


def _other_type(problem: Problem, text: str, found: Answers, wants: Asked) -> str:
    grade = found.grade
    if grade.span is None or grade.correct:
        return _unit_slip(text, found, wants) if grade.correct else ""
    if wants.choice:
        named = choices.read(grade.extracted) is not None
        listed = {" ".join(choices.bare(choice).split()).lower() for choice in problem.choices}
        fine = named or not problem.choices or " ".join(grade.extracted.split()).lower() in listed
        return "" if fine else f"The answer {quote(grade.extracted)} is none of the choices."
    if wants.count and found.gold is not None and found.gold.denominator == 1 and found.given is not None:
        if found.given.denominator != 1:
            return f"The question asks how many; {shown(found.given)} is no whole number."
        if found.given < 0 <= found.gold:
            return f"The question asks how many; {shown(found.given)} is negative."
    return _unit_slip(text, found, wants)


def _unit_slip(text: str, found: Answers, wants: Asked) -> str:
    """Another unit of the same measure than the one asked for, behind the answer or where its number was last said."""
    if not wants.unit or found.grade.span is None:
        return ""
    written = _unit_of_answer(text, found)
    if written and other_unit(wants.unit, written) is not None:
        return f"The question asks for {wants.unit}; the answer is in {written}."
    return ""


def _unit_of_answer(text: str, found: Answers) -> str:
    span = found.grade.span
    given = as_number(found.grade.extracted)
    assert span is not None
    own = _quantity_unit(found.grade.extracted)
    if own and unit_of(own) is not None:
        return own
    direct = _UNIT_BEHIND.match(text, span[1])
    if direct and unit_of(direct[1]) is not None:
        return direct[1]
    if given is None:
        return ""
    return _last_said(text[max(0, span[0] - 300) : span[0]], given)


@functools.lru_cache(maxsize=4096)
def _quantity_unit(written: str) -> str:
    """The unit that an answer is written with."""
    try:
        found = parse(written)
    except (Unreadable, ArithmeticError, ValueError):
        return ""
    return found.unit if found else ""


def _last_said(text: str, number: Fraction) -> str:
    """The unit behind the last mention of a number, "" where it has none."""
    digits = shown(number)
    place = text.replace(",", " ").rfind(digits) if digits else -1
    said = _UNIT_BEHIND.match(text, place + len(digits)) if place >= 0 else None
    return said[1] if said and unit_of(said[1]) is not None else ""
