"""results.json: the comparisons of every pair of models, computed from stored rows."""

from __future__ import annotations

import itertools

import pytest

from mra_bench.power import detectable_difference
from mra_bench.results import paired
from mra_bench.scored import Judged, Scored
from mra_bench.types import Problem

RIGHT = {"base": range(30), "sft": range(10, 60), "more": range(5, 70), "dpo": range(12, 66)}


def scored(name: str) -> Scored:
    problems = tuple(Problem(f"q{i}", "?", "1") for i in range(100))
    samples = {p.id: [Judged(i in RIGHT[name])] for i, p in enumerate(problems)}
    return Scored(name, problems, samples)


@pytest.mark.parametrize("models", [("base", "sft"), ("base", "sft", "more"), tuple(RIGHT)])
def test_what_would_be_missed_goes_with_the_number_of_comparisons(models: tuple[str, ...]) -> None:
    rows = paired([scored(name) for name in models], seed=0)
    pairs = list(itertools.combinations(models, 2))
    assert [(row["a"], row["b"]) for row in rows] == pairs
    for row, (a, b) in zip(rows, pairs, strict=True):
        wins, losses = len(set(RIGHT[b]) - set(RIGHT[a])), len(set(RIGHT[a]) - set(RIGHT[b]))
        assert (row["wins"], row["losses"]) == (wins, losses)
        assert row["detectable"] == detectable_difference(wins, losses, 100, 0.05 / len(pairs))
        assert row["p"] <= row["p_holm"] <= min(1.0, row["p"] * len(pairs)) + 1e-12
