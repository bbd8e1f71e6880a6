"""Holds what `mra-bench teach` asks against evaluation sets, before any teacher is asked: a run that trains on what
they write would refuse test questions, but only once they have been paid for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mra_bench.contamination import Questions, TrainingText, find_overlaps, first_of, met
from mra_bench.datasets import DatasetUse, dataset_spec, load_problems, spec_of
from mra_bench.errors import BenchError, UsageError
from mra_bench.loose import dataset_entry
from mra_bench.plan import Plan
from mra_bench.plugins import Registry
from mra_bench.problem_sets import ProblemSet, without

TEST = "test"


@dataclasses.dataclass(frozen=True)
class Guarded:
    """What teachers are asked and held to. `asked`: the test questions; `dropped`: ids of problems that were left out;
    `note`: why the test split of the data could not be looked at, "" where it could."""

    plan: Plan
    asked: tuple[Questions, ...] = ()
    dropped: tuple[str, ...] = ()
    note: str = ""


def guard_teaching(plan: Plan, against: Sequence[str], registry: Registry) -> Guarded:
    """The plan with its problems held against the sets of `against` ("NAME[:SPLIT]" or "NAME=FILE"), by default the
    test split of the data they are from. By the recipe's `contamination` problems that are test questions are left out
    ("drop"), or nothing is looked at ("allow").

    Raises UsageError for "refuse" where there are such problems, and for a set that cannot be read, unless it is the
    default.
    """
    policy = plan.recipe.contamination
    if policy == "allow":
        return Guarded(plan)
    data = taught_set(plan)
    asked, note = [], ""
    try:
        asked = [_read(given, registry) for given in against or _own_test(data, registry)]
    except BenchError as error:
        if against:
            raise
        note = f"The test split of '{data.data}' could not be read, so nothing was held against it: {error}"
    texts = (TrainingText(f"{data.name}/{p.id}", p.question, templates=data.templates) for p in data.problems)
    overlaps = find_overlaps(texts, asked)
    if overlaps and policy == "refuse":
        count = len({overlap.train_id for overlap in overlaps})
        where = met(overlaps, {questions.dataset: len(questions.problems) for questions in asked})
        raise UsageError(
            f"{count:,} of the problems to be solved {'is a test question' if count == 1 else 'are test questions'} "
            f"({where}): {first_of(overlaps)}. Use --drop-contaminated to leave {'it' if count == 1 else 'them'} out, "
            "or --allow-contamination to look at nothing"
        )
    dropped = frozenset(overlap.train_id for overlap in overlaps)
    if dropped:
        plan = dataclasses.replace(plan, datasets={**plan.datasets, data.name: without(data, dropped)})
    return Guarded(plan, tuple(asked), tuple(sorted(dropped)), note)


def taught_set(plan: Plan) -> ProblemSet:
    """The problems that the teachers solve: the recipe's first evaluation dataset."""
    return plan.datasets[plan.recipe.evaluate.datasets[0]]


def _own_test(data: ProblemSet, registry: Registry) -> list[str]:
    """The test split of the dataset that the problems are from, where it is known and has one."""
    try:
        splits = dataset_spec(data.data, registry).splits
    except UsageError:  # a file under a name of the user's own
        return []
    return [f"{data.data}:{TEST}"] if TEST in splits else []


def _read(given: str, registry: Registry) -> Questions:
    _, entry = dataset_entry(given)
    use = DatasetUse(entry["data"], entry["split"], entry.get("path"))
    spec = spec_of(use, registry)
    templates = spec.full_name if spec.templates and use.path is None else ""
    return Questions(given, load_problems(use, registry), templates)
