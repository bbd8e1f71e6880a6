"""Builds supervised rows from a model's own samples that were graded correct: rejection sampling."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from mra_bench.builders import RowRule, RowSet, Sampled, collapse, usable
from mra_bench.types import LENGTH, Completion, Row

Choose = Literal["random", "shortest"]
_COUNTS = ("problems", "problems_with_rows", "samples", "usable_right", "rows", "from_reference")


def build_rows(sampled: Iterable[Sampled], rule: RowRule, seed: int, choose: Choose = "random") -> RowSet:
    """Distinct correct samples of every problem, at most `rule.rows_per_problem`: drawn at random, depending on the
    seed and the problem id alone, or the ones with the fewest tokens.

    Counts: "problems", "problems_with_rows", "samples", "usable_right" (distinct texts), "rows", "from_reference".
    """
    rows: list[Row] = []
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
    no_row: Counter[str] = Counter()
    for one in sampled:
        right = usable(_right(one), rule)
        chosen = _chosen(right, rule, choose, random.Random(f"{seed}/{one.problem.id}"))
        texts = [completion.text for completion in chosen]
        counts.update(problems=1, samples=len(one.samples), usable_right=len(right))
        if not texts and rule.reference_when_unsolved and collapse(one.problem.solution or ""):
            texts = [one.problem.solution or ""]
            counts["from_reference"] += 1
        if texts:
            counts.update(problems_with_rows=1, rows=len(texts))
        else:
            no_row[_why(one)] += 1
        rows += [Row(one.problem.id, one.prompt, text) for text in texts]
    return RowSet(tuple(rows), dict(counts), dict(no_row))


def _right(one: Sampled) -> list[Completion]:
    """Correct texts that ended by themselves, by sample index."""
    samples = sorted(one.samples, key=lambda item: item[0].sample)
    return [completion for completion, grade in samples if grade.correct is True and completion.finish != LENGTH]


def _chosen(right: Sequence[Completion], rule: RowRule, choose: Choose, rng: random.Random) -> list[Completion]:
    if choose == "shortest":
        return sorted(right, key=lambda completion: (completion.tokens, completion.sample))[: rule.rows_per_problem]
    picked = rng.sample(range(len(right)), min(len(right), rule.rows_per_problem))
    return [right[place] for place in sorted(picked)]


def _why(one: Sampled) -> str:
    if not one.samples:
        return "no samples"
    if all(grade.correct is None for _, grade in one.samples):
        return "nothing judged"
    right = any(grade.correct is True for _, grade in one.samples)
    return "right only in texts too short or cut at the length limit" if right else "none right"
