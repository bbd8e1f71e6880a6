"""Are two values the same? One rule for each pair of kinds; every rule is symmetric."""

from __future__ import annotations

import re
from collections.abc import Callable

from mra_sympy.agree import agree
from mra_sympy.exact import exact
from mra_sympy.families import as_family, same_family, with_names
from mra_sympy.options import Options
from mra_sympy.realsets import is_range
from mra_sympy.same_expression import is_measured, same_expressions
from mra_sympy.same_group import same_bags, same_groups
from mra_sympy.same_quantity import MEASURES, same_measure
from mra_sympy.same_range import same_ranges
from mra_sympy.same_relation import same_relation
from mra_sympy.trial import Trial
from mra_sympy.values import Branches, Builder, Congruence, Family, Group, Relation, Text, Value


def same(a: Value, b: Value, trial: Trial) -> bool:
    """Raises Unreadable or TooCostly when it cannot be decided."""
    if isinstance(a, MEASURES) and isinstance(b, MEASURES):
        return same_measure(a, b, trial.options)
    if a == b:
        return True
    if as_family(a) is not None and as_family(b) is not None:
        return same_families(a, b, trial)
    for wanted, rule in _RULES:
        if wanted(a) or wanted(b):
            return rule(a, b, trial)
    return is_measured(a) and is_measured(b) and same_expressions(a, b, trial)


def new_trial(options: Options) -> Trial:
    """A comparison under these options: `new_trial(options).same(a, b)`."""
    return Trial(options, same)


def same_families(a: Value, b: Value, trial: Trial) -> bool:
    left, right = as_family(a), as_family(b)
    if left is None or right is None:
        declared, other = (a, b) if isinstance(a, Family) else (b, a)
        return isinstance(declared, Family) and not as_family(other) and trial.same(declared.value, other)
    found = same_family(left, right)
    if found:
        trial.note("by their members for many values of the parameter")
    if found is not None:
        return found
    if len(left.parameters) != len(right.parameters):
        return False
    names = dict(zip(left.parameters, right.parameters, strict=True))
    return trial.same(with_names(left.value, names), right.value)


def same_congruences(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Congruence) and isinstance(b, Congruence)):
        return False
    if not agree(a.modulus, b.modulus):
        return False
    x, y, m = exact(a.node), exact(b.node), exact(a.modulus)
    if x is not None and y is not None and m:
        return (x - y) % m == 0
    return agree(a.node, b.node)


def same_builders(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Builder) and isinstance(b, Builder)) or not trial.same(a.head, b.head):
        return False
    return same_bags(Group("list", a.conditions), Group("list", b.conditions), trial)


def same_branches(a: Value, b: Value, trial: Trial) -> bool:
    if not (isinstance(a, Branches) and isinstance(b, Branches)) or len(a.pairs) != len(b.pairs):
        return False
    left, right = (Group("list", tuple(Group("tuple", pair) for pair in v.pairs)) for v in (a, b))
    return same_bags(left, right, trial)


def same_texts(a: Value, b: Value, trial: Trial) -> bool:
    """Words, and what could not be read: the same text, spaces, quotes and braces aside."""
    trial.hidden = trial.hidden or any(isinstance(v, Text) and v.opaque for v in (a, b))
    if isinstance(a, Text) and isinstance(b, Text):
        return _squeezed(a.text, a.opaque) == _squeezed(b.text, b.opaque)
    return False


def _squeezed(text: str, opaque: bool) -> str:
    if opaque:
        return re.sub(r"\s+|\\text", "", text)
    return re.sub(r"[\s.\"'*]+|\\text|[{}]", "", text).lower()


def _is(*kinds_of: type) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, kinds_of)


_RULES: tuple[tuple[Callable[[Value], bool], Callable[[Value, Value, Trial], bool]], ...] = (
    (_is(Family), same_families),
    (_is(Congruence), same_congruences),
    (_is(Builder), same_builders),
    (_is(Branches), same_branches),
    (is_range, same_ranges),
    (_is(Relation), same_relation),
    (_is(Group), same_groups),
    (_is(Text), same_texts),
)
