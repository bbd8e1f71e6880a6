"""Equations, inequalities, memberships and congruences: read into values."""

from __future__ import annotations

import re
from collections.abc import Callable

from mra_sympy import grammar
from mra_sympy.errors import Unreadable
from mra_sympy.split import split_relation
from mra_sympy.values import Combined, Congruence, Domain, Expression, Relation, Text, Value

Reader = Callable[[str, int], Value]

_OPERATION = (
    r"(?!pi(?![a-z])|infty|ln|log|lg|exp|sqrt|sin|cos|tan|cot|sec|csc|arc|sinh|cosh|tanh|frac|not|lfloor|lceil)"
)
NAME = re.compile(
    rf"""\|[A-Z]{{1,3}}\| | [A-Za-z]{{1,3}}
    | (?!.*\b(?:not|never|no|squared|cubed|root|minus|plus|times|twice|half)\b) [A-Za-z][A-Za-z ]{{3,30}}
    | \\text\{{(?!\s*(?:not|never|no)\b)[^{{}}]*\}}
    | (?:[A-Za-z]|\\{_OPERATION}[A-Za-z]+)(?:\s+[A-Za-z])?
    | (?:[A-Za-z]|\\{_OPERATION}[A-Za-z]+) \s*
      (?: '+ | _\s*\{{?[\\A-Za-z0-9\ ]+\}}? | \^\{{?\*\}}? | _\{{\\text\{{[^}}]*\}}\s*\}} )
    | (?:[A-Za-z]|\\{_OPERATION}[A-Za-z]+) \s*(?:_\{{?\w+\}}?)?(?:'+|\^\{{-1\}}|\^\{{(?:\\prime\s*)+\}})?
      \s* \([\sA-Za-z,0-9]*\)
    | [A-Za-z]{{1,3}}\s*:\s*[A-Za-z]{{1,3}}
    | \\(?:angle|triangle|overline|overrightarrow|widehat|vec|mathcal)\s*\{{?\s*[A-Za-z]+\s*\}}?
    | m?\\angle\s*[A-Z_0-9]{{1,6}}
    | \(\s*[A-Za-z](?:\s*,\s*[A-Za-z])+\s*\)""",
    re.VERBOSE,
)
_MOD = re.compile(
    r"(.*?)\s*(?:\(\s*\\?(?:mod|bmod|pmod)\s*\{?([^{}()]+)\}?\s*\)|\\pmod\s*\{?([^{}]+)\}?|\\b?mod\s*\{?([^{}]+)\}?)",
    re.S,
)
_SIGNS = {"=": "=", "<": "<", "\\le": "\\le", ">": "<", "\\ge": "\\le", "\\ne": "\\ne"}


def read_relation(text: str, depth: int, structure: Reader) -> Value | None:
    """The value of a text with relation signs outside its brackets, None when it has none."""
    if (congruence := _congruence(text)) is not None:
        return congruence
    parts = split_relation(text)
    if len(parts) < 3:
        return None
    if parts[0] == "" and parts[1] in ("\\approx", "="):
        return structure(" ".join(parts[2:]), depth + 1)
    if any(not part for part in parts[::2]):
        raise Unreadable("a side of its relation is missing")
    if "\\approx" in parts[1::2]:
        return _rounded(parts, depth, structure)
    signs, sides = parts[1::2], parts[0::2]
    if signs == ["\\in"]:
        return structure(sides[1], depth + 1)
    if signs == ["\\notin"]:
        return Combined("minus", (Domain("R"), structure(sides[1], depth + 1)))
    if len(signs) == 1:
        return _relation(signs[0], sides[0], sides[1], depth, structure)
    if set(signs) == {"="}:
        return _chain(sides, depth, structure)
    if set(signs) <= {"<", "\\le"} or set(signs) <= {">", "\\ge"}:
        pairs = zip(signs, sides, sides[1:], strict=False)
        return Combined("and", tuple(_relation(sign, left, right, depth, structure) for sign, left, right in pairs))
    return Text(text, opaque=True)


def _rounded(parts: list[str], depth: int, structure: Reader) -> Value:
    """ "x = 22/7 \\approx 3.14": the exact value counts; "x \\approx 3.14" is a value with a name."""
    cut = parts.index("\\approx")
    if cut == 1 and NAME.fullmatch(parts[0]):
        return Relation("=", named(parts[0]), structure(parts[2], depth + 1), parts[0])
    return structure(" ".join(parts[:cut]), depth + 1)


def _chain(sides: list[str], depth: int, structure: Reader) -> Value:
    """a = b = -2 says both; steps of a calculation end in their value."""
    if all(NAME.fullmatch(side) for side in sides[:-1]) and len({*sides[:-1]}) == len(sides) - 1:
        from mra_sympy.values import Group

        last = sides[-1]
        return Group("list", tuple(_relation("=", side, last, depth, structure) for side in sides[:-1]), "and")
    return _relation("=", sides[0], sides[-1], depth, structure)


def _relation(sign: str, left: str, right: str, depth: int, structure: Reader) -> Value:
    if sign not in _SIGNS:
        return Text(f"{left} {sign} {right}", opaque=True)
    if sign in (">", "\\ge"):
        left, right = right, left
    sign = _SIGNS[sign]
    if sign == "=" and NAME.fullmatch(right) and not NAME.fullmatch(left):
        left, right = right, left
    name = left if sign == "=" and NAME.fullmatch(left) else ""
    value = named(left) if name else structure(left, depth + 1)
    if sign == "=" and isinstance(value, Expression) and value.node[0] == "sym":
        name = left
    return Relation(sign, value, structure(right, depth + 1), name)


def named(text: str) -> Value:
    """The left side of "name = value": an expression where it is one, else its text."""
    try:
        return Expression(grammar.parse(text), text)
    except Unreadable:
        return Text(text, opaque=True)


def _congruence(text: str) -> Congruence | None:
    """``x \\equiv 3 \\pmod 7``, ``3 \\pmod{7}``, ``3 \\bmod 7`` of a letter's remainder."""
    if "mod" not in text or "\\not" in text:
        return None
    found = _MOD.fullmatch(text)
    if found is None:
        return None
    left, equal, value = found[1].rpartition("\\equiv")
    if equal and not re.fullmatch(r"\s*[a-zA-Z](?:_\{?\w\}?)?\s*", left):
        return None  # 2x = 3 (mod 7) is still to be solved
    if not equal and found[4]:
        return None  # 17 mod 5 is a number
    try:
        modulus = grammar.parse(found[2] or found[3] or found[4])
        return Congruence(grammar.parse(value if equal else left or value), modulus)
    except Unreadable:
        return None


def base_name(name: str) -> tuple[str, tuple[str, ...]]:
    """A name without its arguments, and the arguments: "f(x)" gives ("f", ("x",))."""
    squeezed = re.sub(r"\s|\\text|[{}$|]", "", name)
    head, bracket, inside = squeezed.partition("(")
    if not bracket or not head:
        head, inside = squeezed, ""
    return head.lower() if len(head) > 2 else head, tuple(inside.rstrip(")").split(",")) if inside else ()
