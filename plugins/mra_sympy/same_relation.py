"""Are two equations or inequalities the same, or an equation and what it says?"""

from __future__ import annotations

import re
from fractions import Fraction

from mra_sympy.agree import agree, aligned, constant_ratio
from mra_sympy.errors import Unreadable
from mra_sympy.families import with_names
from mra_sympy.quantities import Quantity
from mra_sympy.relations import base_name
from mra_sympy.same_expression import NUMERICAL, is_measured, node_of, same_renamed
from mra_sympy.tokens import Node, children, difference, kinds, product, symbols
from mra_sympy.trial import Trial
from mra_sympy.values import Expression, Group, Relation, Text, Value


def same_relation(a: Value, b: Value, trial: Trial) -> bool:
    if isinstance(a, Relation) and isinstance(b, Relation):
        return same_relations(a, b, trial)
    relation, other = (a, b) if isinstance(a, Relation) else (b, a)
    assert isinstance(relation, Relation)
    if isinstance(other, Group) and (pairs := assignments(relation)) is not None and len(pairs) > 1:
        if (yours := assignments(other)) is not None:
            return pairs.keys() == yours.keys() and all(trial.same(pairs[name], yours[name]) for name in pairs)
        return trial.same(Group("tuple", by_name(pairs)), other)
    return _named(relation, other, trial)


def _named(relation: Relation, other: Value, trial: Trial) -> bool:
    """ "x = 5" against "5": the name is dropped. "7 = 11a + c" against "11a + c", "x + y = 5" against "5": no name."""
    if isinstance(other, Group) and other.kind != "tuple" and len(other.items) == 1:
        other = other.items[0]
        if isinstance(other, Relation):
            return same_relations(relation, other, trial)
    if relation.sign != "=" or not trial.options.ignore_name:
        return False
    if relation.name:
        return trial.same(relation.right, other)
    if isinstance(relation.left, Text) and "\\c" in relation.left.text and isinstance(relation.right, Group):
        return trial.same(relation.right, other)  # A \\cap B = {1}
    if _says_what(relation) or _is_identity(relation):
        return trial.same(relation.right, other)
    return False


def _is_identity(relation: Relation) -> bool:
    """A calculation: both sides are the same expression."""
    if not is_measured(relation.left) or not is_measured(relation.right):
        return False
    try:
        return agree(node_of(relation.left), node_of(relation.right))
    except Unreadable:
        return False


def _says_what(relation: Relation) -> bool:
    """Is the left side something that is worked out ("3 + 2 = 5", "E(X) = 5", "a + b = 5"), rather than one side of an
    equation that is still to be solved ("2k = 10", "x + y = 5")?"""
    if isinstance(relation.left, Text):
        return is_measured(relation.right) and re.search(r"\bnot\b|\\n", relation.left.text) is None
    if not isinstance(relation.left, Expression) or not is_measured(relation.right):
        return False
    right = node_of(relation.right)
    free = _open_symbols(relation.left.node)
    if symbols(right) or relation.left.node[0] == "num" or len(free) == 1 or len(free & {"x", "y", "z"}) > 1:
        return False
    return bool(symbols(relation.left.node)) or "call" in kinds(relation.left.node)


def _open_symbols(node: Node) -> set[str]:
    """Letters that one may solve for: small ones, outside the arguments of unknown functions."""
    if node[0] == "call":
        return set()
    if node[0] == "sym":
        return {str(node[1])} if re.fullmatch(r"[a-z](?:_\w+)?", node[1]) else set()
    return set().union(*(_open_symbols(child) for child in children(node)))


