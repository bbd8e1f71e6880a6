"""Builds preference pairs for DPO from a model's own graded samples of training problems."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mra_bench.builders import REFERENCE, PairRule, PairSet, Sampled, collapse, usable
from mra_bench.types import LENGTH, Completion, Pair

_COUNTS = (
    "problems",
    "problems_with_pairs",
    "samples",
    "usable_right",
    "usable_wrong",
    "unjudged",
    "truncated",
    "pairs",
    "from_reference",
)


@dataclass(frozen=True)
class _Candidate:
    text: str
    source: str


@dataclass(frozen=True)
class _Sides:
    right: tuple[_Candidate, ...]
    wrong: tuple[_Candidate, ...]
    reason: str = ""


def build_pairs(
    sampled: Iterable[Sampled], rule: PairRule, seed: int, complete: Callable[[str], str] = lambda solution: solution
) -> PairSet:
    """Pairs for every problem: chosen graded correct, rejected graded wrong; what could not be judged is in neither.

    Counts: "problems", "problems_with_pairs", "samples", "usable_right", "usable_wrong" (distinct texts), "unjudged",
    "truncated", "pairs", "from_reference".
    `complete` turns a reference solution into the text a model learns to write. The choice within a problem depends on
    the seed and the problem id alone. Raises ValueError for a problem given twice or a sample of another problem.
    """
    pairs: list[Pair] = []
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
    no_pair: Counter[str] = Counter()
    seen: set[str] = set()
    for one in sampled:
        _check(one, seen)
        sides = _sides(one, rule, complete)
        _count(counts, one, sides)
        if sides.reason:
            no_pair[sides.reason] += 1
            continue
        made = _match(one, sides, rule.pairs_per_problem, random.Random(f"{seed}/{one.problem.id}"))
        counts["problems_with_pairs"] += 1
        counts["pairs"] += len(made)
        counts["from_reference"] += sum(pair.chosen_source == REFERENCE for pair in made)
        pairs += made
    return PairSet(tuple(pairs), dict(counts), dict(no_pair))


def _check(one: Sampled, seen: set[str]) -> None:
    if one.problem.id in seen:
        raise ValueError(f"the problem {one.problem.id} is given twice")
    seen.add(one.problem.id)
    for completion, _ in one.samples:
        if completion.problem_id != one.problem.id:
            raise ValueError(f"a sample of {completion.problem_id} is given with the problem {one.problem.id}")


def _count(counts: Counter[str], one: Sampled, sides: _Sides) -> None:
    counts["problems"] += 1
    counts["samples"] += len(one.samples)
    counts["usable_right"] += sum(candidate.source != REFERENCE for candidate in sides.right)
    counts["usable_wrong"] += len(sides.wrong)
    counts["unjudged"] += sum(grade.correct is None for _, grade in one.samples)
    counts["truncated"] += sum(completion.finish == LENGTH for completion, _ in one.samples)


def _sides(one: Sampled, rule: PairRule, complete: Callable[[str], str]) -> _Sides:
    """The usable texts of both sides, or why there is no pair."""
    samples = sorted(one.samples, key=lambda item: item[0].sample)
    right = [completion for completion, grade in samples if grade.correct is True]
    wrong = [completion for completion, grade in samples if grade.correct is False]
    reference = complete(one.problem.solution) if one.problem.solution is not None else ""
    never_negative = {collapse(completion.text) for completion in right} | {collapse(reference)}
    usable_wrong = _usable(wrong, rule, rule.include_truncated, never_negative)
    usable_right = _usable(right, rule, False)
    from_reference = not right and rule.reference_when_unsolved and len(collapse(reference)) >= rule.min_characters
    if from_reference:
        usable_right = (_Candidate(reference, REFERENCE),)
    if usable_right and usable_wrong:
        return _Sides(usable_right, usable_wrong)
    reason = _why_no_wrong(one, wrong, rule) if not usable_wrong else _why_no_right(right, rule)
    return _Sides(usable_right, usable_wrong, reason)


def _usable(
    completions: Sequence[Completion], rule: PairRule, truncated: bool, excluded: Iterable[str] = ()
) -> tuple[_Candidate, ...]:
    """Distinct texts that are long enough, by lowest sample index."""
    kept = [completion for completion in completions if truncated or completion.finish != LENGTH]
    return tuple(_Candidate(c.text, f"sample:{c.sample}") for c in usable(kept, rule, excluded))


def _why_no_wrong(one: Sampled, wrong: Sequence[Completion], rule: PairRule) -> str:
    if not one.samples:
        return "no samples"
    if all(grade.correct is None for _, grade in one.samples):
        return "nothing judged"
    if not wrong:
        every = all(grade.correct is True for _, grade in one.samples)
        return "all right" if every else "all that could be judged right"
    if not rule.include_truncated and all(completion.finish == LENGTH for completion in wrong):
        return "wrong only by truncation"
    return "no usable wrong text"


def _why_no_right(right: Sequence[Completion], rule: PairRule) -> str:
    if right:
        cut = all(completion.finish == LENGTH for completion in right)
        return "right only in texts cut at the length limit" if cut else "no usable right text"
    return "all wrong and no reference" if rule.reference_when_unsolved else "all wrong and reference switched off"


def _match(one: Sampled, sides: _Sides, limit: int, rng: random.Random) -> list[Pair]:
    """Up to `limit` distinct pairs. Walking both shuffled sides in step uses each text as evenly as can be; after each
    whole cycle one side is moved on by one, so that no pair comes twice."""
    right, wrong = list(sides.right), list(sides.wrong)
    rng.shuffle(right)
    rng.shuffle(wrong)
    cycle = math.lcm(len(right), len(wrong))
    made = []
    for step in range(min(limit, len(right) * len(wrong))):
        chosen = right[step % len(right)]
        rejected = wrong[(step + step // cycle) % len(wrong)]
        made.append(
            Pair(
                problem_id=one.problem.id,
                prompt=one.prompt,
                chosen=chosen.text,
                rejected=rejected.text,
                chosen_source=chosen.source,
                rejected_source=rejected.source,
            )
        )
    return made
