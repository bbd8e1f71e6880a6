"""Are two values the same? One rule for each pair of kinds; every rule is symmetric."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from mra_sympy import units
from mra_sympy.agree import agree, close, constant_ratio, may_agree
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.exact import exact
from mra_sympy.families import as_family, line_names, same_family, same_up_to_constants, with_names
from mra_sympy.numeric import context, is_matrix, numeric
from mra_sympy.options import Options
from mra_sympy.quantities import Quantity
from mra_sympy.realsets import NoSet, is_range, same_set
from mra_sympy.relations import base_name
from mra_sympy.symbolic import proves
from mra_sympy.tokens import Node, difference, kinds, power, product, symbols
from mra_sympy.values import (
    Branches,
    Builder,
    Combined,
    Congruence,
    Expression,
    Family,
    Group,
    Interval,
    Relation,
    Text,
    Value,
)

NUMERICAL = "by their values at many places, not by proof"


@dataclass
class Trial:
    """One comparison: its options, and what the verdict rests on where that is less than proof."""

    options: Options
    notes: list[str] = field(default_factory=list)
    hidden: bool = False  # it met something that could not be read, so "different" is not sure

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def same(a: Value, b: Value, trial: Trial) -> bool:
    """Raises Unreadable or TooCostly when it cannot be decided."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return same_quantity(a, b, trial.options)
    if a == b:
        return True
    for wanted, rule in _RULES:
        if wanted(a) or wanted(b):
            return rule(a, b, trial)
    return _expressions(a, b, trial)


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


def _measured(value: Value) -> bool:
    return isinstance(value, Quantity | Expression)


def _expressions(a: Value, b: Value, trial: Trial) -> bool:
    left, right = _node(a), _node(b)
    if not _units_agree(a, b, trial.options):
        return False
    if left == right:
        return True
    if left[0] == right[0] == "sym":
        return str(left[1]).lower() == str(right[1]).lower()
    if not symbols(left) and not symbols(right):
        return _constants(a, b, trial)
    if may_agree(left, right) and (_proved(a, b) or agree(left, right)):
        if not _proved(a, b):
            trial.note(NUMERICAL)
        return True
    if (log := _other_logarithm(left, right)) is not None and agree(*log):
        trial.note("with log read as the logarithm to the base that the other side names")
        return True
    return _renamed(left, right, trial)


def _renamed(left: Node, right: Node, trial: Trial) -> bool:
    """Names that carry no meaning: the parameter of a line, constants of integration."""
    if "mat" in kinds(left) and "mat" in kinds(right) and (names := line_names(left, right)):
        from mra_sympy.tokens import renamed

        return agree(renamed(left, names), right)
    if trial.options.rename_constants and same_up_to_constants(left, right):
        trial.note("up to the name of a constant")
        return True
    return False


def _other_logarithm(a: Node, b: Node) -> tuple[Node, Node] | None:
    """log without a base beside ln or log to the base 10: read as the other side's."""
    bare_a, bare_b = _has_bare_log(a), _has_bare_log(b)
    if bare_a == bare_b:
        return None
    return (_as_lg(a), b) if bare_a else (a, _as_lg(b))


def _has_bare_log(node: Node) -> bool:
    from mra_sympy.tokens import children

    if node[0] == "fn" and node[1] == "log" and len(node[2]) == 1:
        return True
    return any(_has_bare_log(child) for child in children(node))


def _as_lg(node: Node) -> Node:
    if node[0] == "fn" and node[1] == "log" and len(node[2]) == 1:
        return ("fn", "lg", (_as_lg(node[2][0]),))
    return tuple(
        _as_lg(part) if isinstance(part, tuple) and part and isinstance(part[0], str)
        else tuple(_as_lg(p) if isinstance(p, tuple) and p and isinstance(p[0], str) else p for p in part)
        if isinstance(part, tuple) else part
        for part in node
    )  # fmt: skip


def _units_agree(a: Value, b: Value, options: Options) -> bool:
    one, other = getattr(a, "unit", ""), getattr(b, "unit", "")
    if one and other and one != other:
        return units.resolve(one) == units.resolve(other)
    return one == other or options.ignore_missing_unit


