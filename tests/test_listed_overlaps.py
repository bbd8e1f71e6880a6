"""What is listed and refuses nothing: the strongest rule for each test question, counts, examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mra_bench.contamination import Overlap, Questions, TrainingText
from mra_bench.listed_overlaps import LONG_RUN, NEAR, SHORT_RUN, TEMPLATE, Listed, list_overlaps, questions_listed
from mra_bench.near_duplicates import THRESHOLD, alike, near_duplicates, shingles
from mra_bench.normalised import normalise, words_of
from mra_bench.types import Problem

DATA = Path(__file__).parents[2] / "shared" / "data"

BASE = (
    "Weng earns 12 dollars an hour for babysitting. Yesterday she just did 50 minutes of babysitting for a family in "
    "her street. How much money did she earn?"
)
# With these words for others no 13 words in a row are left, but over half of all runs of three.
EDITED = (
    "a farmer who keeps sheep and goats walks to the market each day with two bags of wool and sells both of them to "
    "a trader for silver coins that he then saves"
)
EDITS = {"market": "fair", "both": "all"}


def asked(*questions: str, templates: str = "") -> list[Questions]:
    return [Questions("test", [Problem(f"q{i}", question, "1") for i, question in enumerate(questions)], templates)]


def listed(training: list[str], *questions: str) -> dict[str, Listed]:
    texts = [TrainingText(f"train/{i}", text) for i, text in enumerate(training)]
    return {row.rule: row for row in list_overlaps(texts, asked(*questions))}


@pytest.mark.parametrize(
    ("training", "question", "rule"),
    [
        (BASE.replace("12", "13"), BASE, LONG_RUN),
        ("He paid 3 dollars for 4 pens", "He paid 5 dollars for 6 pens", TEMPLATE),
        ("What is seven plus 2?", "What is 3 plus 9?", TEMPLATE),
        (" ".join(EDITS.get(word, word) for word in EDITED.split()), EDITED, NEAR),
        ("Out of 9 trees how much money did she earn for a family", f"{BASE} x", None),
        ("We know that she just did 50 minutes of babysitting for us", BASE, SHORT_RUN),
        ("Nothing in common at all with the other one here", BASE, None),
    ],
)
def test_the_rule_under_which_a_question_is_listed(training: str, question: str, rule: str | None) -> None:
    found = listed([training], question)
    assert [name for name, row in found.items() if row.questions] == ([rule] if rule else [])
    if rule is not None:
        assert found[rule] == Listed("test", rule, 1, 1, (("train/0", "q0"),))


def test_each_question_is_listed_once_under_the_strongest_rule() -> None:
    found = listed(["other words", BASE.replace("50", "40"), BASE.replace("12", "13")], BASE, "What is 3 plus 9?")
    assert {rule: (row.questions, row.in_all) for rule, row in found.items()} == {
        LONG_RUN: (1, 1),
        NEAR: (0, 1),
        TEMPLATE: (0, 1),
        SHORT_RUN: (0, 1),
    }
    assert found[LONG_RUN].examples == (("train/1", "q0"),)
    rows = [row.as_row() for row in found.values()]
    assert questions_listed(rows) == {"test": 1}
    assert questions_listed(rows, [SHORT_RUN]) == {"test": 0}


def test_what_was_refused_and_trained_on_is_not_listed_again() -> None:
    texts = [TrainingText("train/0", BASE.replace("12", "13"))]
    refused = [Overlap("train/9", "test", "q0", "same question")]
    assert list_overlaps(texts, asked(BASE), refused) == []
    assert list_overlaps(texts, asked(BASE, BASE), refused)[0].examples == (("train/0", "q1"),)


def test_questions_of_the_same_templates_are_listed_by_template_only() -> None:
    text = TrainingText("train/0", BASE.replace("12", "13"), templates="made")
    assert [row.rule for row in list_overlaps([text], asked(BASE, templates="made"))] == [TEMPLATE]
    assert list_overlaps([text], asked(f"{BASE} Say.", templates="made")) == []
    assert [row.rule for row in list_overlaps([text], asked(f"{BASE} Say."))][:1] == [LONG_RUN]


def test_solutions_are_not_looked_at_for_likeness() -> None:
    assert list_overlaps([TrainingText("train/0", BASE, "solution")], asked(BASE)) == []


def test_near_duplicates_are_those_with_half_of_their_runs_in_common() -> None:
    """MinHash may miss some, and never adds one: of real questions it finds nine in ten."""
    path = DATA / "math" / "train.jsonl"
    if not path.is_file():
        pytest.skip("math/train.jsonl is not beside the project (../shared/data)")
    lines = path.read_text(encoding="utf-8").splitlines()[:1600]
    words = [words_of(normalise(json.loads(line)["problem"])) for line in lines]
    sets = list(map(shingles, words))
    questions, texts = range(0, 1600, 2), range(1, 1600, 2)
    exact = {
        (q, t) for q in questions for t in texts if sets[q] & sets[t] and alike(sets[q], sets[t]) >= THRESHOLD
    }  # fmt: skip
    near = near_duplicates([words[q] for q in questions], (words[t] for t in texts))
    found = {(questions[place], t) for t, places in zip(texts, near, strict=True) for place in places}
    assert found <= exact
    assert len(exact) > 20
    assert len(found) >= 0.85 * len(exact)


def test_texts_of_two_words_have_no_near_duplicates() -> None:
    assert list(near_duplicates([["a", "b"], []], [["a", "b"], []])) == [[], []]
