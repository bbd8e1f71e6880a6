"""One string for each answer, so that votes and tables count '0.5' and '1/2' as one."""

from __future__ import annotations

from mra_sympy import symbolic
from mra_sympy.errors import Unreadable
from mra_sympy.evaluate import exact
from mra_sympy.quantities import Quantity
from mra_sympy.values import Expression, Group, Interval, Matrix, Relation, Text, Union, Value, read

_BRACKETS = {"tuple": ("(", ")"), "list": ("", ""), "set": ("{", "}")}


def canonical_text(text: str) -> str:
    """The canonical string of a raw answer; of an unreadable one, its text trimmed, spaces joined, in lower case."""
    try:
        return canonical(read(text))
    except (Unreadable, RecursionError):
        return " ".join(text.split()).lower()[:1000]


def canonical(value: Value) -> str:
    """The canonical string of a value. A name or a unit is left out: "x = 5 cm" is "5"."""
    if isinstance(value, Quantity):
        return str(value.value / 100 if value.percent else value.value)
    if isinstance(value, Expression):
        return _expression(value)
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Group):
        left, right = _BRACKETS[value.kind]
        items = [_item(item, named=_is_assignment(value)) for item in value.items]
        return left + ", ".join(items if value.kind == "tuple" else sorted(items)) + right
    if isinstance(value, Interval):
        ends = f"{canonical(value.low)}, {canonical(value.high)}"
        return f"{'[' if value.low_closed else '('}{ends}{']' if value.high_closed else ')'}"
    if isinstance(value, Union):
        return " U ".join(sorted(canonical(part) for part in value.parts))
    if isinstance(value, Matrix):
        return "[" + "; ".join(", ".join(canonical(cell) for cell in row) for row in value.rows) + "]"
    return _relation(value)


def _is_assignment(group: Group) -> bool:
    """x=1, y=2 is another answer than x=2, y=1; x=1, x=2 is only 1, 2."""
    names = {item.name for item in group.items if isinstance(item, Relation)}
    return len(names) > 1


def _item(value: Value, *, named: bool) -> str:
    name = value.name if named and isinstance(value, Relation) else ""
    return f"{name}={canonical(value)}" if name else canonical(value)


def _expression(value: Expression) -> str:
    try:
        found = exact(value.node)
        return str(found) if found is not None else symbolic.canonical(value.node)
    except (Unreadable, ArithmeticError, ValueError, TypeError, AttributeError):
        return "".join(value.source.split())


def _relation(value: Relation) -> str:
    if value.name:
        return canonical(value.right)
    sides = [canonical(value.left), canonical(value.right)]
    return f" {value.sign} ".join(sorted(sides) if value.sign in ("=", "\\ne") else sides)
