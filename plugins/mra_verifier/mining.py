"""Hard negatives and importance weights, as pure functions of profiles and grades. All definitions here are ours.

Any wrong answer has an error of 1 in the dimension "answer", so near misses are told by the other five: `mine` takes a
wrong candidate whose "near_miss_wrongness" and "absurdity" are low, and `importance` weighs it by its hardness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Annotated

from annotated_types import Ge, Gt, Le

from mra_bench.types import Grade, Profile

NO_PROFILE = "it has no profile of the verifier"
_STEPS = ("arithmetic", "algebraic", "logical")


@dataclass(frozen=True)
class Thresholds:
    """What a hard negative is.

    absurdity: the most absurdity that it may have; above it the candidate is too easy to tell from a right one.
    near_miss: the most wrongness that its dimensions but "answer" may have together.
    shortest: the fewest tokens of a candidate.
    longest: the most tokens of a candidate, 0 for no limit.
    """

    absurdity: Annotated[float, Ge(0), Le(1)] = 0.3
    near_miss: Annotated[float, Ge(0), Le(1)] = 0.5
    shortest: Annotated[int, Ge(0)] = 1
    longest: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True)
class Weighting:
    """How hardness becomes a weight.

    alpha: how far hardness moves a weight from 1; 0 for equal weights.
    low: the least weight before the division by the mean.
    high: the largest weight before the division by the mean.
    """

    alpha: Annotated[float, Ge(0)] = 1.0
    low: Annotated[float, Gt(0)] = 0.25
    high: Annotated[float, Gt(0)] = 4.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(
                f"low must not be above high, and alpha and high finite (got {self.alpha}, {self.low}, {self.high})"
            )


@dataclass(frozen=True)
class Verdict:
    """Is a candidate a hard negative? hardness: from 0 to 1, None where it is none; reason: why it is none, "" else."""

    hardness: float | None
    reason: str = ""


def mine(profile: Profile, grade: Grade, tokens: int, thresholds: Thresholds | None = None) -> Verdict:
    """Whether a candidate of `tokens` tokens is a hard negative, and how hard: its answer graded wrong, absurdity and
    near-miss wrongness at most what `thresholds` say, its length within them."""
    limits = thresholds or Thresholds()
    reason = _refused(profile, grade, tokens, limits)
    return Verdict(None, reason) if reason else Verdict(hardness(profile))


def profiled(profile: Profile) -> bool:
    """Whether this is a profile of the verifier: another profiler's says nothing here."""
    return not profile.failure and {"absurdity", "near_miss_wrongness"} <= set(profile.scores)


def _refused(profile: Profile, grade: Grade, tokens: int, limits: Thresholds) -> str:
    if grade.correct is not False:
        return "its answer is right" if grade.correct else "its answer could not be judged"
    if not profiled(profile):
        return NO_PROFILE
    if profile.scores["absurdity"] > limits.absurdity:
        return f"absurdity above {limits.absurdity:g}"
    if profile.scores["near_miss_wrongness"] > limits.near_miss:
        return f"near-miss wrongness above {limits.near_miss:g}"
    if tokens < limits.shortest:
        return f"fewer than {limits.shortest} tokens"
    return f"more than {limits.longest} tokens" if limits.longest and tokens > limits.longest else ""


def hardness(profile: Profile) -> float:
    """(1 - absurdity) (1 - e_numeric) (1/2 + 1/2 [a step is wrong]), from 0 to 1: high for an answer that is close and
    comes from a faulty step. Factors that do not apply drop out: that of "numeric", and the last where none of
    "arithmetic", "algebraic" and "logical" applies."""
    numeric = profile.errors.get("numeric")
    steps = [error for name in _STEPS if (error := profile.errors.get(name)) is not None]
    close = 1.0 if numeric is None else 1 - numeric
    flawed = 0.5 + 0.5 * (max(steps) > 0) if steps else 1.0
    return (1 - profile.scores["absurdity"]) * close * flawed


def hardest(verdicts: Sequence[Verdict]) -> int | None:
    """The place of a problem's hardest candidate, the first of equals; None where no candidate is a hard negative."""
    found = [(verdict.hardness, -place) for place, verdict in enumerate(verdicts) if verdict.hardness is not None]
    return -max(found)[1] if found else None


def importance(hardnesses: Sequence[float], weighting: Weighting | None = None) -> list[float]:
    """A weight for each pair from its rejected side's hardness: clip(1 + alpha (h - mean h), low, high), divided by the
    mean of these, so that the weights of a data set have mean 1. Raises ValueError for a hardness that is no number."""
    if not all(math.isfinite(h) for h in hardnesses):
        raise ValueError(f"a hardness is no finite number: {next(h for h in hardnesses if not math.isfinite(h))}")
    if not hardnesses:
        return []
    rule = weighting or Weighting()
    middle = mean(hardnesses)  # exact before it is rounded, so that equal values give weights of 1
    clipped = [min(rule.high, max(rule.low, 1 + rule.alpha * (h - middle))) for h in hardnesses]
    average = mean(clipped)
    return [weight / average for weight in clipped]
