"""Whether training made texts more or less likely, told in two means of the same texts. Light."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

MEASURED = 64
"""Pairs measured, at most: where texts move by a nat or so, enough to tell a halving from chance."""


def spread(weights: Sequence[float]) -> list[int]:
    """Up to `MEASURED` indices of the pairs that count, evenly spaced."""
    counting = [index for index, weight in enumerate(weights) if weight > 0]
    taken = min(len(counting), MEASURED)
    return [counting[place * len(counting) // taken] for place in range(taken)]


def change(first: Sequence[float], last: Sequence[float]) -> dict[str, float] | None:
    """The fact "chosen_log_prob" or "rejected_log_prob": means of the texts' log-probabilities (nats) before and after
    training, the standard error of their difference, paired by text, and how many texts there were. None where a text
    has none that is finite."""
    if not all(map(math.isfinite, [*first, *last])):
        return None
    moved = [after - before for before, after in zip(first, last, strict=True)]
    error = statistics.stdev(moved) / math.sqrt(len(moved)) if len(moved) > 1 else 0.0
    return {"first": statistics.fmean(first), "last": statistics.fmean(last), "error": error, "texts": len(moved)}
