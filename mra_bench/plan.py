"""From a recipe to stages: what will run, on what, under which fingerprints. Reads data and hashes, loads no model.

A stage's fingerprint covers everything that shapes its output and the fingerprints of its inputs, so a changed recipe
changes exactly the stages that depend on the change.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mra_bench.contamination import Overlap, find_overlaps, guard
from mra_bench.contracts import CheckedModel, build_model
from mra_bench.errors import UsageError
from mra_bench.json_safe import plain_options
from mra_bench.plan_checks import check_registered, used_datasets
from mra_bench.plugins import Registered, Registry
from mra_bench.preferences import PairRule
from mra_bench.problem_sets import ProblemSet, in_looks, read_datasets, sample_problems, without
from mra_bench.recipe import Grading, ModelEntry, Named, Recipe, select_models
from mra_bench.repetition import REPETITION, repeated_name
from mra_bench.runtime import prepare_threads
from mra_bench.sequential import look_sizes
from mra_bench.store import fingerprint
from mra_bench.strictness import check_promise, strictly
from mra_bench.types import Decoding

Kind = Literal["problems", "generate", "grade", "pair", "train"]
FOLDERS: Mapping[Kind, str] = {
    "problems": "problems",
    "generate": "completions",
    "grade": "grades",
    "pair": "pairs",
    "train": "models",
}


@dataclass(frozen=True)
class Stage:
    """One step: `spec` is everything that shapes the output (JSON-safe), `inputs` the stages it reads. `shown`: what a
    person is told instead of `name`, where that alone would not tell two stages apart."""

    kind: Kind
    name: str
    spec: Mapping[str, Any]
    inputs: tuple[Stage, ...] = ()
    work: Any = None
    shown: str = ""

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __post_init__(self) -> None:
        value = fingerprint({"kind": self.kind, "spec": self.spec, "inputs": [s.fingerprint for s in self.inputs]})
        object.__setattr__(self, "_fingerprint", value)

    _fingerprint: str = field(default="", init=False, repr=False, compare=False)

    @property
    def folder(self) -> str:
        return f"{FOLDERS[self.kind]}/{self.name}-{self.fingerprint[:8]}"

    @property
    def label(self) -> str:
        return f"{self.kind} {self.shown or self.name}"


@dataclass(frozen=True)
class PlannedModel:
    """A model of the plan: loaded through `loader` with `options`, or the outcome of `stage`."""

    name: str
    entry: ModelEntry
    loader: Registered
    options: Mapping[str, Any]
    identity: Mapping[str, Any]
    weight_bytes: int
    stage: Stage | None = None

    @property
    def conditions(self) -> dict[str, Any]:
        """How texts are made, without which weights: prompt format, dtype and engine; inherited along a lineage."""
        return {key: value for key, value in self.identity.items() if key not in ("weights", "environment")}


@dataclass(frozen=True)
class GenerateWork:
    model: PlannedModel
    problems: ProblemSet
    decoding: Decoding
    samples: int
    seed: int
    block_size: int
    repetition: int = 1


@dataclass(frozen=True)
class StoredTexts:
    """Texts that a run folder holds already: the work of a stage that is only read."""

    count: int


@dataclass(frozen=True)
class GradeWork:
    problems: ProblemSet
    grader: Named
    registered: Registered
    limits: Grading


@dataclass(frozen=True)
class PairWork:
    problems: ProblemSet
    parent: PlannedModel
    rule: PairRule
    seed: int


@dataclass(frozen=True)
class TrainWork:
    name: str
    parent: PlannedModel
    trainer: Registered
    options: Mapping[str, Any]
    seed: int
    problems: ProblemSet


@dataclass(frozen=True)
class Evaluated:
    """The stages that evaluate one model on one dataset, or on what one look (counted from 1) adds to it; the first of
    `grades` is the headline grader's, and the only one of a further repetition (2, 3, ...)."""

    dataset: str
    model: str
    problems: Stage
    completions: Stage
    grades: tuple[Stage, ...]
    look: int = 0
    repetition: int = 1

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (self.problems, self.completions, *self.grades)