def _constants(a: Value, b: Value, trial: Trial) -> bool:
    """Two values without symbols: as fractions, as a rounded decimal, else to 60 digits."""
    left, right = _radians(a, b, trial), _radians(b, a, trial)
    try:
        x, y = exact(left), exact(right)
    except TooCostly:
        return _huge(left, right)
    if x is not None and y is not None:
        return same_quantity(_with(a, x), _with(b, y), replace(trial.options, ignore_missing_unit=True))
    decimal, other = (a, right) if isinstance(a, Quantity) else (b, left)
    if isinstance(decimal, Quantity) and decimal.digits and trial.options.rounding_digits:
        return _rounded(decimal, other, trial)
    if not agree(left, right):
        return (log := _other_logarithm(left, right)) is not None and agree(*log)
    if not _proved(a, b):
        trial.note("to 60 digits")
    return True


def _proved(a: Value, b: Value) -> bool:
    """Does sympy bring both to the same form?"""
    return isinstance(a, Expression) and isinstance(b, Expression) and proves(a.source, b.source)


def _radians(value: Value, other: Value, trial: Trial) -> Node:
    """The value as a tree; degrees in radians beside an angle that is written with pi."""
    node = _node(value)
    if not trial.options.degrees_as_radians or not isinstance(other, Expression) or "pi" not in kinds(other.node):
        return node
    if isinstance(value, Expression) and node[0] == "fn" and node[1] == "deg":
        node = node[2][0]
    elif getattr(value, "unit", "") != "degree":
        return node
    return product([node, ("const", "pi"), ("num", Fraction(1, 180))])


def _rounded(decimal: Quantity, other: Node, trial: Trial) -> bool:
    """Is the decimal the other value rounded to its places?"""
    if decimal.digits < trial.options.rounding_digits:
        return agree(_node(decimal), other)
    mp = context()
    value = numeric(other, {}, mp)
    step = Fraction(1, 2 * 10**decimal.places)
    if is_matrix(value) or abs(value - numeric(_node(decimal), {}, mp)) > numeric(("num", step), {}, mp):
        return False
    trial.note(f"rounded to {decimal.places} places")
    return True


def _huge(left: Node, right: Node) -> bool:
    """Values with thousands of digits: different logarithms tell them apart, equal ones prove nothing."""
    mp = context(60)
    a, b = (_logarithm(node) for node in (left, right))
    if not close(a, b, mp, 30):
        return False
    raise TooCostly("its value has thousands of digits")


def _logarithm(node: Node) -> object:
    mp = context(60)
    if node[0] == "fn" and node[1] == "factorial":
        inside = numeric(node[2][0], {}, mp)
        return mp.loggamma(inside + 1)
    if node[0] == "pow":
        return numeric(node[2], {}, mp) * mp.log(numeric(node[1], {}, mp))
    return mp.log(abs(numeric(node, {}, mp)) + mp.mpf(10) ** -50)


def _with(value: Value, number: Fraction) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(number)


def _families(a: Value, b: Value, trial: Trial) -> bool:
    left, right = as_family(a), as_family(b)
    if left is None or right is None:
        declared, other = (a, b) if isinstance(a, Family) else (b, a)
        return isinstance(declared, Family) and not as_family(other) and same(declared.value, other, trial)
    found = same_family(left, right)
    if found:
        trial.note("by their members for many values of the parameter")
    if found is not None:
        return found
    if len(left.parameters) != len(right.parameters):
        return False
    return same(with_names(left.value, dict(zip(left.parameters, right.parameters, strict=True))), right.value, trial)


def _relation_pair(a: Value, b: Value, trial: Trial) -> bool:
    if isinstance(a, Relation) and isinstance(b, Relation):
        return _relations(a, b, trial)
    relation, other = (a, b) if isinstance(a, Relation) else (b, a)
    assert isinstance(relation, Relation)
    if isinstance(other, Group) and (pairs := _assignments(relation)) is not None and len(pairs) > 1:
        if (yours := _assignments(other)) is not None:
            return pairs.keys() == yours.keys() and all(same(pairs[name], yours[name], trial) for name in pairs)
        return same(Group("tuple", tuple(pairs.values())), other, trial)
    return _named(relation, other, trial)


