"""Rational functions of one variable: their numerators and denominators, and the real zeros of these."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.exact import exact
from mra_sympy.numeric import context, numeric
from mra_sympy.tokens import Node, symbols

MAX_DEGREE = 8
MAX_SIZE = 10**40

Poly = list[Any]  # coefficients from the constant up: Fractions, or numbers of mpmath where one is irrational


class NotRational(Exception):
    """The tree is no rational function of the variable, or not one of small degree."""


def rational(node: Node, variable: str, signs: dict[Node, int]) -> tuple[Poly, Poly]:
    """Numerator and denominator of `node`; what stands between bars is taken with its sign in `signs`. Raises
    NotRational."""
    kind = node[0]
    if variable not in symbols(node):
        return [_constant(node)], [Fraction(1)]
    if kind == "sym":
        return [Fraction(0), Fraction(1)], [Fraction(1)]
    if kind == "fn" and node[1] == "abs" and node[2][0] in signs:
        top, bottom = rational(node[2][0], variable, signs)
        return [signs[node[2][0]] * coefficient for coefficient in top], bottom
    if kind in ("add", "mul"):
        combine: Callable[..., tuple[Poly, Poly]] = _sum if kind == "add" else _product
        total = rational(node[1][0], variable, signs)
        for child in node[1][1:]:
            total = combine(total, rational(child, variable, signs))
        return total
    if kind == "pow" and node[2][0] == "num" and node[2][1].denominator == 1 and abs(node[2][1]) <= MAX_DEGREE:
        return _whole_power(rational(node[1], variable, signs), int(node[2][1]))
    raise NotRational


def real_roots(poly: Poly) -> list[Any]:
    """The real zeros, each once, as numbers of mpmath. Raises TooCostly when they are not found."""
    mp = context()
    poly = _trimmed(poly)
    if len(poly) < 2:
        return []
    if all(isinstance(coefficient, Fraction) for coefficient in poly):
        poly = _square_free(poly)
    numbers = [_number(coefficient) for coefficient in poly]
    try:
        roots = mp.polyroots(numbers[::-1], maxsteps=60, extraprec=120)
    except mp.NoConvergence:
        raise TooCostly("the zeros of a condition in it are not found") from None
    return [mp.re(root) for root in roots if abs(mp.im(root)) < mp.mpf(10) ** -12 * max(1, abs(root))]


def _constant(node: Node) -> Any:
    value = exact(node)
    if value is None:
        found = numeric(node, {}, context())
        if hasattr(found, "rows"):
            raise Unreadable("a matrix stands in a condition")
        return found
    if max(abs(value.numerator), value.denominator) > MAX_SIZE:
        raise TooCostly("a number in a condition is too large")
    return value


def _number(coefficient: Any) -> Any:
    mp = context()
    if isinstance(coefficient, Fraction):
        return mp.mpf(coefficient.numerator) / coefficient.denominator
    return coefficient


def _trimmed(poly: Poly) -> Poly:
    small = context().mpf(10) ** -40
    while len(poly) > 1 and (poly[-1] == 0 if isinstance(poly[-1], Fraction) else abs(poly[-1]) < small):
        poly = poly[:-1]
    return poly


def _square_free(poly: Poly) -> Poly:
    """Without repeated factors: the polynomial divided by what it shares with its derivative."""
    derivative = _trimmed([k * coefficient for k, coefficient in enumerate(poly)][1:])
    shared, rest = poly, derivative
    while any(rest):
        shared, rest = rest, _divided(shared, rest)[1]
    return poly if len(shared) == 1 else _divided(poly, shared)[0]


def _divided(a: Poly, b: Poly) -> tuple[Poly, Poly]:
    """Quotient and remainder of polynomials with rational coefficients."""
    quotient, rest = [Fraction(0)] * max(1, len(a) - len(b) + 1), list(a)
    while len(rest) >= len(b) and any(rest):
        factor = rest[-1] / b[-1]
        shift = len(rest) - len(b)
        quotient[shift] = factor
        for k, coefficient in enumerate(b):
            rest[shift + k] -= factor * coefficient
        rest = _trimmed(rest[:-1] or [Fraction(0)])
    return quotient, rest


def _whole_power(base: tuple[Poly, Poly], exponent: int) -> tuple[Poly, Poly]:
    total: tuple[Poly, Poly] = ([Fraction(1)], [Fraction(1)])
    for _ in range(abs(exponent)):
        total = _product(total, base)
    return total if exponent >= 0 else (total[1], total[0])


def _multiplied(x: Any, y: Any) -> Any:
    return x * y if isinstance(x, Fraction) == isinstance(y, Fraction) else _number(x) * _number(y)


def _added(x: Any, y: Any) -> Any:
    return x + y if isinstance(x, Fraction) == isinstance(y, Fraction) else _number(x) + _number(y)


def _times(a: Poly, b: Poly) -> Poly:
    if len(a) + len(b) - 2 > MAX_DEGREE:
        raise NotRational
    found: Poly = [Fraction(0)] * (len(a) + len(b) - 1)
    for (i, x), (j, y) in itertools.product(enumerate(a), enumerate(b)):
        found[i + j] = _added(found[i + j], _multiplied(x, y))
    return found


def _product(a: tuple[Poly, Poly], b: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
    return _times(a[0], b[0]), _times(a[1], b[1])


def _sum(a: tuple[Poly, Poly], b: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
    same = a[1] == b[1]
    left, right = (a[0], b[0]) if same else (_times(a[0], b[1]), _times(b[0], a[1]))
    size = max(len(left), len(right))
    pad: Poly = [Fraction(0)]
    pairs = zip(left + pad * (size - len(left)), right + pad * (size - len(right)), strict=True)
    return [_added(x, y) for x, y in pairs], a[1] if same else _times(a[1], b[1])
