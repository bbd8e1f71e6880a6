"""Published figures: what a claim must say, what keeps it from being compared, and that it changes the report alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_schemas import check

from mra_bench.claims import claim_results, comparable
from mra_bench.errors import UsageError
from mra_bench.manifest import manifest
from mra_bench.plan import make_plan
from mra_bench.plan_checks import check_registered
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.recipe import load_recipe, validate_recipe
from mra_bench.recipes import read_recipe, recipe_names

CLAIM: dict[str, Any] = {
    "system": "Arena",
    "kind": "claimed",
    "model": "base",
    "weights": "Some/Model",
    "data": "gsm8k",
    "split": "test",
    "value": 40.0,
    "n": 50,
    "prompt": {"chat": True, "text": "{question}\nBox it.", "shots": 0},
    "decoding": {"temperature": 0, "max_new_tokens": 64, "stop_after_answer": False},
    "grader": "sympy@1",
    "source": "arXiv 0000.00000",
}
DECODING = {"max_new_tokens": 64, "temperature": 0.0, "top_p": 1.0, "stop": [], "stop_after_answer": False}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def recipe(*claims: dict[str, Any]) -> dict[str, Any]:
    return {**read_recipe("smoke"), "claims": list(claims)}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model": "bsae"}, ["'bsae'", "in 'claims.0'", "Did you mean 'base'"]),
        ({"kind": "regraded"}, ["claims.0.kind", "'claimed', 're-graded' or 'official'", "got 'regraded'"]),
        ({"value": 440}, ["claims.0.value", "100 or less", "got 440"]),
        ({"value": "44 %"}, ["claims.0.value", "must be a number", "got '44 %'"]),
        ({"value": None}, ["claims.0", "'value: PERCENT'", "'reason: WHY'"]),
        ({"reason": "none given"}, ["claims.0", "there is one", "'doubt'"]),
        ({"data": None}, ["claims.0", "'data: NAME'"]),
        ({"model": None}, ["claims.0", "'named: WORDS'"]),
        ({"sauce": "arXiv"}, ["unknown key 'claims.0.sauce'", "did you mean 'source'"]),
        ({"prompt": {"shot": 2}}, ["unknown key 'claims.0.prompt.shot'", "did you mean 'shots'"]),
        ({"prompt": {"text": "Think."}}, ["claims.0.prompt.text", "{question}", "got 'Think.'"]),
        ({"decoding": {"top_k": 2}}, ["unknown key 'claims.0.decoding.top_k'", "did you mean 'top_p'"]),
        ({"n": 0}, ["claims.0.n", "got 0"]),
    ],
)
def test_errors_name_the_claim_and_what_to_write(changed: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        validate_recipe(recipe({**CLAIM, **changed}), "mine.yaml")
    for word in words:
        assert word in str(caught.value)


def test_a_figure_stands_once_in_each_kind() -> None:
    validate_recipe(recipe(CLAIM, {**CLAIM, "kind": "re-graded", "value": 39.0}), "mine.yaml")
    with pytest.raises(UsageError, match=r"'claims.1' is about the same as 'claims.0'.*\(claimed\)"):
        validate_recipe(recipe(CLAIM, {**CLAIM, "value": 41.0}), "mine.yaml")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": "gms8k"}, "'gms8k' in 'claims.0'.*Did you mean 'gsm8k'"),
        ({"split": "tset"}, "'tset' of gsm8k in 'claims.0'.*Did you mean 'test'"),
        ({"data": "arith", "split": "tset"}, "'tset' of arith in 'claims.0'.*Did you mean 'test'"),
        ({"n": 1320}, "n is 1,320 in 'claims.0', but gsm8k, test, has 1,319 problems"),
    ],
)
def test_what_it_is_about_is_a_split_that_is_known(changed: dict[str, Any], said: str, registry: Registry) -> None:
    check_registered(validate_recipe(recipe(CLAIM), "x"), registry, ["base"])
    with pytest.raises(UsageError, match=said):
        check_registered(validate_recipe(recipe({**CLAIM, **changed}), "x"), registry, ["base"])


@pytest.mark.parametrize("name", recipe_names())
def test_names_and_options_of_packaged_recipes_are_known(name: str, registry: Registry) -> None:
    found = load_recipe(name)
    check_registered(found, registry, list(found.models))
    assert all(claim.doubt or claim.note or claim.value is not None for claim in found.claims)


def results_of(folder: Path, claim: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The row of a claim beside 25 of 50 problems right, by a model of the hub whose conditions are those of CLAIM but
    for what is `changed` here."""
    usual = {"hub": "Some/Model", "from": None, "n": 50, "kind": "chat", "decoding": DECODING, "examples": []}
    here = {**usual, "drawn": {}, "looks": {}, **changed}
    spec = {
        "conditions": {"prompt": {"kind": here["kind"]}},
        "style": {"instruction": "Box it.", "answer_format": "boxed", "examples": here["examples"]},
        "decoding": here["decoding"],
        "samples": 1,
    }
    (folder / "texts").mkdir(exist_ok=True)
    (folder / "texts" / "stage.json").write_text(json.dumps({"version": 1, "spec": spec, "files": {}}))
    hub = {"hub": here["hub"]} if here["hub"] else {}
    validated = validate_recipe(recipe(claim), "x").claims[0].model_dump(mode="json", exclude_none=True)
    plan = {
        "claims": [validated],
        "models": [{"name": "base", "from": here["from"], "how": "transformers", **hub}],
        "evaluations": [{"model": "base", "dataset": "test", "completions": "texts"}],
        "datasets": [{"name": "test", **here["drawn"]}],
        "graders": [{"name": "mra_sympy:sympy", "version": "1"}],
        **here["looks"],
    }
    score = {"model": "base", "n": here["n"], "accuracy": 0.5, "low": 0.4, "high": 0.6, "tokens_mean": 12.0}
    datasets = [{"name": "test", "data": "gsm8k", "split": "test", "scores": [score]}]
    (row,) = claim_results(folder, plan, datasets)
    return row