def same_relations(a: Relation, b: Relation, trial: Trial) -> bool:
    if a.sign != b.sign:
        return False
    if a.name and b.name:
        (left, inside_a), (right, inside_b) = base_name(a.name), base_name(b.name)
        if left != right and _unnumbered(left) == _unnumbered(right) and not ("_" in left and "_" in right):
            return trial.same(a.right, b.right)
        if left == right or ({left, right} <= {"y", "f", "g", "h"} and (inside_a or inside_b) and "y" in (left, right)):
            return _same_rule(a.right, inside_a, b.right, inside_b, trial)
    if (mine := assignments(a)) and (yours := assignments(b)) and len(mine) > 1:
        return mine.keys() == yours.keys() and all(trial.same(mine[name], yours[name]) for name in mine)
    sides = (a.left, a.right, b.left, b.right)
    if not all(is_measured(side) for side in sides):
        swapped = a.sign in ("=", "\\ne") and trial.same(a.left, b.right) and trial.same(a.right, b.left)
        return swapped or (trial.same(a.left, b.left) and trial.same(a.right, b.right))
    left_side, right_side = aligned(*(difference(node_of(r.left), node_of(r.right)) for r in (a, b)))
    if not symbols(left_side) and not symbols(right_side):
        fixed = trial.same(a.left, b.left) and trial.same(a.right, b.right)
        return fixed or (a.sign == "=" and trial.same(a.left, b.right) and trial.same(a.right, b.left))
    if symbols(left_side) != symbols(right_side):
        return same_renamed(left_side, right_side, trial) if a.sign == "=" else False
    fair = a.sign in ("=", "\\ne")
    found = constant_ratio(_numerator(left_side) if fair else left_side, _numerator(right_side) if fair else right_side,
                           positive=not fair)  # fmt: skip
    if found:
        trial.note(NUMERICAL)
    return found


def _unnumbered(name: str) -> str:
    """x_1 and x_2 are roots of an equation in x."""
    return re.sub(r"_\d$", "", name)


def _same_rule(a: Value, of_a: tuple[str, ...], b: Value, of_b: tuple[str, ...], trial: Trial) -> bool:
    """f(x) = ... and f(t) = ... are the same rule; f(2) and f(3), P(A) and P(B) are values of their own."""
    if of_a and of_b and of_a != of_b:
        if len(of_a) != len(of_b) or not all(re.fullmatch(r"[a-z]", name) for name in of_a + of_b):
            return False
        fresh = [f"argument {k}" for k in range(len(of_a))]
        a = with_names(a, dict(zip(of_a, fresh, strict=True)))
        b = with_names(b, dict(zip(of_b, fresh, strict=True)))
    return trial.same(a, b)


def by_name(pairs: dict[str, Value]) -> tuple[Value, ...]:
    """The values of "y = 2, x = 1" in the order of a tuple: letters alphabetically, other names as they are given."""
    plain = all(len(name) == 1 for name in pairs)
    return tuple(pairs[name] for name in (sorted(pairs) if plain else pairs))


def assignments(value: Value) -> dict[str, Value] | None:
    """Names and their values: "x = 1, y = 2", "(x, y) = (1, 2)"; None when it is something else."""
    if isinstance(value, Group) and all(isinstance(item, Relation) and item.name for item in value.items):
        found: dict[str, Value] = {}
        for item in value.items:
            assert isinstance(item, Relation)
            if base_name(item.name)[0] in found:
                return None
            found[base_name(item.name)[0]] = item.right
        return found
    if isinstance(value, Relation) and value.name.startswith("(") and isinstance(value.right, Group):
        names = [name.strip() for name in value.name.strip("() ").split(",")]
        if value.right.kind == "tuple" and len(names) == len(value.right.items):
            return dict(zip(names, value.right.items, strict=True))
    if isinstance(value, Relation) and isinstance(value.left, Expression) and isinstance(value.right, Expression):
        return _cells(value.left.node, value.right.node)
    return None


def _cells(left: Node, right: Node) -> dict[str, Value] | None:
    """A column of letters that equals a column of values: what each letter is."""
    if left[0] != "mat" or right[0] != "mat" or [len(row) for row in left[1]] != [len(row) for row in right[1]]:
        return None
    pairs = [(x, y) for rows in zip(left[1], right[1], strict=True) for x, y in zip(*rows, strict=True)]
    if not all(x[0] == "sym" for x, _ in pairs):
        return None
    return {x[1]: Quantity(y[1]) if y[0] == "num" else Expression(y, "") for x, y in pairs}


def _numerator(node: Node) -> Node:
    """An equation's difference of sides without the denominators of its terms: s - v*t for s/t - v."""
    factors: list[Node] = []
    for term in node[1]:
        for factor in term[1] if term[0] == "mul" else (term,):
            inner = factor[1] if factor[0] == "mul" else (factor,)
            for part in inner:
                if part[0] == "pow" and part[2] == ("num", Fraction(-1)) and part[1] not in factors:
                    factors.append(part[1])
    return product([node, *factors]) if factors else node
