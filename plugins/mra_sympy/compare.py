"""Are two values the same? One rule for each pair of kinds; every rule is symmetric."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from mra_sympy import units
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.evaluate import agree, close, exact, numeric
from mra_sympy.grammar import Node, negate, symbols
from mra_sympy.options import Options
from mra_sympy.quantities import Quantity
from mra_sympy.values import Expression, Group, Interval, Matrix, Relation, Text, Union, Value


def same(a: Value, b: Value, options: Options) -> bool:
    """Raises Unreadable or TooCostly when it cannot be decided."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return same_quantity(a, b, options)
    if a == b:
        return True
    if isinstance(a, Relation):
        return _relations(a, b, options) if isinstance(b, Relation) else _named(a, b, options)
    if isinstance(b, Relation):
        return _named(b, a, options)
    if isinstance(a, Group) or isinstance(b, Group):
        return _groups(a, b, options)
    if isinstance(a, Interval | Union) or isinstance(b, Interval | Union):
        return _ranges(a, b, options)
    if isinstance(a, Matrix) or isinstance(b, Matrix):
        return isinstance(a, Matrix) and isinstance(b, Matrix) and _matrices(a, b, options)
    if isinstance(a, Text) or isinstance(b, Text):
        return _texts(a, b)
    return _expressions(a, b, options)


def same_quantity(a: Quantity, b: Quantity, options: Options) -> bool:
    """Rationals: exactly equal, or a long decimal that is the other one rounded; units equal, converted or missing."""
    if a.unit != b.unit and a.unit and b.unit:
        (kind_a, factor_a), (kind_b, factor_b) = units.resolve(a.unit), units.resolve(b.unit)
        if kind_a != kind_b:
            return False
        a = replace(a, value=a.value * factor_a, unit="") if factor_a != factor_b else a
        b = replace(b, value=b.value * factor_b, unit="") if factor_a != factor_b else b
    elif a.unit != b.unit and not options.ignore_missing_unit:
        return False
    if a.percent == b.percent:
        return _equal_or_rounded(a, b, options)
    share, number = (a, b) if a.percent else (b, a)
    as_fraction = replace(share, value=share.value / 100, places=share.places + 2 if share.places else 0)
    if _equal_or_rounded(as_fraction, number, options):
        return True
    return options.percent_as_number and _equal_or_rounded(share, number, options)


def _equal_or_rounded(a: Quantity, b: Quantity, options: Options) -> bool:
    if a.value == b.value:
        return True
    return _rounds_to(a, b.value, b.digits, options) or _rounds_to(b, a.value, a.digits, options)


def _rounds_to(short: Quantity, value: Fraction, digits: int, options: Options) -> bool:
    """Is the decimal `short` the `value` rounded to its places? Between two decimals `value` needs two digits more."""
    wanted = options.rounding_digits
    if not wanted or short.digits < wanted or (digits and digits < short.digits + 2):
        return False
    return abs(short.value - value) * 2 <= Fraction(1, 10**short.places)


def _node(value: Value) -> Node:
    if isinstance(value, Quantity):
        return ("num", value.value / 100 if value.percent else value.value)
    assert isinstance(value, Expression)
    return value.node


def _expressions(a: Value, b: Value, options: Options) -> bool:
    left, right = _node(a), _node(b)
    if left == right:
        return True
    if left[0] == right[0] == "sym":
        return str(left[1]).lower() == str(right[1]).lower()
    if not symbols(left) and not symbols(right):
        try:
            x, y = exact(left), exact(right)
        except TooCostly:
            if agree(left, right):  # 30 equal digits of thousands prove nothing
                raise
            return False
        if x is not None and y is not None:
            return same_quantity(_with(a, x), _with(b, y), options)
    decimal, other = (a, right) if isinstance(a, Quantity) else (b, left)
    if isinstance(decimal, Quantity) and not symbols(other):
        value = numeric(other, {})
        if decimal.digits and options.rounding_digits and decimal.digits >= options.rounding_digits:
            step = Fraction(1, 2 * 10**decimal.places)
            return bool(abs(value - numeric(_node(decimal), {})) <= numeric(("num", step), {}))
        return close(value, numeric(_node(decimal), {}))
    return agree(left, right)


def _with(value: Value, number: Fraction) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(number)


def _named(relation: Relation, other: Value, options: Options) -> bool:
    """ "x = 5" against "5": the name is dropped. "7 = 11a + c" against "11a + c": it is not a name."""
    if relation.sign != "=" or not options.ignore_name:
        return False
    if relation.name:
        return same(relation.right, other, options)
    if isinstance(relation.left, Expression) and not symbols(relation.left.node) and relation.left.node[0] != "num":
        return same(relation.right, other, options)  # a sum that is worked out: 3 + 2 = 5
    return False


def _relations(a: Relation, b: Relation, options: Options) -> bool:
    if a.sign != b.sign:
        return False
    if a.name and b.name and _squeezed(a.name) == _squeezed(b.name):
        return same(a.right, b.right, options)
    sides = (a.left, a.right, b.left, b.right)
    if not all(isinstance(side, Quantity | Expression) for side in sides):
        swapped = a.sign in ("=", "\\ne") and same(a.left, b.right, options) and same(a.right, b.left, options)
        return swapped or (same(a.left, b.left, options) and same(a.right, b.right, options))
    left, right = (("add", (_node(r.left), negate(_node(r.right)))) for r in (a, b))
    return _proportional(_numerator(left), _numerator(right), any_sign=a.sign in ("=", "\\ne"))


