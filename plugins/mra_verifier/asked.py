"""What a question asks for: a count, a measure that cannot be negative, a unit."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy.choices import is_gold_choice
from mra_sympy.unit_table import Unit, lookup

from mra_bench.types import Problem

_COUNT = re.compile(
    r"\bhow many\b(?!\s+(?:more|fewer|less|degrees))\s+((?:[a-z]+\s+){0,3}?[a-z]+)"
    r"|\bthe (?:total )?number of\s+([a-z]+)",
    re.I,
)
_SIZE = re.compile(
    r"\bhow (?:much|long|far|tall|wide|high|old|fast|big|large|heavy)\b|\b(?:cost|price|length|distance|width|height"
    r"|area|perimeter|volume|age|weight|speed)\b(?=[^.]*\?)",
    re.I,
)
# Money lost, and changes, may well be negative.
_SIGNED = re.compile(
    r"\b(?:profit|loss|lose|change|difference|temperature|degrees|net|gain|coordinate|slope|integer)\w*", re.I
)
_MEASURED = re.compile(r"\bhow many\s+([a-z]+)(?:\s+(?:per|an?|each)\b)?|\bin\s+([a-z]+)\s*[?,]", re.I)


@dataclass(frozen=True)
class Asked:
    """count: whole numbers are asked for, of things that cannot be cut. size: something that is never negative.
    unit: the unit asked for, "" where none is named. choice: one of several answers is to be chosen."""

    count: bool = False
    size: bool = False
    unit: str = ""
    choice: bool = False


@functools.lru_cache(maxsize=2048)
def asked(problem: Problem) -> Asked:
    """What the question says it wants."""
    if problem.choices or problem.expects == "choice" or is_gold_choice(problem.answer):
        return Asked(choice=True)
    question = problem.question[-3000:]
    end = question.rfind("?")
    begin = max(question.rfind(mark, 0, max(end, 0)) for mark in ".?!") + 1
    last = question[begin : end + 1] if end >= 0 else question[-300:]
    signed = _SIGNED.search(last) is not None
    counted = _COUNT.search(last)
    count = counted is not None and not signed and not _is_measure(counted[1] or counted[2])
    return Asked(count, count or (_SIZE.search(last) is not None and not signed), _unit(last))


def _is_measure(words: str) -> bool:
    """Hours, dollars and kilometres can be cut; people and marbles cannot."""
    return any(unit_of(word) is not None for word in words.split())


def _unit(question: str) -> str:
    for found in _MEASURED.finditer(question):
        word = found[1] or found[2]
        if unit_of(word) is not None:
            return word.lower()
    return ""


@functools.lru_cache(maxsize=4096)
def unit_of(word: str) -> Unit | None:
    """The unit that a word or mark names without doubt, None for others."""
    word = word.strip(" .,;")
    if len(word) < 3 and word not in ("$", "km", "cm", "mm", "kg", "mg"):
        return None
    found = lookup(word if word in ("$", "km", "cm", "mm", "kg", "mg") else word.lower())
    found = found or lookup(word.lower().removesuffix("s"))
    return found[0] if found and found[0].dims else None


def other_unit(asked_for: str, written: str) -> Fraction | None:
    """How many of the unit asked for make one of the unit written, where both measure the same and differ."""
    one, other = unit_of(asked_for), unit_of(written)
    if one is None or other is None or one.dims != other.dims or one.pi != other.pi or one.factor == other.factor:
        return None
    return other.factor / one.factor
