"""The value of a tree with mpmath at a chosen precision, always with a bound on the cost."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.meter import step
from mra_sympy.tokens import Node, kinds

DIGITS = 50
MAX_EXPONENT = 1_000_000_000
MAX_TERMS = 400  # of a finite sum or product
SERIES_DIGITS = 12  # to which infinite sums, integrals and limits are worked out
MAX_INTEGER = 1_000_000  # of a bound, a degree or an exponent of a matrix
FAST_TERMS = 60
MAX_TERM = 1e12
VANISHING = 0.01  # above which the terms of an infinite sum are taken not to vanish
_LIMIT_STEPS = (6, 9)
_ANGLES = frozenset("sin cos tan cot sec csc cis".split())
_GROWING = frozenset("ln log lg abs min max deg sign re im conj norm transpose det".split())  # cheap for any size

Values = Mapping[str, Any]


_CONTEXTS: dict[int, Any] = {}
_TABLES: dict[int, dict[str, Callable[..., Any]]] = {}


def context(digits: int = DIGITS) -> Any:
    """mpmath's context of our own, so that no other thread's precision matters. Never change its precision."""
    if digits not in _CONTEXTS:
        import mpmath

        own = mpmath.MPContext()
        own.dps = digits
        _CONTEXTS[digits] = own
    return _CONTEXTS[digits]


def numeric(node: Node, values: Values, mp: Any) -> Any:
    """The value as a number of `mp`, real or complex, or as a matrix, at `values` of the symbols. Raises TooCostly, or
    Unreadable where there is none."""
    step()
    kind = node[0]
    if kind == "num":
        return mp.mpf(node[1].numerator) / node[1].denominator
    if kind == "sym":
        if node[1] not in values:
            raise Unreadable(f"'{node[1]}' has no value there")
        return mp.mpmathify(values[node[1]])
    if kind == "const":
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.j, "oo": mp.inf}[node[1]]
    if kind == "cases":
        return numeric(_branch(node, values, mp), values, mp)
    try:
        return _series(node, values, mp) if kind == "series" else _combined(node, values, mp)
    except (ZeroDivisionError, ValueError, TypeError, OverflowError, NotImplementedError) as error:
        raise Unreadable("it has no value there") from error


def _combined(node: Node, values: Values, mp: Any) -> Any:
    kind = node[0]
    if kind == "add":
        return functools.reduce(_plus, (numeric(child, values, mp) for child in node[1]))
    if kind == "mul":
        return functools.reduce(_times, (numeric(child, values, mp) for child in node[1]))
    if kind == "pow":
        return _power(numeric(node[1], values, mp), numeric(node[2], values, mp), mp)
    if kind == "root":
        return _root(numeric(node[1], values, mp), numeric(node[2], values, mp), mp)
    if kind == "mat":
        return mp.matrix([[numeric(cell, values, mp) for cell in row] for row in node[1]])
    if kind == "cross":
        return _cross(node, values, mp)
    parts = tuple(_in_radians(part) for part in node[2]) if kind == "fn" and node[1] in _ANGLES else node[2]
    inside = [numeric(part, values, mp) for part in parts]
    return _unknown(node[1], inside, mp) if kind == "call" else _known(node, inside, mp)


def is_matrix(value: Any) -> bool:
    """Is the value a matrix of mpmath?"""
    return hasattr(value, "rows")


def _plus(a: Any, b: Any) -> Any:
    if is_matrix(a) != is_matrix(b):
        raise Unreadable("it adds a number to a matrix")
    return a + b


def _times(a: Any, b: Any) -> Any:
    if is_matrix(a) and is_matrix(b) and a.cols == b.cols == 1 and a.rows == b.rows > 1:
        return (a.T * b)[0, 0]  # two columns: the scalar product
    return a * b


def _power(base: Any, exponent: Any, mp: Any) -> Any:
    if is_matrix(exponent):
        raise Unreadable("a matrix stands in an exponent")
    if is_matrix(base):
        if not _is_small_integer(exponent, mp) or abs(exponent) > 20 or base.rows != base.cols:
            raise Unreadable("a matrix has no such power")
        return base ** int(exponent)
    if base == 0 and mp.re(exponent) < 0:
        raise Unreadable("it divides by zero")
    if base != 0 and not mp.isinf(base) and abs(exponent) * abs(mp.log(abs(base))) > MAX_EXPONENT:
        raise TooCostly("a power in it is too large to work out")
    return mp.power(base, exponent)


def _root(base: Any, degree: Any, mp: Any) -> Any:
    """An odd root of a negative number is the real one."""
    if mp.im(base) == 0 and mp.re(base) < 0 and _is_small_integer(degree, mp) and int(degree) % 2 == 1:
        return -_power(-mp.re(base), 1 / degree, mp)
    return _power(base, 1 / degree, mp)


def _is_small_integer(value: Any, mp: Any) -> bool:
    return not is_matrix(value) and abs(value) < MAX_INTEGER and bool(mp.isint(value))


def _cross(node: Node, values: Values, mp: Any) -> Any:
    """The vector product of columns of three; of symbols, some number that changes its sign with their order."""
    a, b = (numeric(part, values, mp) for part in node[1:])
    if is_matrix(a) and is_matrix(b):
        if (a.rows, a.cols, b.rows, b.cols) == (3, 1, 3, 1):
            return mp.matrix([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
        return a * b
    if is_matrix(a) or is_matrix(b):
        return a * b
    return _unknown("cross", [a, b], mp) - _unknown("cross", [b, a], mp)


def _unknown(name: str, inside: list[Any], mp: Any) -> Any:
    """A function nobody knows: some number between -3 and 3 that depends on its name and arguments alone."""
    if any(is_matrix(value) for value in inside):
        raise Unreadable("an unknown function of a matrix")
    text = name + "".join("/" + mp.nstr(mp.mpmathify(value), 20) for value in inside)
    digest = hashlib.sha256(text.encode()).digest()
    return 6 * mp.mpf(int.from_bytes(digest[:24], "big")) / mp.mpf(2) ** 192 - 3


def _in_radians(node: Node) -> Node:
    """The tree with what it says in degrees said in radians."""
    if node[0] == "fn" and node[1] == "deg":
        return ("mul", (node[2][0], ("const", "pi"), ("num", Fraction(1, 180))))
    if node[0] in ("add", "mul"):
        return (node[0], tuple(_in_radians(part) for part in node[1]))
    return node


def _known(node: Node, inside: list[Any], mp: Any) -> Any:
    name = node[1]
    if name in ("transpose", "det", "norm") or any(is_matrix(value) for value in inside):
        return _of_matrix(name, inside[0], mp)
    if name not in _GROWING and any(abs(value) > MAX_EXPONENT for value in inside):
        raise TooCostly(f"the argument of '{name}' is too large")
    if name in ("gcd", "lcm"):
        if not all(_is_small_integer(value, mp) for value in inside):
            raise Unreadable(f"'{name}' of what is no integer")
        return mp.mpf((math.gcd if name == "gcd" else math.lcm)(*(int(value) for value in inside)))
    return _table(mp)[name](*inside)


def _of_matrix(name: str, value: Any, mp: Any) -> Any:
    if not is_matrix(value):
        if name in ("transpose", "det"):
            raise Unreadable(f"'{name}' of what is no matrix")
        return abs(value)
    if name == "transpose":
        return value.T
    if name in ("det", "abs") and value.rows == value.cols:
        return mp.det(value)
    if name in ("norm", "abs") and value.cols == 1:
        return mp.norm(value)
    raise Unreadable(f"'{name}' of a matrix")


def _table(mp: Any) -> dict[str, Callable[..., Any]]:
    """What computes each function in the context `mp`."""
    if mp.dps not in _TABLES:
        _TABLES[mp.dps] = _functions(mp)
    return _TABLES[mp.dps]


def _functions(mp: Any) -> dict[str, Callable[..., Any]]:
    same = {name: getattr(mp, name) for name in (
        "sin cos tan cot sec csc sinh cosh tanh coth sech csch asin acos atan asinh acosh atanh acot asec acsc exp "
        "floor ceil ln re im conj sign"
    ).split()}  # fmt: skip
    return same | {
        "cis": lambda x: mp.expj(x),
        "log": mp.log,
        "lg": mp.log10,
        "abs": abs,
        "deg": lambda x: x,
        "min": min,
        "max": max,
        "factorial": mp.factorial,
        "factorial2": mp.fac2,
        "binom": mp.binomial,
        "mod": lambda a, b: a - b * mp.floor(a / b),
    }


def _branch(node: Node, values: Values, mp: Any) -> Node:
    """The expression of the first branch whose condition holds; a condition is a comparison of two trees."""
    for expression, conditions in node[1]:
        if all(_holds(condition, values, mp) for condition in conditions):
            return expression  # type: ignore[no-any-return]
    raise Unreadable("no branch of it holds there")


def _holds(condition: tuple[str, Node, Node], values: Values, mp: Any) -> bool:
    sign, left, right = condition
    a, b = numeric(left, values, mp), numeric(right, values, mp)
    near = abs(a - b) <= mp.mpf(10) ** (-mp.dps // 2)
    if sign in ("=", "\\ne"):
        return bool(near == (sign == "="))
    return bool(near if sign == "\\le" else False) or (not near and bool(mp.re(a) < mp.re(b)))


def _series(node: Node, values: Values, mp: Any) -> Any:
    """A finite sum or product is worked out term by term; an infinite one, an integral or a limit to few digits."""
    _, kind, index, low, high, body = node
    start = numeric(low, values, mp)
    stop = mp.inf if high is None else numeric(high, values, mp)

    def term(value: Any, at: Any = mp) -> Any:
        return numeric(body, {**values, index: value}, at)

    if kind in ("sum", "prod") and _is_small_integer(start, mp) and _is_small_integer(stop, mp):
        count = int(stop) - int(start) + 1
        if count > MAX_TERMS:
            raise TooCostly("a sum or product in it has too many terms")
        return (mp.fsum if kind == "sum" else mp.fprod)(term(mp.mpf(int(start) + k)) for k in range(max(0, count)))
    if "series" in kinds(body):
        raise TooCostly("sums, integrals and limits in it stand in one another")
    rough = context(SERIES_DIGITS + 8)
    if kind == "lim":
        return _limit(lambda x: term(x, rough), start, rough)
    if kind == "int":
        return mp.mpmathify(rough.quad(lambda x: term(x, rough), [rough.mpmathify(start), rough.mpmathify(stop)]))
    if not _is_small_integer(start, mp) or stop != mp.inf:
        raise Unreadable("a sum or product in it has bounds that are no integers")
    if (quick := _fast_sum(lambda k: term(rough.mpf(k), rough), int(start), kind, rough)) is not None:
        return mp.mpmathify(quick)
    if max(abs(term(rough.mpf(10**4 + k), rough) - (kind == "prod")) for k in range(2)) > VANISHING:
        raise Unreadable("the terms of a sum in it do not vanish")
    found = (rough.nsum if kind == "sum" else rough.nprod)(lambda k: term(k, rough), [int(start), rough.inf])
    return mp.mpmathify(found)


def _fast_sum(term: Callable[[int], Any], start: int, kind: str, mp: Any) -> Any:
    """The value when the terms soon vanish (or approach 1 in a product), else None."""
    total, small = mp.mpf(0 if kind == "sum" else 1), 0
    for k in range(start, start + FAST_TERMS):
        value = term(k)
        total = total + value if kind == "sum" else total * value
        size = abs(value if kind == "sum" else value - 1)
        if size > MAX_TERM:
            raise Unreadable("an infinite sum in it does not converge there")
        small = small + 1 if size <= mp.mpf(10) ** -(SERIES_DIGITS + 3) * max(1, abs(total)) else 0
        if small == 3:
            return total
    return None


def _limit(function: Callable[[Any], Any], place: Any, mp: Any) -> Any:
    """The value near `place` from above, where two distances and a finer precision agree."""
    fine = context(60)
    values = []
    for exponent in _LIMIT_STEPS:
        far = fine.mpf(10) ** exponent + exponent  # once even, once odd
        values.append(function(far if place == mp.inf else place + 1 / far))
    a, b = values
    if place != mp.inf and abs(function(place - 1 / far) - b) > mp.mpf(10) ** -4 * max(1, abs(b)):
        raise Unreadable("a limit in it differs from the two sides")
    if abs(a - b) > abs(b) * mp.mpf(10) ** -4 + mp.mpf(10) ** -4:
        raise Unreadable("a limit in it is not found")
    return b + (b - a) / (10 ** (_LIMIT_STEPS[1] - _LIMIT_STEPS[0]) - 1)
