"""From what was measured to tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from child import EQUAL
from work import Work

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
SFT = {"ours": "; attention without a mask", "trl": ""}
DPO = {"ours": "; one row for a pair, its prompt once", "trl": "; two rows for a pair"}
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


def differences(trainings: Sequence[Work], settings: Sequence[str]) -> list[str]:
    """In words, what is not the same, a line for each side of each comparison."""
    lines = [f"both have the same {BOTH}"]
    for training in trainings:
        for kind in settings:
            told = [DPO] if training.trainer == "dpo" else [SFT]
            told += [REFERENCE] if training.trainer == "dpo" and kind != EQUAL else []
            for side, said in (("ours", OURS[kind]), ("trl", TRL[kind])):
                lines.append(f"{training.name}, {kind}, {side}: {said}{''.join(more[side] for more in told)}")
    return lines


def padding(trainings: Sequence[Work]) -> Table:
    """Tokens of one epoch's batches, padding included, for each token of the texts: grouped by length or not."""
    from mra_transformers.loading import load_tokenizer
    from mra_transformers.training_data import Order, encode

    rows = [["training", "texts", "batch", "grouped by length", "random order"]]
    for training in trainings:
        tokenizer = load_tokenizer(training.model)
        examples = encode(tokenizer, training.texts, special_tokens=training.prompt == "plain")
        lengths, size = [example.longest for example in examples], training.options["batch_size"]
        found = []
        for grouped in (True, False):
            order = list(Order(lengths, size, seed=training.seed, grouped=grouped, epoch=lambda: 0))
            batches = [[lengths[index] for index in order[at : at + size]] for at in range(0, len(order), size)]
            found.append(sum(len(batch) * max(batch) for batch in batches) / sum(lengths))
        rows.append([training.name, f"{len(lengths):,}", str(size), *(f"{ratio:.2f}" for ratio in found)])
    return rows


def pairs(runs: Mapping[tuple[str, str, str], Sequence[Any]]) -> list[tuple[str, str]]:
    """(training, settings), in order."""
    return list(dict.fromkeys((training, settings) for training, settings, _ in runs))
