"""The sets of problems that epochs of a training are chosen by: which ones will do, and what must not be in them.

A model that is the best of several tries on some problems looks better on those than it is. So no evaluation may use
them, and since an answer that was learnt by heart says nothing of an epoch, no training of the model's lineage may hold
them either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mra_bench.contamination import Overlap, find_overlaps
from mra_bench.errors import UsageError, unknown
from mra_bench.problem_sets import ProblemSet
from mra_bench.recipe_schema import Recipe
from mra_bench.training_texts import questions_of, texts_of

WHAT = "problems that an epoch is chosen by"


def check_choice(recipe: Recipe, name: str, chain: Sequence[str]) -> None:
    """A model that chooses its epoch does so by a set of the recipe that is neither evaluated nor trained on; `chain`:
    its lineage with itself. Raises UsageError that says which sets would do."""
    choose = recipe.models[name].choose
    if choose is None:
        return
    if choose.data not in recipe.datasets:
        raise unknown("dataset", choose.data, recipe.datasets, where=f"in 'choose' of model '{name}'")
    trained = {recipe.models[one].data: one for one in chain}
    if choose.data in recipe.evaluate.datasets:
        why = "which is evaluated: its figures there would be those of the best of several tries"
    elif choose.data in trained:
        why = f"which '{trained[choose.data]}' is trained on: what was learnt by heart says nothing of an epoch"
    else:
        return
    taken = {*recipe.evaluate.datasets, *trained}
    free = [other for other in recipe.datasets if other not in taken]
    ways = f"Choose by one that is neither: {', '.join(free)}" if free else "No set of this recipe is neither"
    source = recipe.models[name].data
    carve = "" if free else f": carve one out of what it learns from, as in 'dev: {{carve: {source}, count: 200}}'"
    raise UsageError(f"The model '{name}' chooses its epoch by '{choose.data}', {why}. {ways}{carve}")


def check_answers(data: ProblemSet, name: str) -> None:
    """Raises UsageError for problems that have no answers to grade by."""
    if not any(problem.answer for problem in data.problems):
        raise UsageError(f"The model '{name}' cannot choose its epoch by '{data.name}': its problems have no answers")


def chosen_by(recipe: Recipe, names: Sequence[str]) -> dict[str, str]:
    """For each model that chooses its epoch, the dataset it does so by."""
    return {name: choose.data for name in names if (choose := recipe.models[name].choose) is not None}


def dev_overlaps(recipe: Recipe, chains: Mapping[str, Sequence[str]], sets: Mapping[str, ProblemSet]) -> list[Overlap]:
    """The problems of a set to choose by that stand in what the model or its ancestors learn from, each once; `chains`:
    the lineage of each model that chooses."""
    learnt: dict[str, list[str]] = {}
    for name, chain in chains.items():
        choose = recipe.models[name].choose
        assert choose is not None
        trained = learnt.setdefault(choose.data, [])
        trained += [data for one in chain if (data := recipe.models[one].data) is not None and data not in trained]
    return [
        overlap
        for dev, trained in learnt.items()
        for overlap in find_overlaps(texts_of(sets[data] for data in trained), questions_of([sets[dev]]))
    ]
