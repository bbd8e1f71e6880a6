"""The main job on the recipe smoke, through the command line: what it leaves, and what a second call does."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from runs import data_hashes, here

pytestmark = pytest.mark.slow


def results(run: Path) -> dict:
    return json.loads((run / "results.json").read_text())


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_the_terminal_ends_with_verdict_and_report(smoke_run: Path) -> None:
    out = (smoke_run.parent / "stdout.txt").read_text()
    assert "Verdict: sft" in out
    assert "Verdict: dpo" in out
    assert re.search(r"Report: .*/report\.html$", out.strip())


def test_every_model_is_scored_on_the_same_problems(smoke_run: Path) -> None:
    data = results(smoke_run)
    assert [m["name"] for m in data["models"]] == ["base", "sft", "dpo"]
    dataset = data["datasets"][0]
    assert dataset["n"] == 64
    assert [s["n"] for s in dataset["scores"]] == [64, 64, 64]
    assert len(dataset["pairs"]) == 3
    folders = {s["problems"] for s in data["stages"]}
    assert len(folders) == 1


def test_headline_figures_follow_from_the_stored_grades(smoke_run: Path) -> None:
    data = results(smoke_run)
    for stage, score in zip(data["stages"], data["datasets"][0]["scores"], strict=True):
        right = [row["correct"] is True for row in rows(smoke_run / stage["grades"])]
        assert score["correct"] == sum(right)
        assert score["accuracy"] == sum(right) / len(right)


def test_pairs_come_from_graded_samples_of_training_problems(smoke_run: Path) -> None:
    pairs = rows(next((smoke_run / "pairs").iterdir()))
    assert pairs
    assert all(p["problem_id"].startswith("train-") for p in pairs)
    sampled = next(p for p in (smoke_run / "completions").iterdir() if p.name.startswith("sft-train"))
    texts = {(row["problem"], row["sample"]): row["text"] for row in rows(sampled)}
    grades = next(p for p in (smoke_run / "grades").iterdir() if p.name.startswith("sympy-sft-train"))
    verdict = {(row["problem"], row["sample"]): row["correct"] for row in rows(grades)}
    for pair in pairs:
        for side, wanted in (("rejected", False), ("chosen", True)):
            source = pair[f"{side}_source"]
            if source.startswith("sample:"):
                key = (pair["problem_id"], int(source.removeprefix("sample:")))
                assert texts[key] == pair[side]
                assert verdict[key] is wanted
            else:
                assert (side, source) == ("chosen", "reference")


def test_training_logs_are_kept_as_data(smoke_run: Path) -> None:
    by_model = {t["model"]: t for t in results(smoke_run)["training"]}
    assert by_model["sft"]["facts"]["steps"] == 20
    assert by_model["dpo"]["facts"]["steps"] == 10
    assert all("loss" in record for record in by_model["sft"]["log"] if "event" not in record)
    assert any("rewards/margins" in record for record in by_model["dpo"]["log"])
    assert not list((smoke_run / "models").rglob("checkpoint-*"))


def test_the_same_command_again_does_nothing_and_says_so(smoke_run: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in smoke_run.rglob("*") if p.is_file() and p.name != ".lock"}
    again = here("run", "--recipe", "smoke", "--models", "base,sft,dpo", "--out", smoke_run)
    assert again.returncode == 0
    assert "Nothing to do" in again.stdout
    assert before == {p: p.stat().st_mtime_ns for p in smoke_run.rglob("*") if p.is_file() and p.name != ".lock"}


def test_a_changed_recipe_redoes_exactly_what_depends_on_it(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    arguments = ["run", "--recipe", "smoke", "--out", run, "--set", "models.dpo.options.beta=0.2"]
    table = here(*arguments, "--dry-run").stdout
    to_do = {line.split("  ")[0] for line in table.splitlines() if line.endswith("to do")}
    assert to_do == {"train dpo", "generate dpo-test", "grade sympy-dpo-test"}
    done = here(*arguments)
    assert done.returncode == 0, done.stderr
    assert len(list((run / "models").iterdir())) == 3
    cleaned = here("clean", run)
    assert cleaned.returncode == 0
    assert len(list((run / "models").iterdir())) == 2
    assert here(*arguments).stdout.startswith("Nothing to do")


def test_reuse_takes_finished_stages_and_says_so(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "other"
    done = here("run", "--recipe", "smoke", "--out", run, "--reuse", smoke_run)
    assert done.returncode == 0, done.stderr
    assert data_hashes(run) == data_hashes(smoke_run)
    record = json.loads((run / "run.json").read_text())
    assert {r["stage"].partition("/")[0] for r in record["reused"]} == {
        "problems", "completions", "grades", "pairs", "models",
    }  # fmt: skip


def test_report_is_built_again_from_the_folder(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    page, figures = (run / "report.html").read_bytes(), (run / "results.json").read_bytes()
    (run / "report.html").unlink()
    (run / "results.json").unlink()
    assert here("report", run).returncode == 0
    assert (run / "report.html").read_bytes() == page
    assert (run / "results.json").read_bytes() == figures


def test_a_stage_taken_away_makes_the_report_partial(smoke_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke_run, run)
    stage = next(p for p in (run / "grades").iterdir() if p.name.startswith("sympy-dpo-test"))
    shutil.rmtree(stage)
    assert here("report", run).returncode == 0
    data = results(run)
    assert data["partial"] is True
    assert data["verdict"] == []
    assert data["missing"] == ["dpo on test"]


def test_the_report_shows_the_stored_grade_of_every_sample(smoke_run: Path) -> None:
    from mra_bench.report.data import read_run

    run = read_run(smoke_run)
    for stage in results(smoke_run)["stages"]:
        stored = {row["problem"]: row for row in rows(smoke_run / stage["grades"])}
        shown = run.samples[stage["dataset"]].answers[stage["model"]]
        assert len(shown) == 64
        for problem, samples in shown.items():
            assert (samples[0].correct, samples[0].kind) == (stored[problem]["correct"], stored[problem]["kind"])


def test_ask_answers_with_the_trained_model(smoke_run: Path) -> None:
    done = here("ask", smoke_run, "sft", "Mia has 14 apples. Mia buys 23 more. How many apples does Mia have now?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    wrong = here("ask", smoke_run, "stf", "1 + 1?")
    assert wrong.returncode == 2
    assert "Did you mean 'sft'" in wrong.stderr
