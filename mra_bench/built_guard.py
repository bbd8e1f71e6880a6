"""Contamination of the data that a run builds itself, such as pairs of a model's own texts: looked for whenever it is
trained on and whenever results are computed, as what it is held to may have changed since it was built."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mra_bench.contamination import Overlap, Policy, Questions, find_overlaps, first_of, met
from mra_bench.errors import BenchError
from mra_bench.store import read_rows
from mra_bench.training_texts import built_texts


def built_overlaps(folder: Path, asked: Sequence[Questions]) -> list[tuple[int, Overlap]]:
    """The overlaps of the texts that the stage in `folder` has built, each with the place of its pair or row. Prompts
    are those of the training problems, which the plan has looked at."""
    placed = (dataclasses.replace(text, id=f"{place} {text.id}") for place, text in built_texts(folder))
    found = []
    for overlap in find_overlaps(placed, asked):
        place, _, train_id = overlap.train_id.partition(" ")
        found.append((int(place), dataclasses.replace(overlap, train_id=train_id)))
    return found


def trained_rows(folder: Path, asked: Sequence[Questions], policy: Policy) -> list[dict[str, Any]]:
    """The rows of a stage that built pairs or rows, for training: all of them for "allow", without those that hold test
    questions for "drop". Raises BenchError where there are such and the policy is "refuse", or none is left."""
    found = [] if policy == "allow" else built_overlaps(folder, asked)
    if found and policy == "refuse":
        overlaps = [overlap for _, overlap in found]
        where = met(overlaps, {questions.dataset: len(questions.problems) for questions in asked})
        raise BenchError(
            f"What {folder.name} built holds test questions ({where}): {first_of(overlaps)}. Use --drop-contaminated "
            "to train without them, or --allow-contamination to go on with every result marked."
        )
    left_out = {place for place, _ in found}
    kept = [row for place, row in enumerate(read_rows(folder)) if place not in left_out]
    if not kept:
        raise BenchError(f"All that {folder.name} built holds test questions; nothing is left to train on")
    return kept