def _named(relation: Relation, other: Value, trial: Trial) -> bool:
    """ "x = 5" against "5": the name is dropped. "7 = 11a + c" against "11a + c", "x + y = 5" against "5": no name."""
    if isinstance(other, Group) and other.kind != "tuple" and len(other.items) == 1:
        other = other.items[0]
        if isinstance(other, Relation):
            return _relations(relation, other, trial)
    if relation.sign != "=" or not trial.options.ignore_name:
        return False
    if relation.name:
        return same(relation.right, other, trial)
    if isinstance(relation.left, Text) and "\\c" in relation.left.text and isinstance(relation.right, Group):
        return same(relation.right, other, trial)  # A \\cap B = {1}
    if isinstance(relation.left, Expression | Text) and (_says_what(relation) or _is_identity(relation)):
        return same(relation.right, other, trial)
    return False


def _is_identity(relation: Relation) -> bool:
    """A calculation: both sides are the same expression."""
    if not isinstance(relation.left, Expression) or not _measured(relation.right):
        return False
    try:
        return agree(relation.left.node, _node(relation.right))
    except Unreadable:
        return False


def _says_what(relation: Relation) -> bool:
    """Is the left side something that is worked out ("3 + 2 = 5", "E(X) = 5", "c_1 c_2 = 6 - 7i"), rather than one side of
    an equation between variables?"""
    if isinstance(relation.left, Text):
        return isinstance(relation.right, Quantity | Expression)
    assert isinstance(relation.left, Expression)
    right = _node(relation.right) if _measured(relation.right) else None
    free = symbols(relation.left.node)
    if right is None or relation.left.node[0] == "num":
        return False
    return not symbols(right) and len(free & {"x", "y", "z"}) < 2 and not (free & {"x", "y", "z"} == free and free)


def _relations(a: Relation, b: Relation, trial: Trial) -> bool:
    if a.sign != b.sign:
        return False
    if a.name and b.name:
        (left, inside_a), (right, inside_b) = base_name(a.name), base_name(b.name)
        if left != right and _unnumbered(left) == _unnumbered(right) and not ("_" in left and "_" in right):
            return same(a.right, b.right, trial)
        if left == right or ({left, right} <= {"y", "f", "g", "h"} and (inside_a or inside_b) and "y" in (left, right)):
            return _same_rule(a.right, inside_a, b.right, inside_b, trial)
    if (mine := _assignments(a)) and (yours := _assignments(b)) and len(mine) > 1:
        return mine.keys() == yours.keys() and all(same(mine[name], yours[name], trial) for name in mine)
    sides = (a.left, a.right, b.left, b.right)
    if not all(_measured(side) for side in sides):
        swapped = a.sign in ("=", "\\ne") and same(a.left, b.right, trial) and same(a.right, b.left, trial)
        return swapped or (same(a.left, b.left, trial) and same(a.right, b.right, trial))
    left_side, right_side = (difference(_node(r.left), _node(r.right)) for r in (a, b))
    if not symbols(left_side) and not symbols(right_side):
        fixed = same(a.left, b.left, trial) and same(a.right, b.right, trial)
        return fixed or (a.sign == "=" and same(a.left, b.right, trial) and same(a.right, b.left, trial))
    if symbols(left_side) != symbols(right_side):
        return _renamed(left_side, right_side, trial) if a.sign == "=" else False
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
    """f(x) = ... and f(t) = ... are the same rule."""
    if of_a and of_b and of_a != of_b and len(of_a) == len(of_b) and all(name.isalpha() for name in of_a + of_b):
        a = with_names(a, dict(zip(of_a, of_b, strict=True)))
    return same(a, b, trial)


def _assignments(value: Value) -> dict[str, Value] | None:
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


