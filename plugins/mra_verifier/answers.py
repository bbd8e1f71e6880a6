"""The final answer: what the answer checker says of it, and both answers as numbers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy import choices
from mra_sympy.errors import Unreadable
from mra_sympy.exact import exact
from mra_sympy.numeric import context, is_matrix, numeric
from mra_sympy.quantities import Quantity, quick
from mra_sympy.reading import read
from mra_sympy.tokens import Node, symbols
from mra_sympy.values import Expression, Relation, Value

from mra_bench.types import Grade, Problem
from mra_verifier.dimension import NOT_APPLICABLE, Dimension
from mra_verifier.options import Options
from mra_verifier.scores import relative_error

_FAILURES = (Unreadable, RecursionError, ArithmeticError, ValueError, TypeError)
_LARGEST = 10**300


@dataclass(frozen=True)
class Answers:
    """The grade of a text's answer; the answer and the gold answer as numbers, None where they are none."""

    grade: Grade
    given: Fraction | None
    gold: Fraction | None


def answers(problem: Problem, grade: Grade) -> Answers:
    """Both answers; of a multiple-choice problem, what the letters stand for."""
    gold = as_number(_chosen(problem, problem.answer))
    if grade.correct and gold is not None:
        return Answers(grade, gold, gold)
    return Answers(grade, as_number(_chosen(problem, grade.extracted)) if grade.extracted else None, gold)


def answer(found: Answers) -> Dimension:
    """0 for an answer that equals the gold answer, 1 for another one and for none, not applicable where the checker
    could not judge."""
    grade = found.grade
    if grade.correct is None:
        return NOT_APPLICABLE
    return Dimension(0.0) if grade.correct else Dimension(1.0, (grade.reason,))


def numeric_error(found: Answers, options: Options) -> Dimension:
    """How far the answer is from the gold answer, where both are numbers."""
    if found.given is None or found.gold is None:
        return NOT_APPLICABLE
    error = relative_error(found.given, found.gold, options.r_max)
    if not error:
        return Dimension(0.0)
    from mra_verifier.arithmetic import shown

    return Dimension(error, (f"The answer is {shown(found.given)}; {shown(found.gold)} is right.",))


def _chosen(problem: Problem, written: str) -> str:
    """What a letter stands for among the problem's choices; else what is written."""
    if not problem.choices:
        return written
    choice = choices.read(written)
    if choice is None or len(choice.letters) != 1:
        return written
    place = "ABCDEFGHIJ".find(choice.letters[0])
    return choices.bare(problem.choices[place]) if 0 <= place < len(problem.choices) else written


@functools.lru_cache(maxsize=8192)
def as_number(written: str) -> Fraction | None:
    """The real number that an answer writes ("$1,234", "50%", "3\\sqrt2", "x = 5"), None where it is none."""
    try:
        number = quick(written)
        found = number.value if number else _number(read(written))
    except _FAILURES:
        return None
    return found if found is not None and abs(found) < _LARGEST else None


def _number(value: Value) -> Fraction | None:
    if isinstance(value, Relation):
        return _number(value.right) if value.name else None
    if isinstance(value, Quantity):
        return value.value
    return _worked_out(value.node) if isinstance(value, Expression) else None


def _worked_out(node: Node) -> Fraction | None:
    if symbols(node):
        return None
    if (found := exact(node)) is not None:
        return found
    mp = context()
    near = numeric(node, {}, mp)
    if is_matrix(near) or not mp.isfinite(near) or abs(mp.im(near)) > 0:
        return None
    return Fraction(str(mp.nstr(mp.re(near), 25)))
