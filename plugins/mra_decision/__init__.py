"""Plugin: the grader `decision`, for a verifier that says CORRECT, INCORRECT or UNCLEAR of a solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.types import Grade, Problem


def grade(problem: Problem, text: str) -> Grade:
    """Whether `text` decides as `problem.answer` says; a text without a decision is UNCLEAR."""
    from mra_bench.types import Grade
    from mra_decision.decision import UNCLEAR, WORDS, decided

    gold = problem.answer.strip().upper()
    if gold not in WORDS:
        return Grade(None, reason=f"The gold answer is none of {', '.join(WORDS)}.", kind="unparseable")
    said = decided(text)
    if said == UNCLEAR and UNCLEAR not in text.upper():
        return Grade(gold == UNCLEAR, said, "The text decides nothing, which counts as UNCLEAR.", rule="none")
    return Grade(said == gold, said, f"The text says {said}; right is {gold}.", rule="word", extracted=said)


@hookimpl
def register_graders(register: Register) -> None:
    register("decision", grade)
