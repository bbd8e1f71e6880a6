"""The mark of models that were trained on test questions, and built data that holds some."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mra_bench.built_guard import built_overlaps, trained_rows
from mra_bench.contamination import HOLDS_QUESTION, SAME_QUESTION, Questions
from mra_bench.errors import BenchError
from mra_bench.stamps import contamination_results, stamp_sentence, stamps
from mra_bench.store import finish_stage, write_rows
from mra_bench.training_texts import learnt_by
from mra_bench.types import Pair, Problem

LONG = "A baker makes 12 loaves every hour and sells 7 of them to a cafe. How many loaves are left after 3 hours?"
ASKED = [Questions("test", [Problem("t0", LONG, "15"), Problem("t1", "What is 2 + 2?", "4")])]


def overlap(problem: str, **more: str) -> dict[str, Any]:
    return {"train_id": f"train/{problem}", "dataset": "test", "problem_id": problem, "rule": SAME_QUESTION, **more}


def found(**more: Any) -> dict[str, Any]:
    base = {"policy": "allow", "checked": 9, "overlaps": [], "earlier": [], "learnt_from": {}, "problems": {"test": 2}}
    return {**base, "built": [], **more}


PARENTS = {"base": None, "sft": "base", "dpo": "sft", "other": "base"}


def test_a_child_inherits_what_its_parent_saw_and_each_question_counts_once() -> None:
    seen = found(
        overlaps=[overlap("t0"), overlap("t0", rule=HOLDS_QUESTION)],
        learnt_from={"sft": "train", "dpo": "clean", "other": "clean"},
        built=[{"model": "dpo", **overlap("t0")}, {"model": "dpo", **overlap("t1")}],
    )
    assert [(row["model"], row["questions"], row["problems"]) for row in stamps(seen, PARENTS)] == [
        ("sft", 1, 2),
        ("dpo", 2, 2),
    ]


def test_what_was_dropped_stamps_nothing_but_what_was_learnt_earlier_does() -> None:
    seen = found(policy="drop", overlaps=[overlap("t0")], learnt_from={"sft": "train"})
    assert stamps(seen, PARENTS) == []
    seen["earlier"] = [{"model": "base", **overlap("t1")}]
    assert [row["model"] for row in stamps(seen, PARENTS)] == list(PARENTS)


def test_the_sentence_names_models_and_counts() -> None:
    seen = found(overlaps=[overlap("t0")], learnt_from={"sft": "train", "dpo": "train"})
    said = stamp_sentence({"stamped": stamps(seen, PARENTS)})
    assert said.startswith("Contaminated: trained on test questions: sft, dpo on 1 of the 2 problems of test. ")
    assert stamp_sentence({"policy": "allow", "overlaps": []}) == ""


def test_the_record_of_an_older_version_is_passed_on(tmp_path: Path) -> None:
    old = {"policy": "refuse", "checked": 3, "overlaps": []}
    assert contamination_results(tmp_path, {"plan": {"contamination": old, "models": [], "evaluations": []}}) == old


def pair(chosen: str, rejected: str, problem: str = "p0") -> Pair:
    return Pair(problem, "prompt", chosen, rejected, "sample:0", "sample:1")


BUILT = (pair("It is 4.", "It is 5."), pair("7", f"Next: {LONG} 15", "p1"), pair("9", LONG, "p2"))


def stage(folder: Path, kind: str, facts: dict[str, Any], inputs: list[str] | None = None) -> Path:
    finish_stage(folder, {"kind": kind, "fingerprint": "f", "inputs": inputs or [], "facts": facts})
    return folder


def pairs_stage(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_rows(folder / "pairs.jsonl", (dataclasses.asdict(p) for p in BUILT))
    return stage(folder, "pair", {})


def test_built_texts_that_hold_test_questions_are_found_by_place(tmp_path: Path) -> None:
    overlaps = built_overlaps(pairs_stage(tmp_path / "pairs" / "dpo-1"), ASKED)
    assert [(place, o.train_id, o.rule, o.source) for place, o in overlaps] == [
        (1, "dpo-1/p1", HOLDS_QUESTION, "pair"),
        (2, "dpo-1/p2", SAME_QUESTION, "pair"),
    ]
    rows = tmp_path / "rows" / "sft-1"
    rows.mkdir(parents=True)
    write_rows(rows / "rows.jsonl", [{"problem_id": "p", "prompt": "What is 2 + 2?", "completion": "what is 2+2"}])
    assert [(place, o.source) for place, o in built_overlaps(stage(rows, "rows", {}), ASKED)] == [(0, "row")]
    assert built_overlaps(rows, [Questions("other", [Problem("x", "Why?", "1")])]) == []


def test_training_on_built_data_refuses_drops_or_takes_all(tmp_path: Path) -> None:
    folder = pairs_stage(tmp_path / "pairs" / "dpo-12345678")
    with pytest.raises(
        BenchError, match=r"dpo-12345678 built holds test questions \(1 of the 2 problems of test\)"
    ) as no:
        trained_rows(folder, ASKED, "refuse")
    assert "--drop-contaminated" in str(no.value)
    assert "--allow-contamination" in str(no.value)
    assert [row["problem_id"] for row in trained_rows(folder, ASKED, "drop")] == ["p0"]
    assert [row["problem_id"] for row in trained_rows(folder, ASKED, "allow")] == ["p0", "p1", "p2"]
    everything = [Questions("test", [Problem(str(n), p.rejected, "1") for n, p in enumerate(BUILT)])]
    with pytest.raises(BenchError, match="nothing is left to train on"):
        trained_rows(folder, everything, "drop")


def test_the_marks_of_built_data_reach_the_results(tmp_path: Path) -> None:
    pairs_stage(tmp_path / "pairs" / "dpo-1")
    problems = tmp_path / "problems" / "test-1"
    problems.mkdir(parents=True)
    write_rows(problems / "problems.jsonl", (dataclasses.asdict(p) for p in ASKED[0].problems))
    stage(problems, "problems", {})
    models = [{"name": "sft", "from": None}, {"name": "dpo", "from": "sft", "pairs": "pairs/dpo-1"}]
    asked = [{"dataset": "test", "problems": "problems/test-1"}, {"dataset": "test", "problems": "problems/test-2"}]
    plan = {"contamination": found(policy="allow"), "models": models, "evaluations": asked}
    results = contamination_results(tmp_path, {"plan": plan})
    assert results["stamped"] == [{"model": "dpo", "dataset": "test", "questions": 1, "problems": 2}]
    assert [(o["model"], o["place"]) for o in results["built"]] == [("dpo", 1), ("dpo", 2)]
    plan["contamination"] = found(policy="drop")
    assert contamination_results(tmp_path, {"plan": plan})["stamped"] == []


def test_what_a_checkpoint_learnt_is_read_from_its_run_and_its_parents(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name, question in (("a", "What is 2 + 2?"), ("b", "What is 3 + 3?")):
        folder = run / "problems" / f"{name}-1"
        folder.mkdir(parents=True)
        problem = Problem(f"{name}0", question, "4", solution="So 4.")
        write_rows(folder / "problems.jsonl", [dataclasses.asdict(problem)])
        stage(folder, "problems", {})
    pairs_stage(run / "pairs" / "dpo-1")
    for name, inputs in (("sft-1", ["problems/a-1"]), ("dpo-1", ["pairs/dpo-1", "problems/b-1", "models/sft-1"])):
        (run / "models" / name / "weights").mkdir(parents=True)
        stage(run / "models" / name, "train", {"ref": {}}, inputs)
    learnt = [(text.id, text.source) for text in learnt_by(run / "models" / "dpo-1" / "weights")]
    assert ("a-1/a0", "question") in learnt
    assert ("b-1/b0", "solution") in learnt
    assert ("dpo-1/p1", "pair") in learnt
    assert [text.id for text in learnt_by(run / "models" / "sft-1" / "weights")] == ["a-1/a0", "a-1/a0"]
    away = {"ref": {"parent": str(run / "models" / "sft-1" / "weights")}}
    (tmp_path / "next" / "models" / "x-1" / "weights").mkdir(parents=True)
    stage(tmp_path / "next" / "models" / "x-1", "train", away, ["models/x-1"])  # its own parent: it ends all the same
    assert len(list(learnt_by(tmp_path / "next" / "models" / "x-1" / "weights"))) == 2
    assert list(learnt_by(tmp_path / "elsewhere" / "weights")) == []


def test_what_a_checkpoint_learnt_keeps_its_templates(smoke_run: Path) -> None:
    for weights in (smoke_run / "models").glob("*/weights"):
        texts = list(learnt_by(weights))
        assert {text.source for text in texts} >= {"question", "solution"}
        assert {text.templates for text in texts} == {"mra_arith:arith"}
