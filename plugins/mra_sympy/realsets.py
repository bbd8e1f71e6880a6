"""Sets of real numbers, however they are written: the same when the same numbers lie in both.

A set becomes a tree of tests. Whether a number lies in it can only change at its breakpoints (ends of intervals, single
points, zeros and poles of what is compared), so two sets are equal when they agree at all breakpoints of both, between
each two neighbours, and beyond the outermost. That is a proof up to the precision of the breakpoints.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

from mra_sympy.errors import Unreadable
from mra_sympy.numeric import context, is_matrix, numeric
from mra_sympy.polynomials import NotRational, rational, real_roots
from mra_sympy.quantities import Quantity
from mra_sympy.tokens import Node, children, difference, kinds, symbols
from mra_sympy.values import Combined, Domain, Expression, Group, Interval, Relation, Value, node_of

MAX_ABS = 3
LARGEST = 1e20
WINDOW = 12  # integers up to here are tried where a set holds only integers

Tree = tuple[Any, ...]


NoSet = NotRational  # the value is no set of real numbers that can be tested


def same_set(a: Value, b: Value) -> bool:
    """Do the same numbers lie in both? Raises NoSet when that cannot be tested."""
    of_a: set[str] = set()
    of_b: set[str] = set()
    left, right = _tree(a, of_a), _tree(b, of_b)
    if len(of_a) > 1 or len(of_b) > 1:
        raise NoSet
    if of_a and of_b and of_a != of_b:
        return False
    return all(_contains(left, x) == _contains(right, x) for x in _tried(left, right))


def written(value: Value) -> str:
    """One string for equal sets: their intervals and single points in order. Raises NoSet."""
    names: set[str] = set()
    tree = _tree(value, names)
    if len(names) > 1 or _holds_integers(tree):
        raise NoSet
    points = _merged(_breakpoints(tree))
    beyond = [*((a + b) / 2 for a, b in itertools.pairwise(points)), points[-1] + 1]
    parts: list[str] = []
    start = "(-oo" if _contains(tree, points[0] - 1) else ""
    for point, place in zip(points, beyond, strict=True):
        inside, after = _contains(tree, point), _contains(tree, place)
        if start and not (inside and after):
            parts.append(f"{start}, {_shown(point)}{']' if inside else ')'}")
            start = f"({_shown(point)}" if after else ""
        elif not start and after:
            start = f"{'[' if inside else '('}{_shown(point)}"
        elif not start and inside:
            parts.append(f"{{{_shown(point)}}}")
    if start:
        parts.append(f"{start}, oo)")
    return " U ".join(parts) or "{}"


def _holds_integers(tree: Tree) -> bool:
    return tree[0] in ("Z", "N") or any(isinstance(part, tuple) and _holds_integers(part) for part in tree[1:] if part)


def _shown(point: Any) -> str:
    """A breakpoint as a fraction where it is one, else with 15 digits."""
    mp = context()
    if abs(point) > LARGEST:
        return str(mp.nstr(point, 15))
    near = Fraction(mp.nstr(point, 40)).limit_denominator(10**6)
    exact = abs(mp.mpf(near.numerator) / near.denominator - point) < mp.mpf(10) ** -25
    return str(near) if exact else str(mp.nstr(point, 15))


def is_range(value: Value) -> bool:
    """Does the value look like a set of numbers or a condition on one?"""
    if isinstance(value, Relation):
        return value.sign != "="
    return isinstance(value, Interval | Combined | Domain)


def _tree(value: Value, names: set[str]) -> Tree:
    if isinstance(value, Interval):
        low, high = _real(value.low), _real(value.high)
        return ("in", low, high, value.low_closed, value.high_closed)
    if isinstance(value, Domain):
        if value.name not in ("R", "Z", "N", "R+", "R-"):
            raise NoSet
        return (value.name,)
    if isinstance(value, Relation):
        return _comparison(value, names)
    if isinstance(value, Combined):
        parts = tuple(_tree(part, names) for part in value.parts)
        return _listed(parts) if value.operation == "," else (value.operation, *parts)
    if isinstance(value, Group):
        return _points(value)
    if isinstance(value, Quantity | Expression):
        return ("points", (_real(value),))
    raise NoSet


def _listed(parts: tuple[Tree, ...]) -> Tree:
    """Conditions with only commas between them: all hold, or one of them where they cannot all hold."""
    both: Tree = ("and", *parts)
    return both if any(_contains(both, x) for x in _tried(both, both)) else ("or", *parts)


def _points(group: Group) -> Tree:
    """A set or list of numbers; a list of pairs is read as open intervals."""
    trees: list[Tree] = []
    for item in group.items:
        if isinstance(item, Group) and item.kind == "tuple" and len(item.items) == 2 and group.kind == "list":
            trees.append(("in", _real(item.items[0]), _real(item.items[1]), False, False))
        elif isinstance(item, Interval | Combined):
            trees.append(_tree(item, set()))
        else:
            trees.append(("points", (_real(item),)))
    if group.kind == "tuple" and len(group.items) == 2:
        return ("in", _real(group.items[0]), _real(group.items[1]), False, False)
    if group.kind == "tuple":
        raise NoSet
    return ("or", *trees)


def _real(value: Value) -> Any:
    mp = context()
    if isinstance(value, Quantity):
        return mp.mpf(value.value.numerator) / value.value.denominator
    if not isinstance(value, Expression) or symbols(value.node):
        raise NoSet
    found = numeric(value.node, {}, mp)
    if is_matrix(found) or mp.im(found) != 0:
        raise NoSet
    return mp.re(found)


def _node(value: Value) -> Node:
    if not isinstance(value, Quantity | Expression):
        raise NoSet
    return node_of(value)


def _comparison(relation: Relation, names: set[str]) -> Tree:
    if relation.sign == "=" and relation.name:
        return ("points", (_real(relation.right),))
    left, right = _node(relation.left), _node(relation.right)
    free = symbols(left) | symbols(right)
    if len(free) != 1:
        raise NoSet
    if "oo" in kinds(left) | kinds(right):  # x < oo says nothing
        names |= free
        return _endless(relation.sign, left, right, next(iter(free)))
    names |= free
    variable = next(iter(free))
    return ("cmp", relation.sign, left, right, variable, tuple(_critical(difference(left, right), variable)))


def _endless(sign: str, left: Node, right: Node, variable: str) -> Tree:
    """A comparison with infinity holds everywhere or nowhere."""
    mp = context()
    a, b = (numeric(node, {variable: mp.mpf(0)}, mp) for node in (left, right))
    return ("R",) if sign == "\\ne" or (sign != "=" and a < b) else ("points", ())


def _contains(tree: Tree, x: Any) -> bool:
    mp, kind = context(), tree[0]
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(_contains(part, x) for part in tree[1:])
    if kind == "minus":
        return _contains(tree[1], x) and not any(_contains(part, x) for part in tree[2:])
    if kind == "points":
        return any(_near(x, point) for point in tree[1])
    if kind == "in":
        low, high = _near(x, tree[1]), _near(x, tree[2])
        return bool((low and tree[3]) or (high and tree[4]) or (not low and not high and tree[1] < x < tree[2]))
    if kind == "cmp":
        return _holds(tree, x)
    whole = _near(x, mp.nint(x))
    return bool({"R": True, "R+": x > 0, "R-": x < 0, "Z": whole, "N": whole and x > -0.5}[kind])


def _near(x: Any, y: Any) -> bool:
    mp = context()
    if mp.isinf(x) or mp.isinf(y):
        return bool(x == y)
    return bool(abs(x - y) <= mp.mpf(10) ** -15 * max(abs(x), abs(y)))


def _holds(tree: Tree, x: Any) -> bool:
    mp = context()
    _, sign, left, right, variable, critical = tree
    try:
        a, b = numeric(left, {variable: x}, mp), numeric(right, {variable: x}, mp)
    except Unreadable:
        return False
    equal = abs(a - b) <= mp.mpf(10) ** -25 * max(1, abs(a), abs(b)) or (
        any(_near(x, point) for point in critical) and abs(a - b) <= mp.mpf(10) ** -12 * max(1, abs(a), abs(b))
    )
    if abs(mp.im(a)) > mp.mpf(10) ** -30 or abs(mp.im(b)) > mp.mpf(10) ** -30:
        return bool(sign == "\\ne")
    if equal:
        return bool(sign in ("=", "\\le"))
    return bool(sign == "\\ne" or (sign != "=" and mp.re(a) < mp.re(b)))


def _tried(*trees: Tree) -> list[Any]:
    """Every breakpoint, a place between each two, and places beyond; where integers matter, those around them too."""
    mp = context()
    merged = _merged([point for tree in trees for point in _breakpoints(tree)])
    between = [(a + b) / 2 for a, b in itertools.pairwise(merged)]
    found = [*merged, *between, merged[0] - 1, merged[-1] + 1, merged[0] - 1000, merged[-1] + 1000]
    if any(_holds_integers(tree) for tree in trees):
        found += [mp.floor(point) + k for point in merged for k in range(-2, 4)]
    return found


def _merged(points: list[Any]) -> list[Any]:
    """The finite ones in order, each once; 0 where there are none."""
    mp = context()
    merged: list[Any] = []
    for point in sorted(point for point in points if not mp.isinf(point)):
        if not merged or not _near(point, merged[-1]):
            merged.append(point)
    return merged or [mp.mpf(0)]


def _breakpoints(tree: Tree) -> list[Any]:
    mp, kind = context(), tree[0]
    if kind in ("and", "or", "minus"):
        return [point for part in tree[1:] for point in _breakpoints(part)]
    if kind == "points":
        return list(tree[1])
    if kind == "in":
        return [tree[1], tree[2]]
    if kind == "cmp":
        return list(tree[5])
    return [mp.mpf(k) for k in range(-WINDOW, WINDOW + 1)] if kind in ("Z", "N") else [mp.mpf(0)]


def _critical(node: Node, variable: str) -> list[Any]:
    """Real zeros and poles of `node`, for each choice of sign of what stands between bars. Raises NoSet when it is not
    rational in the variable otherwise."""
    bars = _bars(node, variable)
    if len(bars) > MAX_ABS:
        raise NoSet
    found: list[Any] = []
    for inner in bars:
        found += _critical(inner, variable)
    for signs in itertools.product((1, -1), repeat=len(bars)):
        chosen = dict(zip(bars, signs, strict=True))
        top, bottom = rational(node, variable, chosen)
        found += real_roots(top) + real_roots(bottom)
    return found


def _bars(node: Node, variable: str) -> list[Node]:
    """What stands in absolute values and holds the variable, each once."""
    own = [node[2][0]] if node[0] == "fn" and node[1] == "abs" and variable in symbols(node) else []
    for child in children(node):
        own += [inner for inner in _bars(child, variable) if inner not in own]
    return own
