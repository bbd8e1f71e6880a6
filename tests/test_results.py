"""results.json of a small real run: further graders, duplicate questions, verdicts that are not there yet."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from runs import here

from mra_bench.results import agreement, compute
from mra_bench.scored import Judged

PLUGIN = Path(__file__).parent / "plugin_package" / "mra_bench_last_word.py"
TEXTS = {  # what sympy says, what the grader last-word says
    "q0": "The answer is \\boxed{3}.",  # right, wrong
    "q1": "So that makes 5",  # right, right
    "q2": "The answer is \\boxed{9}, not 6",  # wrong, right
    "q3": "I do not know",  # wrong, wrong
}


@pytest.fixture(scope="module")
def two_graders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one model on four problems by two graders; q1 and q3 ask the same question."""
    folder = tmp_path_factory.mktemp("results")
    asked = {"q0": ("1 + 2?", "3"), "q1": ("What is 2 + 3?", "5"), "q2": ("1 + 5?", "6"), "q3": ("what is 2+3 ?", "5")}
    problems = [{"id": i, "question": q, "answer": a, "level": i[-1]} for i, (q, a) in asked.items()]
    rows = [{"problem": i, "text": text} for i, text in TEXTS.items()]
    (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in problems))
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["--model", "m=echo@texts.jsonl", "--data", "mine.jsonl", "--plugin", PLUGIN, "--out", "out"]
    done = here("run", *arguments, "--grader", "sympy", "--grader", "last-word", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "1 of 4 problems repeat" in done.stdout
    return folder / "out"


def results(run: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return loaded


def test_a_further_grader_has_its_accuracy_and_its_agreement(two_graders: Path) -> None:
    (dataset,) = results(two_graders)["datasets"]
    (other,) = dataset["other_graders"]
    assert other["name"].endswith(":last-word")
    (score,) = other["scores"]
    assert (score["model"], score["correct"], score["accuracy"]) == ("m", 2, 0.5)
    assert score["low"] < 0.5 < score["high"]
    counts = {"both": 1, "headline_only": 1, "other_only": 1, "neither": 1, "not_judged": 0}
    assert score["agreement"] == counts
    assert dataset["scores"][0]["accuracy"] == 0.5


def test_results_with_two_graders_follow_the_schema(two_graders: Path) -> None:
    schema = Path(__file__).parent.parent / "mra_bench" / "schemas" / "results.schema.json"
    jsonschema.validate(results(two_graders), json.loads(schema.read_text(encoding="utf-8")))


def test_a_text_either_grader_could_not_judge_is_counted_apart() -> None:
    verdicts = [(True, None), (None, None), (False, True), (False, False), (True, True), (True, False)]
    counts = agreement([Judged(a) for a, _ in verdicts], [Judged(b) for _, b in verdicts])
    assert counts == {"both": 1, "headline_only": 1, "other_only": 1, "neither": 1, "not_judged": 2}


def test_duplicate_questions_are_counted_named_and_warned_about(two_graders: Path) -> None:
    found = results(two_graders)
    assert found["datasets"][0]["duplicates"] == {"repeated": 1, "groups": [["q1", "q3"]]}
    assert "duplicate-questions" in [warning["kind"] for warning in found["warnings"]]


def test_without_a_further_graders_verdicts_the_run_is_partial(two_graders: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(two_graders, run)
    (run / results(run)["stages"][0]["other_grades"][0] / "stage.json").unlink()
    found = compute(run)
    assert found["partial"]
    assert "m on mine, graded by" in found["missing"][0]
    assert found["datasets"][0]["other_graders"][0]["scores"] == []
    assert found["datasets"][0]["scores"][0]["accuracy"] == 0.5
