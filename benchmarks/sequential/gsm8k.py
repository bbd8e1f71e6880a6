"""OpenAI's published solutions of four systems to the 1,319 GSM8K test questions, in many orders of the questions."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.sequential import boundaries, law, look_sizes, sequential_p
from mra_bench.statistics import holm, mcnemar_exact

ALPHA = 0.05
NAMES = ("gpt3_6b_finetuning", "gpt3_6b_verification", "gpt3_175b_finetuning", "gpt3_175b_verification")
Pair = tuple[str, str]


def read(folder: Path) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """For each system, in the order of questions, whether each solution is right, and how many characters it has."""
    right, length = {}, {}
    for name in NAMES:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
            rows = sorted(map(json.loads, file), key=lambda row: row["qid"])
        right[name] = [int(row["upstream_correct"]) for row in rows]
        length[name] = [len(row["response"]) for row in rows]
    return right, length


def in_looks(values: Sequence[int], order: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """The values first seen at each look."""
    return [[values[i] for i in order[a:b]] for a, b in itertools.pairwise([0, *sizes])]


def one_pair(differences: Sequence[int], characters: Sequence[int], orders: int) -> dict[str, Any]:
    """Shares over seeded orders of the problems: "decided" at each look, "other way" round than by all problems, and of
    the "problems" and the "characters" of both systems that were needed."""
    n = len(differences)
    sizes = look_sizes(n)
    decided, other_way, problems, written = [0] * len(sizes), 0, 0, 0
    for seed in range(orders):
        order = random.Random(seed).sample(range(n), n)
        looks = in_looks(differences, order, sizes)
        bounds = boundaries([law(look) for look in looks], [size / n for size in sizes], ALPHA)
        sums = list(itertools.accumulate(map(sum, looks)))
        crossed = [place for place, (s, b) in enumerate(zip(sums, bounds, strict=True)) if abs(s) >= b]
        seen = sizes[crossed[0] if crossed else -1]
        problems += seen
        written += sum(characters[i] for i in order[:seen])
        for place in crossed[:1]:
            decided[place] += 1
            other_way += sums[place] * sums[-1] <= 0
    return {
        "decided": [count / orders for count in decided],
        "other way": other_way / orders,
        "problems": problems / orders / n,
        "characters": written / orders / sum(characters),
    }


def pairs_table(right: Mapping[str, Sequence[int]], length: Mapping[str, Sequence[int]], orders: int) -> None:
    """Each pair on its own at the level ALPHA."""
    print(f"\nEach pair on its own, {orders:,} orders (% of orders)\n")
    head = "pair | difference | wins | losses | p of all problems | decided at look 1 | 2 | 3 | 4 | not decided"
    print(f"| {head} | other way round | problems used | characters used |\n|{'---|' * 13}")
    for a, b in itertools.combinations(NAMES, 2):
        differences = [y - x for x, y in zip(right[a], right[b], strict=True)]
        wins, losses, n = differences.count(1), differences.count(-1), len(differences)
        found = one_pair(differences, [x + y for x, y in zip(length[a], length[b], strict=True)], orders)
        shares = [*found["decided"], 1 - sum(found["decided"])]
        shares += [found[key] for key in ("other way", "problems", "characters")]
        print(
            f"| {_short(a)} to {_short(b)} | {100 * sum(differences) / n:+.1f} | {wins} | {losses} | "
            f"{mcnemar_exact(wins, losses):.2g} | {' | '.join(f'{100 * abs(share):.1f}' for share in shares)} |",
            flush=True,
        )


def together(names: Sequence[str], right: Mapping[str, Sequence[int]], runs: int) -> None:
    """Several systems in one run: the p of each pair by Holm, the run ends when all are decided."""
    pairs = list(itertools.combinations(names, 2))
    n = len(right[names[0]])
    sizes = look_sizes(n)
    difference = {(a, b): [y - x for x, y in zip(right[a], right[b], strict=True)] for a, b in pairs}
    whole = holm([mcnemar_exact(difference[p].count(1), difference[p].count(-1)) for p in pairs])
    ended, same, undecided, against = [0] * len(sizes), 0, 0, 0
    for seed in range(runs):
        order = random.Random(seed).sample(range(n), n)
        stop, adjusted = _run({p: in_looks(difference[p], order, sizes) for p in pairs}, [s / n for s in sizes])
        ended[stop] += 1
        for pair, p, q in zip(pairs, adjusted, whole, strict=True):
            here, there = (sum(difference[pair][i] for i in order[: sizes[stop]]), sum(difference[pair]))
            same += (p < ALPHA) == (q < ALPHA) and (p >= ALPHA or here * there > 0)
            undecided += p >= ALPHA > q
            against += p < ALPHA and here * there <= 0
    used = sum(count * size for count, size in zip(ended, sizes, strict=True)) / runs / n
    cells = [*(100 * count / runs for count in ended), 100 * used]
    rates = [100 * count / runs / len(pairs) for count in (same, undecided, against)]
    print(
        f"| {', '.join(map(_short, names))} | {sum(q < ALPHA for q in whole)} of {len(pairs)} | "
        f"{' | '.join(f'{cell:.1f}' for cell in cells)} | {' | '.join(f'{rate:.1f}' for rate in rates)} |",
        flush=True,
    )


def _run(looks: Mapping[Pair, list[list[int]]], fractions: Sequence[float]) -> tuple[int, list[float]]:
    """Where one run ends, and the adjusted p values there."""
    for stop in range(len(fractions)):
        adjusted = holm([sequential_p(of[: stop + 1], fractions[: stop + 1]) for of in looks.values()])
        if max(adjusted) < ALPHA:
            break
    return stop, adjusted


def _short(name: str) -> str:
    return name.removeprefix("gpt3_").replace("_", " ")


def report(folder: Path, orders: int, runs: int) -> None:
    """Print the tables."""
    right, length = read(folder)
    pairs_table(right, length, orders)
    print(f"\nSeveral systems in one run, all pairs by Holm, {runs:,} orders (%)\n")
    head = "systems | pairs told apart by all problems | ends at look 1 | 2 | 3 | 4 | problems used"
    print(f"| {head} | same verdict | not told apart, but by all problems | other way round |\n|{'---|' * 10}")
    for names in (*itertools.combinations(NAMES, 2), *itertools.combinations(NAMES, 3), NAMES):
        together(names, right, runs)
