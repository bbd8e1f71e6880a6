"""How the problems of a recipe are asked, and which rows are shown as worked examples: never the one that is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from mra_bench.contamination import Questions, TrainingText, find_overlaps, first_of
from mra_bench.dataset_hub import Unavailable
from mra_bench.dataset_spec import Examples
from mra_bench.datasets import DatasetUse, spec_of, style
from mra_bench.errors import BenchError, UsageError, unknown
from mra_bench.normalised import normalise
from mra_bench.plugins import Registry
from mra_bench.prompt_styles import named_style, with_examples
from mra_bench.recipe_schema import DatasetEntry, PromptEntry, Recipe
from mra_bench.types import Problem, PromptStyle

Read = Callable[[DatasetUse], Sequence[Problem]]


def use_of(entry: DatasetEntry) -> DatasetUse:
    """Which split of which dataset an entry of the recipe reads."""
    return DatasetUse(data=entry.data or "", split=entry.split or "test", path=entry.path)


def asked_as(recipe: Recipe, registry: Registry, entry: DatasetEntry, read: Read) -> PromptStyle:
    """How an entry's problems are asked: as its dataset's spec says, changed by what the recipe says, with the examples
    it asks for; `read` gives the rows these are taken from. Raises UsageError for a style, dataset or row that is not
    there."""
    said = entry.prompt or PromptEntry()
    spec = spec_of(use_of(entry), registry)
    named = style(spec) if said.style is None else named_style(said.style)
    asked = dataclasses.replace(named, **said.model_dump(include={"instruction", "answer_format"}, exclude_none=True))
    shots = len(said.examples or ()) if said.shots is None else said.shots
    if not shots:
        return asked
    usual = spec.prompt.examples
    ids = said.examples or (usual.ids if usual else ())
    if len(ids) < shots:
        has = f"names {len(ids)}" if ids else "names no examples"
        raise UsageError(f"prompt.shots is {shots}, but '{spec.name}' {has}. Name rows with prompt.examples: [ID, ...]")
    if said.examples_from is not None and said.examples_from not in recipe.datasets:
        raise unknown("dataset", said.examples_from, recipe.datasets, where="in prompt.examples_from")
    use = _rows_of(recipe, entry, said, usual)
    shown = "The rows that the prompt shows as examples"
    way = "name the dataset of the recipe that holds them: prompt.examples_from"
    try:
        rows = read(use)
    except Unavailable as error:
        told = [dataclasses.replace(one, told=f"{shown}: {one.told} Or {way}", give=way) for one in error.lacks]
        raise Unavailable(told) from None
    except BenchError as error:
        raise type(error)(f"{shown}: {error} Or {way}") from None
    return with_examples(asked, rows, ids[:shots], f"The split '{use.split}' of '{use.data}'")


def _rows_of(recipe: Recipe, entry: DatasetEntry, said: PromptEntry, usual: Examples | None) -> DatasetUse:
    """What the examples are rows of: the dataset that the recipe names for it, else the split that the spec names, as
    the recipe reads it where it does."""
    if said.examples_from is not None:
        return use_of(recipe.datasets[said.examples_from])
    split = usual.split if usual else "train"
    data = (usual.data if usual else "") or entry.data or ""
    read = (use_of(other) for other in recipe.datasets.values())
    return next((use for use in read if (use.data, use.split) == (data, split)), DatasetUse(data, split))


def without_examples(problems: list[Problem], asked: PromptStyle, name: str, *, evaluated: bool) -> list[Problem]:
    """The problems less those that the prompt shows solved. Of an evaluated set none may be shown: there, by the rules
    that training rows are held to, raises UsageError."""
    shown = {normalise(example.question) for example in asked.examples}
    if not shown:
        return problems
    if evaluated:
        texts = [TrainingText(f"example {one.id}", one.question) for one in asked.examples]
        overlaps = find_overlaps(texts, [Questions(name, problems)])
        if overlaps:
            raise UsageError(f"A prompt must not show what it asks: {first_of(overlaps)}. Name other examples")
    return [problem for problem in problems if normalise(problem.question) not in shown]
