"""From which known split questions are, told of real rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mra_bench.known_splits import known_splits, said_of_label

DATA = Path(__file__).parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the benchmark rows in {DATA} are not here")


def questions(path: str, field: str, count: int | None = None) -> list[str]:
    lines = (DATA / path).read_text(encoding="utf-8").splitlines()[:count]
    return [json.loads(line)[field] for line in lines]


@pytest.mark.parametrize(
    ("path", "field", "label", "said"),
    [
        ("gsm8k/test.jsonl", "question", ("gsm8k", "test"), []),
        (
            "gsm8k/train.jsonl",
            "question",
            ("gsm8k", "test"),
            ["The problems are named gsm8k, test, but are from gsm8k, train"],
        ),
        (
            "gsm8k/test.jsonl",
            "question",
            ("asdiv", "test"),
            ["The problems are named asdiv, test, but are from gsm8k, test"],
        ),
        (
            "math500/test.jsonl",
            "problem",
            ("math", "test"),
            ["The problems are named math, test, of which they are about 10%; they are those of math-500, test"],
        ),
        ("math500/test.jsonl", "problem", ("math-500", "test"), []),
        ("gsm8k/test.jsonl", "question", ("mine", "test"), []),
    ],
)
def test_a_label_that_is_not_that_of_the_questions(
    path: str, field: str, label: tuple[str, str], said: list[str]
) -> None:
    assert said_of_label(*label, known_splits(questions(path, field))) == said


def test_part_of_a_split_is_of_that_split() -> None:
    few = questions("gsm8k/test.jsonl", "question", 400)
    assert [one.name for one in known_splits(few) if one.likely] == ["gsm8k, test"]
    assert said_of_label("gsm8k", "test", known_splits(few)) == []


def test_questions_that_nobody_knows_are_from_no_split() -> None:
    assert known_splits(f"What is {n} and one?" for n in range(500)) == []
