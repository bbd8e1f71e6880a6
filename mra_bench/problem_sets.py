"""The problem sets of a recipe, read: splits, parts carved out of them, problems to verify, limits, samples."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from mra_bench.builders import BuildJob, PairRule, PairSet, Sampled
from mra_bench.contracts import run_builder
from mra_bench.dataset_hub import Lack, Unavailable
from mra_bench.dataset_spec import DatasetSpec
from mra_bench.datasets import DatasetUse, Loaded, load, spec_of, style
from mra_bench.decisions import from_pairs
from mra_bench.errors import UsageError
from mra_bench.example_rows import asked_as, use_of, without_examples
from mra_bench.plugins import Registry
from mra_bench.problem_rows import problems_hash
from mra_bench.prompt_styles import in_format
from mra_bench.recipe_schema import DatasetEntry, Recipe
from mra_bench.types import Problem, PromptStyle

VERIFIED_SEED = 0

_Cache = dict[DatasetUse, Loaded | Unavailable]


@dataclass(frozen=True)
class ProblemSet:
    """A named set of the recipe, read: its problems, how they are asked, and where they come from. `commit`: the hub's
    name for the files they were read from, None where they come from elsewhere. `templates`: the dataset whose
    templates made the questions, "" for others."""

    name: str
    data: str
    split: str
    problems: tuple[Problem, ...]
    style: PromptStyle
    hash: str
    commit: str | None = None
    templates: str = ""


def read_datasets(recipe: Recipe, registry: Registry, names: Iterable[str]) -> dict[str, ProblemSet]:
    """Load the named sets: carve first, then limit. Raises Unavailable for all splits together that no source
    gave, UsageError for an empty or too small set."""
    cache: _Cache = {}
    names = list(names)
    _read_splits(recipe, registry, names, cache)
    return {name: _read_set(recipe, registry, name, cache) for name in names}


def _read_splits(recipe: Recipe, registry: Registry, names: Iterable[str], cache: _Cache) -> None:
    """Read all splits that the named sets, then the examples of their prompts are taken from. Raises Unavailable for
    all together that no source gave."""
    sources = dict(_source(recipe, name) for name in names)
    lacks: dict[str, Lack] = {}
    for name, entry in sources.items():
        with _noting(lacks), _of_dataset(name, entry):
            _loaded(use_of(entry), registry, cache)
    for entry in sources.values():
        with _noting(lacks):
            asked_as(recipe, registry, entry, lambda one: _loaded(one, registry, cache).problems)
    if lacks:
        raise Unavailable(lacks.values())


def _source(recipe: Recipe, name: str) -> tuple[str, DatasetEntry]:
    """The dataset of the recipe whose split the problems of `name` are rows of, itself for most."""
    entry = recipe.datasets[name]
    other = entry.verify or entry.carve
    return (name, entry) if other is None else _source(recipe, other)


@contextlib.contextmanager
def _noting(lacks: dict[str, Lack]) -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        for one in error.lacks:
            lacks.setdefault(one.named, one)


@contextlib.contextmanager
def _of_dataset(name: str, entry: DatasetEntry) -> Iterator[None]:
    """A file may be given for several datasets of a recipe: for which one it is wrong."""
    try:
        yield
    except UsageError as error:
        if entry.path is None:
            raise
        raise UsageError(f"Dataset '{name}': {error}") from error


def _read_set(recipe: Recipe, registry: Registry, name: str, cache: _Cache) -> ProblemSet:
    entry = recipe.datasets[name]
    if entry.verify is not None:
        return _to_verify(name, entry, _read_set(recipe, registry, entry.verify, cache), registry)
    source = entry if entry.carve is None else recipe.datasets[entry.carve]
    use = use_of(source)
    loaded = _loaded(use, registry, cache)
    everything = loaded.problems
    carved_from = entry.carve or name
    carves = {n: e.count or 0 for n, e in recipe.datasets.items() if e.carve == carved_from}
    parts = _carve(everything, carves)
    problems = parts[name] if entry.carve is not None else [p for p in everything if p.id not in parts["taken"]]
    spec = spec_of(use, registry)
    asked = asked_as(recipe, registry, source, lambda one: _loaded(one, registry, cache).problems)
    problems = without_examples(problems, asked, name, evaluated=name in recipe.evaluate.datasets)
    chosen = tuple(_ending(problem, spec, asked) for problem in problems[: entry.limit])
    if not chosen:
        raise UsageError(f"The dataset '{name}' has no problems left")
    templates = spec.full_name if spec.templates and use.path is None else ""
    return ProblemSet(name, use.data, use.split, chosen, asked, problems_hash(chosen), loaded.commit, templates)


def _to_verify(name: str, entry: DatasetEntry, source: ProblemSet, registry: Registry) -> ProblemSet:
    """Problems for a verifier, from pairs of the problems of `source`. They are the same whatever the recipe's seed, so
    that runs at several seeds are evaluated on the same ones."""
    builder = registry.resolve("pair_builders", entry.pair_builder)
    problems = source.problems[: entry.limit]
    job = BuildJob(
        (Sampled(problem, problem.question) for problem in problems),
        PairRule(pairs_per_problem=1),
        builder.parse_options(entry.options or {}),
        VERIFIED_SEED,
    )
    built = run_builder(builder, job, PairSet)
    chosen = tuple(from_pairs(problems, built))
    if not chosen:
        why = ", ".join(f"{count:,} {reason}" for reason, count in built.no_pair.items())
        raise UsageError(f"The dataset '{name}': of no problem of '{source.name}' a pair could be made ({why})")
    return dataclasses.replace(
        source,
        name=name,
        data=f"{source.data} to verify",
        problems=chosen,
        style=PromptStyle(),
        hash=problems_hash(chosen),
    )


def _loaded(use: DatasetUse, registry: Registry, cache: _Cache) -> Loaded:
    """`load`, each split asked for once."""
    if use not in cache:
        try:
            cache[use] = load(use, registry)
        except Unavailable as error:
            cache[use] = error
    found = cache[use]
    if isinstance(found, Unavailable):
        raise found
    return found


def _ending(problem: Problem, spec: DatasetSpec, asked: PromptStyle) -> Problem:
    """The problem with a reference solution that ends as the recipe asks, where that is not how the dataset's do."""
    usual = style(spec).answer_format
    if not problem.solution or not usual or asked.answer_format in ("", usual):
        return problem
    return dataclasses.replace(problem, solution=in_format(problem.solution, problem.answer, asked.answer_format))


