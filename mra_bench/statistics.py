"""The arithmetic of the harness: intervals, paired tests, pass@k, maj@k and the comparison of two models.

Everything is pure, and random only by the seed given. Differences are always b - a, as proportions in [-1, 1]. `wins`
are problems that b has right and a wrong, `losses` the reverse, `n` all problems. Impossible counts raise ValueError.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from mra_bench.power import check_counts, detectable_difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
EXACT_OUTCOMES = 100_000
NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class Interval:
    """A confidence interval, low <= high, in the unit of what it is about."""

    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Model b against model a on the same n problems; `difference`, `low`, `high` are b - a, as proportions.

    One sample for each problem: wins, losses, both_right and both_wrong add up to n. Several: wins and losses count the
    problems where b's mean is higher or lower, both_right and both_wrong those where every sample of both is right or
    wrong; the other ties are in none of the four. `p` and the interval are not adjusted for several comparisons.
    `detectable` is None where n is too small to show anything.
    """

    n: int
    difference: float
    low: float
    high: float
    p: float
    wins: int
    losses: int
    both_right: int
    both_wrong: int
    test: Literal["exact McNemar", "sign-flip", "sequential McNemar", "sequential sign-flip"]
    interval: Literal[
        "Tango score", "Tango score, effective n", "repeated Tango score", "repeated Tango score, effective n"
    ]
    detectable: float | None


