"""Values with a parameter: general solutions, lines, constants of integration."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

from mra_sympy.agree import agree, close, places
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.numeric import context, numeric
from mra_sympy.quantities import Quantity
from mra_sympy.tokens import Node, difference, kinds, renamed, symbols
from mra_sympy.values import Expression, Family, Group, Interval, Relation, Value

COUNTERS = ("k", "n", "m", "l")
LINE = frozenset({"t", "s", "r", "lambda", "mu", "u"})
LARGEST = 1e15
SMALL, LARGE = 5, 60  # values of the one side that must be among values of the other
_CONSTANT = re.compile(r"[CK]|[Cc]_\d")
_VARIABLE = frozenset({"x", "t", "y", "theta", "u", "s", "z", "r"})


def as_family(value: Value) -> Family | None:
    """A declared family, or an angle with a counting letter in it ("\\pi/6 + 2k\\pi") that was left undeclared."""
    if isinstance(value, Family):
        return value
    nodes = _nodes(value)
    if not nodes:
        return None
    free = set().union(*(symbols(node) for node in nodes))
    angles = all("pi" in kinds(node) and not kinds(node) & {"fn", "call"} for node in nodes if symbols(node))
    if len(free) == 1 and free <= set(COUNTERS) and angles:
        return Family(value, tuple(free), "Z")
    return None


def same_family(a: Family, b: Family) -> bool | None:
    """Do both run through the same values? None when that cannot be told value by value."""
    if a.domain != b.domain:
        return False
    if a.domain == "R" or b.domain == "R" or len(a.parameters) != 1 or len(b.parameters) != 1:
        return None
    left, right = _nodes(a.value), _nodes(b.value)
    if not left or not right:
        return None
    if any(symbols(node) - {*a.parameters} for node in left) or any(symbols(node) - {*b.parameters} for node in right):
        return None
    return _covered(left, a, right, b) and _covered(right, b, left, a)


def _covered(few: list[Node], a: Family, many: list[Node], b: Family) -> bool:
    found = {key for node in many for key in _values(node, b, LARGE)}
    return all(key in found for node in few for key in _values(node, a, SMALL))


def _values(node: Node, family: Family, size: int) -> list[Any]:
    mp = context(30)
    start = {"N": 0, "Z+": 1, "N+": 1}.get(family.domain, -size)
    scale = mp.mpf(10) ** 12
    values = [numeric(node, {family.parameters[0]: mp.mpf(k)}, mp) for k in range(start, size + 1)]
    finite = [v for v in values if mp.isfinite(v)]
    if any(abs(v) > LARGEST for v in finite):
        raise TooCostly("its members are too large to list")
    return [(int(mp.nint(mp.re(v) * scale)), int(mp.nint(mp.im(v) * scale))) for v in finite]


def _nodes(value: Value) -> list[Node]:
    """The expressions whose values a value stands for, [] when it is something else."""
    if isinstance(value, Relation) and value.sign == "=" and value.name:
        return _nodes(value.right)
    if isinstance(value, Expression):
        return [value.node]
    if isinstance(value, Quantity):
        return [("num", value.value)]
    if isinstance(value, Group) and value.kind != "tuple":
        parts = [_nodes(item) for item in value.items]
        return [node for part in parts for node in part] if all(parts) else []
    return []


def with_names(value: Value, names: dict[str, str]) -> Value:
    """The value with its symbols renamed, inside expressions, groups, intervals and relations."""
    if isinstance(value, Expression):
        return Expression(renamed(value.node, names), value.source, value.unit)
    if isinstance(value, Group):
        return Group(value.kind, tuple(with_names(item, names) for item in value.items), value.joined)
    if isinstance(value, Relation):
        return Relation(value.sign, with_names(value.left, names), with_names(value.right, names), value.name)
    if isinstance(value, Interval):
        return replace(value, low=with_names(value.low, names), high=with_names(value.high, names))
    return value


def line_names(a: Node, b: Node) -> dict[str, str] | None:
    """How to rename the one parameter of two vectors: {"t": "s"}, None when there is nothing to rename."""
    only_a, only_b = symbols(a) - symbols(b), symbols(b) - symbols(a)
    if len(only_a) == len(only_b) == 1 and only_a | only_b <= LINE and _directed(a, only_a) and _directed(b, only_b):
        return {only_a.pop(): only_b.pop()}
    return None


def _directed(node: Node, names: set[str]) -> bool:
    """Does the parameter move more than one coordinate?"""
    if node[0] != "mat":
        return True
    return sum(bool(symbols(cell) & names) for row in node[1] for cell in row) > 1


def same_up_to_constants(a: Node, b: Node) -> bool:
    """Equal when constants of integration are renamed, or absorb what does not depend on the variable."""
    names_a, names_b = symbols(a), symbols(b)
    if not names_a & names_b & _VARIABLE:
        return False
    free_a = sorted(name for name in names_a if _CONSTANT.fullmatch(name) and name not in names_b)
    free_b = sorted(name for name in names_b if _CONSTANT.fullmatch(name) and name not in names_a)
    shared = sorted(name for name in names_a & names_b if _CONSTANT.fullmatch(name))
    free_a, free_b = _letters(free_a, free_b, names_a - names_b), _letters(free_b, free_a, names_b - names_a)
    if len(free_a) != len(free_b) or len(free_a) > 4:
        return False
    for order in itertools.permutations(free_b):
        if free_a and agree(renamed(a, dict(zip(free_a, order, strict=True))), b):
            return True
    if len(shared) > 4:
        return False
    if len(shared) > 1:
        return any(
            agree(renamed(a, dict(zip(shared, order, strict=True))), b) for order in itertools.permutations(shared)
        )
    mine = free_a or shared
    return len(mine) == 1 and _additive(a, mine[0], b, (free_b or shared)[0])


def _letters(own: list[str], other: list[str], only: set[str]) -> list[str]:
    """A and B, c and k are constants where the other side has as many C, c_1, c_2."""
    if len(own) < len(other) == len(only) and only <= {"A", "B", "C", "D", "E", "c", "k", "K"}:
        return sorted(only)
    return own


def _additive(a: Node, c: str, b: Node, d: str) -> bool:
    """Both are something plus the constant times a number, and what is left differs by a number only."""
    variables = (symbols(a) | symbols(b)) - {c, d}
    mp = context()
    gaps, steps = [], []
    for place in places(variables, frozenset())[:5]:
        at = {(k, node): numeric(node, {**place, c: mp.mpf(k), d: mp.mpf(k)}, mp) for k in (0, 1) for node in (a, b)}
        gaps.append(at[0, a] - at[0, b])
        steps.append((at[1, a] - at[0, a], at[1, b] - at[0, b]))
    if any(abs(x) < mp.mpf(10) ** -20 or abs(y) < mp.mpf(10) ** -20 for x, y in steps):
        return False
    if any(abs(mp.im(x / y)) > mp.mpf(10) ** -20 for x, y in steps):
        return False
    still = all(close(gap, gaps[0], mp) or abs(gap - gaps[0]) < mp.mpf(10) ** -30 for gap in gaps)
    return still and all(close(x, steps[0][0], mp) and close(y, steps[0][1], mp) for x, y in steps)


__all__ = ["Unreadable", "as_family", "difference", "line_names", "same_family", "same_up_to_constants", "with_names"]