def test_alike_in_everything_they_are_compared(tmp_path: Path) -> None:
    row = results_of(tmp_path, CLAIM)
    assert [c["what"] for c in row["conditions"] if c["same"] is not True] == []
    assert row["difference"] == pytest.approx(0.1)
    assert comparable(row).startswith("Yes")


@pytest.mark.parametrize(
    ("claim", "measured", "said"),
    [
        ({}, {"hub": "Other/Model"}, "Differs: model (Some/Model; here Other/Model)."),
        ({}, {"from": "parent"}, "Differs: model (Some/Model; here trained in this run)."),
        ({}, {"hub": ""}, "Not known to be the same: model (Some/Model; here transformers, not named by the hub)."),
        ({}, {"n": 49}, "Differs: problems (50; here 49)."),
        ({}, {"drawn": {"drawn": True}}, "same: problems (50; here 50, not the first ones)."),
        ({}, {"looks": {"looks": {}}}, "same: problems (50; here 50, not the first ones)."),
        ({}, {"kind": "plain"}, "Differs: chat template (yes; here no); words of the prompt"),
        ({}, {"kind": None}, "Not known to be the same: chat template; words of the prompt."),
        ({}, {"decoding": {**DECODING, "max_new_tokens": 32}}, "Differs: new tokens (64; here 32)."),
        ({}, {"decoding": {**DECODING, "temperature": 1.0}}, "Differs: temperature (0; here 1)."),
        ({"decoding": {"samples": 64}}, {}, "Differs: samples (64; here 1)."),
        ({"n": None}, {}, "Not known to be the same: problems."),
        ({"prompt": {}}, {}, "Not known to be the same: chat template; words of the prompt; worked examples."),
        ({"decoding": {}}, {}, "Not known to be the same: temperature; new tokens; stop"),
        ({"grader": "substring"}, {}, "Differs: grader (substring; here sympy@1)."),
        ({"grader": "sympy"}, {}, "same: grader (sympy, its version not known; here sympy@1)."),
        ({"grader": None}, {}, "Not known to be the same: grader."),
        ({"doubt": "trained on test rows"}, {}, "No, trained on test rows."),
    ],
)
def test_what_differs_or_is_not_known_leaves_the_difference_out(
    claim: dict[str, Any], measured: dict[str, Any], said: str, tmp_path: Path
) -> None:
    row = results_of(tmp_path, {**CLAIM, **claim}, **measured)
    assert row["difference"] is None
    assert said in comparable(row)


