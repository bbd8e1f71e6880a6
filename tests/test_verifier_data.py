"""Problems for a verifier from a run's graded texts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from runs import here

from mra_bench.decisions import word_of
from mra_bench.types import LENGTH, STOP, Problem
from mra_bench.verifier_data import held_out


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on ten problems whose last three texts are wrong, and two of the right ones the same."""
    folder = tmp_path_factory.mktemp("verifier")
    problems = [{"id": f"p{n}", "question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(10)]
    texts = [{"problem": f"p{n}", "text": f"It is \\boxed{{{2 * n if n < 7 else 99}}}."} for n in range(10)]
    for name, rows in (("p", problems), ("t", texts)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = here("run", "--model", "m=echo@t.jsonl", "--data", "p=p.jsonl", "--out", "run", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def made(folder: Path, *arguments: Any) -> dict[str, list[dict[str, Any]]]:
    done = here("verifier-data", "run", "--texts", "m-p", "--out", "v", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return {
        part: [json.loads(line) for line in (folder / "v" / f"{part}.jsonl").read_text().splitlines()]
        for part in ("train", "test")
    }


def test_each_text_is_asked_about_and_its_grade_is_the_answer(workplace: Path) -> None:
    rows = made(workplace, "--holdout", 0)["train"]
    assert Counter(row["answer"] for row in rows) == {"CORRECT": 7, "INCORRECT": 3}
    for row in rows:
        assert row["answer"] == row["solution"] == row["subject"]
        number = int(row["id"][1])
        assert f"What is {number} + {number}?" in row["question"]
        assert ("\\boxed{99}" in row["question"]) == (row["answer"] == "INCORRECT")
        assert "CORRECT, INCORRECT or UNCLEAR" in row["question"]


def test_questions_are_held_out_whole_and_words_balanced(workplace: Path) -> None:
    parts = made(workplace, "--holdout", 0.4, "--balance", 1)
    ids = {part: {row["id"].partition("/")[0] for row in rows} for part, rows in parts.items()}
    assert not ids["train"] & ids["test"]
    assert Counter(row["answer"] for rows in parts.values() for row in rows) == {"CORRECT": 3, "INCORRECT": 3}
    assert made(workplace, "--holdout", 0.4, "--balance", 1) == parts


def test_what_is_made_is_a_dataset_that_a_run_can_be_scored_on(workplace: Path) -> None:
    made(workplace, "--holdout", 0)
    answers = [{"problem": row["id"], "text": row["answer"]} for row in made(workplace, "--holdout", 0)["train"]]
    (workplace / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    asked = ("run", "--model", "v=echo@said.jsonl", "--data", "v=v/train.jsonl", "--out", "scored", "--quiet")
    done = here(*asked, cwd=workplace)
    assert done.returncode == 0, done.stderr
    results = json.loads((workplace / "scored" / "results.json").read_text())
    assert [row["value"] for row in results["datasets"][0]["by_subject"]] == ["CORRECT", "INCORRECT"]


def test_unknown_texts_and_a_run_without_samples_are_named(workplace: Path) -> None:
    done = here("verifier-data", "run", "--texts", "m-q", "--out", "v", cwd=workplace)
    assert (done.returncode, "Did you mean 'm-p'?" in done.stderr) == (2, True)
    done = here("verifier-data", "run", "--out", "v", cwd=workplace)
    assert "built no training data from samples. Name texts with --texts: m-p" in done.stderr


def test_what_could_not_be_judged_or_was_cut_is_unclear() -> None:
    for correct, finish, word in (
        (True, STOP, "CORRECT"),
        (False, STOP, "INCORRECT"),
        (None, STOP, "UNCLEAR"),
        (True, LENGTH, "UNCLEAR"),
    ):
        assert word_of(correct, finish) == word


def test_about_the_share_that_is_asked_for_is_held_out() -> None:
    problems = [Problem(f"p{number}/x", "", "") for number in range(2000)]
    train, test = held_out(problems, 0.2)
    assert len(train) + len(test) == 2000
    assert 320 < len(test) < 480
