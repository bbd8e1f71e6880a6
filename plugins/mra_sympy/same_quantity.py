"""Are two quantities, ratios, times or dates the same? Exact rational arithmetic; every rule is symmetric."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mra_sympy import units
from mra_sympy.moments import Moment, canonical_moment, clock_time, read_moment, same_moment
from mra_sympy.options import Options
from mra_sympy.quantities import Quantity, loose, read_quantity
from mra_sympy.ratios import Ratio, Remainder, canonical_ratio, proportional, read_ratio
from mra_sympy.unit_table import DEGREE, Unit

Measure = Quantity | Ratio | Remainder | Moment
MEASURES = (Quantity, Ratio, Remainder, Moment)
PI = Fraction(314159265358979323846264338327950288419716939937510582097494, 10**59)


def read_measure(text: str) -> Measure | None:
    """The quantity, ratio, division with remainder, time or date that all of the cleaned `text` writes, or None."""
    return read_moment(text) or read_quantity(text) or read_ratio(text)


def same_measure(a: Measure, b: Measure, options: Options) -> bool:
    """Compare any two of the kinds in `Measure`."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return same_quantity(a, b, options)
    if isinstance(a, Ratio) and isinstance(b, Ratio):
        return _same_ratio(a, b)
    if isinstance(a, Moment) and isinstance(b, Moment):
        return same_moment(a, b)
    if isinstance(b, Ratio):
        a, b = b, a
    if isinstance(a, Ratio):
        return _ratio_and_other(a, b, options)
    return a == b


def canonical_measure(value: Ratio | Remainder | Moment) -> str:
    """The canonical string of a measure that is no plain quantity."""
    return canonical_moment(value) if isinstance(value, Moment) else canonical_ratio(value)


def _same_ratio(a: Ratio, b: Ratio) -> bool:
    """Proportional; two forms that may both be clock times must be the same time."""
    if a.clock and b.clock:
        pad = (Fraction(0),)
        return a.parts + pad * (3 - len(a.parts)) == b.parts + pad * (3 - len(b.parts))
    return proportional(a, b)


def _ratio_and_other(ratio: Ratio, other: Measure, options: Options) -> bool:
    if isinstance(other, Moment):
        if not ratio.clock or other.month or other.weekday is not None:
            return False
        hour, minute, second = (*map(int, ratio.parts), 0)[:3]
        time = clock_time(hour, minute, second, "")
        return time is not None and same_moment(time, other)
    if not isinstance(other, Quantity) or other.percent:
        return False
    if not other.unit:
        fits = len(ratio.parts) == 2 and ratio.parts[1] != 0
        return options.ratio_as_number and fits and ratio.parts[0] / ratio.parts[1] == other.value
    return ratio.clock and any(same_quantity(reading, other, options) for reading in _durations(ratio))


def _durations(ratio: Ratio) -> list[Quantity]:
    """1:30 as hours and minutes, and as minutes and seconds."""
    values = [*ratio.parts, Fraction(0)][:3]
    total = values[0] * 3600 + values[1] * 60 + values[2]
    return [Quantity(total, unit="s")] + ([Quantity(total / 60, unit="s")] if len(ratio.parts) == 2 else [])


def same_quantity(a: Quantity, b: Quantity, options: Options) -> bool:
    """Rationals: exactly equal, or a long decimal that is the other one rounded; units equal, converted or missing."""
    if a.base or b.base:
        return _numerals(a, b, options)
    if a.percent != b.percent:
        share, number = (a, b) if a.percent else (b, a)
        return _share_and_number(share, number, options)
    if a.unit == b.unit:
        return equal_or_rounded(a, b, options)
    if not a.unit or not b.unit:
        return options.ignore_missing_unit and equal_or_rounded(a, b, options)
    return any(_converted(a, b, x, y, options) for x in units.readings(a.unit) for y in units.readings(b.unit))


def _numerals(a: Quantity, b: Quantity, options: Options) -> bool:
    """Two numerals by value. With a plain number: by value, and by option by the figures alone."""
    if a.unit or b.unit or a.percent or b.percent:
        return False
    if a.base and b.base:
        return a.value == b.value
    numeral, number = (a, b) if a.base else (b, a)
    if options.ignore_missing_base and numeral.figures == str(number.value):
        return True
    return numeral.value == number.value


def _share_and_number(share: Quantity, number: Quantity, options: Options) -> bool:
    """25% is 0.25; it is 25 too, by option, where that number is above 1: 0.25% is never 0.25."""
    if number.unit:
        return False
    places = share.places + 2 if share.places else 0
    if equal_or_rounded(replace(share, value=share.value / 100, places=places, unit=""), number, options):
        return True
    as_number = options.percent_as_number and abs(number.value) > 1
    return as_number and equal_or_rounded(replace(share, unit=""), number, options)