def test_the_plan_names_models_of_the_hub_and_parts_that_are_not_the_first_problems(registry: Registry) -> None:
    data = {**recipe(CLAIM), "evaluate": {"datasets": ["test", "dev"]}}
    plan = make_plan(validate_recipe(data, "x"), registry, ["base"])
    assert "hub" not in manifest(plan)["models"][0]
    assert [entry.get("drawn", False) for entry in manifest(plan)["datasets"]] == [False, True]
    (model,) = plan.models
    identity = {**model.identity, "environment": {"commit": "a" * 40}}
    fetched = dataclasses.replace(model, options={"path": "Some/Model"}, identity=identity)
    assert manifest(dataclasses.replace(plan, models=(fetched,)))["models"][0]["hub"] == "Some/Model"


def test_as_many_examples_need_not_be_the_same_ones(tmp_path: Path) -> None:
    shown = {"examples": [{"id": "a", "question": "2 + 2?", "answer": "4"}]}
    row = results_of(tmp_path, {**CLAIM, "prompt": {**CLAIM["prompt"], "shots": 1}}, **shown)
    assert row["difference"] is None
    assert "worked examples" in comparable(row)


def test_other_splits_and_models_are_not_measured(tmp_path: Path) -> None:
    for changed in ({"split": "train"}, {"data": "math"}, {"model": "sft"}, {"model": None, "named": "An agent"}):
        row = results_of(tmp_path, {**CLAIM, **changed})
        assert (row["measured"], row["difference"], comparable(row)) == (None, None, "Not measured in this run.")
    row = results_of(tmp_path, {**CLAIM, "value": None, "reason": "the abstract gives none"})
    assert comparable(row) == "No figure: the abstract gives none."


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recipe without claims that has been run, and its run folder."""
    folder = tmp_path_factory.mktemp("claims")
    (folder / "test.jsonl").write_text('{"id": "a", "question": "2 + 2?", "answer": "4"}\n')
    (folder / "texts.jsonl").write_text('{"problem": "a", "text": "4"}\n')
    (folder / "mine.yaml").write_text(
        "name: mine\n"
        f"datasets: {{test: {{data: own, split: test, path: {folder / 'test.jsonl'}}}}}\n"
        f"models: {{base: {{model: echo, options: {{path: {folder / 'texts.jsonl'}}}}}}}\n"
        "evaluate: {datasets: [test]}\n"
    )
    done = here("run", "--recipe", folder / "mine.yaml", "--out", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "mine.yaml", folder / "run"


def with_claim(file: Path, **changed: Any) -> Path:
    """The recipe with a claim about its data, in a file of its own."""
    claim = {**CLAIM, "data": "own", **changed}
    other = file.with_name("claimed.yaml")
    other.write_text(f"{file.read_text()}claims: {json.dumps([claim])}\n")
    return other


def test_claims_write_a_new_report_and_make_no_stage_again(echoed: tuple[Path, Path]) -> None:
    file, out = echoed
    assert "Published figures" not in (out / "report.html").read_text()
    assert "claims" not in json.loads((out / "results.json").read_text())
    made = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")}
    for value in (40.0, 41.0):
        claimed = with_claim(file, value=value, system="<b>Arena</b>")
        done = here("run", "--recipe", claimed, "--out", out)
        assert done.returncode == 0, done.stderr
        assert {path: path.stat().st_mtime_ns for path in out.glob("*/*/*")} == made
        page, results = (out / "report.html").read_text(), json.loads((out / "results.json").read_text())
        assert results["claims"][0]["claim"]["value"] == value
        assert results["claims"][0]["measured"]["accuracy"] == 1
        assert "Published figures" in page
        assert f"{value}<small>n = 50" in page
        assert "<b>Arena</b>" not in page
        check("results", results)
        check("run", json.loads((out / "run.json").read_text()))
    before = (out / "run.json").read_text()
    assert here("run", "--recipe", claimed, "--out", out).returncode == 0
    assert (out / "run.json").read_text() == before
    assert here("audit", out).returncode == 0


def test_audit_finds_a_claim_that_was_changed(echoed: tuple[Path, Path]) -> None:
    file, out = echoed
    assert here("run", "--recipe", with_claim(file), "--out", out).returncode == 0
    record = out / "run.json"
    record.write_text(record.read_text().replace('"value": 40.0', '"value": 50.0'))
    done = here("audit", out)
    assert done.returncode == 1
    assert "recipe.yaml: claims.base.value: stored 40.0; derived 50.0 in run.json" in done.stdout
    assert "results.json: claims.0.claim.value: stored 40.0; derived 50.0" in done.stdout
