"""The recipes on models of the hub: each runs to its report with the embedded model in place of the hub's, on a few
rows and for a step, and says without the weights what to download. What is measured so means nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_schemas import check

from mra_bench.claims import claims_data
from mra_bench.dataset_spec import built_in_specs
from mra_bench.recipe import load_recipe
from mra_bench.recipes import recipe_names

SHARED = Path(__file__).parents[2] / "shared" / "data"
PAIR = {"instruction": "What is 2 + 2?", "chosen_response": "2 + 2 = 4.", "rejected_response": "2 + 2 = 5."}
ARITH_TRAIN = "datasets.train={data: arith, split: train, limit: 12}"


def uses_hub(recipe: str) -> bool:
    return any(model.model == "transformers" for model in load_recipe(recipe).models.values())


def rows(data: str, split: str, file: str, more: str = "") -> str:
    """An entry of `datasets` that reads rows kept beside the project."""
    if not (SHARED / file).is_file():
        pytest.skip(f"{file} is not beside the project (../shared/data)")
    return f"{{data: {data}, split: {split}, path: {SHARED / file}{more}}}"


def gsm8k(more: str = "", limit: int = 4) -> list[str]:
    """Settings by which `train` and `test` are rows of GSM8K."""
    train = rows("gsm8k", "train", "gsm8k/train.jsonl", f", limit: {limit}{more}")
    return [f"datasets.train={train}", f"datasets.test={rows('gsm8k', 'test', 'gsm8k/test.jsonl', more)}"]


def small(recipe: str, models: str, model: str = "tiny-qwen2", **training: Any) -> list[str]:
    """Settings by which these models are the embedded one, or trained for a step of two texts."""
    given = {"max_steps": 1, "batch_size": 2, "accumulation": 1, "max_length": 2048, **training}
    settings = ["evaluate.max_new_tokens=24"]
    for name in models.split(","):
        entry = load_recipe(recipe).models[name]
        if entry.model is not None:
            settings.append(f"models.{name}={{model: {model}}}")
            continue
        settings += [f"models.{name}.options.{key}={value}" for key, value in given.items()]
        if entry.built is not None and entry.built.builder != "given":
            how = "pairs" if entry.pairs else "rows"
            settings += [f"models.{name}.{how}.problems=8", f"models.{name}.{how}.samples_per_problem=2"]
    return settings


def run(recipe: str, models: str, out: Path, *settings: str) -> dict[str, Any]:
    """results.json of these models of the recipe; what is said of its claims is looked at."""
    given = [word for setting in settings for word in ("--set", setting)]
    done = here("run", "--recipe", recipe, "--models", models, "--out", out, "--limit", 3, "--quiet", *given)
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((out / "results.json").read_text())
    check("results", results)
    check("run", json.loads((out / "run.json").read_text()))
    assert "Published figures" in (out / "report.html").read_text()
    assert [row["claim"] for row in results["claims"]] == claims_data(load_recipe(recipe).claims)
    assert [row["difference"] for row in results["claims"]] == [None] * len(results["claims"])
    return results


def measured(results: dict[str, Any]) -> set[str]:
    """The models beside whose figures something was measured."""
    return {row["claim"]["model"] for row in results["claims"] if row["measured"]}


def differing(claim: dict[str, Any]) -> list[str]:
    return [condition["what"] for condition in claim["conditions"] if condition["same"] is False]


@pytest.mark.slow
def test_arena_with_graded_and_given_pairs(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text(json.dumps(PAIR) + "\n")
    models = "base,sft,dpo,dpo-public"
    public = f"datasets.public.path={tmp_path / 'pairs.jsonl'}"
    settings = [*gsm8k(", prompt: {style: hash}"), public, *small("arena", models)]
    results = run("arena", models, tmp_path / "run", *settings)
    assert measured(results) == {"base", "sft", "dpo-public"}
    of_base, *_, of_dpo = results["claims"]
    assert differing(of_base) == ["problems", "chat template", "worked examples", "new tokens", "grader"]
    assert differing(of_dpo)[0] == "model"
    assert [pairs["builder"] for pairs in results["pairs"]] == ["graded", "given"]


@pytest.mark.slow
def test_arena_on_gpt2(tmp_path: Path) -> None:
    models = "base,sft,dpo"
    settings = [*gsm8k(", prompt: {style: hash}"), *small("arena-gpt2", models, "tiny-gpt2")]
    assert measured(run("arena-gpt2", models, tmp_path, *settings)) == {"base", "sft", "dpo"}


@pytest.mark.slow
def test_mathverifier_weighs_hard_negatives_and_has_no_figure_to_compare_with(tmp_path: Path) -> None:
    models = "base,sft,dpo-weighted"
    settings = [ARITH_TRAIN, "datasets.test={data: arith, split: test}", "evaluate.datasets=[test]"]
    results = run("mathverifier", models, tmp_path, *settings, *small("mathverifier", models))
    (claim,) = results["claims"]
    assert claim["claim"]["reason"] == "the abstract gives no figure"
    assert results["pairs"][0]["builder"] == "hard-negatives"


@pytest.mark.slow
def test_slm_math_with_lora_and_full(tmp_path: Path) -> None:
    models = "base,sft-lora,sft-full"
    math = f"datasets.math={rows('math-500', 'test', 'math500/test.jsonl')}"
    results = run("slm-math", models, tmp_path, *gsm8k(), math, *small("slm-math", models))
    assert measured(results) == {"base", "sft-lora", "sft-full"}


@pytest.mark.slow
def test_repo_on_problems_of_the_training_split(tmp_path: Path) -> None:
    models = "base,repo-style"
    settings = [
        f"datasets.train={rows('math', 'train', 'math/train.jsonl', ', prompt: {style: plan}')}",
        f"datasets.math={rows('math-500', 'test', 'math500/test.jsonl', ', prompt: {style: plan}')}",
        f"datasets.gsm8k={rows('gsm8k', 'test', 'gsm8k/test.jsonl', ', prompt: {style: plan}')}",
        *small("repo-qwen", models, batch_size=4, max_new_tokens=8),
    ]
    results = run("repo-qwen", models, tmp_path, *settings)
    assert measured(results) == {"base"}
    assert results["contamination"]["policy"] == "drop"


@pytest.mark.slow
def test_two_stages(tmp_path: Path) -> None:
    models = "base,sft,grpo"
    arith = ["datasets.test={data: arith, split: test}", "evaluate.datasets=[test]", "evaluate.samples=1"]
    short = ["models.sft.rows.max_new_tokens=24", "models.grpo.options.max_new_tokens=24"]
    settings = [ARITH_TRAIN, *arith, *small("two-stage", models, batch_size=8), *short]
    results = run("two-stage", models, tmp_path, *settings)
    assert measured(results) == set()
    assert results["rows"][0]["builder"] == "own-correct"


@pytest.mark.parametrize("recipe", [name for name in recipe_names() if uses_hub(name)])
def test_without_the_weights_the_run_ends_before_any_work(recipe: str, tmp_path: Path) -> None:
    """Each error says what to download and by which setting it is given; the data are asked for first."""
    entry = load_recipe(recipe)
    done = here("run", "--recipe", recipe, "--out", tmp_path / "run", HF_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "could not be loaded" in done.stderr
    for dataset in entry.datasets.values():
        if dataset.data in built_in_specs() and (source := built_in_specs()[dataset.data].source) and source.hub:
            assert done.stderr.count(f"--data {dataset.data}:{dataset.split or 'test'}=FILE") == 1
            assert f"hf download {source.hub} --repo-type dataset --local-dir FOLDER" in done.stderr
    splits = {
        name: "test" if name in entry.evaluate.datasets else "train" for name, d in entry.datasets.items() if d.data
    }
    arith = [f"datasets.{name}={{data: arith, split: {split}, limit: 200}}" for name, split in splits.items()]
    given = [word for setting in arith for word in ("--set", setting)]
    done = here("run", "--recipe", recipe, "--out", tmp_path / "run", *given, HF_HOME=str(tmp_path))
    path = next(model.options["path"] for model in entry.models.values() if model.model)
    assert done.returncode == 1
    assert f"hf download {path} --local-dir FOLDER" in done.stderr
    assert "--set models.NAME.options.path=FOLDER" in done.stderr
    assert not (tmp_path / "run").exists()
