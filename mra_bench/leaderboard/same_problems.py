"""Whether the problems of a row are those of the named split, as its spec or plugin loads it now."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from mra_bench.datasets import dataset_names, dataset_spec
from mra_bench.errors import BenchError, UsageError
from mra_bench.folder import RECIPE
from mra_bench.leaderboard.rows import Row
from mra_bench.plugins import Registry
from mra_bench.problem_sets import ProblemSet, read_datasets
from mra_bench.recipe import load_recipe
from mra_bench.recipe_schema import DatasetEntry, Recipe
from mra_bench.stored_rows import problems_of


@dataclasses.dataclass(frozen=True)
class Compared:
    """same: they are; other: they are not; unknown: it cannot be told here. `said`: why, or how many there are."""

    outcome: Literal["same", "other", "unknown"]
    said: str


def compare_problems(run: Path, row: Row, folder: str, registry: Registry) -> Compared:
    """The stored problems of a row (in the stage `folder`) against what the recipe's dataset gives here. No file that
    the recipe names is opened: only datasets that are installed count."""
    try:
        recipe = _without_files(load_recipe(str(run / RECIPE)), row.dataset, registry)
    except UsageError as error:
        return Compared("unknown", str(error))
    try:
        now = read_datasets(recipe, registry, [row.dataset])[row.dataset]
    except BenchError as error:
        return Compared("unknown", f"its dataset cannot be read here: {error}")
    named = (row.data, row.split, row.prompt.instruction, row.prompt.answer_format)
    if named != (now.data, now.split, now.style.instruction, now.style.answer_format):
        return Compared(
            "other",
            f"the recipe's dataset is {now.data}, {now.split}, asked in its own way; the row says "
            f"{row.data}, {row.split}",
        )
    if now.hash == row.sha256:
        part = f", {row.part}: a part of the split, and a board of its own" if row.part else ""
        return Compared("same", f"the {row.problems:,} problems of {now.data}, {now.split}{part}")
    return Compared("other", _difference(run, row, folder, now))


def _difference(run: Path, row: Row, folder: str, now: ProblemSet) -> str:
    stored = {problem.id: problem for problem in problems_of(run / folder)}
    there = {problem.id: problem for problem in now.problems}
    missing, more = len(there.keys() - stored), len(stored.keys() - there)
    changed = sum(stored[i] != there[i] for i in stored.keys() & there)
    counts = ((missing, "missing"), (more, "not of the split"), (changed, "changed"))
    said = [f"{count:,} {what}" for count, what in counts if count] or ["in another order"]
    part = f" ({row.part})" if row.part else ""
    return (
        f"its {row.problems:,} problems are not the {len(there):,} of {now.data}, {now.split}{part}: {', '.join(said)}"
    )


def _without_files(recipe: Recipe, name: str, registry: Registry) -> Recipe:
    """The recipe with the dataset `name`, and that which it is carved from or verifies, read from their own sources.
    Raises UsageError where there is no such source."""
    datasets = dict(recipe.datasets)
    for used in _used(recipe, name):
        entry = datasets[used]
        if entry.data is None:
            continue
        if entry.data not in dataset_names(registry):
            raise UsageError(f"its problems are from {entry.data}, which is no dataset that is installed here")
        if dataset_spec(entry.data, registry).source is None:
            raise UsageError(f"its problems are from {entry.data}, which has no source of its own")
        datasets[used] = entry.model_copy(update={"path": None})
    return recipe.model_copy(update={"datasets": datasets})


def _used(recipe: Recipe, name: str) -> list[str]:
    found, at = [], name
    while at is not None and at not in found:
        if at not in recipe.datasets:
            raise UsageError(f"its recipe has no dataset {at!r:.80}")
        found.append(at)
        entry: DatasetEntry = recipe.datasets[at]
        at = entry.carve or entry.verify or ""
        if not at:
            break
    return found
