"""Where the numbers of a calculation come from: from the question, from an earlier step, or from nowhere.

Numbers that need no source: small counts, what everybody knows (60 minutes, 100 %, a dozen), and what follows from a
number of the question by turning a share into its percentage, its rest or its inverse.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy.number_words import leading_words

from mra_bench.types import Problem
from mra_verifier.sides import Chain, letters

_NUMERAL = re.compile(r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,15}(?:\.\d{1,12})?|\.\d{1,12})(?!\d)")
_RUN = re.compile(r"\.?\d[\d.,]{0,40}")
_FRACTION = re.compile(r"(\d{1,6})\s?/\s?(\d{1,6})")
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million dozen half third "
    "thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh eighth eighths ninth tenth tenths"
).split()
_WORD = re.compile(rf"(?<![a-z-])(?:(?:an?|and|{'|'.join(_NUMBERS)})[ -]?)+(?![a-z])")
_NUMBER_WORDS = frozenset(_NUMBERS)
_PLAIN_WORD = re.compile(r"[a-z]+")
# Small counts and shares, and numbers of things that everybody knows.
_KNOWN = frozenset(
    map(float, (*range(5), 7, 10, 12, 24, 30, 31, 52, 60, 100, 365, 366, 1000, 0.5, 0.25, 0.75, 0.1, 0.01, 1.5))
)
# What belongs to units and percentages, where the question speaks of any.
_UNITS = frozenset(
    map(
        float,
        (
            *(
                5,
                6,
                8,
                9,
                14,
                15,
                16,
                20,
                25,
                28,
                36,
                45,
                48,
                50,
                90,
                120,
                128,
                144,
                168,
                180,
                360,
                1440,
                1760,
                2000,
                3600,
            ),
            *(5280, 10000, 1000000, 0.05, 0.2, 2.5),
        ),
    )
)
_MEASURES = frozenset(
    "hour hours minute minutes second seconds day days week weeks weekly month months monthly year years yearly noon "
    "midnight pm am clock dozen dozens inch inches foot feet yard yards mile miles pound pounds ounce ounces gallon "
    "gallons quart quarts pint pints cup cups cent cents quarter quarters dime dimes nickel nickels penny pennies gram "
    "grams kg meter meters km cm liter liters ml degree degrees square triangle circle angle angles rectangle "
    "rectangular polygon cube cubes".split()
)
_SHARES = frozenset(
    "percent percentage probability ratio fraction discount tax interest cent cents chance average p".split()
)
MAX_TOLD = 20_000
Numerals = Sequence[tuple[int, float]]


@functools.lru_cache(maxsize=16384)
def _values(digits: str) -> tuple[float, ...]:
    """The numbers in a run of digits, points and commas, to nine places: they are only compared here."""
    return tuple(round(float(found.replace(",", "")), 9) for found in _NUMERAL.findall(digits))


def numerals(text: str, start: int, end: int) -> Numerals:
    """(place, value) of each numeral in text[start:end]."""
    return [(run.start(), value) for run in _RUN.finditer(text, start, end) for value in _values(run[0])]


@dataclass(frozen=True)
class Given:
    """What a question gives: its numbers, in figures and in words; whether it speaks of measures, and of shares."""

    numbers: frozenset[float]
    measures: bool
    shares: bool


def needs_source(value: float, problem: Problem) -> bool:
    """Would a reader ask where this number comes from?"""
    told = given(problem)
    if value in _KNOWN or value in told.numbers or round(1 / value, 9) in _KNOWN:
        return False
    if told.measures and value in _UNITS:
        return False
    return not any(value in _following(one, told.measures, told.shares) for one in told.numbers)


@functools.lru_cache(maxsize=2048)
def given(problem: Problem) -> Given:
    """What the question and its choices give."""
    told = "\n".join((problem.question, *problem.choices))[:MAX_TOLD].lower()
    words = set(_PLAIN_WORD.findall(told))
    found = {value for _, value in numerals(told, 0, len(told))}
    found |= {round(int(top) / int(bottom), 9) for top, bottom in _FRACTION.findall(told) if int(bottom)}
    if words & _NUMBER_WORDS:
        said = (leading_words(match[0].strip(" -")) for match in _WORD.finditer(told))
        found |= {round(float(number[0]), 9) for number in said if number is not None}
    shares = "%" in told or bool(words & _SHARES) or _FRACTION.search(told) is not None
    return Given(frozenset(found), bool(words & _MEASURES), shares)


@functools.lru_cache(maxsize=16384)
def _following(one: float, measures: bool, shares: bool) -> frozenset[float]:
    """What follows from one number alone: one more and one less, its inverse; where the question speaks of shares, a
    share as a percentage and back and what is left of it or comes with it; of measures, its multiple in other units."""
    found = [one + 1, one - 1, 1 / one if one else one]
    if shares:
        found += [one * 100, one / 100, 100 - one, 100 + one, 1 - one / 100, 1 + one / 100, 1 - one, one * 2, one / 2]
    if measures:
        found += [one * 12, one * 60, one / 60, one * 7, one * 100]
    share = Fraction(one).limit_denominator(100)
    if share.denominator != 1 and abs(share - Fraction(one)) < 1e-8:
        found += [share.numerator, share.denominator, share.denominator - share.numerator, 1 - one, 1 + one]
    return frozenset(round(value, 9) for value in found)


@functools.lru_cache(maxsize=8192)
def _calculated(source: str) -> tuple[float, ...]:
    """The numbers of a side that is calculated, () of a bare one."""
    found = _values(source)
    return found if len(found) > 1 else ()


def unsourced(problem: Problem, told: Numerals, chains: Sequence[Chain]) -> tuple[Chain, float] | None:
    """The first chain in a sentence that calculates with a number which neither the question nor the text has named
    before, and that number. told: the numerals of the text, in order."""
    seen: set[float] = set()
    here = 0
    for chain in chains:
        while here < len(told) and told[here][0] < chain.start:
            seen.add(told[here][1])
            here += 1
        first = chain.sides[0]
        if chain.formula or not first.whole or any(letters(side.source) for side in chain.sides):
            continue  # an equation with an unknown is set up, not calculated
        for value in _calculated(first.plain or first.source):
            if value not in seen and needs_source(value, problem):
                return chain, value
    return None
