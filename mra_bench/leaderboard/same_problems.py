"""Whether the problems of a row are those of the named split, as its spec or plugin loads it now."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from mra_bench.dataset_spec import UNVERIFIED, Facts
from mra_bench.datasets import dataset_names, dataset_spec
from mra_bench.errors import BenchError, UsageError
from mra_bench.example_rows import use_of
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
    """The stored problems of a row (in the stage `folder`) against what the recipe's dataset gives here: against the
    checksum of its spec where it is a whole split that has one, so that nothing need be fetched. No file that the
    recipe names is opened: only datasets that are installed count."""
    try:
        recipe = _without_files(load_recipe(str(run / RECIPE)), row.dataset, registry)
    except UsageError as error:
        return Compared("unknown", str(error))
    known = _known(recipe, row, registry)
    if row.sha256 in {facts.checksum for facts in known}:
        return _same(row)
    try:
        now = read_datasets(recipe, registry, [row.dataset])[row.dataset]
    except BenchError as error:
        sizes = {facts.rows for facts in known}
        if sizes and not sizes & {UNVERIFIED, row.problems}:
            there = " or ".join(f"{size:,}" for size in sizes)
            return Compared("other", f"its {row.problems:,} problems are not the {there} of {_named(row)}")
        return Compared("unknown", f"its dataset cannot be read here: {error}")
    if (row.data, row.split) != (now.data, now.split) or _asked(row) != _style(now):
        said = f"the recipe's dataset is {now.data}, {now.split}, asked in its own way; the row says {_named(row)}"
        return Compared("other", said)
    return _same(row) if now.hash == row.sha256 else Compared("other", _difference(run, row, folder, now))


def _known(recipe: Recipe, row: Row, registry: Registry) -> list[Facts]:
    """What the spec knows of the split, one for each shape its rows come in, where the row is about the whole of it."""
    entry = recipe.datasets[row.dataset]
    carved = any(other.carve == row.dataset for other in recipe.datasets.values())
    if entry.data is None or entry.limit is not None or carved:
        return []
    use = use_of(entry)
    if (row.data, row.split) != (use.data, use.split):
        return []
    layouts = dataset_spec(entry.data, registry).layouts
    return [layout.splits[use.split] for layout in layouts if use.split in layout.splits]


def _asked(row: Row) -> tuple[str, str, int]:
    return row.prompt.instruction, row.prompt.answer_format, row.prompt.shots


def _style(now: ProblemSet) -> tuple[str, str, int]:
    return now.style.instruction, now.style.answer_format, len(now.style.examples)


def _named(row: Row) -> str:
    return f"{row.data}, {row.split}"


def _same(row: Row) -> Compared:
    part = f", {row.part}: a part of the split, and a board of its own" if row.part else ""
    return Compared("same", f"the {row.problems:,} problems of {_named(row)}{part}")


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
    """The dataset and those of the recipe that it is made from, or takes worked examples from."""
    found: list[str] = []
    left = [name]
    while left:
        at = left.pop()
        if at in found:
            continue
        if at not in recipe.datasets:
            raise UsageError(f"its recipe has no dataset {at!r:.80}")
        found.append(at)
        entry: DatasetEntry = recipe.datasets[at]
        examples = entry.prompt.examples_from if entry.prompt else None
        left += [other for other in (entry.carve, entry.verify, examples) if other is not None]
    return found
