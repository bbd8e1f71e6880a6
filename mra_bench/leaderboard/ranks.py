"""Ranks with a range: the places that a row may have among rows it cannot be told apart from.

A row is held against each other row of its board on the problems, all at once: with one sample a problem by the exact
McNemar test, with several by the sign-flip test, computed exactly. Holm's adjustment over the comparisons of that row
then says with 95 % that all differences called so are real; so its true place lies in the range with 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mra_bench.verdict import ALPHA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPREAD = 9.5  # standard deviations of the sum; by Hoeffding's bound less than 1e-19 lies further out
CHUNK = 4_000_000  # numbers in one array of the exact sign-flip test


class Range(NamedTuple):
    """The places, from 1, that a row may have."""

    best: int
    worst: int


def ranges(right: Sequence[Sequence[int]], samples: int) -> list[Range]:
    """The range of each row of one board; `right`: for each row how many of `samples` are correct of each problem, the
    same problems in the same order."""
    import numpy as np

    counts = np.asarray(right, dtype=np.int32)
    rows = len(counts)
    if rows < 2:
        return [Range(1, rows)] * rows
    p = _mcnemar(counts) if samples == 1 else _sign_flip(counts, samples)
    totals = counts.sum(axis=1)
    told_apart = _holm(p) < ALPHA
    above = (told_apart & (totals[None, :] > totals[:, None])).sum(axis=1)
    below = (told_apart & (totals[None, :] < totals[:, None])).sum(axis=1)
    return [Range(1 + int(better), rows - int(worse)) for better, worse in zip(above, below, strict=True)]


def _mcnemar(right: NDArray[np.int32]) -> NDArray[np.float64]:
    """Two-sided exact McNemar p of all pairs of rows (rows x rows), as statistics.mcnemar_exact gives it for one."""
    import numpy as np
    from scipy.special import bdtr

    one = right.astype(np.float32)
    wins = np.rint(one @ (1 - one).T).astype(np.int64)
    discordant = wins + wins.T
    fewer = np.minimum(wins, wins.T)
    p = 2 * bdtr(fewer.astype(np.float64), discordant, 0.5)
    return np.where(2 * fewer == discordant, 1.0, np.minimum(p, 1.0))


def _sign_flip(right: NDArray[np.int32], samples: int) -> NDArray[np.float64]:
    """Two-sided exact sign-flip p of all pairs of rows (rows x rows): a problem's difference counts for either side
    with equal chance. statistics.sign_flip_test draws where it cannot list; here nothing is drawn. Where Hoeffding's
    bound alone is below any level that Holm's adjustment asks for, p is that bound."""
    import numpy as np

    rows = len(right)
    p = np.ones((rows, rows))
    for row in range(rows - 1):
        differences = right[row + 1 :] - right[row]
        sizes = np.abs(differences) + (samples + 1) * np.arange(len(differences))[:, None]
        counts = np.bincount(sizes.ravel(), minlength=len(differences) * (samples + 1)).reshape(-1, samples + 1)[:, 1:]
        observed = np.abs(differences.sum(axis=1))
        found = 2 * np.exp(-(observed**2.0) / (2 * np.maximum(counts @ np.arange(1, samples + 1) ** 2, 1)))
        unclear = found >= ALPHA / (rows - 1)
        found[unclear] = sign_flip_tails(counts[unclear], observed[unclear])
        p[row, row + 1 :] = p[row + 1 :, row] = found
    return p


def sign_flip_tails(counts: NDArray[np.int64], observed: NDArray[np.int64]) -> NDArray[np.float64]:
    """P(|S| >= observed) of each row, S being the sum of the numbers 1, 2, ..., each `counts` times (rows x
    sizes), with signs of fair coins: by the characteristic function of S, the product of cosines, which gives its
    distribution on whole numbers by a Fourier transform."""
    import numpy as np

    sizes = np.arange(1, counts.shape[1] + 1)
    reach = np.minimum(SPREAD * np.sqrt(counts @ sizes**2) + 1, counts @ sizes + 1)
    grid = 2 ** np.ceil(np.log2(2 * np.maximum(reach, 1) + 2)).astype(int)
    p = np.empty(len(counts))
    for points in np.unique(grid):
        chosen = np.flatnonzero(grid == points)
        step = max(1, CHUNK // int(points))
        for start in range(0, len(chosen), step):
            part = chosen[start : start + step]
            p[part] = _tails(counts[part], observed[part], int(points))
    return p


def _tails(counts: NDArray[np.int64], observed: NDArray[np.int64], points: int) -> NDArray[np.float64]:
    import numpy as np

    angles = 2 * math.pi / points * np.outer(np.arange(1, counts.shape[1] + 1), np.arange(points // 2 + 1))
    cosines = np.cos(angles)
    logs = np.log(np.maximum(np.abs(cosines), 1e-300))
    odd = (counts.astype(np.float64) @ (cosines < 0)) % 2
    waves = np.exp(counts @ logs) * (1 - 2 * odd)
    chances = np.fft.irfft(waves, n=points, axis=1)
    upper = np.arange(points // 2)[None, :] >= observed[:, None]
    tail = np.where(upper, chances[:, : points // 2], 0.0).sum(axis=1)
    return np.where(observed == 0, 1.0, np.clip(2 * tail, 0.0, 1.0))


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """p of each row's comparisons with the others adjusted by Holm among themselves (rows x rows, 1 with itself), as
    statistics.holm does for one list."""
    import numpy as np

    rows = len(p)
    alone = p.copy()
    np.fill_diagonal(alone, np.inf)  # sorts to the end and takes no place among the others
    order = np.argsort(alone, axis=1, kind="stable")
    ordered = np.take_along_axis(alone, order, axis=1)[:, :-1]
    raised = np.minimum(1.0, np.maximum.accumulate(ordered * np.arange(rows - 1, 0, -1), axis=1))
    adjusted = np.ones((rows, rows))
    np.put_along_axis(adjusted, order[:, :-1], raised, axis=1)
    return adjusted