@dataclass(frozen=True)
class Plan:
    """Everything a run will do, in order. `repeats`: the further repetitions of evaluations. `looks`: of a run that
    ends once it knows, how many of the headline's problems each look has seen; empty for others."""

    recipe: Recipe
    models: tuple[PlannedModel, ...]
    added: tuple[str, ...]
    datasets: Mapping[str, ProblemSet]
    stages: tuple[Stage, ...]
    evaluations: tuple[Evaluated, ...]
    overlaps: tuple[Overlap, ...]
    looks: tuple[int, ...] = ()
    repeats: tuple[Evaluated, ...] = ()

    @property
    def fingerprint(self) -> str:
        evaluated = [e for e in (*self.evaluations, *self.repeats) if e.look <= 1]
        shape = [[e.dataset, e.model, [g.fingerprint for g in e.grades]] for e in evaluated]
        return plan_fingerprint(self.recipe.name, self.recipe.seed, shape, self.look_problems)

    @property
    def look_problems(self) -> list[str]:
        """Fingerprints of the problems that each look adds."""
        return list(dict.fromkeys(e.problems.fingerprint for e in self.evaluations if e.look))

    @property
    def parts(self) -> list[list[Stage]]:
        """The stages before all looks, then those of each look."""
        of_look = {stage.folder: e.look for e in self.evaluations for stage in e.stages}
        return [[s for s in self.stages if of_look.get(s.folder, 0) == look] for look in range(len(self.looks) + 1)]


def plan_fingerprint(name: str, seed: int, evaluations: Any, looks: Sequence[str]) -> str:
    """What tells a run from others: name, seed, grades of each evaluation. Of looks the first one's grades and every
    one's problems, so that it does not depend on how far the run went."""
    shape = {"recipe": name, "seed": seed, "evaluations": evaluations}
    return fingerprint({**shape, "looks": list(looks)} if looks else shape)


def make_plan(recipe: Recipe, registry: Registry, wanted: Iterable[str] | None = None) -> Plan:
    """Resolve every name, read the data, check contamination and lay out the stages.

    Raises UsageError for anything that cannot work, before any work starts.
    """
    if recipe.strict_determinism:
        prepare_threads(strict=True)  # a model that is asked who it is may import torch
    names, added = select_models(recipe, wanted)
    check_registered(recipe, registry, names)
    used = used_datasets(recipe, names)
    sets = read_datasets(recipe, registry, used)
    trained_on = {recipe.models[n].data for n in names} - {None}
    overlaps = find_overlaps(
        ((f"{name}/{p.id}", p.question) for name in sorted(filter(None, trained_on)) for p in sets[name].problems),
        {name: sets[name].problems for name in recipe.evaluate.datasets},
    )
    dropped = guard(overlaps, recipe.contamination)
    if dropped:
        sets = {n: without(s, dropped) if n in trained_on else s for n, s in sets.items()}
    planner = _Planner(recipe, registry, sets, names)
    for name in names:
        planner.add_model(name)
    looks = planner.add_looks(recipe.evaluate.datasets[0]) if recipe.evaluate.until_decided else ()
    return Plan(
        recipe=recipe,
        models=tuple(planner.models.values()),
        added=tuple(added),
        datasets=sets,
        stages=tuple(planner.stages.values()),
        evaluations=tuple(planner.evaluations),
        overlaps=tuple(overlaps),
        looks=looks,
        repeats=tuple(planner.repeats),
    )


