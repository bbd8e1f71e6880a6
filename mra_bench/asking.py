"""Tries a model of a finished run on a question of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mra_bench.context import open_ref, ref_of
from mra_bench.contracts import CheckedModel, build_model
from mra_bench.errors import BenchError, UsageError, unknown
from mra_bench.folder import AGAIN, RECIPE, manifest_of
from mra_bench.plugins import Registry
from mra_bench.recipe import load_recipe
from mra_bench.recipe_schema import Recipe
from mra_bench.runtime import prepare_threads
from mra_bench.store import stage_record
from mra_bench.strictness import strictly
from mra_bench.types import Block, Completion, Decoding, Example, Problem, PromptStyle, Request


def ask(
    run: Path,
    model_name: str,
    question: str,
    registry: Registry,
    *,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    seed: int = 0,
) -> Completion:
    """The model's answer, asked as the run's first dataset asks. Raises UsageError for an unknown
    run or model, or an empty question."""
    if not question.strip():
        raise UsageError("The question is empty; give the text of a problem, in quotes")
    plan = manifest_of(run)
    entries = {m["name"]: m for m in plan["models"]}
    if model_name not in entries:
        raise unknown("model", model_name, entries, where=f"in {run}")
    if not (run / RECIPE).is_file():
        raise UsageError(f"{run / RECIPE} is gone. {AGAIN}: it writes that file anew and keeps what is finished")
    recipe = load_recipe(str(run / RECIPE))
    if model_name not in recipe.models:
        raise UsageError(f"{run / RECIPE} was changed: it has no model '{model_name}'. {AGAIN}")
    how = recipe.evaluate
    prepare_threads(strict=recipe.strict_determinism)
    model = _open(run, entries[model_name], recipe, registry)
    style = style_of(plan["datasets"][0])
    decoding = Decoding(
        max_new_tokens or how.max_new_tokens, temperature, how.top_p, tuple(how.stop), how.stop_after_answer
    )
    block = Block((Request(Problem("question", question, "")),), style, decoding, seed)
    completion = next(model.generate(block), None)
    if completion is None:
        raise BenchError(f"The model '{model_name}' gave no text")
    return completion


def style_of(dataset: Mapping[str, Any]) -> PromptStyle:
    """How a run's dataset was asked, by its manifest."""
    examples = tuple(Example(**example) for example in dataset.get("examples", ()))
    return PromptStyle(dataset["instruction"], dataset["answer_format"], examples, dataset.get("plain", ""))


def _open(run: Path, entry: Mapping[str, Any], recipe: Recipe, registry: Registry) -> CheckedModel:
    if entry["stage"] is None:
        loader = registry.resolve("models", entry["how"] or "")
        return build_model(loader, strictly(recipe, loader, recipe.models[entry["name"]].options))
    folder = run / entry["stage"]
    record = stage_record(folder)
    if record is None:
        raise UsageError(f"The model '{entry['name']}' is not trained yet in {run}; run the same command again")
    return open_ref(ref_of(folder, record), registry)