def _converted(a: Quantity, b: Quantity, x: Unit, y: Unit, options: Options) -> bool:
    if units.is_empty(x) or units.is_empty(y):
        return options.ignore_missing_unit and equal_or_rounded(a, b, options)
    if units.scales_of_degrees(x, y):
        return options.ignore_missing_unit and a.value == b.value
    if not units.compatible(x, y) or not (options.ignore_missing_unit or x.dims == y.dims):
        return False
    if x.dims != y.dims or (x.factor == y.factor and x.pi == y.pi and x.offset == y.offset):
        return equal_or_rounded(a, b, options)
    if x.pi != y.pi:
        return _rounded_over_pi(a, b, x, y, options)
    there = replace(a, value=(a.value * x.factor + x.offset - y.offset) / y.factor)
    back = replace(b, value=(b.value * y.factor + y.offset - x.offset) / x.factor)
    return (
        there.value == b.value
        or _rounds_to(b, there.value, a.digits, options)
        or _rounds_to(a, back.value, b.digits, options)
    )


def _rounded_over_pi(a: Quantity, b: Quantity, x: Unit, y: Unit, options: Options) -> bool:
    """Degrees against radians: equal rationals are both zero, but a long decimal may be the other one rounded."""
    if not a.value or not b.value:
        return a.value == b.value
    there = a.value * x.factor / y.factor * PI ** (x.pi - y.pi)
    back = b.value * y.factor / x.factor * PI ** (y.pi - x.pi)
    return _rounds_to(b, there, a.digits, options) or _rounds_to(a, back, b.digits, options)


def equal_or_rounded(a: Quantity, b: Quantity, options: Options) -> bool:
    """The same number, or one a long decimal that is the other rounded."""
    if a.value == b.value:
        return True
    return _rounds_to(a, b.value, b.digits, options) or _rounds_to(b, a.value, a.digits, options)


def _rounds_to(short: Quantity, value: Fraction, digits: int, options: Options) -> bool:
    """Is the decimal `short` the `value` rounded to its places? Between two decimals `value` needs two digits more."""
    wanted = options.rounding_digits
    if not wanted or short.digits < wanted or (digits and digits < short.digits + 2):
        return False
    return abs(short.value - value) * 2 <= Fraction(1, 10**short.places)


def unit_scale(a: str, b: str, options: Options, *, b_has_pi: bool = False) -> tuple[Fraction, int] | None:
    """(factor, power of pi) that turns a number in unit `a` into one in unit `b`; None when they do not fit.
    b_has_pi: `b` belongs to an expression that holds pi, so that without a unit it is an angle in radians."""
    if b_has_pi and not b and units.is_degree(a):
        one = next(unit for unit in units.readings(a) if unit.pi == 1)
        return one.factor, 1
    if a == b:
        return Fraction(1), 0
    if not a or not b:
        return (Fraction(1), 0) if options.ignore_missing_unit else None
    for x in units.readings(a):
        for y in units.readings(b):
            if units.is_empty(x) or units.is_empty(y):
                return (Fraction(1), 0) if options.ignore_missing_unit else None
            if units.compatible(x, y) and not x.offset and not y.offset:
                return (x.factor / y.factor, x.pi - y.pi) if x.dims == y.dims else (Fraction(1), 0)
    return None


def same_loosely(quantity: Quantity, source: str, options: Options) -> bool:
    """Is the text of an expression, read as a quantity after all, the same? "5h" beside "5 hours", ab_{12} beside
    AB_{12}. The other side must have a unit or a base to confirm the reading."""
    if not quantity.unit and not quantity.base:
        return False
    if quantity.base and options.ignore_missing_base and source.replace(" ", "").upper() == quantity.figures:
        return True
    other = loose(source)
    if other is None or bool(other.base) != bool(quantity.base):
        return False
    return same_quantity(quantity, other, replace(options, ignore_missing_unit=False))


def as_product(quantity: Quantity) -> tuple[Fraction, str] | None:
    """ "5 m" beside an expression with symbols is 5 times m: (5, "m"), or None when its unit is no few letters."""
    letters = quantity.unit.replace(" ", "")
    fits = 1 <= len(letters) <= 3 and letters.isalpha() and letters.isascii()
    return (quantity.value, letters) if fits and not quantity.percent else None


__all__ = [
    "DEGREE", "MEASURES", "Measure", "as_product", "canonical_measure", "equal_or_rounded", "read_measure",
    "same_loosely", "same_measure", "same_quantity", "unit_scale",
]  # fmt: skip
