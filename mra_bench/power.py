"""What a paired comparison could have seen: the smallest true difference that the exact McNemar test finds in 80 % of
such runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

POWER = 0.8
LEFT_OUT = 1e-9  # share of the possible numbers of discordant problems that may be passed over
PRECISION = 1e-6


def detectable_difference(wins: int, losses: int, n: int, alpha: float = 0.05) -> float | None:
    """The smallest true difference that the two-sided exact McNemar test at `alpha` finds, and the right way round, in
    80 % of runs on n problems; None where n is too small for any outcome to reach that level.

    The models are taken to disagree as often as they did here, (wins + losses) / n, or by no more than the difference
    itself where that is larger: two models cannot differ by more than they disagree.

    Of m comparisons under Holm's correction each is sure to be tested at alpha / m, the strictest step; later steps
    are easier. So give alpha / m here for a difference that is found whatever the other comparisons show.
    """
    check_counts(wins, losses, n)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    if 2 * 0.5**n >= alpha:
        return None
    from scipy.optimize import brentq

    disagreement = (wins + losses) / n

    def short_of_power(difference: float) -> float:
        return chance_to_find(difference, disagreement, n, alpha) - POWER

    return float(brentq(short_of_power, PRECISION / n, 1.0, xtol=PRECISION))


def chance_to_find(difference: float, disagreement: float, n: int, alpha: float) -> float:
    """How often the exact test at `alpha` says that the better model is better, where the true difference is
    `difference` > 0 and the models disagree on the share `disagreement` of problems, or `difference` if that is more.

    Summed over the number m of problems that the models disagree on, binomial (n, share); given m, the losses are
    binomial (m, (share - difference) / (2 share)), and the test rejects up to a number of losses that depends on m.
    """
    from scipy.stats import binom

    share = max(disagreement, difference)
    m, chances, most_losses = _rejections(share, n, alpha)
    return float((chances * binom.cdf(most_losses, m, (share - difference) / (2 * share))).sum())


@functools.lru_cache(maxsize=1)  # the share is the same in nearly every step of a search
def _rejections(share: float, n: int, alpha: float) -> tuple[Numbers, Numbers, Numbers]:
    """Numbers of discordant problems, the chance of each, and up to how many losses among them the test rejects (-1:
    never), which is the largest count whose lower tail is under alpha / 2."""
    import numpy as np
    from scipy.stats import binom

    least, most = (int(binom.ppf(tail, n, share)) for tail in (LEFT_OUT / 2, 1 - LEFT_OUT / 2))
    m = np.arange(max(least, 1), most + 1, dtype=float)
    return m, np.asarray(binom.pmf(m, n, share)), np.asarray(binom.ppf(alpha / 2, m, 0.5) - 1)


def check_counts(wins: float, losses: float, n: float) -> None:
    """Raises ValueError where no n problems can hold so many wins and losses."""
    if n < 1 or min(wins, losses) < 0 or wins + losses > n:
        raise ValueError(f"{wins} wins and {losses} losses of {n} problems are impossible")
