"""What a problem expects for an answer: from the dataset's word, else from the gold answer itself."""

from __future__ import annotations

import re

from mra_bench.types import Problem
from mra_sympy import choices, words
from mra_sympy.tokens import kinds

# Statements that are values as well: a text may write them as mathematics.
VALUES = ("infinity", "-infinity", "all real numbers", ">", "<", "=")
_BY_TYPE = {
    "Quantity": "number", "Expression": "expression", "Relation": "equation", "Interval": "interval",
    "Combined": "interval", "Domain": "interval", "Builder": "set", "Congruence": "equation", "Family": "expression",
    "Branches": "equation", "Ratio": "expression", "Remainder": "expression", "Moment": "expression",
}  # fmt: skip


def expected(problem: Problem, value: object) -> str:
    """One of extraction.KINDS. `value` is the gold answer as read, or None where it was not."""
    if problem.expects:
        return problem.expects
    if problem.choices or choices.is_gold_choice(problem.answer):
        return "choice"
    if words.statement(problem.answer) not in (None, *VALUES):
        return "text"
    kind = type(value).__name__
    if kind == "Group":
        return str(getattr(value, "kind", "list"))
    if kind == "Text":
        if getattr(value, "opaque", False):
            return "equation"
        return "" if re.match(r"\D{0,3}\d", problem.answer) else "text"
    if kind == "Moment" and not re.search(r"\d", problem.answer):
        return "text"
    if kind == "Expression" and "mat" in kinds(getattr(value, "node", ("num", 0))):
        return "matrix"
    return _BY_TYPE.get(kind, "")
