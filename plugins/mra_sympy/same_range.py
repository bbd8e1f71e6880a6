"""Are two intervals, unions or conditions on one variable the same?"""

from __future__ import annotations

from fractions import Fraction

from mra_sympy.realsets import NoSet, same_set
from mra_sympy.same_expression import is_measured
from mra_sympy.same_group import same_bags, same_vectors
from mra_sympy.same_relation import same_relations
from mra_sympy.tokens import kinds, symbols
from mra_sympy.trial import Trial
from mra_sympy.values import Combined, Expression, Group, Interval, Relation, Text, Value


def same_ranges(a: Value, b: Value, trial: Trial) -> bool:
    """Sets of numbers: by which numbers lie in them; where their ends hold letters, part by part."""
    if isinstance(a, Text) or isinstance(b, Text):
        return False
    range_, other = (a, b) if isinstance(a, Interval) else (b, a)
    if isinstance(range_, Interval) and isinstance(other, Expression) and "mat" in kinds(other.node):
        row = Group("tuple", (range_.low, range_.high))
        return range_.low_closed == range_.high_closed and bool(same_vectors(row, other, trial))
    if isinstance(range_, Interval) and isinstance(other, Group) and other.kind == "tuple":
        return _as_pair(range_, other, trial)
    if _comparisons(a) and _comparisons(b):
        assert isinstance(a, Relation)
        assert isinstance(b, Relation)
        return same_relations(a, b, trial) or _sets(a, b)
    try:
        return same_set(a, b)
    except NoSet:
        return _parts(a, b, trial)


def _comparisons(value: Value) -> bool:
    return isinstance(value, Relation) and is_measured(value.left) and is_measured(value.right)


def _sets(a: Value, b: Value) -> bool:
    try:
        return same_set(a, b)
    except NoSet:
        return False


def _parts(a: Value, b: Value, trial: Trial) -> bool:
    a, b = _interval(a), _interval(b)
    if isinstance(a, Interval) and isinstance(b, Interval):
        closed = (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        return closed and trial.same(a.low, b.low) and trial.same(a.high, b.high)
    pair, group = (a, b) if isinstance(a, Interval) else (b, a)
    if isinstance(pair, Interval) and isinstance(group, Group) and group.kind == "tuple":
        return _as_pair(pair, group, trial)
    if isinstance(a, Combined) and isinstance(b, Combined):
        if a.operation != b.operation and "," not in (a.operation, b.operation):
            return False
        if a.operation == "minus":
            rest = (Group("list", value.parts[1:]) for value in (a, b))
            return trial.same(a.parts[0], b.parts[0]) and trial.same(*rest)
        return same_bags(Group("list", a.parts), Group("list", b.parts), trial)
    if isinstance(a, Combined | Group) and isinstance(b, Combined | Group):
        one, other = (Group("list", v.parts) if isinstance(v, Combined) else v for v in (a, b))
        return one.kind == other.kind == "list" and same_bags(one, other, trial)
    return False


def _interval(value: Value) -> Value:
    """a < x <= b, x > a: as an interval, when one side is a letter alone."""
    parts = value.parts if isinstance(value, Combined) and value.operation == "and" else (value,)
    infinity = Expression(("const", "oo"), "oo")
    low: Value = Expression(("mul", (("num", Fraction(-1)), ("const", "oo"))), "-oo")
    high: Value = infinity
    low_closed = high_closed = False
    letters = [{_letter(part.left), _letter(part.right)} - {""} for part in parts if isinstance(part, Relation)]
    alone = set.intersection(*letters) if letters else set()
    if len(alone) != 1:
        return value
    for part in parts:
        if not isinstance(part, Relation) or part.sign not in ("<", "\\le"):
            return value
        if _letter(part.left) in alone:
            high, high_closed = part.right, part.sign == "\\le"
        elif _letter(part.right) in alone:
            low, low_closed = part.left, part.sign == "\\le"
        else:
            return value
    return Interval(low, high, low_closed, high_closed)


def _letter(value: Value) -> str:
    """What an inequality is about: an expression that holds letters."""
    return str(value.node) if isinstance(value, Expression) and symbols(value.node) else ""


def _as_pair(interval: Interval, group: Group, trial: Trial) -> bool:
    """(1, 2) is a point and an open interval: it equals what it is compared with if the ends do."""
    if len(group.items) != 2 or interval.low_closed or interval.high_closed:
        return False
    return trial.same(interval.low, group.items[0]) and trial.same(interval.high, group.items[1])
