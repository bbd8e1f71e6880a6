"""A paired comparison that may be looked at before all problems are answered, without more false alarms for it.

Under the null hypothesis each problem's difference between two models has either sign with equal chance. So, given the
sizes of the differences, their running sum is a random walk whose law is computed exactly. At each look the walk is
rejected where it has gone as far as the spending function allows; paths that were rejected are out of the law of the
later looks. With one sample a problem this is McNemar's exact test in sequence, with several the sign-flip test.

Differences are whole numbers here: b's right samples less a's, of one problem. `fractions` are, for each look, the
problems seen by then over all problems, increasing to at most 1.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from mra_bench.statistics import LEVEL, Comparison, compare, paired_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PERCENT = (10, 25, 50, 100)
NESTED_UP_TO = 0.6
LOWEST_P = 1e-300
CLOSE = 1e-9  # of a p value: how far above the true one it may be told, in proportion
LONG = 4096  # points of a law above which its far ends are folded
FOLDED = 1e-18  # chance at each end that may be folded
NODES = 200
Verdicts = Mapping[str, Sequence[bool | None]]


def look_sizes(n: int) -> list[int]:
    """How many of n problems have been seen at each look: 10, 25, 50 and 100 %, rounded up, each number once."""
    if n < 1:
        raise ValueError(f"there is nothing to look at in {n} problems")
    return sorted({-(-n * percent // 100) for percent in PERCENT})


def spent(alpha: float, fraction: float) -> float:
    """How much of `alpha` may be used up when `fraction` of the problems has been seen: the spending function of
    O'Brien and Fleming's type for a two-sided test, 4 - 4 Phi(z / sqrt(fraction)) with z the 1 - alpha / 4 quantile
    (Lan and DeMets 1983, Biometrika 70, 659-663).

    Before the end no level spends more than NESTED_UP_TO does. With that, what is spent between any two looks grows
    with alpha, and whatever is rejected at one level is rejected at every higher one (see boundaries).
    """
    if not (0 < alpha <= 1 and 0 < fraction <= 1):
        raise ValueError(f"alpha {alpha} and fraction {fraction} must be above 0 and at most 1")
    if fraction == 1:
        return alpha
    z = -NormalDist().inv_cdf(min(alpha, NESTED_UP_TO) / 4)
    return 2 * math.erfc(z / math.sqrt(2 * fraction))


def law(differences: Sequence[int]) -> Numbers:
    """The chance of every sum of these differences when each sign is a fair coin: of -m, ..., 0, ..., m, where m is the
    sum of their sizes. Of a long one the far ends, FOLDED of chance, are put on the outermost points that are kept."""
    import numpy as np
    from scipy.stats import binom

    sizes, counts = np.unique(np.abs(np.asarray(differences, dtype=np.int64)), return_counts=True)
    chances = np.ones(1)
    for size, count in zip(sizes, counts, strict=True):
        if size:
            steps = np.zeros(2 * size * count + 1)
            steps[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
            chances = _folded(np.convolve(chances, _folded(steps)))
    return chances


def _folded(chances: Numbers) -> Numbers:
    import numpy as np

    if len(chances) <= LONG:
        return chances
    far = int(np.searchsorted(np.cumsum(chances), FOLDED))
    kept = chances[far : len(chances) - far].copy()
    ends = chances[:far].sum()
    kept[0] += ends
    kept[-1] += ends
    return kept


def boundaries(laws: Sequence[Numbers], fractions: Sequence[float], alpha: float) -> list[int]:
    """For each look the smallest size of the sum, at least 1, at which it may be rejected: the chance to be rejected
    there for the first time is at most what is spent between the look before and this one. One more than the largest
    possible sum: no rejection. `laws`: of each look's own differences (see law).

    What an exact look leaves of its share is not handed on, though the level would allow it (it is at most what is
    spent before the last look: 0.003 of 0.05). So a higher alpha has lower boundaries at every look: by induction it
    removes more paths before, and it has more to spend on those that are left. Handed on, it need not be so.
    """
    import numpy as np

    found: list[int] = []
    alive, before = np.ones(1), 0.0  # chances of the sums of paths that were not rejected; the middle one is of sum 0
    for steps, fraction in zip(laws, fractions, strict=True):
        alive, now = np.convolve(alive, steps), spent(alpha, fraction)
        middle = len(alive) // 2
        beyond = 2 * np.cumsum(alive[:middle])  # of sums of size `middle` or more, `middle - 1` or more, ... 1 or more
        bound = middle + 1 - int(np.searchsorted(beyond, now - before, side="right"))
        alive, before = alive[max(0, middle - bound + 1) : middle + bound], now
        found.append(bound)
    return found


def level_used(laws: Sequence[Numbers], bounds: Sequence[int]) -> float:
    """The chance, under the null hypothesis, that the sum ever reaches its look's boundary."""
    import numpy as np

    alive = np.ones(1)
    for steps, bound in zip(laws, bounds, strict=True):
        alive = np.convolve(alive, steps)
        middle = len(alive) // 2
        alive = alive[max(0, middle - bound + 1) : middle + bound]
    return max(0.0, 1.0 - float(alive.sum()))


