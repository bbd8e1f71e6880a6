"""Are two mathematical expressions the same? Cheap refutation first, then proof, then a test at many places."""

from __future__ import annotations

from fractions import Fraction

from mra_sympy import values
from mra_sympy.agree import agree, close, may_agree
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.exact import exact
from mra_sympy.families import line_names, same_up_to_constants
from mra_sympy.numeric import context, is_matrix, numeric
from mra_sympy.options import Options
from mra_sympy.quantities import Quantity
from mra_sympy.same_quantity import as_product, equal_or_rounded, same_loosely, unit_scale
from mra_sympy.symbolic import proves
from mra_sympy.tokens import Node, children, kinds, power, product, symbols
from mra_sympy.trial import Trial
from mra_sympy.values import Expression, Value

NUMERICAL = "by their values at many places, not by proof"


def node_of(value: Value) -> Node:
    """The tree of a value that is measured."""
    assert isinstance(value, Quantity | Expression)
    return values.node_of(value)


def is_measured(value: Value) -> bool:
    return isinstance(value, Quantity | Expression)


def same_expressions(a: Value, b: Value, trial: Trial) -> bool:
    united = _united(a, b, trial.options)
    if isinstance(united, bool):
        return united
    left, right = united
    if left == right:
        return True
    if not symbols(left) and not symbols(right):
        return _constants(a, b, left, right, trial)
    if may_agree(left, right) and (_proved(a, b) or agree(left, right)):
        if not _proved(a, b):
            trial.note(NUMERICAL)
        return True
    if (log := _other_logarithm(left, right)) is not None and agree(*log):
        trial.note("with log read as the logarithm to the base that the other side names")
        return True
    return same_renamed(left, right, trial)


def same_renamed(left: Node, right: Node, trial: Trial) -> bool:
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


def _united(a: Value, b: Value, options: Options) -> tuple[Node, Node] | bool:
    """The trees of two sides in one unit, or the verdict where their units or their letters decide it."""
    left, right = node_of(a), node_of(b)
    if left == right and _unit(a) == _unit(b):
        return True
    for one, other, node in ((a, b, right), (b, a, left)):
        if isinstance(one, Quantity) and isinstance(other, Expression):
            if same_loosely(one, other.source, options):
                return True
            letters = as_product(one) if symbols(node) else None
            if letters:
                whole: Node = ("mul", (("num", letters[0]), ("sym", letters[1])))
                return (whole, right) if one is a else (left, whole)
            if one.base:
                return False
    angle_a, angle_b = (options.degrees_as_radians and "pi" in kinds(node) for node in (left, right))
    scale = unit_scale(_unit(a), _unit(b), options, b_has_pi=angle_b)
    back = unit_scale(_unit(b), _unit(a), options, b_has_pi=True) if angle_a and not _unit(a) else None
    if scale is None:
        return False
    changes = back is not None and back != (Fraction(1), 0)
    return (left, _times(right, *back)) if back and changes else (_times(left, *scale), right)


def _unit(value: Value) -> str:
    return value.unit if isinstance(value, Quantity | Expression) else ""


def _times(node: Node, factor: Fraction, of_pi: int) -> Node:
    """The tree times `factor` and a power of pi."""
    return (
        node if (factor, of_pi) == (Fraction(1), 0) else product([node, ("num", factor), power(("const", "pi"), of_pi)])
    )


def _constants(a: Value, b: Value, left: Node, right: Node, trial: Trial) -> bool:
    """Two values without symbols: as fractions, as a rounded decimal, else to 60 digits."""
    try:
        x, y = exact(left), exact(right)
    except TooCostly:
        return _huge(left, right)
    if x is not None and y is not None:
        return equal_or_rounded(_with(a, left, x), _with(b, right, y), trial.options)
    decimal, node, other = (a, left, right) if isinstance(a, Quantity) else (b, right, left)
    if isinstance(decimal, Quantity) and decimal.digits and trial.options.rounding_digits and node == node_of(decimal):
        return _rounded(decimal, other, trial)
    if not agree(left, right):
        return (log := _other_logarithm(left, right)) is not None and agree(*log)
    if not _proved(a, b):
        trial.note("to 60 digits")
    return True


def _proved(a: Value, b: Value) -> bool:
    """Does sympy bring both to the same form?"""
    return isinstance(a, Expression) and isinstance(b, Expression) and proves(a.source, b.source)


def _rounded(decimal: Quantity, other: Node, trial: Trial) -> bool:
    """Is the decimal the other value rounded to its places?"""
    if decimal.digits < trial.options.rounding_digits:
        return agree(node_of(decimal), other)
    mp = context()
    value = numeric(other, {}, mp)
    step = Fraction(1, 2 * 10**decimal.places)
    if is_matrix(value) or abs(value - numeric(node_of(decimal), {}, mp)) > numeric(("num", step), {}, mp):
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
    """The logarithm of the absolute value."""
    mp = context(60)
    if "mat" in kinds(node):
        raise Unreadable("a matrix stands beside a value with thousands of digits")
    if node[0] == "fn" and node[1] == "factorial":
        inside = numeric(node[2][0], {}, mp)
        return mp.loggamma(inside + 1)
    if node[0] == "pow":
        return numeric(node[2], {}, mp) * mp.log(numeric(node[1], {}, mp))
    return mp.log(abs(numeric(node, {}, mp)) + mp.mpf(10) ** -50)


def _with(value: Value, node: Node, number: Fraction) -> Quantity:
    """The number, with the precision that it was written to."""
    return value if isinstance(value, Quantity) and node == node_of(value) else Quantity(number)
