"""An import as a plan: the stages of any run, with texts from a file and the file's own verdicts beside our grades."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench import __version__
from mra_bench.errors import UsageError
from mra_bench.example_rows import use_of
from mra_bench.imports.layouts import ImportedText, files_of, read_texts
from mra_bench.imports.matching import Matched, common, match, own_problems
from mra_bench.imports.model import ImportedModel
from mra_bench.loose import dataset_entry
from mra_bench.plan import Evaluated, Plan
from mra_bench.plugins import Registry
from mra_bench.problem_rows import problems_hash
from mra_bench.problem_sets import ProblemSet, read_datasets
from mra_bench.recipe import validate_recipe
from mra_bench.recipe_schema import IMPORTED, NAME, Grading, Named, Recipe
from mra_bench.store import file_hash, fingerprint
from mra_bench.types import Decoding, PromptStyle
from mra_bench.work import (
    GenerateWork,
    GradeWork,
    PlannedModel,
    Stage,
    VerdictWork,
    generate_stage,
    grade_stage,
    grader_facts,
    problems_stage,
)

UNKNOWN = 0  # new tokens: how the texts were decoded is not recorded
OWN = IMPORTED  # the dataset of texts whose problems come from their own file


@dataclass(frozen=True)
class Order:
    """What is imported. files: FILE or NAME=FILE. data: NAME[:SPLIT] or NAME[:SPLIT]=FILE, None for the problems that
    the files hold. fields: paths by name. score: which score of the tool is its verdict, "" for the first."""

    files: Sequence[str]
    layout: str
    data: str | None = None
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)
    score: str = ""
    name: str = "imported"
    graders: Sequence[Any] = ("sympy",)
    seconds: float | None = None


@dataclass(frozen=True)
class Source:
    """A file that is imported, what it is called in messages, and its texts by model."""

    path: Path
    sha256: str
    models: Mapping[str, Sequence[ImportedText]]


def plan_import(order: Order, registry: Registry) -> Plan:
    """Read the files, match their texts with problems and lay out the stages. Raises UsageError for anything that
    cannot work, before any work starts."""
    sources = _sources(order)
    models = {name: source for source in sources for name in source.models}
    label, entry = dataset_entry(order.data) if order.data else (OWN, {"data": OWN, "split": "test"})
    recipe = _recipe(order, models, label, entry)
    every = [text for source in sources for texts in source.models.values() for text in texts]
    data = _problem_set(recipe, registry, label, every if order.data is None else None)
    matched = [match(name, models[name].models[name], data.problems) for name in models]
    problems, kept = common(matched, data.problems)
    samples = len(kept[0].texts[problems[0].id])
    if samples > 1:
        recipe = _recipe(order, models, label, entry, samples)
    chosen = dataclasses.replace(data, problems=problems, hash=problems_hash(problems))
    facts = {
        one.model: _facts(order, models[one.model], before, one, data, chosen)
        for before, one in zip(matched, kept, strict=True)
    }
    return _Laid(recipe, registry, chosen, samples).plan(kept, facts, len(data.problems))


def _sources(order: Order) -> list[Source]:
    found: list[Source] = []
    for given in order.files:
        name, equals, file = given.partition("=")
        path = Path(file) if equals and not Path(given).exists() else Path(given)
        named = name if equals and path != Path(given) else ""
        if named and not NAME.fullmatch(named):
            raise UsageError(f"{given}: a name may hold letters, digits, '.', '_' and '-' only; got '{named}'")
        files = files_of(path, order.layout)
        texts = [text for one in files for text in read_texts(one, order.layout, order.fields, order.score)]
        found.append(Source(path, _hash(path, files), _by_model(texts, named, path)))
    names = [name for source in found for name in source.models]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two of the files hold texts of '{twice}'. Name one of them otherwise: OTHER=FILE")
    return found


def _hash(path: Path, files: Sequence[Path]) -> str:
    """The sha256 of a file; of a folder that of its files' names and hashes."""
    if files == [path]:
        return file_hash(path)
    return fingerprint({file.relative_to(path).as_posix(): file_hash(file) for file in files})


def _by_model(texts: Iterable[ImportedText], named: str, path: Path) -> dict[str, list[ImportedText]]:
    """The texts by model: `named`, or where the file tells models apart what it calls them, or the file's name."""
    by_own: dict[str, list[ImportedText]] = {}
    for text in texts:
        by_own.setdefault(text.model, []).append(text)
    if named and len(by_own) == 1:
        return {named: next(iter(by_own.values()))}
    prefix = f"{named}-" if named else ""
    found: dict[str, list[ImportedText]] = {}
    for own, rows in by_own.items():
        name = prefix + (as_name(own) or as_name(path.stem) or "model")
        if name in found:
            raise UsageError(f"{path}: '{own}' and another model of this file would both be called '{name}'")
        found[name] = rows
    return found


