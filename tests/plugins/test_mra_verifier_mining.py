"""Hard negatives and importance weights: the rule, what drops out of it, and the mean of 1."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mra_sympy import grade
from mra_verifier import profile
from mra_verifier.mining import Thresholds, Verdict, Weighting, hardest, hardness, importance, mine

from mra_bench.types import Grade, Problem, Profile

WRONG = Grade(False, "6")
SCORES = {"wrongness": 0.5, "near_miss_wrongness": 0.1, "absurdity": 0.0}


def made(near_miss: float = 0.1, absurdity: float = 0.0, **errors: float | None) -> Profile:
    return Profile({"answer": 1.0, **errors}, {}, SCORES | {"near_miss_wrongness": near_miss, "absurdity": absurdity})


@pytest.mark.parametrize(
    ("found", "verdict", "tokens", "reason"),
    [
        (made(), WRONG, 40, ""),
        (made(near_miss=0.5, absurdity=0.3), WRONG, 40, ""),
        (made(absurdity=0.31), WRONG, 40, "absurdity above 0.3"),
        (made(near_miss=0.51), WRONG, 40, "near-miss wrongness above 0.5"),
        (made(), Grade(True, "5"), 40, "its answer is right"),
        (made(), Grade(None), 40, "its answer could not be judged"),
        (made(), WRONG, 0, "fewer than 1 tokens"),
        (made(), WRONG, 101, "more than 100 tokens"),
        (Profile(failure="timeout: it took too long"), WRONG, 40, "it has no profile of the verifier"),
    ],
)
def test_the_rule_of_hard_negatives(found: Profile, verdict: Grade, tokens: int, reason: str) -> None:
    said = mine(found, verdict, tokens, Thresholds(longest=100))
    assert said.reason == reason
    assert (said.hardness is None) == bool(reason)


def test_thresholds_come_from_the_recipe() -> None:
    assert mine(made(absurdity=0.9), WRONG, 5, Thresholds(absurdity=1.0)).hardness is not None
    assert mine(made(near_miss=0.1), WRONG, 5, Thresholds(near_miss=0.05)).hardness is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (made(numeric=0.2, arithmetic=0.0, algebraic=None, logical=0.0), 0.8 * 0.5),
        (made(numeric=0.2, arithmetic=0.5, algebraic=None, logical=0.0), 0.8),
        (made(absurdity=0.25, numeric=0.2, logical=0.25), 0.75 * 0.8),
        (made(numeric=None, arithmetic=0.0), 0.5),  # the factor of numeric drops out
        (made(numeric=0.2, arithmetic=None, algebraic=None, logical=None), 0.8),  # that of the steps, too
        (made(), 1.0),
    ],
)
def test_hardness(found: Profile, expected: float) -> None:
    assert hardness(found) == pytest.approx(expected)


def test_a_near_miss_is_harder_than_a_text_far_off_and_a_right_one_is_no_negative() -> None:
    problem = Problem("p", "How many apples are 19 apples and 6 apples?", "25")
    texts = ["19 + 6 = 24. The answer is 24.", "19 + 6 = 250. The answer is 250.", "19 + 6 = 25. The answer is 25."]
    near, far, right = (mine(profile(problem, text), grade(problem, text), 12) for text in texts)
    assert right == Verdict(None, "its answer is right")
    assert far == Verdict(None, "absurdity above 0.3")
    assert near.hardness == pytest.approx(1.0, abs=0.05)
    assert hardest([far, right, near]) == 2
    assert hardest([far, right]) is None
    assert hardest([near, near]) == 0


HARD = st.lists(st.floats(0, 1), min_size=1, max_size=50)


@given(HARD, st.floats(0, 100))
def test_weights_have_mean_1_and_stay_in_order_and_ratio(found: list[float], alpha: float) -> None:
    weights = importance(found, Weighting(alpha=alpha))
    assert fmean(weights) == pytest.approx(1, abs=1e-12)
    assert max(weights) <= min(weights) * 4 / 0.25 * (1 + 1e-12)
    assert [weights[k] for k in sorted(range(len(found)), key=found.__getitem__)] == sorted(weights)


@given(st.floats(0, 1), st.integers(1, 100))
def test_equal_hardness_gives_equal_weights_of_1(value: float, count: int) -> None:
    assert importance([value] * count) == [1.0] * count


def test_the_formula_on_numbers() -> None:
    # 1 + (h - 0.5) is 0.5, 1.5; with alpha 10 it is -4, 6, clipped to 0.25 and 4, mean 2.125
    assert importance([0.0, 1.0]) == [0.5, 1.5]
    assert importance([0.0, 1.0], Weighting(alpha=10)) == pytest.approx([0.25 / 2.125, 4 / 2.125])
    assert importance([0.2, 0.9, 0.4], Weighting(alpha=0)) == [1.0, 1.0, 1.0]
    assert importance([]) == []


def test_what_is_no_weighting_is_refused() -> None:
    with pytest.raises(ValueError, match="low must not be above high"):
        Weighting(low=2, high=1)
    with pytest.raises(ValueError, match="no finite number: nan"):
        importance([0.5, float("nan")])
