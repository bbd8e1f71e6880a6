"""Quantities of several parts: "5 ft 6 in", "2 h 30 min", 5'6", 22°30', "18 dollars and 90 cents"."""

from __future__ import annotations

import re
from fractions import Fraction

from mra_sympy import decimals, units
from mra_sympy.unit_table import ARCMINUTE, ARCSECOND, Unit, lookup

_SEVERAL = re.compile(r"[A-Za-z}'\"\u4e00-\u9fff$]\s*,?\s*(?:\\text\s*\{\s*(?:and|,)?\s*\}\s*)?\d")
_CIRCLED = re.compile(r"\^\\circ\s*\d")
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,15})?(?:\s*\\frac\s*\{\d+\}\s*\{\d+\}|\s*/\s*\d+)?)\s*([^\d\s][^\d]{0,40})")
_JOINT = re.compile(r"[\s,]*(?:\\text\s*\{[\s,]*(?:and)?\s*\}|\band\b|,|、)?[\s,]*$")
# "and" and commas join the parts of these; "2 m, 50 cm" are two lengths
_STEPS = frozenset(Fraction(n) for n in (2, 3, 4, 7, 12, 14, 16, 24, 60, 1440, 3600))
_MONEY = (("dollar", 1),)
_FEET = re.compile(r"(\d{1,4})\s*'\s*(\d{1,2}(?:\.\d+)?)\s*(?:''|\")?")
_OPEN_SECONDS = re.compile(r"\\circ\s*\d{1,2}\s*'\s*\d{1,2}(?:\.\d{1,9})?$")


def read_compound(text: str) -> tuple[Fraction, str] | None:
    """(value, unit): all parts of `text` added in the unit of the first one, or None."""
    if len(text) > 200 or not (_SEVERAL.search(text) or _CIRCLED.search(text)):
        return None
    if feet := _FEET.fullmatch(text):
        return int(feet[1]) + Fraction(feet[2]) / 12, "ft"
    text = text + '"' if _OPEN_SECONDS.search(text) else text  # the closing mark is lost with the quotes around answers
    negative, text = text.startswith("-"), text.removeprefix("-").strip()
    parts: list[tuple[Fraction, str, bool]] = []
    here = 0
    while here < len(text) and (found := _PART.match(text, here)):
        number = decimals.BODY.fullmatch(found[1])
        value = decimals.value(number) if number else None
        joint = _JOINT.search(found[2]) if found.end() < len(text) else None
        if value is None or len(parts) == 4:
            return None
        unit = found[2][: joint.start()] if joint else found[2]
        parts.append((value[0], unit.strip(), bool(joint and joint[0].strip())))
        here = found.end()
    if here < len(text) or len(parts) < 2:
        return None
    total = _added(parts)
    return None if total is None else (-total if negative else total, parts[0][1])


def _added(parts: list[tuple[Fraction, str, bool]]) -> Fraction | None:
    """The sum in the first unit, or None when the parts are no descending units of one kind."""
    first = next(iter(_part_units(parts[0][1], None)), None)
    if first is None or not first.dims or first.offset:
        return None
    total, above = parts[0][0], first
    joined = parts[0][2]
    for value, unit, more in parts[1:]:
        below = next((u for u in _part_units(unit, first) if u.dims == first.dims and u.pi == first.pi), None)
        if below is None or below.factor >= above.factor or below.nouns:
            return None
        ratio = above.factor / below.factor
        if value >= ratio or (joined and ratio not in _STEPS and not (ratio == 100 and first.dims == _MONEY)):
            return None
        total, above, joined = total + value * below.factor / first.factor, below, more
    return total


def _part_units(text: str, first: Unit | None) -> tuple[Unit, ...]:
    """The readings of a part's unit. Behind degrees ' and minutes are of arc, behind hours m is minutes."""
    bare = re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text).strip(" {}^").replace("\\prime", "'").replace(" ", "")
    if first is not None and first.dims == (("angle", 1),):
        if bare.lower() in ("'", "min", "mins", "minute", "minutes"):
            return (ARCMINUTE,)
        if bare.lower() in ("''", '"', "sec", "s", "second", "seconds"):
            return (ARCSECOND,)
    if first is not None and first.dims == (("time", 1),) and bare == "m":
        return lookup("min")
    if bare in ("'", '"', "''"):
        return lookup("ft" if bare == "'" else "in")
    return units.readings(text, counted=False)
