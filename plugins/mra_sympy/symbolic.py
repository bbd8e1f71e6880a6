"""Where sympy comes in: one string for equal expressions, and proofs that two expressions are equal."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

from mra_bench.killable import CallFailed, call, prepare
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.grammar import parse
from mra_sympy.meter import question
from mra_sympy.tokens import Node

SECONDS = 2.0  # for one question to sympy, when it is asked outside the core's workers
MAX_OPERATIONS = 60
MAX_PARTS = 400  # terms that an expansion may have
MAX_BITS = 256
_HERE = "mra_sympy.symbolic"


@functools.lru_cache(maxsize=4096)
def canonical(source: str) -> str:
    """One string for equal expressions as far as sympy's automatic rules and expansion go, e.g. ``-1 + 2*sqrt(2)``.
    `source` is a cleaned text that the grammar reads. Raises TooCostly when sympy does not end, Unreadable for what it
    does not know."""
    return _asked("canonical_here", source)


@functools.lru_cache(maxsize=4096)
def proves(one: str, other: str) -> bool:
    """Does sympy prove the two equal, by expansion or by cancelling fractions? False proves nothing."""
    if not one or not other:
        return False
    try:
        return canonical(one) == canonical(other) or _asked("proves_here", one, other) == "True"
    except Unreadable:
        return False


def _asked(function: str, *texts: str) -> str:
    try:
        prepare(_HERE, "sympy")
        with question(SECONDS) as seconds:
            return call(f"{_HERE}:{function}", *texts, seconds=seconds)
    except CallFailed as error:
        if error.name in ("TooCostly", "MemoryError", "RecursionError"):
            raise TooCostly("sympy found it too large") from None
        raise Unreadable("sympy cannot work it out") from None
    except (TimeoutError, ChildProcessError):
        raise TooCostly("sympy did not end in time") from None


def canonical_here(source: str) -> str:
    """`canonical` in this process, without a limit of time."""
    return str(_expanded(_build(parse(source))))


def proves_here(one: str, other: str) -> bool:
    """`proves` in this process, without a limit of time."""
    import sympy

    gap = _build(parse(one)) - _build(parse(other))
    if isinstance(gap, sympy.MatrixBase):
        return all(_vanishes(cell) for cell in gap)
    return _vanishes(gap)


def _vanishes(gap: Any) -> bool:
    import sympy

    expanded = _expanded(gap)
    if expanded == 0:
        return True
    if sympy.count_ops(expanded) > MAX_OPERATIONS:
        return False
    return bool(sympy.cancel(sympy.together(expanded)) == 0 or sympy.radsimp(expanded) == 0)


def _expanded(expression: Any) -> Any:
    import sympy

    if isinstance(expression, sympy.MatrixBase):
        return expression.applyfunc(_expanded)
    small = sympy.count_ops(expression) <= MAX_OPERATIONS and _parts(expression) <= MAX_PARTS
    return sympy.expand(expression) if small else expression


def _parts(expression: Any) -> int:
    """About how many terms the expanded expression has."""
    if expression.is_Add:
        return min(MAX_PARTS + 1, sum(_parts(part) for part in expression.args))
    if expression.is_Mul:
        return min(MAX_PARTS + 1, math.prod(_parts(part) for part in expression.args))
    if expression.is_Pow and expression.exp.is_Integer and expression.exp > 1:
        inside = _parts(expression.base)
        return min(MAX_PARTS + 1, math.comb(inside + min(int(expression.exp), 500) - 1, inside - 1))
    return max((_parts(part) for part in expression.args), default=1)


def _build(node: Node) -> Any:
    """The tree as a sympy expression. Names become symbols only; functions come from a fixed table."""
    import sympy

    kind = node[0]
    if kind == "num":
        return sympy.Rational(node[1].numerator, node[1].denominator)
    if kind == "sym":
        return sympy.Symbol(node[1], real=True)
    if kind == "const":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}[node[1]]
    if kind in ("add", "mul"):
        parts = [_build(child) for child in node[1]]
        if any(isinstance(part, sympy.MatrixBase) for part in parts):
            return functools.reduce(lambda a, b: a + b if kind == "add" else a * b, parts)
        return (sympy.Add if kind == "add" else sympy.Mul)(*parts)
    if kind == "pow":
        return _bounded_power(_build(node[1]), _build(node[2]))
    if kind == "root":
        return _root(_build(node[1]), _build(node[2]))
    if kind == "mat":
        return sympy.Matrix([[_build(cell) for cell in row] for row in node[1]])
    if kind == "call":
        return sympy.Function(node[1])(*(_build(child) for child in node[2]))
    if kind == "fn":
        return _apply(node[1], [_build(child) for child in node[2]])
    raise Unreadable("sympy is not asked about it")


def _root(base: Any, degree: Any) -> Any:
    if base.is_Rational and base < 0 and degree.is_Integer and degree % 2 == 1:
        return -_bounded_power(-base, 1 / degree)
    return _bounded_power(base, 1 / degree)


def _bounded_power(base: Any, power: Any) -> Any:
    import sympy

    if isinstance(base, sympy.MatrixBase):
        if not power.is_Integer or abs(power) > 20:
            raise Unreadable("sympy is not asked about it")
        return base**power
    if base.is_Rational and power.is_Rational:
        bits = max(abs(int(base.p)).bit_length(), int(base.q).bit_length())
        if bits > MAX_BITS or bits * abs(Fraction(int(power.p), int(power.q))) > 4096:
            raise TooCostly("a power in it has thousands of digits")
    if base.is_number and power.is_number and not power.is_Rational and abs(sympy.N(power, 5)) > 1000:
        raise TooCostly("a power in it is too large")
    return sympy.Pow(base, power)


_NAMES = {
    "abs": "Abs", "ceil": "ceiling", "min": "Min", "max": "Max", "ln": "log", "mod": "Mod", "binom": "binomial",
}  # fmt: skip
# Not gcd, lcm, conj, re and im: sympy would take letters for polynomials or for real numbers.
_KNOWN = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth sech csch asin acos atan acot asec acsc asinh acosh atanh log exp "
    "floor factorial factorial2 sign".split()
)


def _apply(name: str, arguments: list[Any]) -> Any:
    import sympy

    if name == "deg":
        return sympy.Mul(sympy.Symbol("degree"), arguments[0])
    if name.startswith(("factorial", "binom")) and any(
        a.is_number and (not a.is_Integer or abs(a) > 500) for a in arguments
    ):
        raise TooCostly(f"'{name}' of a large number")
    if name == "lg":
        return sympy.log(arguments[0], 10)
    if name == "cis":
        return sympy.cos(arguments[0]) + sympy.I * sympy.sin(arguments[0])
    if name in ("det", "transpose") and isinstance(arguments[0], sympy.MatrixBase):
        return arguments[0].det() if name == "det" else arguments[0].T
    if name not in _NAMES and name not in _KNOWN:
        raise Unreadable("sympy is not asked about it")
    return getattr(sympy, _NAMES.get(name, name))(*arguments)
