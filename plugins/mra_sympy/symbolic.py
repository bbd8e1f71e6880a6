"""Where sympy comes in: canonical strings, and the few LaTeX forms our grammar leaves to latex2sympy2-extended."""

from __future__ import annotations

import functools
import re
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.grammar import Node

MAX_LATEX = 200
MAX_NESTING = 6
MAX_OPERATIONS = 60
MAX_BITS = 256
_HEAVY = re.compile(r"\\(?:sum|int|prod|lim)(?![a-zA-Z])")
_ALLOWED = frozenset(
    "sum int prod lim frac sqrt infty pi to cdot times sin cos tan ln log exp left right rightarrow".split()
)
_COSTLY = re.compile(r"\d{4}|\^\s*(?:\w|\{[^{}]*)\s*\^|\d\s*!\s*!|\^\s*\{?\s*[^{}]*!")
_CHARACTERS = re.compile(r"[0-9a-zA-Z\\{}()\[\]^_+\-*/=.,!| ]*")


def is_heavy(text: str) -> bool:
    """Does it hold a sum, product, integral or limit?"""
    return _HEAVY.search(text) is not None


def heavy(text: str) -> Node:
    """A leaf for a numeric sum, integral, product or limit, parsed by latex2sympy2-extended after a whitelist of
    characters and commands and bounds on length, nesting and numbers. Raises Unreadable or TooCostly."""
    _guard(text)
    from latex2sympy2_extended import latex2sympy

    try:
        found = latex2sympy(text, normalization_config=None)
    except Exception as error:
        raise Unreadable("a sum, integral or limit in it cannot be read") from error
    if getattr(found, "free_symbols", True):
        raise Unreadable("a sum, integral or limit in it has free symbols")
    return ("sum", functools.partial(_value, found), text.replace(" ", ""))


def _guard(text: str) -> None:
    if len(text) > MAX_LATEX:
        raise TooCostly(f"a sum or integral of more than {MAX_LATEX} characters")
    depth = deepest = 0
    for character in text:
        depth += (character in "({[") - (character in ")}]")
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING or _COSTLY.search(text):
        raise TooCostly("a sum or integral in it is too deep or has too large numbers")
    if _CHARACTERS.fullmatch(text) is None or not _ALLOWED.issuperset(re.findall(r"\\([a-zA-Z]+)", text)):
        raise Unreadable("a sum or integral in it holds what is not known")


def _value(found: Any) -> Any:
    from sympy import N

    from mra_sympy.evaluate import DIGITS, context

    try:
        value = N(found, DIGITS)
        real, imaginary = value.as_real_imag()
        return context().mpf(str(real)) if imaginary == 0 else context().mpc(str(real), str(imaginary))
    except Exception as error:
        raise Unreadable("a sum, integral or limit in it has no value that can be found") from error


@functools.lru_cache(maxsize=4096)
def canonical(node: Node) -> str:
    """One string for equal expressions as far as sympy's automatic rules and expansion go, e.g. ``-1 + 2*sqrt(2)``.
    Raises TooCostly."""
    import sympy

    expression = _build(node)
    if sympy.count_ops(expression) <= MAX_OPERATIONS and not _has_large_power(expression):
        expression = sympy.expand(expression)
    return str(expression)


def _has_large_power(expression: Any) -> bool:
    import sympy

    return any(
        power.base.is_Add and (not power.exp.is_Number or abs(power.exp) > 8) for power in expression.atoms(sympy.Pow)
    )


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
        return (sympy.Add if kind == "add" else sympy.Mul)(*(_build(child) for child in node[1]))
    if kind == "pow":
        return _bounded_power(_build(node[1]), _build(node[2]))
    if kind == "sum":
        return sympy.Symbol(node[2])
    return _apply(node[1], [_build(child) for child in node[2]])


def _bounded_power(base: Any, power: Any) -> Any:
    import sympy

    if base.is_Rational and power.is_Rational:
        bits = max(abs(int(base.p)).bit_length(), int(base.q).bit_length())
        if bits > MAX_BITS or bits * abs(Fraction(int(power.p), int(power.q))) > 4096:
            raise TooCostly("a power in it has thousands of digits")
    if base.is_number and power.is_number and not power.is_Rational and abs(sympy.N(power, 5)) > 1000:
        raise TooCostly("a power in it is too large")
    return sympy.Pow(base, power)


def _apply(name: str, arguments: list[Any]) -> Any:
    import sympy

    if name == "deg":
        return sympy.Mul(sympy.Symbol("degree"), arguments[0])
    if name in ("factorial", "binom") and any(a.is_number and (not a.is_Integer or abs(a) > 500) for a in arguments):
        raise TooCostly(f"'{name}' of a large number")
    names = {"asin": "asin", "abs": "Abs", "ceil": "ceiling", "min": "Min", "max": "Max", "ln": "log", "mod": "Mod"}
    names |= {"binom": "binomial"}
    if name == "lg":
        return sympy.log(arguments[0], 10)
    return getattr(sympy, names.get(name, name))(*arguments)