def _groups(a: Value, b: Value, trial: Trial) -> bool:
    mine, yours = _assignments(a), _assignments(b)
    if mine and yours and len(mine) > 1:
        return mine.keys() == yours.keys() and all(same(mine[name], yours[name], trial) for name in mine)
    if (vector := _vectors(a, b, trial)) is not None:
        return vector
    if not (isinstance(a, Group) and isinstance(b, Group)):
        group, other = (a, b) if isinstance(a, Group) else (b, a)
        assert isinstance(group, Group)
        if isinstance(other, Relation):
            return _relation_pair(group, other, trial)
        return len(group.items) == 1 and group.kind != "tuple" and same(group.items[0], other, trial)
    if "tuple" in (a.kind, b.kind):
        return _ordered(a, b, trial)
    if a.joined == b.joined == ";" and trial.options.ordered_blanks:
        return len(a.items) == len(b.items) and all(same(x, y, trial) for x, y in zip(a.items, b.items, strict=True))
    return _bags(a, b, trial)


def _ordered(a: Group, b: Group, trial: Trial) -> bool:
    """Tuples: the same values in the same order. Values with names stand in the order of their names' first mention."""
    if "set" in (a.kind, b.kind) or len(a.items) != len(b.items):
        return False
    items = [
        [item.right if isinstance(item, Relation) and item.name else item for item in group.items] for group in (a, b)
    ]
    one, other = (line for line in items)
    first = next((x for x in zip(one, other, strict=True) if _measured(x[0]) and _measured(x[1])), None)
    lines = [("mat", tuple((_node(item),) for item in line)) for line in items if all(_measured(i) for i in line)]
    if len(lines) == 2 and first and (names := line_names(*lines)):
        one = [with_names(item, names) for item in one]
    return all(same(x, y, trial) for x, y in zip(one, other, strict=True))


def _vectors(a: Value, b: Value, trial: Trial) -> bool | None:
    """A tuple against a row, a column or a sum of unit vectors; rows of numbers against a matrix. None for others."""
    pair = (a, b) if isinstance(a, Group) else (b, a)
    group, other = pair
    if not isinstance(group, Group) or group.kind != "tuple" or not isinstance(other, Expression):
        return None
    if not kinds(other.node) & {"mat"}:
        return None
    rows = [item.items if isinstance(item, Group) and item.kind == "tuple" else (item,) for item in group.items]
    if not all(_measured(cell) for row in rows for cell in row) or len({len(row) for row in rows}) != 1:
        return None
    node: Node = ("mat", tuple(tuple(_node(cell) for cell in row) for row in rows))
    flat: Node = ("fn", "transpose", (node,))
    zero: Node = ("mat", (*node[1], (("num", Fraction(0)),)))
    for form in (node, flat, *((zero,) if len(rows) == 2 and len(rows[0]) == 1 else ())):
        names = line_names(form, other.node)
        if agree(with_names(Expression(form, ""), names).node if names else form, other.node):  # type: ignore[union-attr]
            return True
    return False


def _bags(a: Group, b: Group, trial: Trial) -> bool:
    left, right = list(a.items), list(b.items)
    if "set" in (a.kind, b.kind) or len(left) != len(right):
        if (joined := _paired(left, right, trial)) is not None:
            return joined
        left, right = _distinct(left, trial), _distinct(right, trial)
    if len(left) != len(right):
        return False
    for item in left:
        found = next((k for k, other in enumerate(right) if _alike(item, other) and same(item, other, trial)), None)
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
    rows = tuple(Group("tuple", tuple(r.right for r in flat[k : k + size])) for k in range(0, len(flat), size))  # type: ignore[union-attr]
    return _bags(Group("list", rows), Group("list", tuple(tuples)), trial)


def _distinct(items: list[Value], trial: Trial) -> list[Value]:
    kept: list[Value] = []
    for item in items:
        if not any(_alike(item, other) and same(item, other, trial) for other in kept):
            kept.append(item)
    return kept


def _ranges(a: Value, b: Value, trial: Trial) -> bool:
    """Sets of numbers: by which numbers lie in them; where their ends hold letters, part by part."""
    if isinstance(a, Text) or isinstance(b, Text):
        return False
    pair = (a, b) if isinstance(a, Interval) else (b, a)
    if isinstance(pair[0], Interval) and isinstance(pair[1], Expression) and "mat" in kinds(pair[1].node):
        row = Group("tuple", (pair[0].low, pair[0].high))
        return pair[0].low_closed == pair[0].high_closed and bool(_vectors(row, pair[1], trial))
    if isinstance(pair[0], Interval) and isinstance(pair[1], Group) and pair[1].kind == "tuple":
        return _as_pair(*pair, trial)
    if _comparisons(a) and _comparisons(b):
        return _relations(a, b, trial) or _sets(a, b)  # type: ignore[arg-type]
    try:
        return same_set(a, b)
    except NoSet:
        return _parts(a, b, trial)


