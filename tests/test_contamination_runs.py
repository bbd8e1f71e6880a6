"""Contamination from the plan to the report: refused, dropped or stamped, and the stamp that later runs inherit."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mra_bench.errors import UsageError
from mra_bench.manifest import run_record
from mra_bench.plan import Plan, make_plan
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.progress import QuietReporter
from mra_bench.recipe import validate_recipe
from mra_bench.run import RunOptions, execute
from mra_bench.stamps import contamination_results

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def raw(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not beside the project (../shared/data)")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def recipe(train: dict[str, Any], test: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "files",
        "datasets": {"train": train, "test": test},
        "models": {"base": {"model": "tiny-qwen2"}, "sft": {"from": "base", "trainer": "sft", "data": "train"}},
        "evaluate": {"datasets": ["test"], "max_new_tokens": 8},
        **more,
    }


def plan_of(data: dict[str, Any], registry: Registry) -> Plan:
    return make_plan(validate_recipe(data, "x"), registry)


def test_the_published_set_up_that_trains_on_math_500_is_refused(registry: Registry, tmp_path: Path) -> None:
    """REPO: the first 100 rows of MATH-500 to train on, all 500 to evaluate."""
    rows = [
        {"question": row["problem"], "answer": row["answer"], "solution": row["solution"]}
        for row in raw("math500/test.jsonl")
    ]
    train = {"data": "train", "path": write(tmp_path / "train.jsonl", rows[:100]), "split": "train"}
    test = {"data": "math500", "path": write(tmp_path / "math500.jsonl", rows)}
    with pytest.raises(UsageError) as error:
        plan_of(recipe(train, test), registry)
    said = str(error.value)
    assert said.startswith(
        "100 training rows hold test questions (100 of the 500 problems of test): train/train-00000 "
    )
    assert "--drop-contaminated" in said
    assert "--allow-contamination" in said


def test_gsm8k_passes_with_its_likenesses_listed(registry: Registry) -> None:
    raw("gsm8k/train.jsonl")
    train, test = (
        {"data": "gsm8k", "split": split, "path": str(DATA / f"gsm8k/{split}.jsonl")} for split in ("train", "test")
    )
    record = json.loads(json.dumps(run_record(plan_of(recipe(train, test), registry), {"threads": 1})))
    assert record["plan"]["contamination"]["overlaps"] == []
    assert record["plan"]["contamination"]["checked"] == 7473
    counts = {row["rule"]: (row["questions"], row["in_all"], len(row["examples"])) for row in record["listed"]}
    assert counts == {"13-gram": (3, 3, 3), "near-duplicate": (0, 1, 0), "8-gram": (77, 80, 10)}


QUESTIONS = [
    f"{name} has {n} apples and buys {n + 2} more at the market on the way home. How many apples does {name} have now?"
    for n, name in enumerate(("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn"), start=3)
]


def rows_of(questions: list[str]) -> list[dict[str, Any]]:
    return [{"question": q, "answer": "7", "solution": "It is \\boxed{7}."} for q in questions]


def test_a_dataset_of_pairs_is_held_to_them_on_both_sides(registry: Registry, tmp_path: Path) -> None:
    rows = [
        {"question": QUESTIONS[0], "solution": "It is 8.", "rejected": "It is 9."},
        {"question": "Why?", "solution": f"Next: {QUESTIONS[1]}", "rejected": "No."},
        {"question": "How?", "solution": "So.", "rejected": f"Next: {QUESTIONS[2]}"},
        {"question": "When?", "solution": "Now.", "rejected": "Then."},
    ]
    test = {"data": "test", "path": write(tmp_path / "test.jsonl", rows_of(QUESTIONS))}
    pairs = {"data": "pairs", "split": "train", "path": write(tmp_path / "pairs.jsonl", rows)}
    data = recipe(pairs, test)
    data["models"]["sft"] = {"from": "base", "trainer": "dpo", "pairs": {"dataset": "train"}}
    with pytest.raises(UsageError, match="^3 training rows hold test questions \\(3 of the 6 problems of test\\)"):
        plan_of(data, registry)
    dropped = plan_of({**data, "contamination": "drop"}, registry)
    assert [o.source for o in dropped.overlaps] == ["question", "solution", "rejected answer"]
    assert [p.question for p in dropped.datasets["train"].problems] == ["When?"]


def run(data: dict[str, Any], registry: Registry, out: Path, reuse: Path | None = None) -> dict[str, Any]:
    done = execute(plan_of(data, registry), registry, PluginSettings(), RunOptions(out, reuse), QuietReporter())
    results: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for name, path in (("results", "results.json"), ("run", "run.json")):
        schema = json.loads(files("mra_bench").joinpath(f"schemas/{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(json.loads((out / path).read_text(encoding="utf-8")), schema)
    assert done.results == results
    return results


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A recipe whose sft sees two of four test questions, and whose child learns from clean data."""
    folder = tmp_path_factory.mktemp("data")
    parts = {"train": QUESTIONS[:2] + QUESTIONS[4:], "clean": QUESTIONS[5:], "test": QUESTIONS[:4]}
    datasets = {
        name: {"data": name, "split": name, "path": write(folder / f"{name}.jsonl", rows_of(questions))}
        for name, questions in parts.items()
    }
    steps = {"max_steps": 1, "batch_size": 2, "accumulation": 1}
    return {
        "name": "lineage",
        "datasets": datasets,
        "models": {
            "base": {"model": "tiny-qwen2"},
            "sft": {"from": "base", "trainer": "sft", "data": "train", "options": steps},
            "child": {"from": "sft", "trainer": "sft", "data": "clean", "options": steps},
        },
        "evaluate": {"datasets": ["test"], "max_new_tokens": 8},
    }