def _carve(problems: list[Problem], counts: Mapping[str, int]) -> dict[str, Any]:
    """Split off each named part by the hash of problem ids: the same part whatever the seed or the limit."""
    if sum(counts.values()) >= len(problems) and counts:
        raise UsageError(f"Cannot carve {sum(counts.values())} problems out of {len(problems)}")
    order = sorted(problems, key=lambda p: hashlib.sha256(p.id.encode()).digest()) if counts else []
    parts: dict[str, Any] = {"taken": set()}
    for name, count in counts.items():
        part, order = order[:count], order[count:]
        parts[name] = sorted(part, key=lambda p: p.id)
        parts["taken"] |= {p.id for p in part}
    return parts


def without(problem_set: ProblemSet, dropped: Set[str]) -> ProblemSet:
    """The set less the problems named ``<set>/<problem id>`` in `dropped`. Raises UsageError when none is left."""
    kept = tuple(p for p in problem_set.problems if f"{problem_set.name}/{p.id}" not in dropped)
    if not kept:
        raise UsageError(f"Every problem of '{problem_set.name}' is a test question; nothing is left to train on")
    return dataclasses.replace(problem_set, problems=kept, hash=problems_hash(kept))


def in_looks(data: ProblemSet, sizes: Sequence[int], seed: int) -> list[ProblemSet]:
    """The problems that each look adds, `sizes` being those seen by then: taken in a random order of the seed, and
    within a look kept in the order that they have."""
    order = random.Random(f"looks/{seed}").sample(range(len(data.problems)), len(data.problems))
    found = []
    for number, (start, end) in enumerate(itertools.pairwise([0, *sizes]), start=1):
        problems = tuple(data.problems[i] for i in sorted(order[start:end]))
        name = look_name(data.name, number)
        found.append(dataclasses.replace(data, name=name, problems=problems, hash=problems_hash(problems)))
    return found


def look_name(dataset: str, look: int) -> str:
    """What the problems are called that a look, counted from 1, adds; 0 stands for all problems."""
    return f"{dataset}-look-{look}" if look else dataset


def sample_problems(data: ProblemSet, count: int | None, seed: int) -> ProblemSet:
    """`count` training problems drawn by the seed, kept in their order."""
    if count is None or count >= len(data.problems):
        return data
    chosen = sorted(random.Random(f"pairs/{seed}").sample(range(len(data.problems)), count))
    problems = tuple(data.problems[i] for i in chosen)
    return dataclasses.replace(data, name=f"{data.name}-sampled", problems=problems, hash=problems_hash(problems))
