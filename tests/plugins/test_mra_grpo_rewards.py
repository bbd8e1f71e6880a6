"""Rewards, ranks and decisions of `mra_grpo`: pure functions of texts and grades."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mra_decision.decision import decided, decided_as_published
from mra_grpo.advantage import ranks
from mra_grpo.context import Context
from mra_grpo.options import GrpoOptions
from mra_grpo.repo_rewards import MARKS, MOST_STYLE, STEPS
from mra_grpo.rewards import REWARDS, wanted
from mra_grpo.signal import signal, total
from mra_transformers.training_options import LoraOptions

from mra_bench.errors import UsageError
from mra_bench.plugins import Plugin, Registered
from mra_bench.types import Grade, Problem

WORDY = "First, then, therefore, thus, solve: a = b + c - d * e / f ^ g."  # the best style there is


def context(texts: list[str], correct: list[bool | None], *, gold: str = "12", group: int = 0, **more: Any) -> Context:
    group = group or len(texts)
    return Context(
        problems=[Problem("p", "?", gold)] * len(texts),
        texts=texts,
        tokens=more.pop("tokens", [len(text.split()) for text in texts]),
        groups=[range(start, start + group) for start in range(0, len(texts), group)],
        longest=more.pop("longest", 100),
        grades={"sympy": [Grade(value) for value in correct], **more},
    )


def score(name: str, given: Context, **options: Any) -> list[float | None]:
    return wanted(name, {"options": options}).score(given)


def test_f9_ties_share_their_rank() -> None:
    assert ranks([4, 3, 2, 1]) == pytest.approx([1, 1 / 3, -1 / 3, -1])
    assert ranks([0.5] * 4) == [0, 0, 0, 0]
    assert ranks([7]) == [0]
    assert ranks([1, 0, 0, 0]) == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])
    assert ranks([3, None, 1, 2]) == [1, None, -1, 0]
    assert ranks([None, None]) == [None, None]


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9))
def test_ranks_sum_to_nothing_and_see_the_order_alone(rewards: list[int]) -> None:
    found = ranks(rewards)
    assert sum(value or 0 for value in found) == pytest.approx(0, abs=1e-12)
    assert found == ranks([math.exp(reward / 10) for reward in rewards])
    assert all(-1 <= (value or 0) <= 1 for value in found)


def test_what_a_grader_could_not_judge_earns_nothing_at_all() -> None:
    """F8: an unreadable gold answer, or a text without a verdict, is never "correct", and never wrong either."""
    judged = context(["a", "b", "c", "d"], [True, None, False, None])
    for name in ("correct", "slm-correct", "cosine", "fast-math-cosine", "length", "fast-math-length", "repo"):
        values = score(name, judged)
        assert [value is None for value in values] == [False, True, False, True], name
    logged: dict[str, float] = {}
    sums = total(judged, [wanted("correct", 2.0), wanted("repetition", {})], logged.__setitem__)
    assert sums == [2.0, None, 0.0, None]
    assert signal(judged, sums, "rank") == [1, None, -1, None]
    assert signal(judged, sums, "zscore") == sums
    assert logged == {"rewards/correct": 0.5, "rewards/repetition": 0, "rewards/total": 1, "rewards/unjudged": 0.5}


def test_correct_and_the_published_values() -> None:
    given = context(["\\boxed{12}", "\\boxed{13}", "13"], [True, False, False])
    assert score("correct", given) == [1, 0, 0]
    assert score("correct", given, right=2, wrong=-1) == [2, -1, -1]
    assert score("slm-correct", given) == [1, -1, -0.5]
    given = context(["x", "y"], [True, False], math_verify=[Grade(False), Grade(True)])
    assert score("correct", given, grader="math_verify") == [0, 1]


@given(st.lists(st.sampled_from(["oxed{", "}", "</think>", "\\b", "\n", "1", "{"]), max_size=12).map("".join))
def test_the_published_format_is_its_expression(text: str) -> None:
    expected = re.match(r"^.*?oxed{(.*?)}.*?</think>.*?$", text, re.DOTALL) is not None
    assert score("fast-math-format", context([text], [True])) == [float(expected)]


def test_the_box_closes_before_the_first_think_ends() -> None:
    texts = {
        "so \\boxed{\\frac{1}{2}} </think> done": 1,
        "so 5 </think> \\boxed{5}": 0,
        "\\boxed{5": 0,
        "\\boxed{5}": 0,
        "</think> \\boxed{5} </think>": 0,
        "oxed{5} </think>": 0,
    }
    assert score("format-before-think", context(list(texts), [True] * len(texts))) == list(texts.values())


def test_cosine_counts_tokens_and_the_published_one_characters() -> None:
    given = context(
        ["x" * 30_000, "", "x" * 15_000, "x" * 99_999], [True, True, False, False], tokens=[0, 50, 100, 999]
    )
    assert score("cosine", given) == pytest.approx([1.0, 0.55, -0.1, -0.1])
    assert score("cosine", given, longest=200) == pytest.approx(
        [1.0, 0.1 + 0.45 * (1 + math.cos(math.pi / 4)), -0.55, -0.1]
    )
    assert score("fast-math-cosine", given) == pytest.approx([0.1, 1.0, -0.55, -0.1])


def test_f13_length_is_of_one_problem_and_in_tokens() -> None:
    texts = ["x" * 900, "y", "z", "x", "y" * 900, "z"]
    given = context(texts, [True, True, False, True, True, False], tokens=[10, 20, 15, 500, 1000, 1000], group=3)
    assert score("length", given) == [0.5, -0.5, 0.0, 0.5, -0.5, -0.5]
    assert score("fast-math-length", given)[3] == pytest.approx(0.5 - 490 / 990), "the published one mixes problems"
    assert score("length", context(["a", "b"], [True, False], tokens=[7, 7])) == [0, 0]


def test_repetition() -> None:
    texts = ["a b c a b c", "a b c d", "one two", "", "No no no no no"]
    assert score("repetition", context(texts, [True] * 5)) == pytest.approx([-0.25, 0, 0, 0, -2 / 3])
    assert score("repetition", context(["a a b"], [True]), ngram=1) == pytest.approx([-1 / 3])


def test_repo_as_published() -> None:
    table = {
        "\\boxed{12}": 6.0,
        "12": 4.0,
        f"{WORDY} \\boxed{{7}}": 5.5,
        f"{WORDY} \\boxed{{1}}": 7.5,
        f"{WORDY} \\boxed{{12}}": 10.5,
        "": -1.0,
        "x" * 60 + " \\boxed{1 2}": 5.0,
        "x" * 60 + "(12) and 13": 5.0,
        f"{WORDY} \\boxed{{12}} \\boxed{{7}}": 10.5,
    }
    assert score("repo-style", context(list(table), [False] * len(table))) == pytest.approx(list(table.values()))


@given(
    st.lists(st.sampled_from([*STEPS, *MARKS, "\\boxed{1}", "12", "\n", "x" * 50]), max_size=30),
    st.lists(st.sampled_from([*STEPS, *MARKS, "\\boxed{12}", "\n"]), max_size=30),
    st.floats(0, 0.75),
)
def test_f14_no_style_outweighs_the_answer(wrong: list[str], right: list[str], style: float) -> None:
    texts = [" ".join(wrong), " ".join(right)]
    bad, good = score("repo", context(texts, [False, True]), style=style)
    assert bad is not None
    assert good is not None
    assert bad < good


def test_f14_a_part_of_the_gold_answer_earns_nothing() -> None:
    texts = [f"{WORDY} \\boxed{{{answer}}}" for answer in ("1", "7", "12")] + ["12"]
    part, other, right, terse = score("repo", context(texts, [False, False, True, True]))
    assert part == other == 0.5 * MOST_STYLE
    assert terse == 4.5 > other
    assert right == 5 + 0.5 * MOST_STYLE


def test_words_of_steps_stand_by_themselves() -> None:
    marked = "x" * 60
    texts = [f"{marked} stepson thenar", f"{marked} step then Solution: solve"]
    assert score("repo", context(texts, [False, False])) == [0.0, 1.0]


@pytest.mark.parametrize("name", [name for name, reward in REWARDS.items() if not reward.decides])
def test_f22_two_equal_right_texts_lose_nothing(name: str) -> None:
    twice = score(name, context(["\\boxed{12}", "\\boxed{12}"], [True, True]))
    other = score(name, context(["\\boxed{12}", "x \\boxed{12}"], [True, True], tokens=[1, 1]))
    assert twice[0] == twice[1] == other[0]
    assert signal(context(["a"] * 3, [True] * 3), [1.0, 1.0, 0.0], "rank") == [0.5, 0.5, -1]


@pytest.mark.parametrize(
    ("text", "ours", "published"),
    [
        ("CORRECT", "CORRECT", "CORRECT"),
        ("The result is incorrect.", "INCORRECT", "INCORRECT"),
        ("This is not correct", "INCORRECT", "CORRECT"),
        ("It isn't quite correct.", "INCORRECT", "CORRECT"),
        ("It can't be incorrect.", "UNCLEAR", "INCORRECT"),
        ("CORRECT? No: INCORRECT", "INCORRECT", "INCORRECT"),
        ("It is unclear whether this is correct", "UNCLEAR", "CORRECT"),
        ("correctly added", "UNCLEAR", "CORRECT"),
        ("Not wrong, so: CORRECT", "CORRECT", "CORRECT"),
        ("UNVERIFIED", "UNCLEAR", "UNCLEAR"),
        ("NOT VERIFIED", "UNCLEAR", "UNCLEAR"),
        ("", "UNCLEAR", "UNCLEAR"),
    ],
)
def test_f4_decisions(text: str, ours: str, published: str) -> None:
    assert decided(text) == ours
    assert decided_as_published(text) == published


def test_a_decision_earns_by_the_answer_of_the_problem() -> None:
    texts = ["correct", "incorrect", "unclear"]
    for gold, ours, published in (
        ("CORRECT", [1, -1, -0.3], [1, -1, -0.3]),
        ("incorrect", [-1, 1, -0.3], [-1, 1, -0.3]),
        ("UNCLEAR", [-1, -1, 1], [-1, -1, -0.3]),
    ):
        given = context(texts, [None] * 3, gold=gold)
        assert score("decision", given) == ours
        assert score("slm-decision", given) == published


def parse(**options: Any) -> GrpoOptions:
    """As a recipe's options are read."""
    parsed: GrpoOptions = Registered(
        "trainers", "grpo", Plugin("grpo", "", "mra_grpo", ""), None, GrpoOptions
    ).parse_options(options)
    return parsed


