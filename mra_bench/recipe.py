"""The recipe: one YAML file that says which data, models, lineage, sampling and graders make a run. Validated here,
against its own schema and against what is registered, before anything heavy is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pydantic
import yaml

from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.plain_errors import in_words, place
from mra_bench.recipes import read_recipe

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Strict(pydantic.BaseModel):
    """A part of a recipe: unknown keys are errors, and nothing changes after validation."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _numbers_are_no_booleans(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        """Python takes true for 1; nobody means that."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind in (int, int | None, float):
            raise ValueError(f"must be a {'' if kind is float else 'whole '}number")
        return value


class PromptEntry(Strict):
    """What is said otherwise than the dataset's spec has it.

    instruction: text put before the question by prompt formats that have a place for it.
    answer_format: what counts as "in the format": boxed, hash (####), or "" for none.
    """

    instruction: str | None = None
    answer_format: Literal["boxed", "hash", ""] | None = None


class DatasetEntry(Strict):
    """A named set of problems: a split of a dataset (or of a local file), or a part carved out of another set.

    data: a dataset of `mra-bench datasets`, or any name with `path`.
    split: which split of it, as `mra-bench datasets` lists them.
    path: a local file of problems instead of the dataset's own source.
    limit: at most so many problems, the first ones.
    carve: take the problems out of this other set instead, which loses them.
    count: how many are carved out.
    prompt: how these problems are asked; a carved set is asked like the one it is from.
    """

    data: str | None = None
    split: str | None = None
    path: str | None = None
    limit: int | None = pydantic.Field(default=None, ge=1)
    carve: str | None = None
    count: int | None = pydantic.Field(default=None, ge=1)
    prompt: PromptEntry | None = None

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> DatasetEntry:
        if self.carve is not None:
            if self.count is None or self.data or self.split or self.path or self.prompt:
                raise ValueError("a carved set takes 'carve: SET', 'count: N' and perhaps 'limit: N', nothing else")
        elif self.data is None or self.count is not None:
            raise ValueError("give 'data: NAME' (and 'split'), or 'carve: SET' with 'count: N'")
        return self


class Named(Strict):
    """A registered thing with options; in YAML a bare name will do.

    name: its name in the listing of its kind.
    options: its options.
    """

    name: str
    options: dict[str, Any] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Sampling(Strict):
    """How texts are sampled from a model for training data."""

    samples_per_problem: int = pydantic.Field(default=8, ge=1)
    temperature: float = pydantic.Field(default=1.0, ge=0)
    top_p: float = pydantic.Field(default=1.0, gt=0, le=1)
    max_new_tokens: int | None = pydantic.Field(default=None, ge=1)
    problems: int | None = pydantic.Field(default=None, ge=1)


class PairsEntry(Sampling):
    """Preference pairs made by grading the parent's own samples on training problems.

    samples_per_problem: texts drawn for each problem.
    temperature: 0 is greedy.
    top_p: sample from the likeliest tokens that make up this share; 1 is all of them.
    max_new_tokens: length limit of a text; none is that of `evaluate`.
    problems: sample so many problems only, drawn by the recipe's seed; none is all.
    grader: which grader tells chosen from rejected: a name, or a mapping of name and options.
    pairs_per_problem: at most so many pairs of one problem.
    include_truncated: a text cut at the length limit may be a rejected one.
    reference_when_unsolved: the reference solution is chosen where no sample is right.
    min_characters: shorter texts enter no pair.
    """

    grader: Named = Named(name="sympy")
    pairs_per_problem: int = pydantic.Field(default=2, ge=1)
    include_truncated: bool = False
    reference_when_unsolved: bool = True
    min_characters: int = pydantic.Field(default=2, ge=0)

    @pydantic.model_validator(mode="after")
    def _differ(self) -> PairsEntry:
        if self.samples_per_problem > 1 and self.temperature == 0:
            raise ValueError(
                "several samples at temperature 0 are all the same; set a temperature, or samples_per_problem to 1"
            )
        return self


class ModelEntry(Strict):
    """A model: loaded (`model`, `options`), or trained from another one (`from`, `trainer`, `data`, `options`).

    model: a loader of `mra-bench models`, for a model that is loaded.
    from: the model of this recipe that it is trained from.
    trainer: a trainer of `mra-bench trainers`.
    data: the dataset of this recipe that it is trained on.
    options: options of the loader or trainer.
    pairs: how preference pairs are made, for a trainer that learns from pairs.
    control_for: the model that this one is the equal-budget control of.
    seed: seed of its training; none is one derived from the recipe's seed and the model's name.
    """

    model: str | None = None
    parent: str | None = pydantic.Field(default=None, alias="from")
    trainer: str | None = None
    data: str | None = None
    options: dict[str, Any] = {}
    pairs: PairsEntry | None = None
    control_for: str | None = None
    seed: int | None = None

    @pydantic.model_validator(mode="after")
    def _loaded_or_trained(self) -> ModelEntry:
        if (self.model is None) == (self.parent is None):
            raise ValueError("give either 'model: NAME' (loaded) or 'from: MODEL' with 'trainer: NAME' (trained)")
        if self.parent is not None and (self.trainer is None or self.data is None):
            raise ValueError("a trained model needs 'trainer: NAME' and 'data: SET'")
        if self.model is not None and (self.trainer or self.data or self.pairs or self.control_for):
            raise ValueError("a loaded model takes 'model' and 'options' only")
        return self


