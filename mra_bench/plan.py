"""From a recipe to stages: what will run, on what, under which fingerprints. Reads data and hashes, loads no model.

A stage's fingerprint covers everything that shapes its output and the fingerprints of its inputs, so a changed recipe
changes exactly the stages that depend on the change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.builders import PairRule, RowRule
from mra_bench.contamination import Overlap, find_overlaps, guard
from mra_bench.contracts import CheckedModel, build_model
from mra_bench.dev_sets import WHAT, check_answers, chosen_by, dev_overlaps
from mra_bench.errors import UsageError
from mra_bench.json_safe import plain_options
from mra_bench.plan_checks import check_registered, of_model, used_datasets
from mra_bench.plugins import Registry
from mra_bench.predictor import Predictor, in_range
from mra_bench.problem_rows import problems_hash
from mra_bench.problem_sets import ProblemSet, in_looks, read_datasets, sample_problems, without
from mra_bench.recipe import lineage, select_models
from mra_bench.recipe_schema import BuiltData, ChooseEntry, ModelEntry, Named, PairsEntry, Recipe
from mra_bench.runtime import prepare_threads
from mra_bench.seeds import derived_seed
from mra_bench.sequential import look_sizes
from mra_bench.store import fingerprint
from mra_bench.strictness import check_promise, strictly
from mra_bench.training_texts import learnt_by, questions_of, texts_of
from mra_bench.types import Decoding
from mra_bench.work import (
    BuildWork,
    DevWork,
    GenerateWork,
    GradeWork,
    PlannedModel,
    Stage,
    TrainWork,
    generate_stage,
    grade_stage,
    grader_facts,
    problems_stage,
    profile_stage,
    weights_of,
)


@dataclass(frozen=True)
class Evaluated:
    """The stages that evaluate one model on one dataset, or on what one look (counted from 1) adds to it; the first of
    `grades` is the headline grader's, and the only one of a further repetition (2, 3, ...). `verdicts`: those of the
    tool that imported texts come from."""

    dataset: str
    model: str
    problems: Stage
    completions: Stage
    grades: tuple[Stage, ...]
    look: int = 0
    repetition: int = 1
    profiles: tuple[Stage, ...] = ()
    verdicts: tuple[Stage, ...] = ()

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (self.problems, self.completions, *self.grades, *self.profiles, *self.verdicts)


@dataclass(frozen=True)
class Plan:
    """Everything a run will do, in order. `repeats`: the further repetitions of evaluations. `looks`: of a run that
    ends once it knows, how many of the headline's problems each look has seen; empty for others. `overlaps`: of the
    recipe's training data with its evaluations; `earlier`: of what loaded models were trained on in other runs.
    `imported`: where texts come from that were not generated, empty for a run."""

    recipe: Recipe
    models: tuple[PlannedModel, ...]
    added: tuple[str, ...]
    datasets: Mapping[str, ProblemSet]
    stages: tuple[Stage, ...]
    evaluations: tuple[Evaluated, ...]
    overlaps: tuple[Overlap, ...]
    earlier: tuple[tuple[str, Overlap], ...] = ()  # (model, overlap)
    looks: tuple[int, ...] = ()
    repeats: tuple[Evaluated, ...] = ()
    imported: Mapping[str, Any] = dataclasses.field(default_factory=dict)

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
    choosers = chosen_by(recipe, names)
    trained_on = ({recipe.models[n].data for n in names} | set(choosers.values())) - {None}
    asked = questions_of(sets[name] for name in recipe.evaluate.datasets)
    overlaps = find_overlaps(texts_of(sets[name] for name in sorted(filter(None, trained_on))), asked)
    sizes = {name: len(found.problems) for name, found in sets.items()}
    dropped = guard(overlaps, recipe.contamination, sizes)
    of_dev = dev_overlaps(recipe, {name: lineage(recipe, name) for name in choosers}, sets)
    dropped |= guard(of_dev, recipe.contamination, sizes, WHAT)
    overlaps += of_dev
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
        earlier=tuple((name, o) for name, path in planner.checkpoints for o in find_overlaps(learnt_by(path), asked)),
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
        self.checkpoints: list[tuple[str, Path]] = []  # of loaded models: what they learnt may be known

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
        if checkpoint is not None:
            self.checkpoints.append((name, checkpoint))
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
        seed = entry.seed if entry.seed is not None else derived_seed(self.recipe.seed, name)
        if entry.built is not None:
            source = self._built(name, entry.built, parent, data)
        else:
            if trainer.consumes == "rows" and not any(p.solution for p in data.problems):
                raise UsageError(f"'{data.name}' has no reference solutions, so '{entry.trainer}' cannot learn from it")
            source = self._problems(data)
        given = strictly(self.recipe, trainer, entry.options)
        options = trainer.parse_options(given)
        spec = {
            "trainer": f"{trainer.full_name}@{trainer.plugin.version}",
            "options": plain_options(options),
            "parent": weights_of(parent),
            "conditions": parent.conditions,
            "style": data.style.record(),
            "seed": seed,
        }
        work = TrainWork(name, parent, trainer, given, seed, data)
        more: tuple[Stage, ...] = ()
        if entry.choose is not None:
            dev = self._dev(name, entry.choose)
            work, more = dataclasses.replace(work, dev=dev), (self._problems(dev.problems),)
            spec["choose"] = dev.facts()
        if source.kind in ("pair", "rows"):
            evaluated = [self.sets[dataset] for dataset in self.recipe.evaluate.datasets]
            evaluated += [work.dev.problems] if work.dev else []
            asked, policy = tuple(questions_of(evaluated)), self.recipe.contamination
            work = dataclasses.replace(work, asked=asked, contamination=policy)
            if policy == "drop":
                spec["dropped"] = [dataset.hash for dataset in evaluated]  # what holds their questions
        if trainer.consumes == "problems":
            graders = tuple(self._grader(data, grader) for grader in entry.graders or self.recipe.graders)
            if hasattr(options, "check_problems"):
                with of_model(name):
                    options.check_problems(data.problems, [grader.grader.name for grader in graders])
            work = dataclasses.replace(work, graders=graders, decoding=self.recipe.evaluate.decoding)
            spec["graders"] = [grader_facts(grader) for grader in graders]
            spec["decoding"] = dataclasses.asdict(work.decoding)
        inputs = (source,) if parent.stage is None else (source, parent.stage)
        stage = self._add(Stage("train", name, spec, (*inputs, *more), work))
        identity = {**parent.identity, "weights": {"trained": stage.fingerprint}}
        return PlannedModel(name, entry, parent.loader, parent.options, identity, parent.weight_bytes, stage)

    def _dev(self, name: str, choose: ChooseEntry) -> DevWork:
        """What the best epoch of a model is chosen by. It is asked greedily, whatever the evaluation does."""
        data = self.sets[choose.data]
        check_answers(data, name)
        given = self.recipe.evaluate.decoding
        longest = choose.max_new_tokens or given.max_new_tokens
        decoding = dataclasses.replace(given, max_new_tokens=longest, temperature=0.0, top_p=1.0)
        grader = self._grader(data, choose.grader or self.recipe.graders[0])
        return DevWork(data, grader, decoding, choose.keep == "all")

    def _built(self, name: str, how: BuiltData, parent: PlannedModel, data: ProblemSet) -> Stage:
        """The stage that builds what a model learns from, behind those that sample, grade and profile for it."""
        builder = self.registry.resolve("pair_builders" if isinstance(how, PairsEntry) else "row_builders", how.builder)
        subset = sample_problems(_within_reach(data, how), how.problems, self.recipe.seed)
        rule = _rule(how)
        spec = {
            "builder": f"{builder.full_name}@{builder.plugin.version}",
            "options": plain_options(builder.parse_options(how.options)),
            "rule": dataclasses.asdict(rule),
            "seed": self.recipe.seed,
        }
        inputs: tuple[Stage, ...] = (self._problems(subset),)
        if builder.consumes == "samples":
            inputs = self._samples(how, parent, subset)
        else:
            spec |= {"conditions": parent.conditions, "style": subset.style.record()}
        work = BuildWork(subset, parent, builder, how.options, rule, self.recipe.seed)
        return self._add(Stage("pair" if isinstance(rule, PairRule) else "rows", name, spec, inputs, work))

    def _samples(self, how: BuiltData, parent: PlannedModel, data: ProblemSet) -> tuple[Stage, ...]:
        """Problems, texts, grades and, where there is a profiler, profiles."""
        decoding = dataclasses.replace(
            self.recipe.evaluate.decoding,
            max_new_tokens=how.max_new_tokens or self.recipe.evaluate.max_new_tokens,
            temperature=how.temperature,
            top_p=how.top_p,
        )
        problems = self._problems(data)
        work = self._texts(parent, data, decoding, how.samples_per_problem)
        work = dataclasses.replace(work, budgets=_budgets(data, how, decoding.max_new_tokens))
        completions = self._generate(problems, work)
        grades = self._grade(completions, data, problems, how.grader)
        if how.profiler is None:
            return problems, completions, grades
        return problems, completions, grades, self._profile(completions, data, problems, how.profiler)

    def _evaluate(self, model: PlannedModel, data: ProblemSet, dataset: str | None = None, look: int = 0) -> None:
        how = self.recipe.evaluate
        problems = self._problems(data)
        work = self._texts(model, data, self.recipe.evaluate.decoding, how.samples)
        completions = self._generate(problems, work)
        grades = tuple(self._grade(completions, data, problems, grader) for grader in self.recipe.graders)
        profiles = tuple(self._profile(completions, data, problems, profiler) for profiler in self.recipe.profilers)
        self.evaluations.append(
            Evaluated(dataset or data.name, model.name, problems, completions, grades, look, profiles=profiles)
        )
        for repetition in range(2, how.repeat + 1):
            completions = self._generate(problems, dataclasses.replace(work, repetition=repetition))
            grades = (self._grade(completions, data, problems, self.recipe.graders[0]),)
            self.repeats.append(Evaluated(data.name, model.name, problems, completions, grades, 0, repetition))

    def _problems(self, data: ProblemSet) -> Stage:
        return self._add(problems_stage(data))

    def _texts(self, model: PlannedModel, data: ProblemSet, decoding: Decoding, samples: int) -> GenerateWork:
        return GenerateWork(model, data, decoding, samples, self.recipe.seed, self.recipe.block_size)

    def _generate(self, problems: Stage, work: GenerateWork) -> Stage:
        return self._add(generate_stage(problems, work))

    def _grade(self, completions: Stage, data: ProblemSet, problems: Stage, grader: Named) -> Stage:
        return self._add(grade_stage(completions, problems, self._grader(data, grader)))

    def _profile(self, completions: Stage, data: ProblemSet, problems: Stage, profiler: Named) -> Stage:
        registered = self.registry.resolve("profilers", profiler.name)
        return self._add(
            profile_stage(completions, problems, GradeWork(data, profiler, registered, self.recipe.grading))
        )

    def _grader(self, data: ProblemSet, grader: Named) -> GradeWork:
        return GradeWork(data, grader, self.registry.resolve("graders", grader.name), self.recipe.grading)

    def _add(self, stage: Stage) -> Stage:
        return self.stages.setdefault(stage.folder, stage)


def _within_reach(data: ProblemSet, how: BuiltData) -> ProblemSet:
    """The problems whose predicted chance of success the recipe asks for."""
    if how.predictor is None:
        return data
    predictor = Predictor.load(Path(how.predictor))
    kept = tuple(in_range(data.problems, predictor, *how.chance))
    if not kept:
        raise UsageError(f"By {how.predictor} no problem of '{data.name}' has a chance within {list(how.chance)}")
    name = data.name if len(kept) == len(data.problems) else f"{data.name}-chosen"
    return dataclasses.replace(data, name=name, problems=kept, hash=problems_hash(kept))


def _budgets(data: ProblemSet, how: BuiltData, most: int) -> tuple[int, ...]:
    """Each problem's length limit by the recipe's predictor, at most `most`; none where it asks for no budget."""
    if how.budget is None or how.predictor is None:
        return ()
    predictor = Predictor.load(Path(how.predictor))
    return tuple(min(most, predictor.budget(problem, how.budget)) for problem in data.problems)


def _rule(how: BuiltData) -> PairRule | RowRule:
    kind = PairRule if isinstance(how, PairsEntry) else RowRule
    return kind(**{field.name: getattr(how, field.name) for field in dataclasses.fields(kind)})