@pytest.fixture(scope="module")
def allowed(lineage: dict[str, Any], registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "allowed"
    run({**lineage, "contamination": "allow"}, registry, out)
    return out


STAMPED = [
    {"model": "sft", "dataset": "test", "questions": 2, "problems": 4},
    {"model": "child", "dataset": "test", "questions": 2, "problems": 4},
]
SENTENCE = "Contaminated: trained on test questions: sft, child on 2 of the 4 problems of test."


@pytest.mark.slow
def test_what_was_allowed_is_stamped_first_of_all_on_the_model_and_its_child(allowed: Path) -> None:
    results = json.loads((allowed / "results.json").read_text(encoding="utf-8"))
    assert results["contamination"]["stamped"] == STAMPED
    assert results["verdict"][0].startswith(SENTENCE)
    assert [w["kind"] for w in results["warnings"]][:1] == ["contamination"]
    page = (allowed / "report.html").read_text(encoding="utf-8")
    first = page.index(SENTENCE)
    assert first < page.index('id="scoreboard"')
    assert first < page.index(results["verdict"][1].split(" (")[0])


@pytest.mark.slow
def test_stages_taken_from_a_contaminated_run_keep_the_stamp(
    allowed: Path, lineage: dict[str, Any], registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="2 training rows hold"):
        plan_of(lineage, registry)
    again = run({**lineage, "contamination": "allow"}, registry, tmp_path / "again", reuse=allowed)
    assert len(json.loads((tmp_path / "again/run.json").read_text())["reused"]) > 5
    assert again["contamination"]["stamped"] == STAMPED


@pytest.mark.slow
def test_weights_of_a_contaminated_run_bring_the_stamp_along(
    allowed: Path, lineage: dict[str, Any], registry: Registry, tmp_path: Path
) -> None:
    """Also when nothing is trained, and through a run whose own training data is clean."""
    (weights,) = (allowed / "models").glob("child-*/weights")
    loaded = {"model": "transformers", "options": {"path": str(weights)}}
    options = lineage["models"]["child"]["options"]
    grandchild = {"from": "mine", "trainer": "sft", "data": "clean", "options": options}
    data = {**lineage, "models": {"mine": loaded, "grandchild": grandchild}}
    results = run(data, registry, tmp_path / "second")
    assert [(row["model"], row["questions"]) for row in results["contamination"]["stamped"]] == [
        ("mine", 2),
        ("grandchild", 2),
    ]
    assert results["contamination"]["overlaps"] == []
    assert results["verdict"][0].startswith("Contaminated: trained on test questions: mine, grandchild on 2 of the 4")
    (weights,) = (tmp_path / "second" / "models").glob("grandchild-*/weights")
    third = {**lineage, "models": {"last": {"model": "transformers", "options": {"path": str(weights)}}}}
    earlier = plan_of(third, registry).earlier
    assert {(model, overlap.problem_id) for model, overlap in earlier} == {
        ("last", "test-00000"),
        ("last", "test-00001"),
    }


def test_what_was_dropped_is_recorded_and_not_stamped(
    lineage: dict[str, Any], registry: Registry, tmp_path: Path
) -> None:
    plan = plan_of({**lineage, "contamination": "drop"}, registry)
    assert [p.id for p in plan.datasets["train"].problems] == ["train-00002", "train-00003"]
    record = json.loads(json.dumps(run_record(plan, {"threads": 1})))
    found = contamination_results(tmp_path, record)
    assert [(o["train_id"], o["problem_id"]) for o in found["overlaps"]] == [
        ("train/train-00000", "test-00000"),
        ("train/train-00001", "test-00001"),
    ]
    assert found["checked"] == 3  # two that are left, and one that is clean
    assert found["stamped"] == []
