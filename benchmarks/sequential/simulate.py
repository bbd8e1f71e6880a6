"""Comparisons drawn with a known gap: how often the test is wrong, what power it loses and how many problems it saves.

A gap is told in units of the smallest detectable one: the true difference that the exact McNemar test on all n problems
finds in 80 % of runs (mra_bench.power), given the share of problems on which the models disagree.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mra_bench.power import detectable_difference
from mra_bench.sequential import boundaries, law, level_used, look_sizes, repeated_level
from mra_bench.statistics import tango

ALPHA = 0.05
GAPS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
INTERVALS = 500  # of the runs of a setting, so many have their intervals made


@dataclass(frozen=True)
class Drawn:
    """The comparisons of one setting. `stop`: look at which each ended, counted from 0; `sequential`, `fixed`: +1 where
    the test found the better model better, -1 the other way round, 0 neither; `level`: the exact level of each given
    its discordant problems; `covers`, `naive`: whether the interval at the end holds the true gap, the repeated one and
    the one that takes no account of the looks; `always`: whether all looks' repeated intervals would have held it."""

    n: int
    discordant: float
    gap: float
    stop: Any
    sequential: Any
    fixed: Any
    level: Any
    fixed_level: Any
    covers: Any
    naive: Any
    always: Any

    @property
    def seen(self) -> Any:
        """Share of the problems that each comparison needed."""
        return np.array(look_sizes(self.n))[self.stop] / self.n


@functools.lru_cache(maxsize=5000)
def law_of(discordant: int) -> Any:
    """The law of the sum of so many differences of size 1."""
    return law([1] * discordant)


@functools.lru_cache(maxsize=5000)
def fixed_test(discordant: int) -> tuple[int, float]:
    """The boundary of the exact McNemar test on all problems, and its exact level."""
    laws = [law_of(discordant)]
    bounds = boundaries(laws, [1.0], ALPHA)
    return bounds[0], level_used(laws, bounds)


def draw(n: int, discordant: float, multiple: float, runs: int, rng: np.random.Generator) -> Drawn:
    """`runs` comparisons of two models on n problems whose true gap is `multiple` of the smallest detectable one."""
    detectable = detectable_difference(round(discordant * n), 0, n, ALPHA)
    assert detectable is not None
    gap = multiple * detectable
    share = max(discordant, gap)
    sizes = look_sizes(n)
    fractions = [size / n for size in sizes]
    chances = [(share + gap) / 2, max(0.0, (share - gap) / 2), max(0.0, 1 - share)]
    counts = np.stack([rng.multinomial(size, chances, runs)[:, :2] for size in np.diff([0, *sizes])], axis=1)
    sums = np.cumsum(counts[:, :, 0] - counts[:, :, 1], axis=1)
    made = [_one(c, s, fractions) for c, s in zip(counts.sum(axis=2), sums, strict=True)]
    covered = [_intervals(c, sizes, row[0], gap) for c, row in zip(counts[:INTERVALS], made, strict=False)]
    columns = [np.array(column) for column in zip(*made, strict=True)]
    return Drawn(n, discordant, multiple, *columns, *(np.array(column) for column in zip(*covered, strict=True)))


def _one(discordant: Sequence[int], sums: Sequence[int], fractions: list[float]) -> tuple[int, int, int, float, float]:
    """Where one comparison stops, what it says there, what the fixed test says, and both exact levels."""
    laws = [law_of(int(count)) for count in discordant]
    bounds = boundaries(laws, fractions, ALPHA)
    crossed = [place for place, (s, b) in enumerate(zip(sums, bounds, strict=True)) if abs(s) >= b]
    stop = crossed[0] if crossed else len(fractions) - 1
    bound, fixed_level = fixed_test(int(sum(discordant)))
    said = int(np.sign(sums[stop])) if crossed else 0
    fixed = int(np.sign(sums[-1])) if abs(sums[-1]) >= bound else 0
    return stop, said, fixed, level_used(laws, bounds), fixed_level


