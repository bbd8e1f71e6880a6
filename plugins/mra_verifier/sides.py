"""What a chain of equalities is made of, and what a side of it is worth."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mra_sympy import grammar
from mra_sympy.errors import Unreadable
from mra_sympy.exact import exact
from mra_sympy.tokens import Node, kinds, symbols

MAX_SOURCE = 300
_NUMBER = re.compile(r"-?(?:\d+(?:\.(\d+))?|\.(\d+))")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_LETTER = re.compile("[a-zA-Z]")
_SIMPLE = re.compile(r"(-?\d{1,15}(?:\.\d{1,9})?)(?:([-+*/])(\d{1,15}(?:\.\d{1,9})?))?")
# What has no value, or another one than it seems: unknown functions, matrices, sums that need care.
_OPEN_KINDS = frozenset({"call", "mat", "series", "cases", "oo", "cross", "i", "e", "acot", "acsc", "asec"})
_FAILURES = (Unreadable, RecursionError, ArithmeticError, ValueError, TypeError)


@dataclass(frozen=True)
class Side:
    """One side. source: as the grammar of the answer checker reads it. plain: the same with percentages as bare
    numbers, "" without any. unit: the word or mark that stands with its last number. whole: False where a part of it
    is in words, so that its value is not known. sums: it adds or takes away. units: all words and marks behind its
    numbers."""

    source: str
    plain: str = ""
    unit: str = ""
    whole: bool = True
    sums: bool = False
    units: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Chain:
    """text[start:end] equates its sides, one after the other."""

    sides: tuple[Side, ...]
    start: int
    end: int
    formula: bool = False


@functools.lru_cache(maxsize=16384)
def tree(source: str) -> Node | None:
    """The tree of a side; None where the grammar cannot read it."""
    if not source or len(source) > MAX_SOURCE:
        return None
    try:
        return grammar.parse(source)
    except _FAILURES:
        return None


@functools.lru_cache(maxsize=16384)
def value(source: str) -> Fraction | None:
    """The exact value of a side without symbols; None where it has none that is rational."""
    if (simple := _SIMPLE.fullmatch(source)) is not None:  # most sides, without building a tree
        left, sign, right = Fraction(simple[1]), simple[2], Fraction(simple[3] or 1)
        if sign is None or sign in "*/":
            return left * right if sign != "/" else left / right if right else None
        return left + right if sign == "+" else left - right
    node = tree(source)
    if node is None or node[0] == "sym":
        return None
    try:
        return exact(node)
    except _FAILURES:
        return None


@functools.lru_cache(maxsize=16384)
def letters(source: str) -> frozenset[str]:
    """The letters outside of commands: without any there are no symbols, and no tree has to be built to know it."""
    return frozenset(_LETTER.findall(_COMMAND.sub(" ", source)))


@functools.lru_cache(maxsize=4096)
def names(source: str) -> frozenset[str]:
    """The symbols of a side."""
    node = tree(source)
    return frozenset(symbols(node)) if node is not None else frozenset()


@functools.lru_cache(maxsize=4096)
def is_closed(source: str) -> bool:
    """Has it a value of its own: readable, without symbols and unknown functions?"""
    node = tree(source)
    return node is not None and not names(source) and not _OPEN_KINDS & kinds(node)


@functools.lru_cache(maxsize=16384)
def places(source: str) -> int | None:
    """How many digits behind the point a bare number is written to; None of what is no bare number."""
    found = _NUMBER.fullmatch(source)
    return None if found is None else len(found[1] or found[2] or "")


def near(source: str) -> Any:
    """The numerical value of a closed side that has no rational one; None where it cannot be worked out."""
    from mra_sympy.numeric import context, is_matrix, numeric

    node = tree(source)
    if node is None:
        return None
    mp = context()
    try:
        found = numeric(node, {}, mp)
    except _FAILURES:
        return None
    return None if is_matrix(found) or not mp.isfinite(found) or abs(mp.im(found)) > 0 else mp.re(found)
