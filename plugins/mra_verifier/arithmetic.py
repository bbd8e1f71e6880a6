"""Arithmetic: which closed equalities ("12*3 = 38") are false.

Checked is an equality of two sides without symbols of which one at least is calculated. A number stands for all that
round or are cut to it at the places it is written to: 10/3 = 3.33 is true. Nothing is said of what is partly in words,
of a percentage added to a number, or of two units that convert.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy.unit_table import lookup

from mra_verifier.dimension import Dimension, quote, share
from mra_verifier.sides import Chain, Side, is_closed, letters, near, places, value

# How many of one unit make another: with these two sides may differ by their units alone.
_CONVERSIONS = frozenset(
    Fraction(n)
    for n in (2, 3, 4, 7, 8, 10, 12, 14, 16, 24, 25, 30, 36, 52, 60, 100, 144, 365, 1000, 1760, 2000, 3600, 5280)
)
_CLOSE = Fraction(1, 10**9)  # relative: how a float is printed
_LEADING = re.compile(r"\d+(?:\.\d+)?")
_SUM = re.compile(r"[\d.+\- ()]*")  # a sum is not rounded to a whole number
# What is divided by? 50/1/2 may mean 50/(1/2), 17/32\pi may mean 17/(32\pi).
_AMBIGUOUS = re.compile(r"(?:/|\\div)\s*[\d.]+(?:!\s*\d|!?\s*(?:/|\\|[a-z(]))")


@dataclass(frozen=True)
class Equality:
    """Two neighbouring sides of a chain: what they are, and whether they are equal."""

    chain: Chain
    left: Side
    right: Side
    true: bool


def arithmetic(text: str, found: Sequence[Chain]) -> Dimension:
    """The share of false ones among the different closed equalities."""
    checked = equalities(found)
    wrong = [_sentence(text, equality) for equality in checked if not equality.true]
    return share(wrong, len(checked))


def equalities(found: Sequence[Chain]) -> list[Equality]:
    """The closed equalities that can be checked, each once: ``<<2*3=6>>`` says again what stands beside it."""
    seen: dict[tuple[str, str], Equality] = {}
    for chain in found:
        for left, right in _pairs(chain):
            verdict = holds(left, right)
            if verdict is False and (_is_label(chain, left) or _runs_on(left, right)):
                continue
            if verdict is not None:
                seen.setdefault((left.source, right.source), Equality(chain, left, right, verdict))
    return list(seen.values())


def _pairs(chain: Chain) -> Iterator[tuple[Side, Side]]:
    """Neighbours of which one is calculated, and are known in full."""
    for left, right in zip(chain.sides, chain.sides[1:], strict=False):
        closed = left.whole and right.whole and not (letters(left.source) or letters(right.source))
        if closed and (places(left.source) is None or places(right.source) is None):
            yield left, right


def _is_label(chain: Chain, left: Side) -> bool:
    """A bare number that begins a chain may only end a phrase: "in week 2 = 35 + 35"."""
    return left is chain.sides[0] and places(left.source) is not None


def _runs_on(left: Side, right: Side) -> bool:
    """ "7*60 = 420 + 23 = 443": the next calculation goes on from the result, loosely written but not miscalculated."""
    first = _LEADING.match(right.source)
    return first is not None and first.end() < len(right.source) and value(first[0]) == value(left.source)


def holds(left: Side, right: Side) -> bool | None:
    """Are both sides equal, to the precision written? None where that is not known."""
    verdict = _equal(left.source, right.source)
    if verdict is not False:
        return verdict
    if _AMBIGUOUS.search(left.source) or _AMBIGUOUS.search(right.source):
        return None
    if left.plain or right.plain:
        if _equal(left.plain or left.source, right.plain or right.source) or _equal(
            left.plain or left.source, right.source
        ):
            return True
        if left.sums or right.sums:
            return None
    return None if _converts(left, right) else False


@functools.lru_cache(maxsize=16384)
def _equal(left: str, right: str) -> bool | None:
    a, b = value(left), value(right)
    if a is not None and b is not None:
        return a == b or _written(a, b, left, right)
    if "bare" in (_angles(left), _angles(right)) or ("pi" in left + right and _angles(left) != _angles(right)):
        return None
    if not (is_closed(left) and is_closed(right)):
        return None
    x, y = near(left), near(right)
    if x is None or y is None:
        return None
    gap = abs(x - y)
    digits = [found for found in (places(left), places(right)) if found]
    allowed = 10.0 ** -min(digits) if digits else 0.0
    return bool(gap <= max(abs(x), abs(y)) * 1e-12 + 1e-18 or gap < allowed)


def _angles(source: str) -> str:
    """In what angles are written, "" where there are none; the sine of a bare number may be meant in degrees."""
    if "circ" in source:
        return "bare" if "arc" in source else "degrees"
    bare = "pi" not in source and any(name in source for name in ("sin", "cos", "tan", "cot", "sec", "csc"))
    return "bare" if bare else ""


def _written(a: Fraction, b: Fraction, left: str, right: str) -> bool:
    """Is one of the two written as a number to fewer places than the other has: rounded or cut to them, to a whole
    number also rounded up (3.5 boxes are 4)? Or as a float is printed?"""
    for source, other, given, exact in ((right, left, b, a), (left, right, a, b)):
        digits = places(source)
        if digits is None or (exact * 10**digits).denominator == 1 or (not digits and _SUM.fullmatch(other)):
            continue
        above = (abs(given) - abs(exact)) * 10**digits
        if given * exact >= 0 and -1 < above <= (Fraction(1, 2) if digits else 1):
            return True
    return "." in left + right and abs(a - b) < _CLOSE * max(abs(a), abs(b))


def _converts(left: Side, right: Side) -> bool:
    """May the two differ by a unit that only one of them has, or both have differently?"""
    if sum(bool(lookup(unit)) for unit in left.units | right.units) > 1:
        return True
    if left.unit == right.unit:
        return False
    a, b = value(left.source), value(right.source)
    if not a or not b:
        return False
    ratio = abs(a / b)
    return ratio in _CONVERSIONS or 1 / ratio in _CONVERSIONS


def _sentence(text: str, equality: Equality) -> str:
    place = quote(text[equality.chain.start : equality.chain.end])
    a, b = value(equality.left.source), value(equality.right.source)
    if places(equality.left.source) is None and a is not None:
        return f"In {place}, {equality.left.source} is {shown(a)}, not {equality.right.source}."
    if b is not None:
        return f"In {place}, {equality.right.source} is {shown(b)}, not {equality.left.source}."
    return f"In {place}, {equality.left.source} does not equal {equality.right.source}."


def shown(number: Fraction) -> str:
    """A number for a person: whole or decimal where it ends, else a fraction."""
    if number.denominator == 1:
        return (
            str(number.numerator)
            if abs(number) < 10**18
            else f"{float(number):.4g}"
            if abs(number) < 10**300
            else "huge"
        )
    if max(number.denominator, abs(number.numerator)) > 10**12:
        return f"{float(number):.6g}"
    return f"{float(number):g}" if 10**6 % number.denominator == 0 else f"{number.numerator}/{number.denominator}"