def _comparisons(value: Value) -> bool:
    return isinstance(value, Relation) and _measured(value.left) and _measured(value.right)


def _sets(a: Value, b: Value) -> bool:
    try:
        return same_set(a, b)
    except NoSet:
        return False


def _parts(a: Value, b: Value, trial: Trial) -> bool:
    a, b = _interval(a), _interval(b)
    if isinstance(a, Interval) and isinstance(b, Interval):
        closed = (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        return closed and same(a.low, b.low, trial) and same(a.high, b.high, trial)
    if isinstance(a, Combined) and isinstance(b, Combined):
        if a.operation != b.operation and "," not in (a.operation, b.operation):
            return False
        if a.operation == "minus":
            return same(a.parts[0], b.parts[0], trial) and same(
                Group("list", a.parts[1:]), Group("list", b.parts[1:]), trial
            )
        return _bags(Group("list", a.parts), Group("list", b.parts), trial)
    if isinstance(a, Combined | Group) and isinstance(b, Combined | Group):
        both = [Group("list", v.parts) if isinstance(v, Combined) else v for v in (a, b)]
        return both[0].kind == both[1].kind == "list" and _bags(both[0], both[1], trial)  # type: ignore[union-attr]
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
    return same(interval.low, group.items[0], trial) and same(interval.high, group.items[1], trial)


def _congruences(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Congruence) and isinstance(b, Congruence)):
        return False
    if not agree(a.modulus, b.modulus):
        return False
    x, y, m = exact(a.node), exact(b.node), exact(a.modulus)
    if x is not None and y is not None and m:
        return (x - y) % m == 0
    return agree(a.node, b.node)


def _builders(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Builder) and isinstance(b, Builder)) or not same(a.head, b.head, trial):
        return False
    return _bags(Group("list", a.conditions), Group("list", b.conditions), trial)


def _branches(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Branches) and isinstance(b, Branches)) or len(a.pairs) != len(b.pairs):
        return False
    left, right = (Group("list", tuple(Group("tuple", pair) for pair in v.pairs)) for v in (a, b))
    return _bags(left, right, trial)


def _texts(a: Value, b: Value, trial: Trial) -> bool:
    """Words, and choice letters: "C" equals "(C)" and "C. Cecile"."""
    trial.hidden = trial.hidden or any(isinstance(v, Text) and v.opaque for v in (a, b))
    if isinstance(a, Text) and isinstance(b, Text):
        return _squeezed(a.text, a.opaque) == _squeezed(b.text, b.opaque)
    text, other = (a, b) if isinstance(a, Text) else (b, a)
    assert isinstance(text, Text)
    if isinstance(other, Expression) and other.node[0] == "sym" and len(other.node[1]) == 1:
        letter = str(other.node[1])
        found = re.match(r"\(?(?:([a-j])(?:\)|[.:,])|([b-j])\s)", text.text)
        return letter.isalpha() and found is not None and (found[1] or found[2]) == letter.lower()
    return False


def _squeezed(text: str, opaque: bool) -> str:
    squeezed = re.sub(r"[\s.\"'*]+|\\text|[{}]", "", text)
    return squeezed if opaque else squeezed.lower()


def _is(*kinds_of: type) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, kinds_of)


_RULES: tuple[tuple[Callable[[Value], bool], Callable[[Value, Value, Trial], bool]], ...] = (
    (lambda value: as_family(value) is not None, _families),
    (_is(Congruence), _congruences),
    (_is(Builder), _builders),
    (_is(Branches), _branches),
    (is_range, _ranges),
    (_is(Relation), _relation_pair),
    (_is(Group), _groups),
    (_is(Text), _texts),
)

__all__ = ["TooCostly", "Trial", "Unreadable", "power", "same", "same_quantity"]
