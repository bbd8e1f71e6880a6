"""The profile of one text: six dimensions, and the scores made from them."""

from __future__ import annotations

from mra_sympy import grade as graded
from mra_sympy import turns
from mra_sympy.meter import verdict

from mra_bench.types import Problem, Profile
from mra_verifier.algebraic import algebraic
from mra_verifier.answers import Answers, answer, answers, numeric_error
from mra_verifier.arithmetic import arithmetic
from mra_verifier.asked import Asked, asked
from mra_verifier.chains import chains
from mra_verifier.dimension import Dimension
from mra_verifier.logical import logical
from mra_verifier.options import DIMENSIONS, Options
from mra_verifier.scores import order_gap, wrongness
from mra_verifier.structural import structural

MAX_READ = 40_000  # characters of a solution whose steps are read; the answer is looked for everywhere


def profile_text(problem: Problem, text: str, options: Options) -> Profile:
    """The six dimensions of `text` as a solution of `problem`, with evidence, and the scores "wrongness" (all that
    apply), "near_miss_wrongness" (all but "answer") and "absurdity", each from 0 to 1. Never raises on a text."""
    found = answers(problem, graded(problem, text))
    wants = asked(problem)
    start, end = _solution(text)
    with verdict():
        steps = chains(text, start, end)
        shape = structural(problem, text[:end], start, found, wants, options.repetition)
        dimensions = (
            answer(found),
            numeric_error(found, options),
            arithmetic(text, steps),
            algebraic(problem.question, text, steps, options),
            logical(problem, text, (start, end), steps, found),
            shape.dimension,
        )
    return _profile(dimensions, absurdity(found, wants, shape.degenerate, options.orders), options)


def _solution(text: str) -> tuple[int, int]:
    """Where the solution stands: behind the thoughts, before a question of the text's own making."""
    start, end = turns.region(text)
    end, _ = turns.cut(text, start, end)
    return max(start, end - MAX_READ), end


def absurdity(found: Answers, wants: Asked, degenerate: bool, orders: float) -> float:
    """The largest of: orders of magnitude between answer and gold answer; 1 for a negative size, a count that is no
    whole number, an empty or repetitive text."""
    if degenerate:
        return 1.0
    given, gold = found.given, found.gold
    if given is None or gold is None or found.grade.correct:
        return 0.0
    sign = wants.size and given * gold < 0
    kind = wants.count and gold.denominator == 1 and given.denominator != 1
    return 1.0 if sign or kind else order_gap(given, gold, orders)


def _profile(dimensions: tuple[Dimension, ...], absurd: float, options: Options) -> Profile:
    named = dict(zip(DIMENSIONS, dimensions, strict=True))
    errors = {name: dimension.error for name, dimension in named.items()}
    evidence = {name: dimension.evidence for name, dimension in named.items() if dimension.evidence}
    scores = {
        "wrongness": wrongness(errors, options.weights),
        "near_miss_wrongness": wrongness(errors, options.weights, near_miss=True),
        "absurdity": absurd,
    }
    return Profile(errors, evidence, scores)