def test_rewards_of_a_recipe() -> None:
    options = parse(rewards={"correct": 1, "cosine": {"weight": 0.5, "options": {"longest": 64}}})
    assert [(reward.name, reward.weight) for reward in options.wanted()] == [("correct", 1), ("cosine", 0.5)]
    assert options.wanted()[1].options.longest == 64


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rewards": {"corect": 1}}, "Unknown reward 'corect'. Did you mean 'correct'?"),
        (
            {"rewards": {"cosine": {"options": {"longst": 5}}}},
            "Unknown option 'longst' of the reward 'cosine'. Did you",
        ),
        ({"rewards": {"repo": {"options": {"style": 0.8}}}}, "'style' of the reward 'repo': must be 0.75 or less"),
        ({"rewards": {"repo-style": {"options": {"x": 1}}}}, "The reward 'repo-style' takes no options"),
        ({"rewards": {}}, "Option 'rewards' of the trainer 'grpo': must hold 1 or more"),
        ({"rewards": "correct"}, "Option 'rewards' of the trainer 'grpo': must hold keys with values (got 'correct')"),
        (
            {"rewards": {"correct": {"wieght": 1}}},
            "Unknown option 'wieght' of the reward 'correct'. Did you mean 'weight'",
        ),
        ({"rewards": {"correct": "much"}}, "Option 'weight' of the reward 'correct': must be a number (got 'much')"),
        ({"rewards": {"correct": True}}, "Option 'weight' of the reward 'correct': must be a number (got True)"),
        ({"rewards": {"correct": math.nan}}, "The weight of the reward 'correct' must be a finite number (got nan)"),
        ({"group_size": 5}, "32 texts, which must be a multiple of group_size 5"),
        ({"group_size": 1}, "'group_size' of the trainer 'grpo': must be 2 or more"),
        ({"lora": {"dropout": 0.1}}, "lora.dropout must be 0"),
        ({"advantage": "ranks"}, "'advantage' of the trainer 'grpo': must be 'zscore' or 'rank'"),
    ],
)
def test_wrong_options_are_told_at_once(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse(**given)


def test_what_does_not_fit_the_problems_is_told_before_any_work() -> None:
    problems = [Problem("p1", "?", "CORRECT"), Problem("p2", "?", "42")]
    with pytest.raises(UsageError, match="that of 'p2' is '42'. Use the reward 'correct' there."):
        GrpoOptions(rewards={"decision": 1}).check_problems(problems, ["sympy"])
    with pytest.raises(UsageError, match="Unknown grader 'simpy' in the reward 'correct'. Did you mean 'sympy'?"):
        GrpoOptions(rewards={"correct": {"options": {"grader": "simpy"}}}).check_problems(problems, ["sympy"])
    with pytest.raises(UsageError, match="'correct' needs a grader: name one in 'graders' of the model"):
        GrpoOptions().check_problems(problems, [])
    GrpoOptions(rewards={"decision": 1}).check_problems(problems[:1], [])


def test_cost_estimate_counts_texts() -> None:
    assert GrpoOptions(group_size=8).examples_seen(100) == 800
    assert GrpoOptions(group_size=8, iterations=2).examples_seen(100) == 1600
    assert GrpoOptions(max_steps=5, iterations=2).examples_seen(100) == 5 * 32
    assert GrpoOptions(group_size=8, iterations=2).texts_drawn(100) == 800
    assert GrpoOptions(max_steps=5, iterations=2).texts_drawn(100) == 3 * 32  # the last draw is learnt from once
    assert GrpoOptions(lora=LoraOptions()).rate == 1e-5


def test_the_page_lists_every_reward_and_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training_signals.md").read_text("utf-8")
    page = page.partition("### Rewards\n")[2].partition("\n###")[0]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(REWARDS)
    for name, reward in REWARDS.items():
        for option in dataclasses.fields(reward.options) if reward.options else ():
            assert f"`{option.name}`" in page, (name, option.name)
