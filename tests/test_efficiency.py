"""Lengths of texts, accuracy at token budgets, agreement of votes: by hand, and what must always hold."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mra_bench import statistics
from mra_bench.agreement import agreement_results, majority
from mra_bench.efficiency import efficiency_results, length_bins, token_budgets
from mra_bench.results import score
from mra_bench.scored import Judged, Scored
from mra_bench.types import Problem


def scored(model: str, rows: Sequence[Sequence[Judged]]) -> Scored:
    problems = [Problem(f"p{place}", "", "") for place in range(len(rows))]
    return Scored(model, problems, {f"p{place}": row for place, row in enumerate(rows)})


def one(correct: bool | None, tokens: int, answer: str = "") -> Judged:
    return Judged(correct, answer, tokens=tokens)


judged = st.builds(
    one, st.sampled_from([True, False, None]), st.integers(0, 3000), st.sampled_from(["", " ", "1", "2"])
)
drawn = st.integers(1, 5).flatmap(lambda k: st.lists(st.lists(judged, min_size=k, max_size=k), min_size=1, max_size=12))


def test_four_texts_by_hand() -> None:
    found = efficiency_results([scored("m", [[one(True, 2)], [one(True, 4)], [one(False, 9)], [one(None, 5)]])])
    assert found is not None
    assert (found["longest"], found["bins"], found["budgets"]) == (9, list(range(2, 10)), list(range(1, 10)))
    (model,) = found["models"]
    right, wrong = model["right"], model["wrong"]
    assert [right[key] for key in ("n", "mean", "q1", "median", "q3")] == [2, 3, 2.5, 3, 3.5]
    assert [wrong[key] for key in ("n", "mean", "q1", "median", "q3")] == [2, 7, 6, 7, 8]
    assert right["histogram"] == [1, 0, 1, 0, 0, 0, 0, 0]
    assert wrong["histogram"] == [0, 0, 0, 1, 0, 0, 0, 1]
    assert model["right_per_1000"] == 1000 * 2 / 20
    assert [row["accuracy"] for row in model["at_budget"]] == [0, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    at_four, by_wilson = model["at_budget"][3], statistics.wilson(2, 4)
    assert (at_four["budget"], at_four["low"], at_four["high"]) == (4, by_wilson.low, by_wilson.high)


def test_texts_without_tokens_and_no_texts() -> None:
    found = efficiency_results([scored("m", [[one(True, 0)]])])
    assert found is not None
    assert found["models"][0]["right_per_1000"] is None
    assert found["models"][0]["wrong"] == {
        "n": 0, "mean": None, "q1": None, "median": None, "q3": None, "histogram": [0],
    }  # fmt: skip
    assert efficiency_results([]) is None
    assert efficiency_results([scored("m", [])]) is None


@given(drawn)
def test_right_and_wrong_are_all_and_the_largest_budget_costs_nothing(rows: list[list[Judged]]) -> None:
    model = scored("m", rows)
    found = efficiency_results([model])
    assert found is not None
    (row,), whole = found["models"], score(model, "")
    sides = row["right"], row["wrong"]
    assert sum(side["n"] for side in sides) == len(list(model.flat()))
    assert [sum(side["histogram"]) for side in sides] == [side["n"] for side in sides]
    assert found["budgets"][-1] >= found["longest"]
    last = row["at_budget"][-1]
    assert all(last[key] == pytest.approx(whole[key]) for key in ("accuracy", "low", "high"))
    shares = [at["accuracy"] for at in row["at_budget"]]
    assert shares == sorted(shares)
    assert all(at["low"] <= at["accuracy"] <= at["high"] for at in row["at_budget"])


@given(drawn, st.randoms(use_true_random=False))
def test_the_order_of_problems_changes_nothing(rows: list[list[Judged]], rng: random.Random) -> None:
    shuffled = rng.sample(rows, len(rows))
    assert efficiency_results([scored("m", rows)]) == efficiency_results([scored("m", shuffled)])
    (before,), (after,) = (
        agreement_results([scored("m", rows)]) or [{}],
        agreement_results([scored("m", shuffled)]) or [{}],
    )
    assert before.get("no_vote") == after.get("no_vote")
    for a, b in zip(before.get("bins", []), after.get("bins", []), strict=True):
        assert a == {**b, "share": pytest.approx(b["share"])}


@given(st.lists(st.integers(0, 10**6), min_size=1).map(sorted))
def test_budgets_and_bins_are_few_and_hold_every_text(lengths: list[int]) -> None:
    budgets, bins = token_budgets(lengths), length_bins(lengths)
    assert 1 <= len(budgets) <= 12
    assert 1 <= len(bins) <= 20
    assert budgets == sorted(set(budgets))
    assert budgets[-1] >= lengths[-1]
    assert bins[0] <= lengths[0]
    assert len({b - a for a, b in itertools.pairwise(bins)}) <= 1
    assert sum(length >= bins[-1] + (bins[1] - bins[0] if len(bins) > 1 else 1) for length in lengths) <= max(
        0.01 * len(lengths), 0 if len(bins) > 1 else len(lengths)
    )


@pytest.mark.parametrize(
    ("lengths", "budgets"),
    [
        ([66], [8, 16, 24, 32, 40, 48, 56, 64, 72]),
        ([100, 300, 500], [50, 100, 150, 200, 250, 300, 350, 400, 450, 500]),
        ([10] * 9 + [128], [4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]),
        ([0, 0], [1]),
    ],
)
def test_budgets_are_round(lengths: list[int], budgets: list[int]) -> None:
    assert token_budgets(lengths) == budgets


def votes(*answers: str, right: str = "1") -> list[Judged]:
    return [one(answer == right, 3, answer) for answer in answers]


def test_a_majority_by_hand() -> None:
    assert majority(votes("1", "2", "1", "")) == (2 / 3, True)
    assert majority(votes("2", "1", "2", "1")) == (0.5, False)  # of equal ones the first
    assert majority(votes("", "", right="")) == (None, True)  # nobody votes: the first sample stands


def test_agreement_by_hand() -> None:
    rows = [votes("1", "1", "1"), votes("1", "1", ""), votes("2", "1", "2"), votes("2", "3", "1"), votes("", "", "")]
    (row,) = agreement_results([scored("m", rows)])
    assert [(b["from"], b["n"], b["correct"]) for b in row["bins"]] == [(0.2, 1, 0), (0.6, 1, 0), (1.0, 2, 2)]
    assert row["bins"][1]["share"] == pytest.approx(2 / 3)
    assert row["no_vote"] == {"n": 1, "correct": 0}
    by_wilson = statistics.wilson(2, 2)
    assert (row["bins"][2]["low"], row["bins"][2]["high"]) == (by_wilson.low, by_wilson.high)


@given(drawn)
def test_the_bins_hold_every_problem_and_what_the_vote_of_all_samples_has_right(rows: list[list[Judged]]) -> None:
    model = scored("m", rows)
    whole = score(model, "")
    if len(rows[0]) == 1:
        assert agreement_results([model]) == []
        assert whole["maj_at_k"] == {}
        return
    (row,) = agreement_results([model])
    assert sum(b["n"] for b in row["bins"]) + row["no_vote"]["n"] == len(rows)
    right = sum(b["correct"] for b in row["bins"]) + row["no_vote"]["correct"]
    assert right / len(rows) == pytest.approx(whole["maj_at_k"][str(len(rows[0]))])
    assert whole["pass_at_k"]["1"] == pytest.approx(whole["accuracy"])
    assert whole["maj_at_k"]["1"] == pytest.approx(whole["accuracy"])