def _numerator(node: Node) -> Node:
    """An equation's difference of sides without the denominators of its terms: s - v*t for s/t - v."""
    factors: list[Node] = []
    for term in node[1]:
        for factor in term[1] if term[0] == "mul" else (term,):
            inner = factor[1] if factor[0] == "mul" else (factor,)
            for part in inner:
                if part[0] == "pow" and part[2] == ("num", Fraction(-1)) and part[1] not in factors:
                    factors.append(part[1])
    return ("mul", (node, *factors)) if factors else node


def _proportional(a: Node, b: Node, *, any_sign: bool) -> bool:
    """Is a/b the same non-zero constant everywhere?"""
    names = sorted(symbols(a) | symbols(b))
    if symbols(a) != symbols(b) or not names:
        return False
    from mra_sympy.evaluate import context, points

    mp, first = context(), points(set(names))[0]
    x, y = numeric(a, first), numeric(b, first)
    if x == 0 or y == 0 or (not any_sign and mp.re(x / y) < 0):
        return False
    left: Node = ("mul", (a, ("sum", lambda: y, "")))
    right: Node = ("mul", (b, ("sum", lambda: x, "")))
    return agree(left, right)


def _groups(a: Value, b: Value, options: Options) -> bool:
    if isinstance(a, Interval) or isinstance(b, Interval):
        return _as_pair(a, b, options)
    if not (isinstance(a, Group) and isinstance(b, Group)):
        group, other = (a, b) if isinstance(a, Group) else (b, a)
        assert isinstance(group, Group)
        return len(group.items) == 1 and same(group.items[0], other, options)
    if "tuple" in (a.kind, b.kind):
        if "set" in (a.kind, b.kind) or len(a.items) != len(b.items):
            return False
        return all(same(x, y, options) for x, y in zip(a.items, b.items, strict=True))
    return _bags(a, b, options)


def _as_pair(a: Value, b: Value, options: Options) -> bool:
    """(1, 2) is a point and an open interval: it equals what it is compared with if the ends do."""
    interval, group = (a, b) if isinstance(a, Interval) else (b, a)
    assert isinstance(interval, Interval)
    if not isinstance(group, Group) or group.kind != "tuple" or len(group.items) != 2:
        return False
    if interval.low_closed or interval.high_closed:
        return False
    return same(interval.low, group.items[0], options) and same(interval.high, group.items[1], options)


def _bags(a: Group, b: Group, options: Options) -> bool:
    left, right = list(a.items), list(b.items)
    if "set" in (a.kind, b.kind):
        left, right = _distinct(left, options), _distinct(right, options)
    if len(left) != len(right):
        joined = _paired(left, right, options)
        return joined if joined is not None else False
    for item in left:
        found = next((k for k, other in enumerate(right) if same(item, other, options)), None)
        if found is None:
            return False
        del right[found]
    return True


def _paired(left: list[Value], right: list[Value], options: Options) -> bool | None:
    """p=5,q=2;p=7,q=2 against (5,2),(7,2): equations in one order of names against tuples of their values."""
    flat, tuples = (left, right) if len(left) > len(right) else (right, left)
    if not all(isinstance(t, Group) and t.kind == "tuple" for t in tuples) or not tuples:
        return None
    if not all(isinstance(r, Relation) and r.name for r in flat) or len(flat) % len(tuples):
        return None
    size = len(flat) // len(tuples)
    rows = tuple(Group("tuple", tuple(r.right for r in flat[k : k + size])) for k in range(0, len(flat), size))  # type: ignore[union-attr]
    return _bags(Group("list", rows), Group("list", tuple(tuples)), options)


def _distinct(items: list[Value], options: Options) -> list[Value]:
    kept: list[Value] = []
    for item in items:
        if not any(same(item, other, options) for other in kept):
            kept.append(item)
    return kept


def _ranges(a: Value, b: Value, options: Options) -> bool:
    if isinstance(a, Union) and isinstance(b, Union):
        return _bags(Group("list", a.parts), Group("list", b.parts), options)
    if not (isinstance(a, Interval) and isinstance(b, Interval)):
        return False
    if a.name and b.name and _squeezed(a.name) != _squeezed(b.name):
        return False
    closed = (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
    return closed and same(a.low, b.low, options) and same(a.high, b.high, options)


def _matrices(a: Matrix, b: Matrix, options: Options) -> bool:
    if [len(row) for row in a.rows] != [len(row) for row in b.rows]:
        return False
    pairs = ((x, y) for rows in zip(a.rows, b.rows, strict=True) for x, y in zip(*rows, strict=True))
    return all(same(x, y, options) for x, y in pairs)


def _texts(a: Value, b: Value) -> bool:
    """Words, and choice letters: "C" equals "(C)" and "C. Cecile"."""
    if isinstance(a, Text) and isinstance(b, Text):
        return _squeezed(a.text) == _squeezed(b.text)
    text, other = (a, b) if isinstance(a, Text) else (b, a)
    assert isinstance(text, Text)
    if isinstance(other, Expression) and other.node[0] == "sym" and len(other.node[1]) == 1:
        letter = str(other.node[1])
        found = re.match(r"\(?(?:([a-j])(?:\)|[.:,])|([b-j])\s)", text.text)
        return letter.isalpha() and found is not None and (found[1] or found[2]) == letter.lower()
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"[\s.\"'*]+|\\text|[{}]", "", text).lower()


__all__ = ["TooCostly", "Unreadable", "same", "same_quantity"]
