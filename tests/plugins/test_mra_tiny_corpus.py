"""What the embedded models have read."""

from __future__ import annotations

import itertools
import re

import pytest
from mra_tiny.corpus import benchmark_questions, documents

ASKED = ("Question: ", "Q: ")
READ = 4_000


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return list(itertools.islice(documents(5, benchmark_questions()), READ))


def test_the_same_seed_gives_the_same_text(texts: list[str]) -> None:
    again = documents(5, benchmark_questions())
    assert list(itertools.islice(again, 100)) == texts[:100]
    assert list(itertools.islice(documents(6, frozenset()), 100)) != texts[:100]


def test_no_question_of_the_benchmark_is_in_it(texts: list[str]) -> None:
    """Those that a free stream holds are left out, and only those."""
    free = list(itertools.islice(documents(5, frozenset()), READ))
    asked = [match.group(1) for text in free if (match := re.match(r"(?:Question|Q): (.*)\n", text))]
    forbidden = frozenset(asked[:50])
    kept = list(itertools.islice(documents(5, forbidden), READ))
    assert not any(question in text for question in forbidden for text in kept)
    assert not any(question in text for question in benchmark_questions() for text in texts[:50])


def test_questions_are_answered_alone_and_exercises_are_worked(texts: list[str]) -> None:
    questions = [text.rpartition(":")[2] for text in texts if text.startswith(ASKED)]
    exercises = [text for text in texts if text.startswith("Problem: ")]
    assert len(questions) > READ / 10
    assert len(exercises) > READ / 10
    assert all(len(re.findall(r"\d+", answer)) == 1 for answer in questions)
    assert all(re.search(r"\d+ ([-+*/] \d+ =|(plus|minus|times|divided by) \d+ is) \d+", text) for text in exercises)


def test_every_notation_occurs_and_the_asked_one_is_rare(texts: list[str]) -> None:
    share = {
        mark: sum(mark in text for text in texts) / len(texts) for mark in ("\\boxed{", "####", "So ", "divided by")
    }
    assert all(share.values())
    assert share["\\boxed{"] < 0.1


def test_the_arithmetic_is_right(texts: list[str]) -> None:
    for text in texts:
        for a, sign, b, result in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", text):
            right = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b), "/": int(a) / int(b)}[sign]
            assert right == int(result), text
