"""Whether the gold answers of another tool's file say the same as those of the dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mra_bench.grading import boxed
from mra_bench.imports.values import same_gold
from mra_bench.types import Problem
from mra_bench.workers import GraderSpec, Limits, grade_all

Pair = tuple[Problem, str]


def equal_golds(pairs: Iterable[Pair], spec: GraderSpec, limits: Limits) -> dict[tuple[str, str], bool]:
    """By problem id and the file's gold answer, whether it is that of the problem: as it is written, else to the
    grader, to whom it is given as a text's answer. One that the grader cannot judge is another."""
    asked = {(problem.id, gold): (problem, gold) for problem, gold in pairs}
    found = {key: same_gold(gold, problem.answer) for key, (problem, gold) in asked.items()}
    other = [key for key, same in found.items() if not same]
    if other:
        texts = [(asked[key][0], boxed(asked[key][1])) for key in other]
        grades = grade_all(spec, texts, limits=limits)
        found |= {key: grade.correct is True for key, grade in zip(other, grades, strict=True)}
    return found


def is_other(row: Mapping[str, Any], gold: str) -> bool:
    """Whether a stored verdict's gold answer is another than `gold`. Rows of an earlier mra-bench do not say:
    theirs are compared as they are written."""
    if row["gold"] is None:
        return False
    same = row.get("same_gold")
    return not (same_gold(row["gold"], gold) if same is None else same)
