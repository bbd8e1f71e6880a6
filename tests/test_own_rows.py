"""Rows from a model's own correct samples."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mra_bench.builders import RowRule, Sampled
from mra_bench.errors import UsageError
from mra_bench.own_rows import build_rows
from mra_bench.types import LENGTH, STOP, Completion, Grade, Problem


def sampled(id_: str, *texts: tuple[str, bool | None], cut: int = -1, solution: str | None = "ref") -> Sampled:
    """A problem with these texts and verdicts; a text's tokens are its words; the one at `cut` ran into the limit."""
    problem = Problem(id_, "What is 2 + 2?", "4", solution)
    rows = [
        (Completion(id_, k, text, 3, len(text.split()), LENGTH if k == cut else STOP), Grade(correct))
        for k, (text, correct) in enumerate(texts)
    ]
    return Sampled(problem, f"Prompt of {id_}: ", tuple(rows))


def test_only_correct_distinct_whole_texts_become_rows() -> None:
    one = sampled(
        "p", ("it is 4", True), ("it  is 4", True), ("5", False), ("4 or so", None), ("so 4 and", True), cut=4
    )
    made = build_rows([one], RowRule(), seed=0)
    assert [(row.problem_id, row.prompt, row.completion) for row in made.rows] == [("p", "Prompt of p: ", "it is 4")]
    assert made.counts == {
        "problems": 1, "problems_with_rows": 1, "samples": 5, "usable_right": 1, "rows": 1, "from_reference": 0
    }  # fmt: skip


def test_the_shortest_are_taken_by_tokens_and_then_by_index() -> None:
    one = sampled("p", ("a b c 4", True), ("a 4", True), ("b 4", True), ("a b 4", True))
    made = build_rows([one], RowRule(rows_per_problem=3), seed=0, choose="shortest")
    assert [row.completion for row in made.rows] == ["a 4", "b 4", "a b 4"]


def test_why_a_problem_gives_no_row_is_counted() -> None:
    problems = [
        sampled("a"),
        sampled("b", ("4", None)),
        sampled("c", ("5", False), ("4", None)),
        sampled("d", ("4 and", True), cut=0),
    ]
    made = build_rows(problems, RowRule(min_characters=1), seed=0)
    assert made.rows == ()
    assert made.no_row == {
        "no samples": 1,
        "nothing judged": 1,
        "none right": 1,
        "right only in texts too short or cut at the length limit": 1,
    }


def test_the_reference_comes_in_only_where_it_is_asked_for_and_nothing_is_right() -> None:
    problems = [
        sampled("a", ("is 5", False)),
        sampled("b", ("is 4", True)),
        sampled("c", ("is 5", False), solution=None),
    ]
    made = build_rows(problems, RowRule(reference_when_unsolved=True), seed=0)
    assert [row.completion for row in made.rows] == ["ref", "is 4"]
    assert made.counts["from_reference"] == 1
    assert made.no_row == {"none right": 1}


@given(st.integers(1, 5), st.integers(0, 9), st.lists(st.sampled_from([True, False, None]), max_size=8))
def test_whatever_the_order_the_same_rows_at_most_so_many(limit: int, seed: int, verdicts: list[bool | None]) -> None:
    one = sampled("p", *((f"text {k}", correct) for k, correct in enumerate(verdicts)))
    mixed = list(one.samples)
    random.Random(seed).shuffle(mixed)
    made = build_rows([one], RowRule(rows_per_problem=limit), seed)
    assert len(made.rows) == min(limit, verdicts.count(True))
    assert made.rows == build_rows([Sampled(one.problem, one.prompt, tuple(mixed))], RowRule(limit), seed).rows


@pytest.mark.parametrize("changed", [{"rows_per_problem": 0}, {"min_characters": 0}])
def test_a_rule_that_cannot_work_is_refused(changed: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(changed))} is 0"):
        RowRule(**changed)
