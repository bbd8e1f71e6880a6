"""Ratios (3:4, "3 to 4") and divisions with a remainder ("12 R 3")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy import decimals

_COLON = re.compile(r"\\text\s*\{\s*(?:to|:)\s*\}|\\colon(?![a-zA-Z])|\{\s*:\s*\}|\s+to\s+|:")
_AROUND = re.compile(r"(?:\\text\s*\{\s*)?(?:(?:in )?(?:the |a )?ratio(?: (?:of|is))?)(?:\s*\}|\s)\s*", re.IGNORECASE)
_BEHIND = re.compile(r"\s*(?:\\text\s*\{)?\s*\([A-Za-z ,:'-]{2,60}\)\s*\}?$")
_REMAINDER = re.compile(
    r"(-?\d{1,60})\s*(?:\\text\s*\{)?\s*(?:,?\s*(?:with )?(?:a )?remainder(?: of)?|[Rr]|余)\s*\}?\s*(\d{1,60})"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


@dataclass(frozen=True)
class Ratio:
    """Parts that only count in proportion. clock: it is written as a time of day or a duration is, "3:30"."""

    parts: tuple[Fraction, ...]
    clock: bool = False


@dataclass(frozen=True)
class Remainder:
    """12 R 3: a quotient and what is left."""

    quotient: int
    rest: int


def read_ratio(text: str) -> Ratio | Remainder | None:
    """The ratio or the division with remainder that all of the cleaned `text` writes, or None."""
    if len(text) > 400:
        return None
    if ("R" in text or "r" in text or "余" in text) and (found := _REMAINDER.fullmatch(text)):
        return Remainder(int(found[1]), int(found[2]))
    if ":" not in text and "to" not in text and "\\colon" not in text:
        return None
    text = (
        _BEHIND.sub("", _AROUND.sub("", text, count=1)).removesuffix(" ratio")
        if "atio" in text or "(" in text
        else text
    )
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    pieces = [piece.strip() for piece in _COLON.split(text)]
    if not 2 <= len(pieces) <= 10:
        return None
    parts = [_part(piece) for piece in pieces]
    if any(part is None for part in parts):
        return None
    return Ratio(tuple(part for part in parts if part is not None), _is_clock(text))


def _part(text: str) -> Fraction | None:
    found = decimals.BODY.fullmatch(text)
    number = decimals.value(found) if found else None
    return number[0] if number else None


def _is_clock(text: str) -> bool:
    """Hours below 25 and minutes below 60, in two figures: 3:30 may be a time, 3:4 and 3:75 are not."""
    text = text.replace(" ", "")
    if _CLOCK.fullmatch(text) is None:
        return False
    first, *others = (int(part) for part in text.split(":"))
    return first < 25 and all(other < 60 for other in others)


def proportional(a: Ratio, b: Ratio) -> bool:
    """Do the parts stand in the same proportion, in the same order? Zero is proportional to zero only."""
    if len(a.parts) != len(b.parts):
        return False
    if not any(a.parts) or not any(b.parts):
        return a.parts == b.parts
    pairs = list(zip(a.parts, b.parts, strict=True))
    x0, y0 = next(pair for pair in pairs if pair[0] or pair[1])
    if not x0 or not y0 or (x0 < 0) != (y0 < 0):
        return False
    return all(x * y0 == y * x0 for x, y in pairs)


def canonical_ratio(value: Ratio | Remainder) -> str:
    """3:4 for 6:8 and 0.75:1; a form that may be a clock time stays as it is."""
    if isinstance(value, Remainder):
        return f"{value.quotient} R {value.rest}"
    if value.clock:
        return ":".join(f"{int(part):02d}" if place else str(part) for place, part in enumerate(value.parts))
    first = next((abs(part) for part in value.parts if part), Fraction(1))
    scaled = [part / first for part in value.parts]
    bottom = 1
    for part in scaled:
        bottom = bottom * part.denominator // _gcd(bottom, part.denominator)
    whole = [int(part * bottom) for part in scaled]
    common = 0
    for number in whole:
        common = _gcd(common, number)
    return ":".join(str(number // (common or 1)) for number in whole)


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return abs(a)
