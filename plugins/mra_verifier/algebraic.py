"""Algebra: which steps from one equation to the next change what is true of the unknown.

A step can be checked when both equations hold the same single unknown, follow each other in the text with nothing
between them that adds information (a case, a condition, a substitution, a second unknown), and are rational functions;
or when the second gives the unknown's value. It is an error when neither equation follows from the other: to take one
of several solutions, or to square, is none. In a chain "a = b = c" of expressions in symbols that no equation binds,
each rewriting is checked as an identity.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from mra_sympy.errors import Unreadable
from mra_sympy.exact import exact
from mra_sympy.numeric import context, is_matrix, numeric
from mra_sympy.polynomials import NotRational, Poly, rational, real_roots
from mra_sympy.symbolic import proves
from mra_sympy.tokens import Node, difference, kinds

from mra_verifier.dimension import NOT_APPLICABLE, Dimension, quote, share
from mra_verifier.options import Options
from mra_verifier.points import places_of
from mra_verifier.sides import Chain, Side, letters, names, places, tree

MAX_GAP = 160
MAX_STEPS = 60
MAX_LETTERS = 3  # with more there is more than one unknown, whatever an index or a constant may be
_ADDS = re.compile(
    r"\b(?:if|cases?|when|or|either|suppose|let|lets|and|other|another|second|first|new|now|say|try|possib\w*|solutions?|roots?|"
    r"respectively|also|both|instead|consider\w*|where|next|plug\w*|substitut\w*|set|setting|assum\w*|similarly|otherwise|"
    r"but|while|since|because|as|given|note|recall|need|want|must|should|value|check\w*|equation|expression|"
    r"maxim\w*|minim\w*|at|for|with|using|by|from|square|mod|modulo|integers?|symmetr\w*|vertex|axis|sum|product|above|again|"
    r"only|would|could|can|than|not|unless|until|each|every|all|any|points?|line|graph|function|side|area)\b"
    r"|\\pm|\\text|\\begin|[?;]|\n\s*\n|\\cdots|\\ldots|\\to|\\quad",
    re.I,
)
_BOTH_SIDES = re.compile(
    r"\b(?:(?:subtract|add|divid|multiply|multipli)\w*\s+(?:[^.=]{0,40}?\s)?(?:both|each)\s+sides?"
    r"(?:\s+of the equation)?(?:\s+by\s+\S+)?|(?:from|on) both sides)",
    re.I,
)
_OPEN_KINDS = frozenset(
    {"call", "mat", "series", "cases", "oo", "cross", "i", "e", "mod", "floor", "ceil", "factorial", "binom"}
)
_ALTERNATIVE = re.compile(r"\b(?:or|if)\b[\s$(]*\Z")
_OR = re.compile(r"[\s$),]{0,4}or\b")
_CALL = re.compile(r"[a-zA-Z]\s*\(\s*-?\d+\s*\)")  # p(1) is a value of p, not a multiple
_FAILURES = (Unreadable, NotRational, RecursionError, ArithmeticError, ValueError, TypeError, IndexError)


def algebraic(question: str, text: str, chains: Sequence[Chain], options: Options) -> Dimension:
    """The share of steps, among those that can be checked, that change what is true."""
    if not any(letters(side.source) or "\\" in side.source for chain in chains for side in chain.sides):
        return NOT_APPLICABLE
    verdicts: list[tuple[bool, str]] = []
    for (one, other), gap in _steps(text, chains):
        if len(verdicts) >= MAX_STEPS:
            break
        if (
            not _ADDS.search(_BOTH_SIDES.sub(" ", gap))
            and (verdict := follows(_equation(one), _equation(other))) is not None
        ):
            said = f"{quote(text[one.start : one.end])} and {quote(text[other.start : other.end])} cannot both hold."
            verdicts.append((verdict, said))
    for chain, left, right in _rewritings(question, text, chains):
        if len(verdicts) >= MAX_STEPS:
            break
        if (verdict := same_expression(left.source, right.source, options.points, options.seed)) is not None:
            said = f"In {quote(text[chain.start : chain.end])}, {left.source} is not {right.source}."
            verdicts.append((verdict, said))
    return share([said for fine, said in verdicts if not fine], len(verdicts))


Equation = tuple[Side, Side]


def _equation(chain: Chain) -> Equation:
    return chain.sides[0], chain.sides[-1]


def _steps(text: str, chains: Sequence[Chain]) -> Iterator[tuple[tuple[Chain, Chain], str]]:
    """Equations in one unknown that follow each other closely, and what stands between them."""
    last: Chain | None = None
    for chain in chains:
        unknown = _unknown(chain)
        close = last is not None and 0 <= chain.start - last.end <= MAX_GAP
        if (
            last is not None
            and close
            and unknown
            and unknown == _unknown(last)
            and not _alternatives(text, last, chain)
        ):
            yield (last, chain), text[last.end : chain.start]
        last = chain


def _alternatives(text: str, one: Chain, other: Chain) -> bool:
    """Is one of the two only one of several possibilities?"""
    return bool(_ALTERNATIVE.search(text, max(0, one.start - 8), one.start) or _OR.match(text, other.end))


def _unknown(chain: Chain) -> str:
    """The single symbol of an equation of two sides, "" of any other."""
    if len(chain.sides) != 2 or not all(side.whole and not side.plain for side in chain.sides):
        return ""
    if len(letters(chain.sides[0].source) | letters(chain.sides[1].source)) > MAX_LETTERS:
        return ""
    found = names(chain.sides[0].source) | names(chain.sides[1].source)
    return next(iter(found)) if len(found) == 1 else ""


def follows(one: Equation, other: Equation) -> bool | None:
    """Does one of two equations in the same unknown follow from the other? None where that cannot be checked."""
    nodes = [tree(side.source) for side in (*one, *other)]
    if any(node is None or _OPEN_KINDS & kinds(node) for node in nodes) or any(
        _CALL.search(side.source) for side in (*one, *other)
    ):
        return None
    if _is_symbol(nodes[0]) and _is_symbol(nodes[2]) and not names(one[1].source) | names(other[1].source):
        return None  # two values of one unknown are no step: the dimension logical sees them
    a, b = difference(nodes[0], nodes[1]), difference(nodes[2], nodes[3])  # type: ignore[arg-type]
    symbol = next(iter(names(one[0].source) | names(one[1].source)))
    try:
        first, second = (rational(node, symbol, {})[0] for node in (a, b))
        return _share_zeros(first, second, _rounding(one), _rounding(other))
    except _FAILURES:
        return _has_value(a, symbol, other)


def _is_symbol(node: Node | None) -> bool:
    return node is not None and node[0] == "sym"


def _rounding(equation: Equation) -> Fraction:
    """How far a decimal in an equation may be from the number it stands for."""
    written = [found for side in equation if (found := places(side.source))]
    return Fraction(1, 10 ** min(written)) if written else Fraction(0)


def _share_zeros(one: Poly, other: Poly, *slack: Fraction) -> bool | None:
    if _proportional(one, other) or _at_root(one, other) or _at_root(other, one):
        return True
    zeros = [_zeros(poly) for poly in (one, other)]
    if not zeros[0] or not zeros[1]:
        return None
    mp = context()
    allowed = max(float(part) for part in slack)

    def inside(some: list[Any], every: list[Any]) -> bool:
        return all(
            any(abs(x - y) <= max(allowed, abs(y) * mp.mpf(10) ** -9) + mp.mpf(10) ** -12 for y in every) for x in some
        )

    return inside(zeros[0], zeros[1]) or inside(zeros[1], zeros[0])


def _proportional(one: Poly, other: Poly) -> bool:
    """Has one the coefficients of the other times a constant, all of them rational? The usual step, and cheap."""
    if len(one) != len(other) or len(one) < 2 or not all(isinstance(c, Fraction) for c in (*one, *other)):
        return False
    return (
        bool(one[-1]) and bool(other[-1]) and all(a * other[-1] == b * one[-1] for a, b in zip(one, other, strict=True))
    )


def _at_root(poly: Poly, linear: Poly) -> bool:
    """Is a rational polynomial 0 at the zero of a rational linear one?"""
    if len(linear) != 2 or not linear[1] or not all(isinstance(c, Fraction) for c in (*poly, *linear)):
        return False
    root, total = -linear[0] / linear[1], Fraction(0)
    for coefficient in reversed(poly):
        total = total * root + coefficient
    return len(poly) > 1 and not total


def _zeros(poly: Poly) -> list[Any]:
    """The real zeros; of a linear one exactly."""
    if len(poly) == 2 and poly[1]:
        mp = context()
        root = (
            -Fraction(poly[0]) / Fraction(poly[1])
            if isinstance(poly[0], Fraction) and isinstance(poly[1], Fraction)
            else None
        )
        return [mp.mpf(root.numerator) / root.denominator] if root is not None else real_roots(poly)
    return real_roots(poly)


def _has_value(gap: Node, symbol: str, other: Equation) -> bool | None:
    """Is the first equation, with its sides' difference `gap`, true at the value that the second one gives?"""
    left, right = (tree(side.source) for side in other)
    if left != ("sym", symbol) or right is None or names(other[1].source) or places(other[1].source):
        return None
    mp = context()
    try:
        found = exact(right)
        point = numeric(right, {}, mp) if found is None else mp.mpf(found.numerator) / found.denominator
        rest = numeric(gap, {symbol: point}, mp)
        size = max(1, abs(point))
    except _FAILURES:
        return None
    if is_matrix(rest) or not mp.isfinite(rest) or abs(mp.im(rest)) > 0:
        return None
    return bool(abs(rest) <= size * mp.mpf(10) ** -9) or None


