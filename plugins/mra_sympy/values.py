"""Typed answers: the kinds of things that a text may write."""

from __future__ import annotations

from dataclasses import dataclass

from mra_sympy.moments import Moment
from mra_sympy.quantities import Quantity
from mra_sympy.ratios import Ratio, Remainder
from mra_sympy.tokens import Node


@dataclass(frozen=True)
class Expression:
    """A mathematical expression with symbols, roots, constants or matrices. unit: as written, "" for none."""

    node: Node
    source: str
    unit: str = ""


@dataclass(frozen=True)
class Group:
    """Several values. kind: "tuple" (order matters), "list" (as a bag), "set" (as a set) or
    "ratio" (up to a common factor). joined: for lists, what
    stands between the values: ",", ";", "and" or "or"."""

    kind: str
    items: tuple[Value, ...]
    joined: str = ","


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`; closed ends are part of it."""

    low: Value
    high: Value
    low_closed: bool
    high_closed: bool


@dataclass(frozen=True)
class Domain:
    """A set with a name of its own: "R", "Z", "N", "Q", "C", "R+" or "R-"."""

    name: str


@dataclass(frozen=True)
class Combined:
    """Sets of numbers, or conditions on one variable, put together. operation: "or" (union), "and" (intersection),
    "minus" (all but), or "," where conditions were only listed."""

    operation: str
    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Builder:
    """``{head | conditions}`` where the head is more than a variable: all values of the head."""

    head: Value
    conditions: tuple[Value, ...]


@dataclass(frozen=True)
class Relation:
    """`left` sign `right`; signs: =, <, \\le, \\ne. name: the left side when it only names the right."""

    sign: str
    left: Value
    right: Value
    name: str = ""


@dataclass(frozen=True)
class Congruence:
    """All integers that leave the same remainder as `node` modulo `modulus`."""

    node: Node
    modulus: Node


@dataclass(frozen=True)
class Family:
    """A value with a parameter that was declared: `parameters` run through `domain` ("Z", "N" or "R")."""

    value: Value
    parameters: tuple[str, ...]
    domain: str


@dataclass(frozen=True)
class Branches:
    """A function by cases that cannot be worked out: (value, condition) pairs in any order."""

    pairs: tuple[tuple[Value, Value], ...]


@dataclass(frozen=True)
class Text:
    """Words. opaque: it looks like mathematics but could not be read, so only equal strings say anything."""

    text: str
    opaque: bool = False


def node_of(value: Quantity | Expression) -> Node:
    """The tree of a quantity or an expression."""
    if isinstance(value, Quantity):
        return ("num", value.value / 100 if value.percent else value.value)
    return value.node


Measure = Quantity | Ratio | Remainder | Moment
Value = (
    Measure
    | Expression
    | Group
    | Interval
    | Domain
    | Combined
    | Builder
    | Relation
    | Congruence
    | Family
    | Branches
    | Text
)
