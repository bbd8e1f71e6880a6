"""How much each pair counts. Light: what is wrong with weights is said before anything heavy is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mra_bench.errors import UsageError
from mra_bench.types import Pair

from .options import SORTING, DpoOptions


def check_weights(pairs: Sequence[Pair], options: DpoOptions) -> None:
    """Raises UsageError for a weight that is negative or no finite number, for pairs that all have weight 0, and for
    weights that differ under a loss which no pair has to itself."""
    for pair in pairs:
        if not (math.isfinite(pair.weight) and pair.weight >= 0):
            raise UsageError(
                f"The pair of problem '{pair.problem_id}' has weight {pair.weight}; a weight must be a finite number "
                "from 0 up. Give it 0 to leave the pair out of the loss, 1 to let it count like the others."
            )
    weights = {pair.weight for pair in pairs}
    if weights == {0}:
        raise _nothing_left(f"All {len(pairs)} pairs have weight 0")
    unweighable = [name for name in options.losses if name in SORTING]
    if len(weights) > 1 and unweighable:
        raise UsageError(
            f"The loss '{unweighable[0]}' sorts the texts of a batch, so no pair has a loss of its own to weigh, but "
            f"weights from {min(weights):g} to {max(weights):g} are given. Take another loss_type, such as sigmoid, or "
            "give every pair the same weight."
        )


def of_mean_one(weights: Sequence[float]) -> list[float]:
    """The weights divided by their mean, once over all the pairs that are trained on: only their ratios matter.

    Raises UsageError when all of them are 0.
    """
    mean = math.fsum(weights) / len(weights)
    if not mean:
        raise _nothing_left(f"The {len(weights)} pairs that fit into max_length all have weight 0")
    return [weight / mean for weight in weights]


def _nothing_left(what: str) -> UsageError:
    return UsageError(f"{what}, so there is nothing to learn from. Give at least one of them a weight above 0.")
