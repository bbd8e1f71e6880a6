"""The checker on labelled answers and on published model outputs, where that data is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mra_sympy import equivalent, grade

from mra_bench.types import Problem

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def rows(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the data file {name} is not beside the project")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_labelled_answers() -> None:
    """False positives and false negatives are counted apart; the bounds are what the checker reaches."""
    false_positives, false_negatives = [], []
    for row in rows("answer_equivalence_dev.jsonl"):
        gold, prediction = row["gold"], row["prediction"]
        bare = row["mode"] == "answer"
        found = equivalent(gold, prediction) if bare else grade(Problem("p", "?", gold), prediction)
        if (found.correct is True) != row["expected"]:
            (false_negatives if row["expected"] else false_positives).append((gold, prediction, found.reason))
    assert false_positives == []
    assert len(false_negatives) <= 3, false_negatives


@pytest.mark.parametrize("size", ["6b", "175b"])
@pytest.mark.parametrize("method", ["finetuning", "verification"])
def test_published_gsm8k_solutions(size: str, method: str) -> None:
    """OpenAI's four systems on the 1,319 test questions of GSM8K, every label met."""
    solutions = rows(f"outputs/openai_gsm8k/gpt3_{size}_{method}.jsonl")
    wrong = [
        row["qid"]
        for row in solutions
        if grade(Problem(str(row["qid"]), row["question"], row["gold"]), row["response"]).correct
        is not row["upstream_correct"]
    ]
    assert len(solutions) == 1319
    assert wrong == []