class Evaluation(Strict):
    """How every model is evaluated.

    datasets: names of this recipe's datasets; the verdict is about the first.
    max_new_tokens: length limit of a text.
    samples: texts for each problem; more than one needs a temperature.
    temperature: 0 is greedy.
    top_p: sample from the likeliest tokens that make up this share; 1 is all of them.
    stop: strings that end a text and are cut from it.
    stop_after_answer: end a text behind its first closed boxed answer.
    until_decided: ask the first dataset's problems in four looks, and no more once every comparison of the verdict is
        decided; such a run has sequential figures and stands outside leaderboards.
    repeat: how often every evaluation is made, each further time in other batches; texts and verdicts that differ are
        counted, and the figures stay those of the first time.
    """

    datasets: list[str] = pydantic.Field(min_length=1)
    max_new_tokens: int = pydantic.Field(default=512, ge=1)
    samples: int = pydantic.Field(default=1, ge=1)
    temperature: float = pydantic.Field(default=0.0, ge=0)
    top_p: float = pydantic.Field(default=1.0, gt=0, le=1)
    stop: list[str] = []
    stop_after_answer: bool = False
    until_decided: bool = False
    repeat: int = pydantic.Field(default=1, ge=1)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> Evaluation:
        if len(set(self.datasets)) < len(self.datasets):
            raise ValueError("a dataset is named twice in 'datasets'")
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "several samples at temperature 0 are all the same; set evaluate.temperature, or evaluate.samples to 1"
            )
        if self.repeat > 1 and self.until_decided:
            raise ValueError(
                "repeat (--repeat) asks all problems again and until_decided (--until-decided) as few as it can: leave "
                "one of them out"
            )
        return self


class Grading(Strict):
    """What one text may cost its grader. A changed limit grades again.

    seconds: wall time; a text that takes longer counts as timed out.
    memory_mb: memory beyond the worker's own, where the platform limits it.
    """

    seconds: float = pydantic.Field(default=10.0, gt=0, allow_inf_nan=False)
    memory_mb: int = pydantic.Field(default=2048, ge=1)


class Recipe(Strict):
    """A whole recipe. See `mra-bench recipes new` for a commented example.

    name: names the run folder.
    description: one or two sentences for the report.
    seed: of sampling, of the choice of pairs, and of training.
    datasets: name and entry of each set of problems.
    models: name and entry of each model.
    evaluate: how all of them are evaluated.
    graders: names, or mappings of name and options; the first one's grades count.
    grading: what one text may cost its grader.
    contamination: what happens to training rows that are test questions.
    block_size: texts in a unit of work and of resume.
    strict_determinism: the same texts and weights whatever is computed beside them: fp32, each text by itself, one
        thread. Slow.
    """

    name: str
    description: str = ""
    seed: int = pydantic.Field(default=0, ge=0)
    datasets: dict[str, DatasetEntry]
    models: dict[str, ModelEntry]
    evaluate: Evaluation
    graders: list[Named] = pydantic.Field(default=[Named(name="sympy")], min_length=1)
    grading: Grading = Grading()
    contamination: Literal["refuse", "allow", "drop"] = "refuse"
    block_size: int = pydantic.Field(default=256, ge=1)
    strict_determinism: bool = False

    @pydantic.model_validator(mode="after")
    def _names(self) -> Recipe:
        for what, names in (("recipe", [self.name]), ("model", self.models), ("dataset", self.datasets)):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"the {what} name {name!r} may hold letters, digits, '.', '_' and '-' only")
        return self


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
        for other in filter(None, (entry.parent, entry.control_for)):
            if other not in recipe.models:
                raise unknown("model", other, recipe.models, where=f"in '{name}'")
        if entry.data is not None and entry.data not in recipe.datasets:
            raise unknown("dataset", entry.data, recipe.datasets, where=f"in model '{name}'")
        if entry.data is not None and not _says_what(recipe.datasets[entry.data]):
            raise UsageError(f"Say which split '{entry.data}' is: model '{name}' trains on it, and test must not be it")
        if entry.control_for is not None and recipe.models[entry.control_for].parent != entry.parent:
            raise UsageError(
                f"'{name}' is no control for '{entry.control_for}': they are trained from different models"
            )
        lineage(recipe, name)
    for used in recipe.evaluate.datasets:
        if used not in recipe.datasets:
            raise unknown("dataset", used, recipe.datasets, where="in 'evaluate'")
    for name, dataset in recipe.datasets.items():
        if dataset.carve is not None:
            if dataset.carve not in recipe.datasets:
                raise unknown("dataset", dataset.carve, recipe.datasets, where=f"that '{name}' is carved from")
            if recipe.datasets[dataset.carve].carve is not None:
                raise UsageError(f"The dataset '{name}' is carved from '{dataset.carve}', which is carved itself")


def _says_what(entry: DatasetEntry) -> bool:
    return any(part is not None for part in (entry.split, entry.path, entry.carve))


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
    """The resolved recipe as YAML, defaults written out."""
    data = recipe.model_dump(mode="json", by_alias=True, exclude_none=True)
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
    top: dict[str, type[Strict]] = {"datasets": DatasetEntry, "models": ModelEntry, "graders": Named}
    top |= {"evaluate": Evaluation, "grading": Grading}
    if list(location[2:3]) == ["pairs"]:
        return Named if len(location) > 3 else PairsEntry
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