def as_name(text: str) -> str:
    """The nearest name to what another tool calls a model: "openai/gpt-4o" becomes "openai-gpt-4o"."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text).strip("._-")[:80]


def _recipe(
    order: Order, models: Mapping[str, Source], label: str, entry: Mapping[str, Any], samples: int = 1
) -> Recipe:
    return validate_recipe(
        {
            "name": order.name,
            "description": f"Texts of {', '.join(models)}, imported from {order.layout}; nothing was generated.",
            "datasets": {label: dict(entry)},
            "models": {
                name: {"model": IMPORTED, "options": {"path": str(source.path), "format": order.layout}}
                for name, source in models.items()
            },
            "graders": list(order.graders),
            "grading": {} if order.seconds is None else {"seconds": order.seconds},
            # How the texts were decoded is not known; several for a problem were hardly all greedy.
            "evaluate": {"datasets": [label], **({"samples": samples, "temperature": 1.0} if samples > 1 else {})},
        },
        "the import",
    )


def _problem_set(recipe: Recipe, registry: Registry, label: str, texts: Sequence[ImportedText] | None) -> ProblemSet:
    """The named split, or the problems of the texts themselves where these are given."""
    if texts is None:
        return read_datasets(recipe, registry, [label])[label]
    problems = tuple(own_problems(texts))
    use = use_of(recipe.datasets[label])
    return ProblemSet(label, use.data, use.split, problems, PromptStyle(), problems_hash(problems))


def _facts(
    order: Order, source: Source, before: Matched, one: Matched, data: ProblemSet, chosen: ProblemSet
) -> dict[str, Any]:
    """What run.json says of a model's texts: the file, and how its rows stand to the problems."""
    missing = [problem.id for problem in data.problems if problem.id not in before.texts]
    said = [text.correct for text in source.models[one.model] if text.correct is not None]
    texts = [[problem.id, text.text] for problem in chosen.problems for text in one.texts[problem.id]]
    return {
        "format": order.layout,
        "file": source.path.name,
        "sha256": source.sha256,
        "texts": fingerprint(texts),
        "score": source.models[one.model][0].score,
        "fields": dict(order.fields),
        "rows": before.rows,
        "extra": len(before.extra),
        "missing": len(missing),
        "left_out": len(before.texts) - len(one.texts),
        "repeated": one.repeated,
        "failed": before.failed,
        "published": {"said": len(said), "correct": sum(said)},
    }


class _Laid:
    """The stages of an import."""

    def __init__(self, recipe: Recipe, registry: Registry, data: ProblemSet, samples: int) -> None:
        self.recipe, self.registry, self.data, self.samples = recipe, registry, data, samples
        self.problems = problems_stage(data)

    def plan(self, matched: Sequence[Matched], facts: Mapping[str, Mapping[str, Any]], split: int) -> Plan:
        stages: dict[str, Stage] = {self.problems.folder: self.problems}
        models, evaluations = [], []
        for one in matched:
            model = self._model(one, facts[one.model])
            evaluated = self._evaluated(model, one, facts[one.model])
            models.append(model)
            evaluations.append(evaluated)
            stages |= {stage.folder: stage for stage in evaluated.stages}
        return Plan(
            recipe=self.recipe,
            models=tuple(models),
            added=(),
            datasets={self.data.name: self.data},
            stages=tuple(stages.values()),
            evaluations=tuple(evaluations),
            overlaps=(),
            imported={"problems": len(self.data.problems), "split": split, "models": dict(facts)},
        )

    def _model(self, one: Matched, facts: Mapping[str, Any]) -> PlannedModel:
        entry = self.recipe.models[one.model]
        model = ImportedModel(one.texts, {key: facts[key] for key in ("format", "file", "sha256", "texts")})
        identity = {**model.identity(), "loader": f"{IMPORTED}@{__version__}"}
        return PlannedModel(one.model, entry, model.as_loader(), entry.options, identity, 0)

    def _evaluated(self, model: PlannedModel, one: Matched, facts: Mapping[str, Any]) -> Evaluated:
        decoding = Decoding(max_new_tokens=UNKNOWN, temperature=self.recipe.evaluate.temperature)
        work = GenerateWork(model, self.data, decoding, self.samples, self.recipe.seed, self.recipe.block_size)
        texts = generate_stage(self.problems, work)
        works = [self._grader(grader) for grader in self.recipe.graders]
        grades = tuple(grade_stage(texts, self.problems, work) for work in works)
        said = {key: facts[key] for key in ("format", "file", "sha256", "score", "fields")}
        verdict = VerdictWork(self.data, one.texts, works[0])
        verdicts = Stage("verdict", texts.name, {**said, **grader_facts(works[0])}, (texts, self.problems), verdict)
        return Evaluated(self.data.name, model.name, self.problems, texts, grades, verdicts=(verdicts,))

    def _grader(self, grader: Named) -> GradeWork:
        limits: Grading = self.recipe.grading
        return GradeWork(self.data, grader, self.registry.resolve("graders", grader.name), limits)
