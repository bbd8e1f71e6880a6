"""What a plan needs of the plugins: checked by name and option, before data is read."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from mra_bench.claim_schema import ClaimEntry
from mra_bench.contracts import check_trainer
from mra_bench.dataset_spec import UNVERIFIED
from mra_bench.datasets import LIST_COMMAND, dataset_names, dataset_spec, spec_of
from mra_bench.dev_sets import chosen_by
from mra_bench.errors import UsageError, unknown
from mra_bench.example_rows import use_of
from mra_bench.plugins import Registry, word
from mra_bench.recipe_schema import IMPORTED, BuiltData, ModelEntry, Named, PairsEntry, Recipe
from mra_bench.strictness import check_promise, strictly


def check_registered(recipe: Recipe, registry: Registry, names: Sequence[str]) -> None:
    """Every grader, loader, trainer and dataset the chosen models need exists and accepts its options; where a run ends
    once it knows, there are two models to compare. Raises UsageError."""
    if recipe.evaluate.until_decided and len(names) < 2:
        raise UsageError(
            "until_decided compares models, and this run has one. Name another (--models of a recipe, --model without "
            "one), or leave --until-decided out"
        )
    for grader in recipe.graders:
        registry.resolve("graders", grader.name).parse_options(grader.options)
    for profiler in recipe.profilers:
        registry.resolve("profilers", profiler.name).parse_options(profiler.options)
    for name in names:
        entry = recipe.models[name]
        if entry.model == IMPORTED:
            raise UsageError(
                f"The texts of '{name}' were imported: what wrote them is not here, so nothing can be generated. "
                "`mra-bench import` reads the file that they come from"
            )
        if entry.model is not None:
            loader = registry.resolve("models", entry.model)
            with of_model(name):
                loader.parse_options(strictly(recipe, loader, entry.options))
            continue
        trainer = registry.resolve("trainers", entry.trainer or "")
        if (trainer.consumes == "pairs") != (entry.pairs is not None):
            need = "needs 'pairs:'" if trainer.consumes == "pairs" else "takes no 'pairs:'"
            raise UsageError(f"The trainer '{entry.trainer}' of model '{name}' {need} in the recipe")
        if entry.rows is not None and trainer.consumes != "rows":
            raise UsageError(f"The trainer '{entry.trainer}' of model '{name}' takes no 'rows:' in the recipe")
        if entry.graders and trainer.consumes != "problems":
            raise UsageError(
                f"The trainer '{entry.trainer}' of model '{name}' learns from {trainer.consumes}, not from graded "
                "problems: leave 'graders' out"
            )
        if entry.choose is not None and not trainer.chooses:
            able = [thing.name for thing in registry.of("trainers") if thing.chooses]
            raise UsageError(
                f"The trainer '{entry.trainer}' of model '{name}' cannot choose its epoch: leave 'choose' out, or use "
                f"one that can: {', '.join(able)}"
            )
        with of_model(name):
            for grader in (*entry.graders, *_grader_of_choice(entry)):
                registry.resolve("graders", grader.name).parse_options(grader.options)
            trainer.parse_options(strictly(recipe, trainer, entry.options))
        check_trainer(trainer)
        check_promise(recipe, trainer, name)
        if entry.built is not None:
            with of_model(name):
                _check_built(entry.built, registry)
    for used in used_datasets(recipe, names):
        _check_dataset(recipe, used, registry)
    _check_claimed_data(recipe, registry)


def _check_claimed_data(recipe: Recipe, registry: Registry) -> None:
    """A published figure is about a split that is known here, or that the recipe itself has under this name."""
    own = {(entry.data, entry.split or "test") for entry in recipe.datasets.values()}
    for number, claim in enumerate(recipe.claims):
        where, named = f"in 'claims.{number}'", [data for data, _ in own if data]
        if claim.data is None or claim.data in (known := dataset_names(registry)):
            _check_claimed_split(claim, own, where, registry)
        elif claim.data not in named:
            raise unknown("dataset", claim.data, [*known, *named], LIST_COMMAND, where=where)


def _check_claimed_split(
    claim: ClaimEntry, own: Collection[tuple[str | None, str]], where: str, registry: Registry
) -> None:
    """The split is one of the dataset's, or of the recipe's files under its name, and holds as many problems."""
    if claim.data is None or claim.split is None:
        return
    splits = dataset_spec(claim.data, registry).splits
    if splits and claim.split not in splits and (claim.data, claim.split) not in own:
        raise unknown("split", claim.split, splits, where=f"of {claim.data} {where}")
    rows = splits[claim.split].rows if claim.split in splits else UNVERIFIED
    if claim.n is not None and isinstance(rows, int) and claim.n > rows:
        raise UsageError(f"n is {claim.n:,} {where}, but {claim.data}, {claim.split}, has {rows:,} problems")


def _check_dataset(recipe: Recipe, name: str, registry: Registry) -> None:
    """A dataset's source is known; one to be verified has a builder that needs no samples and takes its options."""
    entry = recipe.datasets[name]
    if entry.data is not None:
        spec_of(use_of(entry), registry)
    if entry.verify is not None:
        builder = registry.resolve("pair_builders", entry.pair_builder)
        if builder.consumes != "problems":
            raise UsageError(
                f"The dataset '{name}' is made before any model is asked, but the pair builder '{entry.pair_builder}' "
                "needs samples. Use one that builds from problems: 'corrupted' or, for a dataset of pairs, 'given'"
            )
        try:
            builder.parse_options(entry.options or {})
        except UsageError as error:
            raise UsageError(f"Dataset '{name}': {error}") from None
        _check_dataset(recipe, entry.verify, registry)


def _grader_of_choice(entry: ModelEntry) -> list[Named]:
    return [entry.choose.grader] if entry.choose is not None and entry.choose.grader is not None else []


def _check_built(how: BuiltData, registry: Registry) -> None:
    """Builder, grader and profiler exist and take their options; a builder that needs profiles has a profiler."""
    kind = "pair_builders" if isinstance(how, PairsEntry) else "row_builders"
    builder = registry.resolve(kind, how.builder)
    options = builder.parse_options(how.options)
    registry.resolve("graders", how.grader.name).parse_options(how.grader.options)
    if how.profiler is not None:
        registry.resolve("profilers", how.profiler.name).parse_options(how.profiler.options)
    elif getattr(options, "needs_profiles", False):
        raise UsageError(
            f"The {word(kind)} '{how.builder}' builds from profiles: say whose, as in 'profiler: verifier' "
            "(`mra-bench profilers` lists them)"
        )


@contextlib.contextmanager
def of_model(name: str) -> Iterator[None]:
    """A loader or trainer may serve several models: which one has the bad option."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"Model '{name}': {error}") from None


def used_datasets(recipe: Recipe, names: Iterable[str]) -> list[str]:
    """The datasets that these models are evaluated on or trained on, or choose an epoch by, each once."""
    names = list(names)
    trained = [recipe.models[name].data for name in names] + list(chosen_by(recipe, names).values())
    return list(dict.fromkeys([*recipe.evaluate.datasets, *(d for d in trained if d is not None)]))