def _rewritings(question: str, text: str, chains: Sequence[Chain]) -> Iterator[tuple[Chain, Side, Side]]:
    """Neighbours in chains of three sides or more, from the second side on, in symbols that nothing else binds."""
    long = [chain for chain in chains if len(chain.sides) > 2 and letters(chain.sides[1].source)]
    bound = _bound(chains) if long else frozenset()
    for chain in long:
        for left, right in zip(chain.sides[1:], chain.sides[2:], strict=False):
            used = names(left.source)
            free = used and used == names(right.source) and not used & bound
            if free and left.whole and right.whole and not any(_equated(question, name) for name in used):
                yield chain, left, right


def _bound(chains: Sequence[Chain]) -> frozenset[str]:
    """Symbols that stand in an equation of two sides, or that a chain begins with."""
    found: set[str] = set()
    for chain in chains:
        sides = chain.sides if len(chain.sides) == 2 else (chain.sides[0], chain.sides[-1])
        if len(chain.sides) == 2 or not names(chain.sides[-1].source):
            found.update(*(names(side.source) for side in sides))
    return frozenset(found)


def _equated(question: str, name: str) -> bool:
    """Does the question say something about the symbol?"""
    return "=" in question and re.search(rf"(?<![a-zA-Z\\]){re.escape(name[:1])}(?![a-zA-Z])", question) is not None


@functools.lru_cache(maxsize=8192)
def same_expression(one: str, other: str, points: int, seed: int) -> bool | None:
    """Are two expressions equal at `points` seeded places? What differs there is asked of sympy as well, within its
    limit of time. None where fewer than two places give values."""
    a, b = tree(one), tree(other)
    if a is None or b is None or _OPEN_KINDS & (kinds(a) | kinds(b)):
        return None
    mp = context()
    agreed = 0
    for place in places_of(names(one) | names(other), points, seed):
        try:
            x, y = numeric(a, place, mp), numeric(b, place, mp)
            if is_matrix(x) or is_matrix(y) or not mp.isfinite(x) or not mp.isfinite(y):
                continue
            if abs(x - y) > max(abs(x), abs(y)) * mp.mpf(10) ** -15:
                return True if proves(one, other) else False if abs(mp.im(x)) == abs(mp.im(y)) == 0 else None
        except _FAILURES:
            continue
        agreed += 1
    return True if agreed >= min(2, points) else None
