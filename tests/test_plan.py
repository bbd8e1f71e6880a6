"""From recipe to stages: order, fingerprints that follow what changed, carving, limits, contamination."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mra_bench.costs import parameters_of, stage_cost
from mra_bench.errors import BenchError, UsageError
from mra_bench.manifest import manifest
from mra_bench.plan import Plan, make_plan
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.recipe import validate_recipe
from mra_bench.recipes import read_recipe
from mra_bench.settings import apply_setting
from mra_bench.types import PromptStyle


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def plan_of(registry: Registry, *settings: str, wanted: list[str] | None = None) -> Plan:
    data = read_recipe("smoke")
    for setting in settings:
        apply_setting(data, setting)
    return make_plan(validate_recipe(data, "smoke"), registry, wanted)


def folders(plan: Plan) -> dict[str, str]:
    return {f"{stage.kind} {stage.name}": stage.folder for stage in plan.stages}


def test_stages_come_after_what_they_read(registry: Registry) -> None:
    plan = plan_of(registry)
    seen: set[str] = set()
    for stage in plan.stages:
        assert all(source.folder in seen for source in stage.inputs), stage.label
        seen.add(stage.folder)
    assert [stage.label for stage in plan.stages if stage.kind == "train"] == ["train sft", "train dpo"]


def test_every_model_is_evaluated_before_and_after_training(registry: Registry) -> None:
    plan = plan_of(registry, wanted=["dpo"])
    assert plan.added == ("base", "sft")
    assert [e.model for e in plan.evaluations] == ["base", "sft", "dpo"]
    assert len({e.problems.folder for e in plan.evaluations}) == 1


def test_the_same_recipe_gives_the_same_fingerprints(registry: Registry) -> None:
    assert folders(plan_of(registry)) == folders(plan_of(registry))


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("models.dpo.options.beta=0.2", {"train dpo", "generate dpo-test", "grade sympy-dpo-test"}),
        ("models.sft.options.max_steps=21", None),
        ("evaluate.max_new_tokens=64", None),
        (
            "models.dpo.pairs.pairs_per_problem=1",
            {"pair dpo", "train dpo", "generate dpo-test", "grade sympy-dpo-test"},
        ),
        ("description=other words", set()),
        # which built pairs are left out is known once they are built, so the training that reads them is another one
        ("contamination=drop", {"train dpo", "generate dpo-test", "grade sympy-dpo-test"}),
        ("contamination=allow", set()),
    ],
)
def test_a_change_reaches_exactly_what_depends_on_it(
    registry: Registry, setting: str, changed: set[str] | None
) -> None:
    before, after = folders(plan_of(registry)), folders(plan_of(registry, setting))
    different = {label for label in before if before[label] != after[label]}
    if changed is not None:
        assert different == changed
    else:
        assert "train dpo" in different
        assert "problems test" not in different


def test_the_seed_reaches_training_and_sampling_but_not_the_problems(registry: Registry) -> None:
    before, after = folders(plan_of(registry)), folders(plan_of(registry, "seed=1"))
    different = {label for label in before if before[label] != after.get(label)}
    assert {"train sft", "train dpo", "generate sft-train-sampled", "pair dpo"} <= different
    assert "problems test" not in different
    assert "problems train" not in different


def test_a_graders_options_redo_its_grades_but_no_text(registry: Registry) -> None:
    before = folders(plan_of(registry, wanted=["base"]))
    after = folders(plan_of(registry, "graders=[{name: sympy, options: {rounding_digits: 5}}]", wanted=["base"]))
    assert {label for label in before if before[label] != after[label]} == {"grade sympy-base-test"}


@pytest.mark.parametrize("setting", ["grading.seconds=3", "grading.memory_mb=512"])
def test_a_graders_limit_redoes_the_grades_and_what_depends_on_them(registry: Registry, setting: str) -> None:
    before, after = folders(plan_of(registry)), folders(plan_of(registry, setting))
    different = {label for label in before if before[label] != after[label]}
    grades = {label for label in before if label.startswith("grade ")}
    assert len(grades) == 4
    assert different == grades | {"pair dpo", "train dpo", "generate dpo-test"}
    assert folders(plan_of(registry, "grading.seconds=10", "grading.memory_mb=2048")) == before


def test_carved_problems_are_in_no_other_set(registry: Registry) -> None:
    plan = plan_of(registry, "evaluate.datasets=[test, dev]")
    train, dev = ({p.id for p in plan.datasets[name].problems} for name in ("train", "dev"))
    assert len(dev) == 64
    assert not train & dev
    again = plan_of(registry, "evaluate.datasets=[test, dev]", "seed=7", "datasets.train.limit=50")
    assert {p.id for p in again.datasets["dev"].problems} == dev


def test_a_limit_on_a_carved_set_leaves_training_as_it_is(registry: Registry) -> None:
    full = plan_of(registry, "evaluate.datasets=[test, dev]")
    short = plan_of(registry, "evaluate.datasets=[test, dev]", "datasets.dev.limit=5")
    assert len(short.datasets["dev"].problems) == 5
    assert short.datasets["train"] == full.datasets["train"]


def test_a_recipe_says_how_a_set_is_asked(registry: Registry) -> None:
    plain, boxed = plan_of(registry), plan_of(registry, "datasets.train.prompt.instruction=Think.")
    assert plain.datasets["train"].style == PromptStyle("", "boxed")
    for name in ("train", "dev"):
        if name in boxed.datasets:
            assert boxed.datasets[name].style == PromptStyle("Think.", "boxed")
    assert boxed.datasets["test"].style == plain.datasets["test"].style
    assert folders(boxed)["generate base-test"] == folders(plain)["generate base-test"]
    assert folders(boxed)["train sft"] != folders(plain)["train sft"]


def test_greedy_texts_do_not_depend_on_the_seed(registry: Registry) -> None:
    before, after = folders(plan_of(registry)), folders(plan_of(registry, "seed=1"))
    assert before["generate base-test"] == after["generate base-test"]


def test_a_model_alone_needs_nothing_of_its_children(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "What is 2?", "text": "1"}\n')
    data = file_recipe(tmp_path, ["What is 1?"], ["What is 2?"])
    data["models"]["base"] = {"model": "echo", "options": {"path": str(tmp_path / "a.jsonl")}}
    assert [m.name for m in make_plan(validate_recipe(data, "x"), registry, ["base"]).models] == ["base"]


def test_a_model_that_cannot_answer_a_dataset_is_refused_by_name(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "What is 3?", "text": "1"}\n')
    data = file_recipe(tmp_path, ["What is 1?"], ["What is 2?"])
    data["models"] = {"base": {"model": "echo", "options": {"path": str(tmp_path / "a.jsonl")}}}
    with pytest.raises(UsageError, match="'base' cannot answer 'test'.*1 of 1 problems: 'test-00000'"):
        make_plan(validate_recipe(data, "x"), registry)


def file_recipe(folder: Path, train: list[str], test: list[str]) -> dict[str, Any]:
    for name, questions in (("train", train), ("test", test)):
        rows = [{"question": q, "answer": "1", "solution": "so \\boxed{1}"} for q in questions]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {
        "name": "files",
        "datasets": {n: {"data": n, "path": str(folder / f"{n}.jsonl"), "split": n} for n in ("train", "test")},
        "models": {"base": {"model": "tiny-qwen2"}, "sft": {"from": "base", "trainer": "sft", "data": "train"}},
        "evaluate": {"datasets": ["test"]},
    }


def test_contamination_in_the_plan(registry: Registry, tmp_path: Path) -> None:
    data = file_recipe(tmp_path, ["What is 1 + 1?", "What is 2 + 2?", "One."], ["what  is 2 + 2 ?", "What is 3 + 3?"])
    with pytest.raises(BenchError, match="--drop-contaminated"):
        make_plan(validate_recipe(data, "x"), registry)
    dropped = make_plan(validate_recipe({**data, "contamination": "drop"}, "x"), registry)
    assert [p.question for p in dropped.datasets["train"].problems] == ["What is 1 + 1?", "One."]
    allowed = make_plan(validate_recipe({**data, "contamination": "allow"}, "x"), registry)
    assert len(allowed.datasets["train"].problems) == 3
    assert [o.problem_id for o in allowed.overlaps] == ["test-00000"]


def test_nothing_left_to_train_on(registry: Registry, tmp_path: Path) -> None:
    data = file_recipe(tmp_path, ["What is 2 + 2?"], ["What is 2 + 2?"])
    with pytest.raises(UsageError, match="nothing is left to train on"):
        make_plan(validate_recipe({**data, "contamination": "drop"}, "x"), registry)


def test_a_model_without_weights_cannot_be_a_parent(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"problem": "x", "text": "1"}\n')
    data = file_recipe(tmp_path, ["What is 1?"], ["What is 2?"])
    data["models"]["base"] = {"model": "echo", "options": {"path": str(tmp_path / "a.jsonl")}}
    with pytest.raises(UsageError, match="no checkpoint to train from"):
        make_plan(validate_recipe(data, "x"), registry)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("models.sft.trainer=stf", "Did you mean 'sft'"),
        ("models.sft.options.max_step=3", "Did you mean 'max_steps'"),
        ("models.sft.options.batch_size=0", "batch_size"),
        ("models.dpo.trainer=sft", "takes no 'pairs:'"),
        ("models.dpo.pairs.grader=simpy", "Did you mean 'sympy'"),
        ("datasets.dev.count=20000", "Cannot carve"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(registry: Registry, setting: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan_of(registry, setting, "evaluate.datasets=[test, dev]")


def test_a_trainer_on_pairs_needs_pairs(registry: Registry) -> None:
    data = {
        "name": "x",
        "datasets": {"train": {"data": "arith", "split": "train"}, "test": {"data": "arith", "split": "test"}},
        "models": {"base": {"model": "tiny-qwen2"}, "dpo": {"from": "base", "trainer": "dpo", "data": "train"}},
        "evaluate": {"datasets": ["test"]},
    }
    with pytest.raises(UsageError, match="needs 'pairs:'"):
        make_plan(validate_recipe(data, "x"), registry)


def test_two_graders_of_one_kind_are_shown_apart(registry: Registry) -> None:
    graders = "graders=[sympy, {name: sympy, options: {percent_as_number: false}}]"
    labels = [stage.label for stage in plan_of(registry, graders, wanted=["base"]).stages if stage.kind == "grade"]
    assert labels == ["grade sympy-base-test", "grade sympy(percent_as_number=False)-base-test"]


def test_looks_ask_each_problem_once_in_an_order_of_the_seed(registry: Registry) -> None:
    usual, plan = plan_of(registry), plan_of(registry, "evaluate.until_decided=true")
    name = plan.recipe.evaluate.datasets[0]
    models = [m.name for m in plan.models]
    asked = [e for e in plan.evaluations if e.look]
    assert [(e.look, e.model) for e in asked] == [(look, m) for look in range(1, 5) for m in models]
    ids = [[p.id for p in e.problems.work.problems] for e in asked if e.model == models[0]]
    assert sorted(i for part in ids for i in part) == sorted(p.id for p in plan.datasets[name].problems)
    assert [sum(map(len, ids[: look + 1])) for look in range(4)] == list(plan.looks)
    other = plan_of(registry, "evaluate.until_decided=true", "seed=1")
    assert {p.id for p in other.evaluations[-len(asked)].problems.work.problems} != set(ids[0])
    trained = [s.folder for s in usual.stages if s.kind == "train"]
    assert [s.folder for s in plan.parts[0] if s.kind == "train"] == trained
    assert all(s.kind in ("problems", "generate", "grade") for part in plan.parts[1:] for s in part)
    assert [s.folder for part in plan.parts for s in part] == [s.folder for s in plan.stages]


def test_what_a_run_is_does_not_depend_on_how_far_its_looks_went(registry: Registry) -> None:
    plan = plan_of(registry, "evaluate.until_decided=true")
    whole, short = manifest(plan), manifest(plan, 2)
    assert whole["fingerprint"] == short["fingerprint"] != plan_of(registry).fingerprint
    assert max(e.get("look", 0) for e in short["evaluations"]) == 2
    assert short["folders"] == whole["folders"][: len(short["folders"])]
    assert len(short["looks"]["problems"]) == 4
    assert "looks" not in manifest(plan_of(registry))


def test_true_is_no_number_for_an_option_either(registry: Registry) -> None:
    said = r"Model 'sft': Option 'max_steps' of the trainer 'sft': must be a number \(got True\)"
    with pytest.raises(UsageError, match=said):
        plan_of(registry, "models.sft.options.max_steps=true")
    with pytest.raises(UsageError, match=r"Option 'lora.rank' of the trainer 'sft': must be a number \(got True\)"):
        plan_of(registry, "models.sft.options.lora={rank: true}")


def test_what_a_training_generates_itself_is_in_its_cost(registry: Registry) -> None:
    settings = ("models.dpo.trainer=grpo", "models.dpo.pairs=null", "models.dpo.options={max_steps: 3, batch_size: 8}")
    plan = plan_of(registry, *settings)
    (cost,) = (stage_cost(stage) for stage in plan.stages if stage.name == "dpo")
    assert (cost.amount, cost.drawn) == (3 * 32, 3 * 32 * 128)
    assert cost.flops == parameters_of(plan.models[0]) * (2 * cost.drawn + 6 * cost.tokens)