def sequential_p(looks: Sequence[Sequence[int]], fractions: Sequence[float]) -> float:
    """The sequential p value of the last look given: the smallest alpha at which one of the looks so far rejects, in
    the direction that the sum has now; 1 where none does. `looks`: the differences first seen at each.

    At most alpha with a chance of at most alpha, however often and for whatever reason one looks and stops (Liu and
    Anderson 2008, Journal of the American Statistical Association 103, 1621-1630, for rejections nested as ours are),
    so Holm's correction of such p values holds for several pairs (Maurer and Bretz 2013, Statistics in
    Biopharmaceutical Research 5, 311-320). With one look it is the p of the exact McNemar test or the sign-flip test.
    """
    if len(looks) != len(fractions):
        raise ValueError(f"{len(looks)} looks, but {len(fractions)} fractions")
    laws = [law(differences) for differences in looks]
    sums = [sum(map(sum, looks[: place + 1])) for place in range(len(looks))]
    now = sums[-1] if sums else 0
    agreeing = [place for place, total in enumerate(sums) if total * now > 0]
    ps = [_p_of_look(laws[: place + 1], fractions[: place + 1], abs(sums[place])) for place in agreeing]
    return min(ps, default=1.0)


def _p_of_look(laws: Sequence[Numbers], fractions: Sequence[float], size: int) -> float:
    """The smallest alpha whose boundary at the last of these looks is at most `size`, by bisection of log alpha."""

    def rejects(log_alpha: float) -> bool:
        return boundaries(laws, fractions, math.exp(log_alpha))[-1] <= size

    low, high = math.log(LOWEST_P), 0.0
    if not rejects(high):
        return 1.0
    while high - low > CLOSE:
        middle = (low + high) / 2
        low, high = (low, middle) if rejects(middle) else (middle, high)
    return math.exp(high)


@functools.cache
def repeated_level(fractions: tuple[float, ...], level: float = LEVEL) -> float:
    """The level that an interval made at the last of these looks needs, so that the intervals of all looks hold
    together with chance `level`: Jennison and Turnbull's (1989, Journal of the Royal Statistical Society B 51, 305-361)
    repeated confidence interval, with the boundary that the spending function gives a normal random walk."""
    return math.erf(normal_boundaries(fractions, 1 - level)[-1] / math.sqrt(2))


def normal_boundaries(fractions: Sequence[float], alpha: float) -> list[float]:
    """The boundary of each look in standard deviations of the sum, for a walk with normal steps: Armitage, McPherson
    and Rowe's (1969) recursion over the density of the paths not rejected so far, integrated by Gauss and Legendre."""
    import numpy as np
    from scipy.optimize import brentq
    from scipy.special import ndtr

    points, shares = np.polynomial.legendre.leggauss(NODES)
    at, mass, before, passed = np.zeros(1), np.ones(1), 0.0, 0.0
    found: list[float] = []
    for fraction in fractions:
        deviation, to_spend = math.sqrt(fraction - passed), spent(alpha, fraction) - before

        def too_much(bound: float, deviation: float = deviation, to_spend: float = to_spend) -> float:
            return 2 * float(mass @ ndtr((at - bound) / deviation)) - to_spend  # noqa: B023  # called in this turn only

        bound = brentq(too_much, 0.0, 40.0, xtol=1e-12)
        nodes = bound * points
        kernel = np.exp(-(((nodes[:, None] - at) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        at, mass = nodes, bound * shares * (kernel @ mass)
        passed, before = fraction, before + to_spend
        found.append(bound / math.sqrt(fraction))
    return found


def compare_in_looks(
    a: Sequence[Verdicts], b: Sequence[Verdicts], fractions: Sequence[float], alpha: float = 1 - LEVEL
) -> Comparison:
    """Compare two models by the looks so far, each problem id -> verdict of each sample (None counts as not correct).

    As statistics.compare over all of them, but p is the sequential one, and the interval the repeated one: Tango's at
    the level of repeated_level. It is that of the last look given; the intervals of earlier looks would only narrow it,
    at the price that it may be empty and does not surround the difference that is told. `detectable` is that of a plain
    test of the problems so far at the level which `alpha` leaves for the last look; what earlier looks find comes on
    top, so it is a little too large. Raises ValueError as compare does.
    """
    looks = list(zip(a, b, strict=True))
    before = [{i: v for part in parts for i, v in part.items()} for parts in (a, b)]
    whole = compare(before[0], before[1], alpha=1 - repeated_level(tuple(fractions), 1 - alpha))
    samples = max(map(len, before[0].values()))
    differences = [[_right(y[i]) - _right(x[i]) for i in x] for x, y in looks]
    means = [d / samples for look in differences for d in look]
    interval = paired_interval(means, samples, repeated_level(tuple(fractions)))
    return dataclasses.replace(
        whole,
        p=sequential_p(differences, fractions),
        low=interval.low,
        high=interval.high,
        test="sequential McNemar" if samples == 1 else "sequential sign-flip",
        interval="repeated Tango score" if samples == 1 else "repeated Tango score, effective n",
    )


def _right(verdicts: Sequence[bool | None]) -> int:
    return sum(verdict is True for verdict in verdicts)
