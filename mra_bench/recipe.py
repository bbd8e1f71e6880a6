"""The recipe: one YAML file that says which data, models, lineage, sampling and graders make a run. Validated here,
against its own schema and against what is registered, before anything heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pydantic
import yaml

from mra_bench.claim_schema import ClaimedDecoding, ClaimedPrompt, ClaimEntry
from mra_bench.dev_sets import check_choice
from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.plain_errors import in_words, place
from mra_bench.recipe_schema import (
    IMPORTED,
    ChooseEntry,
    DatasetEntry,
    Evaluation,
    Grading,
    ModelEntry,
    Named,
    PairsEntry,
    PromptEntry,
    Recipe,
    RowsEntry,
)
from mra_bench.recipes import read_recipe
from mra_bench.strict import Strict


def load_recipe(name_or_file: str) -> Recipe:
    """Read a recipe and validate it. Raises UsageError naming file, key and value."""
    return validate_recipe(read_recipe(name_or_file), name_or_file)


def validate_recipe(data: Mapping[str, Any], source: str) -> Recipe:
    """A Recipe from plain data; checks the schema, then that names inside the recipe exist and lineage has no cycle."""
    try:
        recipe = Recipe.model_validate(_numbers(dict(data)))
    except pydantic.ValidationError as error:
        raise UsageError(f"{source}: " + "; ".join(_explain(item) for item in error.errors()[:3])) from None
    check_references(recipe)
    return recipe


def check_references(recipe: Recipe) -> None:
    """Every model, dataset and lineage named in the recipe exists in it. Raises UsageError with the nearest name."""
    for name, entry in recipe.models.items():
        for other in filter(None, (entry.parent, *entry.control_for)):
            if other not in recipe.models:
                raise unknown("model", other, recipe.models, where=f"in '{name}'")
        if entry.data is not None and entry.data not in recipe.datasets:
            raise unknown("dataset", entry.data, recipe.datasets, where=f"in model '{name}'")
        if entry.data is not None and not _says_what(recipe, recipe.datasets[entry.data]):
            raise UsageError(f"Say which split '{entry.data}' is: model '{name}' trains on it, and test must not be it")
        for controlled in entry.control_for:
            if recipe.models[controlled].parent != entry.parent:
                raise UsageError(f"'{name}' is no control for '{controlled}': they are trained from different models")
        check_choice(recipe, name, lineage(recipe, name))
    for used in recipe.evaluate.datasets:
        if used not in recipe.datasets:
            raise unknown("dataset", used, recipe.datasets, where="in 'evaluate'")
    for name, dataset in recipe.datasets.items():
        if dataset.carve is not None:
            if dataset.carve not in recipe.datasets:
                raise unknown("dataset", dataset.carve, recipe.datasets, where=f"that '{name}' is carved from")
            if recipe.datasets[dataset.carve].data is None:
                how = "carved" if recipe.datasets[dataset.carve].carve is not None else "made to be verified"
                raise UsageError(f"The dataset '{name}' is carved from '{dataset.carve}', which is {how} itself")
        if dataset.verify is not None:
            if dataset.verify not in recipe.datasets:
                raise unknown("dataset", dataset.verify, recipe.datasets, where=f"that '{name}' verifies")
            if recipe.datasets[dataset.verify].verify is not None:
                raise UsageError(f"The dataset '{name}' verifies '{dataset.verify}', which is such a set itself")
    _check_claims(recipe)


def _check_claims(recipe: Recipe) -> None:
    """Their models are those of the recipe, and no figure stands twice."""
    seen: dict[Any, int] = {}
    for number, claim in enumerate(recipe.claims):
        if claim.model is not None and claim.model not in recipe.models:
            raise unknown("model", claim.model, recipe.models, where=f"in 'claims.{number}'")
        first = seen.setdefault((claim.subject, claim.kind), number)
        if first != number:
            raise UsageError(
                f"'claims.{number}' is about the same as 'claims.{first}' and of the same kind ({claim.kind}): leave "
                "one out, or say in 'named' which models they are of"
            )


def _says_what(recipe: Recipe, entry: DatasetEntry) -> bool:
    if entry.verify in recipe.datasets:
        return _says_what(recipe, recipe.datasets[entry.verify])
    return any(part is not None for part in (entry.split, entry.path, entry.carve, entry.verify))


def lineage(recipe: Recipe, name: str) -> list[str]:
    """The chain of models from the loaded one to `name`, oldest first. Raises UsageError when it is a cycle."""
    chain = [name]
    while (parent := recipe.models[chain[-1]].parent) is not None:
        if parent in chain:
            circle = " <- ".join([*chain[chain.index(parent) :], parent])
            raise UsageError(
                f"The lineage of model '{name}' is a cycle: {circle}. One of them must have 'model: NAME'."
            )
        if parent not in recipe.models:
            raise unknown("model", parent, recipe.models, where=f"in '{chain[-1]}'")
        chain.append(parent)
    return chain[::-1]


def select_models(recipe: Recipe, wanted: Iterable[str] | None) -> tuple[list[str], list[str]]:
    """Models to evaluate in recipe order, and those among them that were added because others descend from them."""
    if wanted is None:
        return list(recipe.models), []
    asked = list(dict.fromkeys(wanted))
    for name in asked:
        if name not in recipe.models:
            raise unknown("model", name, recipe.models, where=f"in recipe '{recipe.name}'")
    needed = {ancestor for name in asked for ancestor in lineage(recipe, name)}
    chosen = [name for name in recipe.models if name in needed]
    return chosen, [name for name in chosen if name not in asked]


def to_yaml(recipe: Recipe) -> str:
    """The resolved recipe as YAML, defaults written out; of imported texts, whose decoding nobody knows, none of it."""
    data = recipe.model_dump(mode="json", by_alias=True, exclude_none=True)
    if all(entry.model == IMPORTED for entry in recipe.models.values()):
        data["evaluate"] = {"datasets": data["evaluate"]["datasets"]}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _explain(item: Any) -> str:
    where = place(item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key '{where}'{_nearest_key(item['loc'])}"
    if item["type"] == "missing":
        return f"the key '{where}' is missing"
    return f"'{where}': {in_words(item)}" if where else in_words(item)


def _nearest_key(location: Sequence[Any]) -> str:
    """What was meant by a key that is not known where it stands."""
    *outer, key = location
    part = _part(outer)
    known = [field.alias or name for name, field in part.model_fields.items()]
    if close := nearest(str(key), known, 0.6):
        return f"; did you mean '{close}'?"
    if "options" in known:
        return f"; is it an option? Then write '{place([*outer, 'options', key])}'"
    return f"; known there: {', '.join(known)}"


def _part(location: Sequence[Any]) -> type[Strict]:
    """The part of a recipe that stands at a place."""
    if location and location[0] == "claims":
        parts: dict[Any, type[Strict]] = {"prompt": ClaimedPrompt, "decoding": ClaimedDecoding}
        return parts.get(location[2], ClaimEntry) if len(location) > 2 else ClaimEntry
    top: dict[str, type[Strict]] = {"datasets": DatasetEntry, "models": ModelEntry, "graders": Named}
    top |= {"profilers": Named, "evaluate": Evaluation, "grading": Grading}
    inner: dict[Any, type[Strict]] = {"pairs": PairsEntry, "rows": RowsEntry, "graders": Named, "choose": ChooseEntry}
    if len(location) > 2 and location[2] in inner:
        return Named if len(location) > 3 else inner[location[2]]
    if list(location[2:3]) == ["prompt"]:
        return PromptEntry
    return top[location[0]] if location else Recipe


def number(value: Any) -> Any:
    """YAML 1.1 reads 1e-5 as text; people mean a number."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d+)?[eE][-+]?\d+", value):
        return float(value)
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return number(value)
