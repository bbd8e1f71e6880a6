"""Logic of a solution: four flags, and their mean.

1. The answer differs from the value computed right before it. 2. One symbol is bound to two values without being
defined anew. 3. Two different answers are boxed. 4. A step, or the answer, uses a number that was never introduced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from mra_sympy.boxes import boxed
from mra_sympy.clean import closing

from mra_bench.types import Problem
from mra_verifier.answers import Answers, as_number
from mra_verifier.arithmetic import shown
from mra_verifier.dimension import NOT_APPLICABLE, Dimension, quote
from mra_verifier.introduced import Numerals, needs_source, numerals, unsourced
from mra_verifier.sides import Chain, Side, is_closed, letters, names, places, tree, value

FLAGS = 4
MAX_BETWEEN = 80  # characters from the last computed value to the answer that it is the answer's
MAX_APART = 300  # between two values of one symbol
MAX_BOXES = 8
MAX_NAME = 20
_ANEW = re.compile(
    r"\b(?:if|cases?|when|or|either|suppose|let|for|and|other|another|second|first|new|now|at|say|try|tr(?:y|ies)|possib\w*|"
    r"solutions?|roots?|respectively|also|both|instead|consider|where|next|plug\w*|substitut\w*|sett?\w*|assum\w*|same|"
    r"maxim\w*|minim\w*|values?|until|after|before|similarly|otherwise|but|while|since|check\w*)\b|\\text|\\pm|\\begin|,|;|\n\s*\n",
    re.I,
)
# What may stand between the last formula and the answer that it should give.
_ONLY_SO = re.compile(
    r"(?:[\s$\\(){}\[\].,:#]|\b(?:so|thus|hence|therefore|the|final|answer|is|result|boxed|and|we|get|have)\b)*", re.I
)
_ROUNDS = re.compile(r"\b(?:round\w*|approximately|about|nearest|at least|at most|whole|up|down|percent|%)", re.I)


def logical(problem: Problem, text: str, place: tuple[int, int], chains: Sequence[Chain], found: Answers) -> Dimension:
    """The mean of the four flags of text[slice(*place)]; n/a where there is neither equality nor answer."""
    start, end = place
    if not chains and found.grade.span is None:
        return NOT_APPLICABLE
    told = numerals(text, start, end)
    flags = (
        _other_answer(text, told, chains, found),
        _bound_twice(text, chains),
        _boxes_differ(text, start, end),
        _from_nowhere(problem, text, told, chains, found),
    )
    raised = tuple(flag for flag in flags if flag)
    return Dimension(len(raised) / FLAGS, raised)


def _other_answer(text: str, told: Numerals, chains: Sequence[Chain], found: Answers) -> str:
    """The answer, unless it is the value computed right before it, or a number the text had before."""
    span, given = found.grade.span, _written(found)
    before = [chain for chain in chains if span and chain.end <= span[0] + 1]
    if given is None or span is None or not before:
        return ""
    last = before[-1]
    computed = _result(last)
    between = text[last.end : span[0]]
    if computed is None or len(between) > MAX_BETWEEN or re.search(r"\d", between) or _ROUNDS.search(between):
        return ""
    if last.formula and not _ONLY_SO.fullmatch(between):
        return ""
    if _alike(given, computed) or any(value == _rounded(given) for place, value in told if place < last.end):
        return ""
    place = quote(text[last.start : last.end])
    return f"The answer is {shown(given)}, but the value computed right before it, in {place}, is {shown(computed)}."


def _written(found: Answers) -> Fraction | None:
    """The answer as it stands in the text, not the gold answer that it equals."""
    return as_number(found.grade.extracted) if found.grade.extracted else None


def _result(chain: Chain) -> Fraction | None:
    """The value that a chain ends in, when it is known in full and written as a number."""
    side, calculated = chain.sides[-1], chain.sides[-2].source
    if (
        not side.whole
        or side.plain
        or not (value(calculated) is not None or _is_symbol(calculated) or is_closed(calculated))
    ):
        return None
    return value(side.source)


def _is_symbol(source: str) -> bool:
    if len(source) > MAX_NAME or (not letters(source) and "\\" not in source):
        return False
    node = tree(source)
    return node is not None and node[0] == "sym"


def _alike(one: Fraction, other: Fraction) -> bool:
    """Equal, rounded, or one a percentage of the other, or in a hundredth of the unit."""
    if not one or not other:
        return one == other
    return abs(one - other) < 1 or abs(one) == abs(other) or one / other in (100, Fraction(1, 100), 60, Fraction(1, 60))


def _bound_twice(text: str, chains: Sequence[Chain]) -> str:
    bound: dict[str, tuple[Chain, Side]] = {}
    for chain in chains:
        symbol, side = _binding(chain)
        if side is None:
            continue
        if symbol in bound:
            before, other = bound[symbol]
            between = text[max(0, before.start - 12) : before.start] + text[before.end : chain.end + 6]
            if len(between) <= MAX_APART and not _ANEW.search(between) and _differ(other, side):
                places_of = f"{quote(text[before.start : before.end])} and {quote(text[chain.start : chain.end])}"
                return f"{symbol} has two values: {places_of}."
        bound[symbol] = chain, side
    return ""


def _binding(chain: Chain) -> tuple[str, Side | None]:
    """The symbol that a chain gives a number, and that number."""
    first, last = chain.sides[0], chain.sides[-1]
    if not first.whole or not _is_symbol(first.source) or not last.whole or places(last.source) is None:
        return "", None
    symbol = next(iter(names(first.source)))
    return ("", None) if any(symbol in names(side.source) for side in chain.sides[1:]) else (symbol, last)


def _differ(one: Side, other: Side) -> bool:
    a, b = value(one.source), value(other.source)
    return (
        a is not None
        and b is not None
        and one.unit == other.unit
        and abs(a - b) >= Fraction(1, 2)
        and is_closed(one.source)
    )


def _boxes_differ(text: str, start: int, end: int) -> str:
    if text.count("\\boxed", start, end) < 2:
        return ""
    box = boxed(text, start, end)
    if box is None or box.different < 2:
        return ""
    contents = _contents(text, start)
    worth = [as_number(content) for content in contents]
    if None not in worth and len(set(worth)) == 1:
        return ""
    return f"Different answers are boxed: {', '.join(quote(content) for content in contents)}; the last one counts."


def _contents(text: str, start: int) -> list[str]:
    """What the first boxes hold, each once."""
    found: list[str] = []
    here = text.find("\\boxed{", start)
    while here >= 0 and len(found) < MAX_BOXES:
        end = closing(text[here : here + 400], 6)
        inside = text[here + 7 : here + end].strip() if end > 0 else ""
        if inside and inside not in found:
            found.append(inside)
        here = text.find("\\boxed{", here + 1)
    return found


def _from_nowhere(problem: Problem, text: str, told: Numerals, chains: Sequence[Chain], found: Answers) -> str:
    if (missing := unsourced(problem, told, chains)) is not None:
        chain, value = missing
        place = quote(text[chain.start : chain.end])
        return f"{place} uses {value:.12g}, which neither the question nor an earlier step gives."
    given, span = _written(found), found.grade.span
    if given is None or span is None or not chains or any(chain.formula for chain in chains):
        return ""
    said = [value for place, value in told if place < span[0]]
    answer = _rounded(given)
    if answer in said or not needs_source(answer, problem) or any(_alike(given, Fraction(value)) for value in said):
        return ""
    return f"The answer {shown(given)} is no number that the question or a step gives."


def _rounded(number: Fraction) -> float:
    return round(abs(float(number)), 9)