def wilson(correct: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's (1927) score interval for the proportion correct / n of n independent problems; n may be an effective
    number, so not whole."""
    if n < 1 or not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} is not a proportion")
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (correct + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (correct * (n - correct) / n + z2 / 4)) / (n + z2)
    return Interval(0.0 if correct == 0 else middle - half, 1.0 if correct == n else middle + half)


def clustered(values: Sequence[float], samples: int, level: float = LEVEL) -> Interval:
    """Interval for the mean of per-problem accuracies (each in [0, 1], the mean of `samples` samples): Wilson's, with
    the effective number of samples (see effective_samples) for n. With one sample a problem it is Wilson's itself.

    Franco, Little, Louis and Slud (2019, Journal of Survey Statistics and Methodology 7, 334-364) compare intervals of
    this sort on clustered samples, recommend Wilson's, and find that the plain estimate of the effective number makes
    all of them too narrow; the half problems added there against that are this module's own.
    """
    if not len(values):
        raise ValueError("an interval needs at least one problem")
    n = effective_samples(values, samples)
    return wilson(math.fsum(values) / len(values) * n, n, level)


def effective_samples(values: Sequence[float], samples: int, lowest: int = 0) -> float:
    """How many independent samples tell as much about the mean of `values`, each from `lowest` (0 for accuracies, -1
    for differences) to 1, as these problems of `samples` samples do: all samples over their design effect (Kish 1965,
    Survey Sampling). For each problem that is the variance of whole answers (1, 0, -1) with the same means of values
    and of their sizes, over the variance of the values. At least the number of problems, at most that of samples.

    Half a problem of 1 and half a one of `lowest` are added before the variances are taken: with none they cannot be
    had where nothing varies, and with little variation they are mostly luck.
    """
    n = len(values)
    added = [1.0, float(lowest)]
    mean, size, square = (
        (math.fsum(map(of, values)) + math.fsum(map(of, added)) / 2) / (n + 1) for of in (float, abs, lambda v: v * v)
    )
    ratio = (size - mean * mean) / (square - mean * mean)
    return min(max(n * ratio, float(n)), float(n * samples))


def tango(wins: float, losses: float, n: float, level: float = LEVEL) -> Interval:
    """Tango's (1998, Statistics in Medicine 17, 891-908) score interval for the paired difference (wins - losses) / n:
    all d with |wins - losses - n d| <= z sqrt(n (2 q + d (1 - d))), q the most likely loss rate given d."""
    check_counts(wins, losses, n)
    z = NormalDist().inv_cdf((1 + level) / 2)
    return Interval(_tango_low(wins, losses, n, z), -_tango_low(losses, wins, n, z))


def _tango_low(wins: float, losses: float, n: float, z: float) -> float:
    from scipy.optimize import brentq

    if losses == n:
        return -1.0
    if wins == losses == 0:  # here and below the estimate itself is a second root, so brentq could return it
        return -z * z / (n + z * z)
    if wins == n:
        return (n - z * z) / (n + z * z)

    def excess(d: float) -> float:
        variance = n * (2 * _constrained_loss_rate(wins, losses, n, d) + d * (1 - d))
        return wins - losses - n * d - z * math.sqrt(max(variance, 0.0))

    return float(brentq(excess, -1.0, (wins - losses) / n, xtol=1e-12))


def _constrained_loss_rate(wins: float, losses: float, n: float, d: float) -> float:
    """The loss rate q that makes (wins, losses, n) most likely when the win rate is q + d: the larger root of
    2n q^2 + b q + c = 0, got by setting the derivative of the log likelihood to zero."""
    b = (2 * n - wins + losses) * d - wins - losses
    c = -losses * d * (1 - d)
    root = math.sqrt(max(b * b - 8 * n * c, 0.0))
    q = (root - b) / (4 * n) if b <= 0 else -2 * c / (b + root)
    return max(q, 0.0, -d)


def paired_interval(differences: Sequence[float], samples: int, level: float = LEVEL) -> Interval:
    """Interval for the mean of per-problem differences, each in [-1, 1] and the mean of `samples` samples: Tango's,
    with the effective number of samples (see effective_samples) for n and wins and losses in the shares seen. With one
    sample a problem it is Tango's itself; the rest is this module's own."""
    n = effective_samples(differences, samples, lowest=-1)
    wins, losses = (math.fsum(max(side * d, 0.0) for d in differences) / len(differences) * n for side in (1, -1))
    return tango(min(wins, n - losses), losses, n, level)


def unit_of(differences: Sequence[float]) -> float:
    """The root mean square of the differences that are not 0, with one of size 1 added: 1 with one sample a problem;
    with several, near 1 where few problems differ, since those not seen yet may differ by more."""
    sizes = [d * d for d in differences if d != 0]
    return math.sqrt((math.fsum(sizes) + 1) / (len(sizes) + 1))


def mcnemar_exact(wins: int, losses: int) -> float:
    """Two-sided exact McNemar test: the binomial test that wins and losses are equally likely. 1 without either."""
    if min(wins, losses) < 0:
        raise ValueError(f"wins and losses cannot be negative: {wins}, {losses}")
    if wins + losses == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, 0.5).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's (1979) adjustment of p values for testing all of them, in the order given: each, from the smallest up,
    times the number of those not yet taken, but no less than the one before and no more than 1."""
    adjusted, so_far = [0.0] * len(ps), 0.0
    for step, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        so_far = max(so_far, min(1.0, (len(ps) - step) * ps[place]))
        adjusted[place] = so_far
    return adjusted


def cohens_kappa(both: int, first_only: int, second_only: int, neither: int) -> float | None:
    """Cohen's (1960) kappa of two verdicts on the same texts: 1 where they always agree, 0 where they agree as often as
    chance would have them. None where it is not defined: no text, or both say the same of every one."""
    import numpy as np
    from statsmodels.stats.inter_rater import cohens_kappa as kappa

    if both + first_only == both + second_only == 0 or neither + first_only == neither + second_only == 0:
        return None
    return float(kappa(np.array([[both, first_only], [second_only, neither]]), return_results=False))


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Chance that at least one of k samples drawn from these n is right: 1 - C(n - correct, k) / C(n, k), the unbiased
    estimator of Chen et al. (2021, arXiv 2107.03374), in whole numbers until the last division."""
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} samples is impossible")
    _check_k(k, n)
    ways = math.comb(n, k)
    return (ways - math.comb(n - correct, k)) / ways


def majority_index(answers: Sequence[str]) -> int:
    """Index of the sample whose answer the majority of samples gave. Empty answers abstain; of equally frequent answers
    the one with the lowest sample index wins; the index is that of its first sample; 0 when all abstain."""
    if not answers:
        raise ValueError("a vote needs at least one answer")
    votes = Counter(answer for answer in answers if answer.strip())
    return answers.index(votes.most_common(1)[0][0]) if votes else 0  # of equal counts the first that was met


def majority_at_k(answers: Sequence[str], correct: Sequence[bool | None], k: int) -> float:
    """maj@k of one problem from n >= k samples: the mean, over the n sets of k samples that follow one another (the
    first follows the last), of whether the sample that wins the set's vote is right. Sets are voted on in sample order.
    So maj@1 is the mean accuracy, which is pass@1; and maj@n is one vote over all samples."""
    n = len(answers)
    if len(correct) != n:
        raise ValueError(f"{n} answers but {len(correct)} verdicts")
    _check_k(k, n)
    if len(set(correct)) == 1:  # whichever sample wins
        return float(correct[0] is True)
    right = 0
    for start in range(n):
        window = sorted((start + offset) % n for offset in range(k))
        right += correct[window[majority_index([answers[i] for i in window])]] is True
    return right / n


def sign_flip_test(differences: Sequence[float], seed: int, draws: int = 20_000) -> float:
    """Two-sided p of the mean difference when each problem's sign is a fair coin. Exact where the outcomes, grouped by
    size of difference, can be listed; else `draws` seeded draws, (1 + as extreme) / (1 + draws). Neither the order nor
    the overall sign of the differences matters."""
    import numpy as np

    values = np.round(np.asarray(differences, dtype=float), 12)
    sizes, counts = np.unique(np.abs(values[values != 0]), return_counts=True)
    observed = abs(float(values.sum())) - 1e-9
    if math.prod(int(count) + 1 for count in counts) <= EXACT_OUTCOMES:
        sums, chances = _all_sums(sizes, counts)
        return min(1.0, float(chances[np.abs(sums) >= observed].sum()))
    rng = np.random.default_rng(seed)
    heads = rng.binomial(counts, 0.5, size=(draws, len(counts)))
    extreme = int((np.abs((2 * heads - counts) @ sizes) >= observed).sum())
    return (1 + extreme) / (1 + draws)


def _all_sums(sizes: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every sum that flipping signs can give, with its chance; signs within one size only matter by their number."""
    import numpy as np
    from scipy.stats import binom

    sums, chances = np.zeros(1), np.ones(1)
    for size, count in zip(sizes, counts, strict=True):
        heads = np.arange(count + 1)
        sums = np.add.outer(sums, size * (2 * heads - count)).ravel()
        chances = np.multiply.outer(chances, binom.pmf(heads, count, 0.5)).ravel()
    return sums, chances


def compare(
    a: Mapping[str, Sequence[bool | None]],
    b: Mapping[str, Sequence[bool | None]],
    seed: int = 0,
    alpha: float = 0.05,
) -> Comparison:
    """Compare two models by problem id -> verdict of each sample (None counts as not correct).

    `alpha` is the level that `detectable` is about, 0.05 / m for one of m comparisons (see detectable_difference).
    One sample: exact McNemar test and Tango's interval. Several: the sign-flip test, Tango's interval with the
    effective number of samples, and as an approximation to `detectable` that of one sample in units of the usual size
    of a difference (see unit_of). Raises ValueError, naming some, for problems that one model lacks and for numbers of
    samples that differ.
    """
    k = _common_samples(a, b)
    right = [(sum(v is True for v in a[i]), sum(v is True for v in b[i])) for i in a]
    wins, losses = sum(y > x for x, y in right), sum(y < x for x, y in right)
    differences = [(y - x) / k for x, y in right]
    n = len(right)
    interval = paired_interval(differences, k)
    whole = detectable_difference(wins, losses, n, alpha)
    return Comparison(
        n=n,
        difference=sum(y - x for x, y in right) / (k * n),
        low=interval.low,
        high=interval.high,
        p=mcnemar_exact(wins, losses) if k == 1 else sign_flip_test(differences, seed),
        wins=wins,
        losses=losses,
        both_right=right.count((k, k)),
        both_wrong=right.count((0, 0)),
        test="exact McNemar" if k == 1 else "sign-flip",
        interval="Tango score" if k == 1 else "Tango score, effective n",
        detectable=None if whole is None else whole * unit_of(differences),
    )


def _common_samples(a: Mapping[str, Sequence[bool | None]], b: Mapping[str, Sequence[bool | None]]) -> int:
    """The number of samples every problem has in both; raises ValueError where there is no such number."""
    if not a and not b:
        raise ValueError("there are no problems to compare")
    if alone := sorted(set(a) ^ set(b)):
        raise ValueError(f"{_problems(alone)} answered by one model only: {_some(alone)}")
    k = max(max(len(a[i]), len(b[i])) for i in a)
    if short := sorted(i for i in a if not len(a[i]) == len(b[i]) == k):
        raise ValueError(f"{_problems(short)} without some of the {k} samples: {_some(short)}")
    if k == 0:
        raise ValueError("no problem has a sample")
    return k


def _problems(ids: Sequence[str]) -> str:
    return f"{len(ids)} problem{'' if len(ids) == 1 else 's'}"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED_IN_ERRORS]) + (", ..." if len(ids) > NAMED_IN_ERRORS else "")


def _check_k(k: int, n: int) -> None:
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to the {n} samples drawn, got {k}")
