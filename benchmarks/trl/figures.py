"""From what was measured to tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from child import EQUAL

Table = list[list[str]]

BOTH = "texts, weights, steps, batch size, learning rate, seed, adapter, threads"
OURS = {
    EQUAL: "output layer only where there is a label",
    "defaults": "length-grouped batches, cosine schedule with 5 % warm-up, output layer only where there is a label",
}
TRL = {
    EQUAL: "output layer at every position",
    "defaults": "random order, linear schedule without warm-up, gradient checkpointing, output layer at every position",
}
REFERENCE = {"ours": "; reference log-probabilities once", "trl": "; reference model in memory, asked at every step"}


def times(runs: Mapping[tuple[str, str, str], Sequence[Any]]) -> Table:
    """Medians, and how often ours is as fast as trl."""
    rows = [
        ["training", "settings", "steps", "trl s", "ours s", "trl / ours", "in CPU time", "peak memory, ours / trl"]
    ]
    for training, settings in pairs(runs):
        trl, ours = runs[training, settings, "trl"], runs[training, settings, "ours"]
        seconds = [median(outcome.seconds for outcome in side) for side in (trl, ours)]
        cpu = [median(outcome.cpu_seconds for outcome in side) for side in (trl, ours)]
        memory = [median(outcome.peak_memory for outcome in side) for side in (trl, ours)]
        rows.append([
            training, settings, max(ours[0].losses, key=int), *(f"{value:.1f}" for value in seconds),
            f"{seconds[0] / seconds[1]:.2f}", f"{cpu[0] / cpu[1]:.2f}", f"{memory[1] / memory[0]:.2f}",
        ])  # fmt: skip
    return rows


def losses(runs: Mapping[tuple[str, str, str], Sequence[Any]]) -> Table:
    """Last losses; with equal settings also the largest difference at any step. Of the first repetition."""
    rows = [["training", "settings", "last loss, trl", "last loss, ours", "largest difference at a step"]]
    for training, settings in pairs(runs):
        trl, ours = (runs[training, settings, side][0].losses for side in ("trl", "ours"))
        last = [f"{found[max(found, key=int)]:.6f}" if found else "-" for found in (trl, ours)]
        apart = "-"
        if settings == EQUAL:
            apart = f"{max(abs(trl[step] - ours[step]) for step in trl.keys() | ours.keys()):.1e}"
        rows.append([training, settings, *last, apart])
    return rows


def differences(trainings: Sequence[Any], settings: Sequence[str]) -> Table:
    """In words, what is the same and what is not, a row for each comparison."""
    rows = [["training", "settings", "ours", "trl"]]
    for training in trainings:
        for kind in settings:
            asked = REFERENCE if training.trainer == "dpo" and kind != EQUAL else {"ours": "", "trl": ""}
            rows.append([training.name, kind, OURS[kind] + asked["ours"], TRL[kind] + asked["trl"]])
    return [*rows, ["all", "both", f"the same {BOTH}", ""]]


def pairs(runs: Mapping[tuple[str, str, str], Sequence[Any]]) -> list[tuple[str, str]]:
    """(training, settings), in order."""
    return list(dict.fromkeys((training, settings) for training, settings, _ in runs))
