"""From the texts of a step to the one number each of them hands to trl."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mra_transformers.endings import Ended

from mra_bench.types import LENGTH, Grade, Problem

from .advantage import ranks
from .context import Context
from .rewards import Values, Wanted

Graders = Mapping[str, Callable[[Sequence[tuple[Problem, str]]], Sequence[Grade]]]
Log = Callable[[str, float], None]


def context_of(
    problems: Sequence[Problem], ended: Sequence[Ended], group: int, longest: int, graders: Graders
) -> Context:
    """The context of texts that lie in groups of `group` texts of one problem, judged by each of `graders`."""
    texts = [one.text for one in ended]
    return Context(
        problems,
        texts,
        [one.tokens for one in ended],
        [range(start, start + group) for start in range(0, len(ended), group)],
        longest,
        {name: _judged(grader, problems, texts) for name, grader in graders.items()},
    )


def total(context: Context, rewards: Sequence[Wanted], log: Log) -> Values:
    """The weighted sum of the rewards of each text; None where one of them is None. Means are logged: of each reward,
    of the sum, and the share of texts without one."""
    columns = [(reward, reward.score(context)) for reward in rewards]
    for reward, values in columns:
        log(f"rewards/{reward.name}", mean(values))
    sums = [
        None if None in row else sum(r.weight * v for (r, _), v in zip(columns, row, strict=True) if v is not None)
        for row in zip(*(values for _, values in columns), strict=True)
    ]
    log("rewards/total", mean(sums))
    log("rewards/unjudged", sums.count(None) / len(sums))
    return sums


def signal(context: Context, sums: Values, advantage: str) -> Values:
    """What trl is given as reward: the sums, or their ranks within each problem, which are advantages already."""
    if advantage != "rank":
        return sums
    found: Values = [None] * len(sums)
    for group in context.groups:
        for place, rank in zip(group, ranks([sums[place] for place in group]), strict=True):
            found[place] = rank
    return found


def mean(values: Sequence[float | None]) -> float:
    """The mean of the known values, not a number where there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan


def cut_share(ended: Sequence[Ended]) -> float:
    """The share of texts that were cut at the length limit."""
    return sum(one.finish == LENGTH for one in ended) / len(ended)


def _judged(grader: Any, problems: Sequence[Problem], texts: Sequence[str]) -> list[Grade]:
    """A grade for each text; equal texts for one problem are judged once."""
    items = list(zip(problems, texts, strict=True))
    different = list(dict.fromkeys(items))
    grades = dict(zip(different, grader(different), strict=True))
    return [grades[item] for item in items]
