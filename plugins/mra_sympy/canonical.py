"""One string for each answer, so that votes and tables count '0.5' and '1/2' as one."""

from __future__ import annotations

from mra_sympy import symbolic
from mra_sympy.errors import Unreadable
from mra_sympy.exact import exact
from mra_sympy.moments import Moment
from mra_sympy.quantities import Quantity
from mra_sympy.ratios import Ratio, Remainder
from mra_sympy.reading import read
from mra_sympy.realsets import NoSet, is_range, written
from mra_sympy.same_quantity import canonical_measure
from mra_sympy.values import (
    Branches,
    Builder,
    Combined,
    Congruence,
    Domain,
    Expression,
    Family,
    Group,
    Interval,
    Relation,
    Text,
    Value,
)

_BRACKETS = {"tuple": ("(", ")"), "list": ("", ""), "set": ("{", "}"), "ratio": ("", "")}
_SIGNS = {"or": " U ", "and": " and ", "minus": " \\ ", ",": ", "}
MAX_SHOWN = 1000


def canonical_text(text: str) -> str:
    """The canonical string of a raw answer; of an unreadable one, its text trimmed, spaces joined, in lower case."""
    try:
        return canonical(read(text))
    except (Unreadable, RecursionError, ArithmeticError, ValueError):
        return " ".join(text.split()).lower()[:MAX_SHOWN]


def canonical(value: Value) -> str:
    """The canonical string of a value. A name or a unit is left out: "x = 5 cm" is "5"."""
    if isinstance(value, Quantity):
        return str(value.value / 100 if value.percent else value.value)
    if isinstance(value, Ratio | Remainder | Moment):
        return canonical_measure(value)
    if isinstance(value, Expression):
        return _expression(value)
    if isinstance(value, Text):
        return value.text.lower()
    if isinstance(value, Group):
        left, right = _BRACKETS[value.kind]
        items = [_item(item, named=_is_assignment(value)) for item in value.items]
        if value.joined == ";":
            return "; ".join(items)
        between = ":" if value.kind == "ratio" else ", "
        return left + between.join(items if value.kind in ("tuple", "ratio") else sorted(items)) + right
    if is_range(value) and (found := _as_set(value)):
        return found
    if isinstance(value, Interval):
        ends = f"{canonical(value.low)}, {canonical(value.high)}"
        return f"{'[' if value.low_closed else '('}{ends}{']' if value.high_closed else ')'}"
    if isinstance(value, Relation):
        return _relation(value)
    return _other(value)


def _as_set(value: Value) -> str:
    try:
        return written(value)
    except (NoSet, Unreadable, ArithmeticError):
        return ""


def _other(value: Domain | Combined | Builder | Congruence | Family | Branches) -> str:
    if isinstance(value, Domain):
        return value.name
    if isinstance(value, Combined):
        parts = [canonical(part) for part in value.parts]
        return _SIGNS[value.operation].join(parts if value.operation == "minus" else sorted(parts))
    if isinstance(value, Builder):
        return f"{{{canonical(value.head)} | {', '.join(sorted(canonical(part) for part in value.conditions))}}}"
    if isinstance(value, Congruence):
        node, modulus = exact(value.node), exact(value.modulus)
        rest = node % modulus if node is not None and modulus else "?"
        return f"{rest} mod {modulus}"
    if isinstance(value, Family):
        return f"{canonical(value.value)} for {', '.join(value.parameters)} in {value.domain}"
    return "; ".join(sorted(f"{canonical(result)} if {canonical(condition)}" for result, condition in value.pairs))


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
        return str(found) if found is not None else symbolic.canonical(value.source)
    except (Unreadable, ArithmeticError, ValueError, TypeError):
        return "".join(value.source.split())


def _relation(value: Relation) -> str:
    if value.name:
        return canonical(value.right)
    sides = [canonical(value.left), canonical(value.right)]
    return f" {value.sign} ".join(sorted(sides) if value.sign in ("=", "\\ne") else sides)