def _intervals(counts: Any, sizes: Sequence[int], stop: int, gap: float) -> tuple[bool, bool, bool]:
    """Whether the repeated interval at the stop, the plain one there, and all repeated ones hold the gap."""
    fractions = tuple(size / sizes[-1] for size in sizes)
    wins, losses = np.cumsum(counts, axis=0).T
    held = []
    for place, size in enumerate(sizes):
        interval = tango(int(wins[place]), int(losses[place]), size, repeated_level(fractions[: place + 1]))
        held.append(interval.low <= gap <= interval.high)
    plain = tango(int(wins[stop]), int(losses[stop]), sizes[stop])
    return held[stop], plain.low <= gap <= plain.high, all(held)


def report(problems: Sequence[int], discordant: Sequence[float], runs: int, seed: int) -> None:
    """Print the tables."""
    rng = np.random.default_rng(seed)
    drawn = []
    for n in problems:
        for share in discordant:
            drawn += [draw(n, share, multiple, runs, rng) for multiple in GAPS if _possible(n, share, multiple)]
            print(f"drawn: n = {n}, {share:.0%} discordant", file=sys.stderr, flush=True)
    false_alarms([d for d in drawn if d.gap == 0])
    by_gap(drawn)
    by_problems(drawn)


def _possible(n: int, share: float, multiple: float) -> bool:
    detectable = detectable_difference(round(share * n), 0, n, ALPHA)
    return detectable is not None and multiple * detectable < 1


def false_alarms(drawn: Iterable[Drawn]) -> None:
    """A row for each setting without a gap."""
    rows = [
        [
            f"{d.n:,}",
            f"{d.discordant:.0%}",
            f"{100 * d.level.mean():.2f}",
            f"{100 * d.level.max():.2f}",
            f"{100 * (d.sequential != 0).mean():.2f}",
            f"{100 * d.fixed_level.mean():.2f}",
            f"{100 * d.covers.mean():.1f}",
            f"{100 * d.always.mean():.1f}",
            f"{100 * d.seen.mean():.1f}",
        ]
        for d in drawn
    ]
    head = "problems, discordant, exact level, its maximum, simulated, exact level at fixed n, interval holds at stop"
    _table("False positives (%)", [*head.split(", "), "at every look", "problems used"], rows)


def by_gap(drawn: Sequence[Drawn]) -> None:
    """A row for each gap, over all settings."""
    rows = []
    for gap in GAPS:
        chosen = [d for d in drawn if d.gap == gap]
        if chosen:
            stops = np.concatenate([d.stop for d in chosen])
            found, fixed = (np.concatenate([getattr(d, test) for d in chosen]) for test in ("sequential", "fixed"))
            seen = np.concatenate([d.seen for d in chosen])
            held, plain, always = (
                np.concatenate([getattr(d, kind) for d in chosen]) for kind in ("covers", "naive", "always")
            )
            power, at_end = (found == 1).mean(), (fixed == 1).mean()
            shares = [power, at_end, at_end - power, (found == -1).mean()]
            shares += [((stops == place) & (found != 0)).mean() for place in range(4)]
            shares += [seen.mean(), 1 - seen.mean(), held.mean(), always.mean(), plain.mean()]
            rows.append([f"{gap:g}", *(f"{100 * share:.1f}" for share in shares)])
    head = "gap, found, found at fixed n, power lost, wrong way round, decided at look 1, 2, 3, 4, problems used, saved"
    _table(
        "By true gap, in smallest detectable gaps (% of runs; all settings together)",
        [*head.split(", "), "interval holds at stop", "at every look", "plain interval at stop"],
        rows,
    )


def by_problems(drawn: Sequence[Drawn]) -> None:
    """Problems used and power lost for each number of problems and gap."""
    rows = []
    for n in sorted({d.n for d in drawn}):
        cells = []
        for gap in GAPS:
            chosen = [d for d in drawn if (d.n, d.gap) == (n, gap)]
            used = 100 * np.mean([d.seen.mean() for d in chosen]) if chosen else float("nan")
            lost = 100 * np.mean([(d.fixed == 1).mean() - (d.sequential == 1).mean() for d in chosen]) if chosen else 0
            cells.append(f"{used:.0f} ({lost:.1f})" if chosen else "-")
        rows.append([f"{n:,}", *cells])
    _table("Problems used in % (power lost in points), by problems and gap", ["problems", *map(str, GAPS)], rows)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()
