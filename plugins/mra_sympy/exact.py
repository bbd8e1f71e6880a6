"""The exact value of a tree as a fraction, where it has one, with a bound on its size."""

from __future__ import annotations

import math
from fractions import Fraction

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.tokens import Node

MAX_BITS = 20_000  # of an exact integer: 100! has 525, 2000! has 19,000
MAX_FACTORIAL = 2000
MAX_ROOT_BITS = 2048


def exact(node: Node) -> Fraction | None:
    """The value when it is rational and found without roots of irrationals, else None. Raises TooCostly or, for a
    division by zero, Unreadable."""
    kind = node[0]
    if kind == "num":
        return node[1]  # type: ignore[no-any-return]
    if kind in ("add", "mul"):
        return _fold(kind, node[1])
    if kind == "pow":
        base, power = exact(node[1]), exact(node[2])
        return None if base is None or power is None else _power(base, power)
    if kind == "root":
        base, degree = exact(node[1]), exact(node[2])
        return None if base is None or not degree else _real_root(base, degree)
    if kind == "fn":
        values = [exact(child) for child in node[2]]
        return None if None in values else _function(node[1], [v for v in values if v is not None])
    return None


def _fold(kind: str, parts: tuple[Node, ...]) -> Fraction | None:
    total = Fraction(0) if kind == "add" else Fraction(1)
    for part in parts:
        value = exact(part)
        if value is None:
            return None
        total = total + value if kind == "add" else total * value
        _check(total)
    return total


def _check(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise TooCostly("its value has thousands of digits")
    return value


def _power(base: Fraction, power: Fraction) -> Fraction | None:
    if base == 0 and power < 0:
        raise Unreadable("it divides by zero")
    if base in (0, 1) or power == 0:
        return base if power else Fraction(1)
    if power.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base != -1 and bits * abs(power.numerator) > MAX_BITS:
            raise TooCostly("a power in it has thousands of digits")
        return base ** (power.numerator % 2 if base == -1 else power.numerator)
    if base < 0 or power.denominator > 64:
        return None
    top, bottom = _root(base.numerator, power.denominator), _root(base.denominator, power.denominator)
    return None if top is None or bottom is None else _power(Fraction(top, bottom), Fraction(power.numerator))


def _real_root(base: Fraction, degree: Fraction) -> Fraction | None:
    """An odd root of a negative number is the real one, as the radical sign is read in school."""
    if base < 0 and degree.denominator == 1 and degree % 2 == 1:
        value = _power(-base, 1 / degree)
        return None if value is None else -value
    return _power(base, 1 / degree)


def _root(n: int, degree: int) -> int | None:
    """The integer root of `n` when it is one; of huge numbers only the square root is tried."""
    if degree == 2:
        whole = math.isqrt(n)
        return whole if whole * whole == n else None
    if n.bit_length() > MAX_ROOT_BITS:
        return None
    low, high = 0, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= n else (low, middle - 1)
    return low if low**degree == n else None


def _function(name: str, values: list[Fraction]) -> Fraction | None:
    whole = [int(v) for v in values if v.denominator == 1]
    if name in ("deg", "abs", "floor", "ceil", "sign", "re", "conj"):
        return _one_place(name, values[0])
    if name in ("min", "max"):
        return min(values) if name == "min" else max(values)
    if name == "mod" and len(values) == 2 and values[1]:
        return values[0] % values[1]
    return _of_integers(name, whole) if len(whole) == len(values) else None


def _one_place(name: str, value: Fraction) -> Fraction:
    if name == "abs":
        return abs(value)
    if name in ("floor", "ceil"):
        return Fraction(math.floor(value) if name == "floor" else math.ceil(value))
    if name == "sign":
        return Fraction((value > 0) - (value < 0))
    return value


def _of_integers(name: str, whole: list[int]) -> Fraction | None:
    if name in ("gcd", "lcm"):
        return _check(Fraction((math.gcd if name == "gcd" else math.lcm)(*whole)))
    if name in ("factorial", "factorial2") and whole[0] >= 0:
        if whole[0] > MAX_FACTORIAL:
            raise TooCostly("a factorial in it has thousands of digits")
        return Fraction(math.prod(range(whole[0], 0, -2)) if name == "factorial2" else math.factorial(whole[0]))
    if name == "binom" and len(whole) == 2 and 0 <= whole[1] <= whole[0] <= MAX_FACTORIAL:
        return Fraction(math.comb(*whole))
    return None
