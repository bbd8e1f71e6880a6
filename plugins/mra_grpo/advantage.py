"""How good a text is among the texts of its problem."""

from __future__ import annotations

from collections.abc import Sequence


def ranks(rewards: Sequence[float | None]) -> list[float | None]:
    """The rank of each reward of one group, mapped to [-1, 1]: ((G + 1) / 2 - rank) / ((G - 1) / 2), rank 1 for the
    highest, ties sharing their average rank. 0 where all are equal or there is one; None stays None and is not counted.

    This is the definition of REPO's advantage that is safe for ties: there, ties are broken by position, so that four
    equal rewards become (1, 1/3, -1/3, -1). The values of a group sum to 0.
    """
    known = [reward for reward in rewards if reward is not None]
    return [None if reward is None else _rank(reward, known) for reward in rewards]


def _rank(reward: float, group: Sequence[float]) -> float:
    better, worse = sum(other > reward for other in group), sum(other < reward for other in group)
    return (worse - better) / (len(group) - 1) if len(group) > 1 else 0.0
