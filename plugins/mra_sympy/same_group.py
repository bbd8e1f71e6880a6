"""Are two tuples, lists or sets the same?"""

from __future__ import annotations

from fractions import Fraction

from mra_sympy.agree import agree
from mra_sympy.families import line_names, with_names
from mra_sympy.quantities import Quantity
from mra_sympy.ratios import Ratio
from mra_sympy.same_expression import is_measured, node_of
from mra_sympy.same_relation import assignments, by_name, same_relation
from mra_sympy.tokens import Node, kinds, power, product
from mra_sympy.trial import Trial
from mra_sympy.values import Expression, Group, Relation, Value


def same_groups(a: Value, b: Value, trial: Trial) -> bool:
    mine, yours = assignments(a), assignments(b)
    if mine and yours and len(mine) > 1:
        if isinstance(a, Group) and isinstance(b, Group) and (a.joined == "or") != (b.joined == "or"):
            return False
        return mine.keys() == yours.keys() and all(trial.same(mine[name], yours[name]) for name in mine)
    if (vector := same_vectors(a, b, trial)) is not None:
        return vector
    if not (isinstance(a, Group) and isinstance(b, Group)):
        group, other = (a, b) if isinstance(a, Group) else (b, a)
        assert isinstance(group, Group)
        if group.kind == "ratio":
            return _ratio_value(group, other, trial)
        if isinstance(other, Relation):
            return same_relation(group, other, trial)
        return len(group.items) == 1 and group.kind != "tuple" and trial.same(group.items[0], other)
    if (
        (mine or yours)
        and "set" not in (a.kind, b.kind)
        and len(mine or yours or ()) == len(a.items) == len(b.items) > 1
    ):
        named, plain = (mine, b) if mine else (yours, a)
        several = len({name.partition("_")[0] for name in named or ()}) > 1  # x_1 and x_2 have no order
        if named and several and not any(isinstance(item, Relation) for item in plain.items):
            return all(trial.same(x, y) for x, y in zip(by_name(named), plain.items, strict=True))
    if "ratio" in (a.kind, b.kind):
        return a.kind == b.kind and _proportional(a, b)
    if "tuple" in (a.kind, b.kind):
        return _ordered(a, b, trial)
    if a.joined == b.joined == ";" and trial.options.ordered_blanks:
        return len(a.items) == len(b.items) and all(trial.same(x, y) for x, y in zip(a.items, b.items, strict=True))
    return same_bags(a, b, trial)


def _proportional(a: Group, b: Group) -> bool:
    """a1 : a2 = b1 : b2, compared as a1 b2 = a2 b1."""
    if len(a.items) != len(b.items):
        return False
    left, right = ([node_of(item) for item in group.items] for group in (a, b))
    return all(
        agree(product([x, right[0]]), product([left[0], y])) for x, y in zip(left[1:], right[1:], strict=True)
    ) and not any(node == ("num", 0) for node in (*left, *right))


def _ratio_value(ratio: Group, other: Value, trial: Trial) -> bool:
    """A ratio of two beside a number: their quotient. Beside a ratio of rationals: part by part."""
    if isinstance(other, Ratio):
        return _proportional(ratio, Group("ratio", tuple(Quantity(part) for part in other.parts)))
    if len(ratio.items) != 2 or not is_measured(other) or not trial.options.ratio_as_number:
        return False
    top, bottom = (node_of(item) for item in ratio.items)
    return trial.same(Expression(product([top, power(bottom, -1)]), ""), other)


def _ordered(a: Group, b: Group, trial: Trial) -> bool:
    """Tuples: the same values in the same order. Values with names stand in the order of their names' first mention."""
    if "set" in (a.kind, b.kind) or len(a.items) != len(b.items):
        return False
    items = [
        [item.right if isinstance(item, Relation) and item.name else item for item in group.items] for group in (a, b)
    ]
    one, other = (line for line in items)
    first = next((x for x in zip(one, other, strict=True) if is_measured(x[0]) and is_measured(x[1])), None)
    lines = [("mat", tuple((node_of(item),) for item in line)) for line in items if all(is_measured(i) for i in line)]
    if len(lines) == 2 and first and (names := line_names(*lines)):
        one = [with_names(item, names) for item in one]
    return all(trial.same(x, y) for x, y in zip(one, other, strict=True))


def same_vectors(a: Value, b: Value, trial: Trial) -> bool | None:
    """A tuple against a row, a column or a sum of unit vectors; rows of numbers against a matrix. None for others."""
    pair = (a, b) if isinstance(a, Group) else (b, a)
    group, other = pair
    if not isinstance(group, Group) or group.kind != "tuple" or not isinstance(other, Expression):
        return None
    if not kinds(other.node) & {"mat"}:
        return None
    rows = [item.items if isinstance(item, Group) and item.kind == "tuple" else (item,) for item in group.items]
    if not all(is_measured(cell) for row in rows for cell in row) or len({len(row) for row in rows}) != 1:
        return None
    node: Node = ("mat", tuple(tuple(node_of(cell) for cell in row) for row in rows))
    flat: Node = ("fn", "transpose", (node,))
    zero: Node = ("mat", (*node[1], (("num", Fraction(0)),)))
    for form in (node, flat, *((zero,) if len(rows) == 2 and len(rows[0]) == 1 else ())):
        names = line_names(form, other.node)
        if agree(with_names(Expression(form, ""), names).node if names else form, other.node):  # type: ignore[union-attr]
            return True
    return False


def same_bags(a: Group, b: Group, trial: Trial) -> bool:
    left, right = list(a.items), list(b.items)
    if "set" in (a.kind, b.kind) or len(left) != len(right):
        if (joined := _paired(left, right, trial)) is not None:
            return joined
        left, right = _distinct(left, trial), _distinct(right, trial)
    if len(left) != len(right):
        return False
    for item in left:
        found = next((k for k, other in enumerate(right) if _alike(item, other) and trial.same(item, other)), None)
        if found is None:
            return False
        del right[found]
    return True


def _alike(a: Value, b: Value) -> bool:
    """A set among values is another thing than its only member."""
    return (isinstance(a, Group) and a.kind == "set") == (isinstance(b, Group) and b.kind == "set")


def _paired(left: list[Value], right: list[Value], trial: Trial) -> bool | None:
    """p=5,q=2;p=7,q=2 against (5,2),(7,2): equations in one order of names against tuples of their values."""
    flat, tuples = (left, right) if len(left) > len(right) else (right, left)
    if not all(isinstance(t, Group) and t.kind == "tuple" for t in tuples) or not tuples:
        return None
    if not all(isinstance(r, Relation) and r.name for r in flat) or len(flat) % len(tuples):
        return None
    size = len(flat) // len(tuples)
    chunks = [flat[k : k + size] for k in range(0, len(flat), size)]
    rows = tuple(
        Group("tuple", by_name({r.name: r.right for r in chunk if isinstance(r, Relation)})) for chunk in chunks
    )
    return same_bags(Group("list", rows), Group("list", tuple(tuples)), trial)


def _distinct(items: list[Value], trial: Trial) -> list[Value]:
    kept: list[Value] = []
    for item in items:
        if not any(_alike(item, other) and trial.same(item, other) for other in kept):
            kept.append(item)
    return kept
