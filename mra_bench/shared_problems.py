"""Which problems several runs have asked: told by id, question and gold answer, whatever their datasets are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.compared_runs import ComparedRun
from mra_bench.errors import UsageError, unknown
from mra_bench.types import Problem

Key = tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True)
class SharedDataset:
    """A dataset that all runs have problems of. `name`: what the first run calls it; `problems`: those that all have,
    in its order; `names` and `counts`: of each run's dataset its name and how many problems it has."""

    name: str
    problems: tuple[Problem, ...]
    names: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Whether the problems are the same in all runs."""
        return set(self.counts.values()) == {len(self.problems)}

    def sentence(self) -> str:
        """How many problems are shared of how many."""
        n, sizes = len(self.problems), set(self.counts.values())
        if sizes == {n}:
            return f"{self.name}: the same {n:,} problems in all runs"
        of = ", ".join(f"{count:,} of {label}" for label, count in self.counts.items())
        return f"{self.name}: {n:,} problems are in all runs ({of}); the others are left out"

    def data(self) -> dict[str, Any]:
        """The same as data."""
        return {"dataset": self.name, "shared": len(self.problems), "of": dict(self.counts), "names": dict(self.names)}


def shared_datasets(runs: Sequence[ComparedRun], chosen: Sequence[str] = ()) -> list[SharedDataset]:
    """The datasets with problems that all runs have asked, in the first run's order, or those called `chosen` in any of
    the runs, in that order. Raises UsageError where there are none, or where a chosen one is not among them."""
    asked = {run.label: {name: _keyed(run.problems(name)) for name in run.datasets} for run in runs}
    first, *others = runs
    found = []
    for name in first.datasets:
        common, names = dict(asked[first.label][name]), {first.label: name}
        for run in others:
            near = max(asked[run.label], key=lambda n: (len(common.keys() & asked[run.label][n].keys()), n == name))
            names[run.label] = near
            common = {key: problem for key, problem in common.items() if key in asked[run.label][near]}
        counts = {label: len(asked[label][called]) for label, called in names.items()}
        if common:
            found.append(SharedDataset(name, tuple(common.values()), names, counts))
    if not found:
        raise UsageError(_nothing_shared(runs, asked))
    picked = {dataset.name: dataset for dataset in (_called(name, found, asked) for name in chosen)}
    return list(picked.values()) if chosen else found


def _called(
    name: str, found: Sequence[SharedDataset], asked: Mapping[str, Mapping[str, Mapping[Key, Problem]]]
) -> SharedDataset:
    for dataset in found:
        if name in (dataset.name, *dataset.names.values()):
            return dataset
    having = [label for label, datasets in asked.items() if name in datasets]
    if having:
        shared = ", ".join(dataset.name for dataset in found)
        raise UsageError(f"No problem of the dataset '{name}' of {having[0]} is in all runs. Shared: {shared}")
    raise unknown("dataset", name, [n for datasets in asked.values() for n in datasets], where="in these runs")


def _keyed(problems: Sequence[Problem]) -> dict[Key, Problem]:
    return {(p.id, p.question, p.answer, p.choices): p for p in problems}


def _nothing_shared(runs: Sequence[ComparedRun], asked: Mapping[str, Mapping[str, Mapping[Key, Problem]]]) -> str:
    """Why, with what is nearly shared: the same id with another question or gold, or the same under another id."""
    parts = [
        f"{run.label} asks {', '.join(f'{name} ({len(of_run[name]):,} problems)' for name in run.datasets)}"
        for run in runs
        for of_run in [asked[run.label]]
    ]
    pools = [{key for keys in asked[run.label].values() for key in keys} for run in runs]
    ids, texts = ({key[0] for key in pool} for pool in pools), ({key[1:] for key in pool} for pool in pools)
    same_ids, same_texts = len(set.intersection(*ids)), len(set.intersection(*texts))
    hints = [
        f"{count:,} {'has' if count == 1 else 'have'} the same {what}"
        for count, what in (
            (same_ids, "id, but another question or gold answer"),
            (same_texts, "question and gold answer, but another id"),
        )
        if count
    ]
    near = f" Of them {', '.join(hints)}." if hints else ""
    return (
        f"No problem is in all runs (the same id, question and gold answer), so there is nothing to compare: "
        f"{'; '.join(parts)}.{near} Evaluate the models on the same dataset."
    )
