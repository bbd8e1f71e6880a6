"""What results.json says of agreement: how often the majority of a problem's samples is right, by its share of the
votes."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mra_bench import statistics
from mra_bench.scored import Judged, Scored

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # lower ends of the bins; the last one is of problems whose votes all agree


def agreement_results(scored: Sequence[Scored], level: float = statistics.LEVEL) -> list[dict[str, Any]]:
    """For each model with several samples a problem: problems in bins by the share of the votes that the majority's
    answer has, and the accuracy of that majority with Wilson's interval.

    Votes are those of maj@k: samples with an answer; samples without one abstain. "no_vote" are the problems where all
    do, of which maj@k takes the first sample; with them, the bins hold every problem and as many right ones as maj@k
    of all samples. A bin reaches from its "from" to, but without, that of the next; the last holds the share 1. Bins
    without a problem are left out.
    """
    several = [one for one in scored if one.problems and len(one.samples[one.problems[0].id]) > 1]
    return [{"model": one.model, **_of_model(one, level)} for one in several]


def majority(samples: Sequence[Judged]) -> tuple[float | None, bool]:
    """The share of the votes that the answer of maj@k has, None where no sample votes, and whether it is right."""
    answers = [sample.answer for sample in samples]
    winner = statistics.majority_index(answers)
    votes = Counter(answer for answer in answers if answer.strip())
    share = votes[answers[winner]] / votes.total() if votes else None
    return share, samples[winner].correct is True


def _of_model(scored: Scored, level: float) -> dict[str, Any]:
    binned: list[list[tuple[float, bool]]] = [[] for _ in SHARES]
    silent = []
    for problem in scored.problems:
        share, right = majority(scored.samples[problem.id])
        if share is None:
            silent.append(right)
        else:
            binned[bisect_right(SHARES, share) - 1].append((share, right))
    bins = [_bin(start, found, level) for start, found in zip(SHARES, binned, strict=True) if found]
    return {"bins": bins, "no_vote": {"n": len(silent), "correct": sum(silent)}}


def _bin(start: float, found: Sequence[tuple[float, bool]], level: float) -> dict[str, Any]:
    correct, n = sum(right for _, right in found), len(found)
    interval = statistics.wilson(correct, n, level)
    return {
        "from": start,
        "share": sum(share for share, _ in found) / n,
        "n": n,
        "correct": correct,
        "accuracy": correct / n,
        "low": interval.low,
        "high": interval.high,
    }
