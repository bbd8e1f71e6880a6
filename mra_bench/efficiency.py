"""What results.json says of lengths: those of right and of other texts, and accuracy where fewer tokens are allowed."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import fmean, quantiles
from typing import Any

from mra_bench import statistics
from mra_bench.scored import Scored

EVEN_BUDGETS = 12
DOUBLING_BUDGETS = 11
LONG_TAIL = 6  # times the median that the longest text has where budgets double
BINS = 20
TAIL = 0.99  # share of texts that the bins of equal width hold; the longest ones share the last bin


def efficiency_results(scored: Sequence[Scored], level: float = statistics.LEVEL) -> dict[str, Any] | None:
    """Lengths in tokens on one dataset, on bins and budgets that all models share; None where there is no text.

    "bins" are the lower ends of the histogram's bins, each of which reaches to the next, the last to "longest". A text
    that is not right, judged or not, is under "wrong", so that right and wrong add up to all texts. "at_budget" has for
    each of "budgets" the accuracy if every text were cut there: right is what is right with at most so many tokens.
    """
    lengths = sorted(sample.tokens for one in scored for sample in one.flat())
    if not lengths:
        return None
    bins, budgets = length_bins(lengths), token_budgets(lengths)
    return {
        "longest": lengths[-1],
        "bins": bins,
        "budgets": budgets,
        "models": [_of_model(one, bins, budgets, level) for one in scored],
    }


def token_budgets(lengths: Sequence[int]) -> list[int]:
    """Round budgets up to the first that the longest of `lengths`, which are sorted, fits into: at most 12 in equal
    steps; where the longest is more than six times the median, the last 11 of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...
    (powers of two, and what lies half-way between two of them)."""
    longest = max(1, lengths[-1])
    if longest <= LONG_TAIL * lengths[len(lengths) // 2]:
        steps = (factor * 10**power for power in itertools.count() for factor in (1, 2, 3, 4, 5, 8))
        step = next(step for step in steps if step * EVEN_BUDGETS >= longest)
        return list(range(step, longest + step, step))
    found = [1]
    halves = (base * 2**power for power in itertools.count() for base in (2, 3))
    while found[-1] < longest:
        found.append(next(halves))
    return found[-DOUBLING_BUDGETS:]


def length_bins(lengths: Sequence[int]) -> list[int]:
    """Lower ends of at most 20 bins over `lengths`, which are sorted: of equal, round width up to the length that
    99 % of texts do not pass; behind it the last bin goes on to the longest."""
    usual = lengths[math.ceil(TAIL * len(lengths)) - 1]
    widths = (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))
    width = next(width for width in widths if usual // width - lengths[0] // width < BINS)
    return list(range(lengths[0] // width * width, usual + 1, width))


def _of_model(scored: Scored, bins: Sequence[int], budgets: Sequence[int], level: float) -> dict[str, Any]:
    right = sorted(s.tokens for s in scored.flat() if s.correct is True)
    wrong = sorted(s.tokens for s in scored.flat() if s.correct is not True)
    tokens = sum(right) + sum(wrong)
    return {
        "model": scored.model,
        "right": {**_lengths(right), "histogram": _histogram(right, bins)},
        "wrong": {**_lengths(wrong), "histogram": _histogram(wrong, bins)},
        "right_per_1000": 1000 * len(right) / tokens if tokens else None,
        "at_budget": _at_budgets(scored, budgets, level),
    }


def _lengths(values: Sequence[int]) -> dict[str, Any]:
    """How many texts and their mean length, quartiles and median (linear between the two nearest texts)."""
    if not values:
        return {"n": 0, "mean": None, "q1": None, "median": None, "q3": None}
    q1, median, q3 = quantiles(values, n=4, method="inclusive") if len(values) > 1 else 3 * [float(values[0])]
    return {"n": len(values), "mean": fmean(values), "q1": q1, "median": median, "q3": q3}


def _histogram(values: Sequence[int], bins: Sequence[int]) -> list[int]:
    counts = [0] * len(bins)
    for value in values:
        counts[bisect_right(bins, value) - 1] += 1
    return counts


def _at_budgets(scored: Scored, budgets: Sequence[int], level: float) -> list[dict[str, Any]]:
    """Rates over texts, intervals over problems, like the accuracy of the scoreboard."""
    samples = [scored.samples[p.id] for p in scored.problems]
    right = [([s.tokens for s in row if s.correct is True], len(row)) for row in samples]
    texts = sum(size for _, size in right)
    rows = []
    for budget in budgets:
        fitting = [sum(tokens <= budget for tokens in lengths) for lengths, _ in right]
        means = [count / size for count, (_, size) in zip(fitting, right, strict=True)]
        interval = statistics.clustered(means, len(samples[0]), level)
        accuracy = sum(fitting) / texts
        rows.append({"budget": budget, "accuracy": accuracy, "low": interval.low, "high": interval.high})
    return rows
