"""The numbers made from the six dimensions, and the formula of the dimension numeric. All definitions are ours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from mra_verifier.options import DIMENSIONS, Weights


def wrongness(errors: Mapping[str, float | None], weights: Weights, *, near_miss: bool = False) -> float:
    """The weighted mean of the dimensions that apply; with `near_miss`, of all but "answer". 0 where none applies."""
    names = DIMENSIONS[1:] if near_miss else DIMENSIONS
    terms = [(getattr(weights, name), error) for name in names if (error := errors.get(name)) is not None]
    total = sum(weight for weight, _ in terms)
    return min(1.0, sum(weight * error for weight, error in terms) / total) if total else 0.0


def relative_error(given: Fraction, gold: Fraction, r_max: float) -> float:
    """min(1, log(1 + r) / log(1 + r_max)) with r = abs(given - gold) / max(abs(gold), 1): 0 for equal numbers, 1 from
    r_max on, and growing with r."""
    r: Fraction = abs(given - gold) / max(abs(gold), Fraction(1))
    return 1.0 if r >= Fraction(r_max) else math.log1p(float(r)) / math.log1p(r_max)


def order_gap(given: Fraction, gold: Fraction, orders: float) -> float:
    """By how many powers of ten two numbers differ in size, as a share of `orders`, at most 1; 0 if one is 0."""
    if not given or not gold:
        return 0.0
    return min(1.0, abs(_log10(abs(given)) - _log10(abs(gold))) / orders)


def _log10(number: Fraction) -> float:
    """Of numbers too large for a float, too."""
    return math.log10(number.numerator) - math.log10(number.denominator)