class _Planner:
    """Adds stages in the order they will run; equal stages are added once."""

    def __init__(
        self, recipe: Recipe, registry: Registry, sets: Mapping[str, ProblemSet], names: Sequence[str]
    ) -> None:
        self.names = names
        self.recipe = recipe
        self.registry = registry
        self.sets = sets
        self.models: dict[str, PlannedModel] = {}
        self.stages: dict[str, Stage] = {}
        self.evaluations: list[Evaluated] = []
        self.repeats: list[Evaluated] = []

    def add_model(self, name: str) -> None:
        entry = self.recipe.models[name]
        self.models[name] = self._loaded(name, entry) if entry.model is not None else self._trained(name, entry)
        for dataset in self.recipe.evaluate.datasets[self.recipe.evaluate.until_decided :]:
            self._evaluate(self.models[name], self.sets[dataset])

    def add_looks(self, dataset: str) -> tuple[int, ...]:
        """Evaluate all models on what each look adds, look after look; returns how many problems each has seen."""
        data = self.sets[dataset]
        sizes = look_sizes(len(data.problems))
        for look, part in enumerate(in_looks(data, sizes, self.recipe.seed), start=1):
            for model in self.models.values():
                self._evaluate(model, part, dataset, look)
        return tuple(sizes)

    def _loaded(self, name: str, entry: ModelEntry) -> PlannedModel:
        loader = self.registry.resolve("models", entry.model or "")
        options = strictly(self.recipe, loader, entry.options)
        model = build_model(loader, options)
        check_promise(self.recipe, loader, name, reproducible=model.reproducible)
        checkpoint = model.checkpoint()
        size = sum(p.stat().st_size for p in checkpoint.rglob("*.safetensors")) if checkpoint else 0
        identity = {**model.identity(), "loader": f"{loader.full_name}@{loader.plugin.version}"}
        children = [n for n in self.names if self.recipe.models[n].parent == name]
        if children and checkpoint is None:
            raise UsageError(f"The model '{name}' has no checkpoint to train from, but {', '.join(children)} need it")
        self._check_problems(name, model)
        return PlannedModel(name, entry, loader, options, identity, size)

    def _check_problems(self, name: str, model: CheckedModel) -> None:
        for dataset in self.recipe.evaluate.datasets:
            try:
                model.check_problems(self.sets[dataset].problems)
            except UsageError as error:
                raise UsageError(f"The model '{name}' cannot answer '{dataset}': {error}") from error

    def _trained(self, name: str, entry: ModelEntry) -> PlannedModel:
        parent = self.models[entry.parent or ""]
        trainer = self.registry.resolve("trainers", entry.trainer or "")
        data = self.sets[entry.data or ""]
        seed = entry.seed if entry.seed is not None else _derived_seed(self.recipe.seed, name)
        if entry.pairs is not None:
            source = self._pairs(name, entry, parent, data)
        else:
            if trainer.consumes == "rows" and not any(p.solution for p in data.problems):
                raise UsageError(f"'{data.name}' has no reference solutions, so '{entry.trainer}' cannot learn from it")
            source = self._problems(data)
        given = strictly(self.recipe, trainer, entry.options)
        options = trainer.parse_options(given)
        spec = {
            "trainer": f"{trainer.full_name}@{trainer.plugin.version}",
            "options": plain_options(options),
            "parent": _weights_of(parent),
            "conditions": parent.conditions,
            "style": dataclasses.asdict(data.style),
            "seed": seed,
        }
        inputs = (source,) if parent.stage is None else (source, parent.stage)
        stage = self._add(Stage("train", name, spec, inputs, TrainWork(name, parent, trainer, given, seed, data)))
        identity = {**parent.identity, "weights": {"trained": stage.fingerprint}}
        return PlannedModel(name, entry, parent.loader, parent.options, identity, parent.weight_bytes, stage)

    def _pairs(self, name: str, entry: ModelEntry, parent: PlannedModel, data: ProblemSet) -> Stage:
        pairs = entry.pairs
        assert pairs is not None
        subset = sample_problems(data, pairs.problems, self.recipe.seed)
        decoding = Decoding(
            max_new_tokens=pairs.max_new_tokens or self.recipe.evaluate.max_new_tokens,
            temperature=pairs.temperature,
            top_p=pairs.top_p,
            stop=tuple(self.recipe.evaluate.stop),
            stop_after_answer=self.recipe.evaluate.stop_after_answer,
        )
        problems = self._problems(subset)
        completions = self._generate(problems, self._texts(parent, subset, decoding, pairs.samples_per_problem))
        grades = self._grade(completions, subset, problems, pairs.grader)
        rule = PairRule(
            pairs_per_problem=pairs.pairs_per_problem,
            include_truncated=pairs.include_truncated,
            reference_when_unsolved=pairs.reference_when_unsolved,
            min_characters=pairs.min_characters,
        )
        spec = {"rule": dataclasses.asdict(rule), "seed": self.recipe.seed}
        work = PairWork(subset, parent, rule, self.recipe.seed)
        return self._add(Stage("pair", name, spec, (problems, completions, grades), work))

    def _evaluate(self, model: PlannedModel, data: ProblemSet, dataset: str | None = None, look: int = 0) -> None:
        how = self.recipe.evaluate
        decoding = Decoding(how.max_new_tokens, how.temperature, how.top_p, tuple(how.stop), how.stop_after_answer)
        problems = self._problems(data)
        work = self._texts(model, data, decoding, how.samples)
        completions = self._generate(problems, work)
        grades = tuple(self._grade(completions, data, problems, grader) for grader in self.recipe.graders)
        self.evaluations.append(Evaluated(dataset or data.name, model.name, problems, completions, grades, look))
        for repetition in range(2, how.repeat + 1):
            completions = self._generate(problems, dataclasses.replace(work, repetition=repetition))
            grades = (self._grade(completions, data, problems, self.recipe.graders[0]),)
            self.repeats.append(Evaluated(data.name, model.name, problems, completions, grades, 0, repetition))

    def _problems(self, data: ProblemSet) -> Stage:
        spec = {"data": data.data, "split": data.split, "hash": data.hash}
        return self._add(Stage("problems", data.name, spec, (), data))

    def _texts(self, model: PlannedModel, data: ProblemSet, decoding: Decoding, samples: int) -> GenerateWork:
        return GenerateWork(model, data, decoding, samples, self.recipe.seed, self.recipe.block_size)

    def _generate(self, problems: Stage, work: GenerateWork) -> Stage:
        model = work.model
        spec = {
            "model": _weights_of(model),
            "conditions": model.conditions,
            "style": dataclasses.asdict(work.problems.style),
            "decoding": dataclasses.asdict(work.decoding),
            "samples": work.samples,
            "seed": work.seed if work.decoding.temperature > 0 else None,  # greedy texts do not depend on it
            "block_size": work.block_size,
        }
        if work.repetition > 1:
            spec[REPETITION] = {"number": work.repetition, "seed": work.seed}
        inputs = (problems,) if model.stage is None else (problems, model.stage)
        name = repeated_name(f"{model.name}-{work.problems.name}", work.repetition)
        return self._add(Stage("generate", name, spec, inputs, work))

    def _grade(self, completions: Stage, data: ProblemSet, problems: Stage, grader: Named) -> Stage:
        registered = self.registry.resolve("graders", grader.name)
        return self._add(grade_stage(completions, problems, GradeWork(data, grader, registered, self.recipe.grading)))

    def _add(self, stage: Stage) -> Stage:
        return self.stages.setdefault(stage.folder, stage)


def grade_stage(completions: Stage, problems: Stage, work: GradeWork) -> Stage:
    """The stage in which a grader judges the texts of `completions`, whoever asks for it."""
    registered, grader = work.registered, work.grader
    spec = {
        "grader": f"{registered.full_name}@{registered.plugin.version}",
        "options": plain_options(registered.parse_options(grader.options)),
        "limits": work.limits.model_dump(),
    }
    name = f"{registered.name}-{completions.name}"
    return Stage("grade", name, spec, (completions, problems), work, f"{shown_name(grader)}-{completions.name}")


def shown_name(grader: Named) -> str:
    """A grader as a person is told of it: its name, and the options that were given."""
    given = ", ".join(f"{key}={value}" for key, value in grader.options.items())
    return f"{grader.name}{given and f'({given})'}"


def _weights_of(model: PlannedModel) -> Any:
    return model.identity.get("weights")


def _derived_seed(seed: int, name: str) -> int:
    """A training seed of its own for each model of a recipe, below 2^31."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1
