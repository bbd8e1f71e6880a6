"""The value of a tree: exactly as a fraction, or with mpmath at 50 digits, always with a bound on the cost."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.grammar import Node, symbols

DIGITS = 50
AGREE = 30  # digits to which two values must agree to be called equal
MAX_BITS = 20_000  # of an exact integer: 100! has 525, 2000! has 19,000
MAX_FACTORIAL = 2000
MAX_EXPONENT = 1_000_000_000
_SPANS = [(0.1, 0.8), (0.2, 0.9), (0.1, 0.9), (1.1, 2.9), (2.0, 5.0)]
_SPANS += [(-0.9, -0.1), (-0.8, -0.2), (-2.9, -1.1), (-5.0, -2.0)]


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
    if kind == "fn":
        values = [exact(child) for child in node[2]]
        return None if None in values else _function(node[1], [v for v in values if v is not None])
    return None


def _fold(kind: str, children: tuple[Node, ...]) -> Fraction | None:
    total = Fraction(0) if kind == "add" else Fraction(1)
    for child in children:
        value = exact(child)
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


def _root(n: int, degree: int) -> int | None:
    """The integer root of `n` when it is one."""
    low, high = 0, 1 << (n.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= n else (low, middle - 1)
    return low if low**degree == n else None


def _function(name: str, values: list[Fraction]) -> Fraction | None:
    whole = [int(v) for v in values if v.denominator == 1]
    integers = len(whole) == len(values)
    if name == "deg":
        return values[0]
    if name == "abs":
        return abs(values[0])
    if name in ("floor", "ceil"):
        return Fraction(math.floor(values[0]) if name == "floor" else math.ceil(values[0]))
    if name in ("min", "max"):
        return min(values) if name == "min" else max(values)
    if name == "mod" and values[1]:
        return values[0] % values[1]
    if not integers:
        return None
    if name in ("gcd", "lcm"):
        return _check(Fraction((math.gcd if name == "gcd" else math.lcm)(*whole)))
    if name == "factorial" and whole[0] >= 0:
        if whole[0] > MAX_FACTORIAL:
            raise TooCostly("a factorial in it has thousands of digits")
        return Fraction(math.factorial(whole[0]))
    if name == "binom" and 0 <= whole[1] <= whole[0] <= MAX_FACTORIAL:
        return Fraction(math.comb(*whole))
    return None


@functools.cache
def context() -> Any:
    """mpmath's context of our own, so that no other thread's precision matters."""
    import mpmath

    own = mpmath.MPContext()
    own.dps = DIGITS
    return own


def numeric(node: Node, values: Mapping[str, Any]) -> Any:
    """The value as an mpmath number, real or complex, at `values` of the symbols. Raises TooCostly or Unreadable."""
    mp, kind = context(), node[0]
    if kind == "num":
        return mp.mpf(node[1].numerator) / node[1].denominator
    if kind == "sym":
        return values[node[1]]
    if kind == "const":
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.j, "oo": mp.inf}[node[1]]
    if kind == "add":
        return mp.fsum(numeric(child, values) for child in node[1])
    if kind == "mul":
        return mp.fprod(numeric(child, values) for child in node[1])
    if kind == "pow":
        return _numeric_power(numeric(node[1], values), numeric(node[2], values))
    if kind == "sum":
        return node[1]()
    return _numeric_function(node[1], node[2], values)


def _numeric_power(base: Any, power: Any) -> Any:
    mp = context()
    if base == 0 and mp.re(power) < 0:
        raise Unreadable("it divides by zero")
    if base != 0 and not mp.isinf(base) and abs(power) * (1 + abs(mp.log(abs(base)))) > MAX_EXPONENT:
        raise TooCostly("a power in it is too large to work out")
    return mp.power(base, power)


def _numeric_function(name: str, children: tuple[Node, ...], values: Mapping[str, Any]) -> Any:
    mp = context()
    inside = [numeric(child, values) for child in children]
    if name in ("sin", "cos", "tan", "cot", "sec", "csc") and children[0][0] == "fn" and children[0][1] == "deg":
        inside[0] = inside[0] * mp.pi / 180
    if any(abs(v) > MAX_EXPONENT for v in inside if name not in ("ln", "log", "lg", "abs", "min", "max", "deg")):
        raise TooCostly(f"the argument of '{name}' is too large")
    try:
        return _table()[name](*inside)
    except (ZeroDivisionError, ValueError, TypeError) as error:
        raise Unreadable(f"'{name}' has no value there") from error


@functools.cache
def _table() -> dict[str, Callable[..., Any]]:
    mp = context()
    same = {name: getattr(mp, name) for name in (
        "sin cos tan cot sec csc sinh cosh tanh coth sech csch asin acos atan asinh acosh atanh acot exp floor ceil ln"
    ).split()}  # fmt: skip
    return same | {
        "log": mp.log,
        "lg": mp.log10,
        "abs": abs,
        "deg": lambda x: x,
        "min": min,
        "max": max,
        "factorial": mp.factorial,
        "binom": mp.binomial,
        "mod": lambda a, b: a - b * mp.floor(a / b),
    }


def points(names: set[str]) -> list[dict[str, Any]]:
    """Where expressions in these symbols are compared: small, large, positive, negative; always the same places."""
    mp = context()
    found = []
    for k, (low, high) in enumerate(_SPANS):
        share = {name: mp.mpf(zlib.crc32(f"{name}/{k}".encode())) / 2**32 for name in names}
        found.append({name: low + (high - low) * value for name, value in share.items()})
    return found


def close(a: Any, b: Any) -> bool:
    """Equal to AGREE digits, relative to the larger."""
    mp = context()
    if mp.isnan(a) or mp.isnan(b):
        return False
    if mp.isinf(a) or mp.isinf(b):
        return bool(a == b)
    scale = max(abs(a), abs(b))
    return bool(abs(a - b) <= scale * mp.mpf(10) ** -AGREE) or bool(scale < mp.mpf(10) ** -AGREE)


def agree(a: Node, b: Node) -> bool:
    """Do two trees have equal values at every point where both are real (at complex ones if they never are)?
    Raises TooCostly, or Unreadable when there are too few places where both have a value."""
    names = symbols(a) | symbols(b)
    if not names:
        return close(numeric(a, {}), numeric(b, {}))
    real: list[bool] = []
    rest: list[bool] = []
    for place in points(names):
        try:
            left, right = numeric(a, place), numeric(b, place)
        except TooCostly:
            raise
        except Unreadable:
            continue
        (real if _is_real(left) and _is_real(right) else rest).append(close(left, right))
        if real and not real[-1]:
            return False
    if len(real) >= 2:
        return True
    if len(real) + len(rest) < 2:
        raise Unreadable("it has no value where it was tried")
    return all(rest)


def _is_real(value: Any) -> bool:
    mp = context()
    return bool(mp.isfinite(value)) and bool(abs(mp.im(value)) <= abs(mp.re(value)) * mp.mpf(10) ** -AGREE)
