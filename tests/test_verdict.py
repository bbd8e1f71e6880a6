"""The words of a verdict follow from the figures, in both directions, and warnings come when they are due."""

from __future__ import annotations

from typing import Any

import pytest

from mra_bench.report.formatting import p_value
from mra_bench.same_conditions import unlike, unlike_warnings
from mra_bench.verdict import conclusion, p_text, points, sentences, stop_sentences, warnings_of


def row(**changes: Any) -> dict[str, Any]:
    base = {
        "a": "sft", "b": "dpo", "n": 1000, "difference": 0.043, "low": 0.015, "high": 0.071,
        "p": 0.002, "p_holm": 0.003, "detectable": 0.04,
    }  # fmt: skip
    return base | changes


def test_a_gain_is_said_with_interval_p_and_n() -> None:
    assert conclusion(row()) == "dpo beats sft by 4.3 points (95 % CI 1.5 to 7.1, p = 0.003, n = 1000)."


def test_a_loss_is_called_worse_and_its_interval_is_turned() -> None:
    text = conclusion(row(difference=-0.043, low=-0.071, high=-0.015, p_holm=0.0002))
    assert text == "dpo is worse than sft by 4.3 points (95 % CI 1.5 to 7.1, p < 0.001, n = 1000)."


def test_no_difference_detected_says_what_would_have_been_missed() -> None:
    text = conclusion(row(difference=0.004, low=-0.02, high=0.03, p_holm=0.7))
    assert "no difference detected (+0.4 points" in text
    assert "a gap under about 4.0 points would often be missed" in text


def test_too_few_problems_to_show_anything_is_said_instead() -> None:
    """As printed once: all four problems lost, and "a gap under about 70.0 points would often be missed"."""
    text = conclusion(row(n=4, difference=-1.0, low=-1.0, high=-0.02, p_holm=0.125, detectable=None))
    assert text == (
        "dpo against sft: no difference detected (-100.0 points, 95 % CI -100.0 to -2.0, p = 0.12, n = 4); "
        "n = 4 is too few to show any difference."
    )


@pytest.mark.parametrize("value", [0.0, -0.0, 0.0004, -0.0004])
def test_zero_has_no_sign(value: float) -> None:
    assert points(value) == points(value, sign=True) == "0.0"
    text = conclusion(row(difference=value, low=value, high=-value, p_holm=1.0))
    assert "(0.0 points, 95 % CI 0.0 to 0.0, " in text
    turned = conclusion(row(difference=-0.04, low=-0.08, high=0.0, p_holm=0.04))
    assert "(95 % CI 0.0 to 8.0, p = 0.040" in turned


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "p < 0.001"), (0.00099, "p < 0.001"), (0.001, "p = 0.001"), (0.0498, "p = 0.0498"), (0.2, "p = 0.20")],
)
def test_p_is_written_as_in_the_report(p: float, text: str) -> None:
    assert p_text(p) == text
    assert p_value(p).replace("\u202f", " ") == text.removeprefix("p ").removeprefix("= ")


def test_the_adjusted_p_decides() -> None:
    assert "no difference" in conclusion(row(p=0.03, p_holm=0.09))


def results(models: list[dict[str, Any]], pairs: list[dict[str, Any]], **score: Any) -> dict[str, Any]:
    scores = [
        {"model": "dpo", "n": 100, "samples": 1, "accuracy": 0.5, "low": 0.4, "high": 0.6, "worst": 0.5, "best": 0.5,
         "truncated": 0, "empty": 0, "tokens_mean": 40.0, "kinds": {}} | score
    ]  # fmt: skip
    dataset = {"name": "test", "n": 100, "headline": True, "pairs": pairs, "scores": scores, "unreadable": [],
               "duplicates": {"repeated": 0, "groups": []}}  # fmt: skip
    return {
        "partial": False, "missing": [], "datasets": [dataset], "models": models,
        "contamination": {"policy": "refuse", "overlaps": []}, "mixed_conditions": [],
    }  # fmt: skip


def model(name: str, parent: str | None, control_for: str | list[str] | None = None, tokens: int = 0) -> dict[str, Any]:
    made = {"operations": 6 * tokens, "steps": 100} if parent else None
    facts = {"tokens": tokens}
    return {
        "name": name,
        "from": parent,
        "control_for": control_for,
        "facts": facts,
        **({"making": made} if made else {}),
    }


LINE = [model("base", None), model("sft", "base", tokens=10), model("dpo", "sft", tokens=1000)]


def test_sentences_compare_children_with_parents_and_controls() -> None:
    models = [*LINE[:2], model("sft-more", "sft", "dpo", 1000), LINE[2]]
    pairs = [row(a="base", b="sft"), row(a="base", b="dpo"), row(), row(a="sft-more", b="dpo", p_holm=0.5)]
    lines = sentences(results(models, pairs))
    assert [line.split(" by ")[0].split(":")[0] for line in lines] == [
        "sft beats base", "dpo beats sft", "dpo against sft-more",
    ]  # fmt: skip


def test_a_pair_stored_the_other_way_round_is_turned() -> None:
    models = [model("base", None), model("dpo", "base"), model("more", "base", "dpo")]
    lines = sentences(results(models, [row(a="dpo", b="more", difference=0.1, low=0.05, high=0.15)]))
    figures = "(95 % CI 5.0 to 15.0, p = 0.003, n = 1000)"
    assert lines == [f"dpo is worse than more by 10.0 points {figures}."]


def test_one_model_alone_gets_its_accuracy() -> None:
    assert sentences(results([LINE[0]], [])) == ["dpo solves 50.0 % of test (95 % CI 40.0 to 60.0, n = 100)."]


def kinds(found: list[dict[str, str]]) -> list[str]:
    return [warning["kind"] for warning in found]


def test_missing_control_and_unequal_compute() -> None:
    assert kinds(warnings_of(results(LINE, []))) == ["no-control"]
    unequal = [*LINE, model("more", "sft", "dpo", 500)]
    (warning,) = warnings_of(results(unequal, []))
    assert warning == {
        "kind": "unequal-compute",
        "text": "more took 3 kFLOP of compute, dpo 6 kFLOP: the budgets are not equal. About 200 steps instead of 100 "
        "would be equal.",
    }
    equal = [*LINE, model("more", "sft", "dpo", 950)]
    assert warnings_of(results(equal, [])) == []
    both = [*LINE, model("dpo-2", "sft", tokens=1000), model("more", "sft", ["dpo", "dpo-2"], 950)]
    assert warnings_of(results(both, [])) == []


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        ({"truncated": 6}, "truncated"),
        ({"kinds": {"ran-on": 9}}, "ran-on"),
        ({"empty": 50}, "empty"),
        ({"kinds": {"timeout": 1}}, "timeout"),
        ({"kinds": {"crashed": 1}}, "crashed"),
    ],
)
def test_rates_above_a_threshold_warn(score: dict[str, Any], kind: str) -> None:
    assert kinds(warnings_of(results([LINE[0]], [], **score))) == [kind]


def test_a_model_that_writes_far_less_than_its_parent_has_stopped_talking() -> None:
    models = [model("sft", None), model("dpo", "sft", tokens=10)]
    found = results(models, [], tokens_mean=9.0)
    found["datasets"][0]["scores"].append(found["datasets"][0]["scores"][0] | {"model": "sft", "tokens_mean": 40.0})
    (warning,) = warnings_of(found)
    assert warning["kind"] == "stopped-talking"
    assert warning["text"].startswith("dpo on test: 9.0 tokens an answer, where sft writes 40.0")
    found["datasets"][0]["scores"][0]["tokens_mean"] = 11.0
    assert warnings_of(found) == []


def test_what_was_not_the_same_for_all_models_is_warned_about() -> None:
    prompts = {"base": {"test": {"hash": "1"}}, "sft": {"test": {"hash": "1"}}, "chat": {"test": {"hash": "2"}}}
    models = {"base": {"dtype": "fp32"}, "sft": {"dtype": "fp32"}, "chat": {"inner": {"dtype": "bf16"}}}
    found = unlike_warnings(unlike({"prompts": prompts, "models": models}))
    assert [kind for kind, _ in found] == ["different-prompts", "different-conditions"]
    assert found[0][1].startswith("The prompt on test was not the same for all models (base, sft / chat).")
    assert "(base, sft fp32 / chat bf16)" in found[1][1]
    assert unlike({"prompts": {"base": prompts["base"], "sft": prompts["sft"]}}) == []


def test_allowed_contamination_is_stamped() -> None:
    data = results([LINE[0]], [])
    data["contamination"] = {"policy": "allow", "overlaps": [{"dataset": "test", "problem_id": "1"}]}
    assert kinds(warnings_of(data)) == ["contamination"]
    assert warnings_of(data)[0]["text"].startswith("1 test question was in the training data")
    data["contamination"]["overlaps"].append({"dataset": "test", "problem_id": "2"})
    assert warnings_of(data)[0]["text"].startswith("2 test questions were in the training data")


def test_the_stamp_is_the_first_sentence_of_the_verdict() -> None:
    data = results([LINE[0]], [])
    row = {"model": "dpo", "dataset": "test", "questions": 3, "problems": 100}
    data["contamination"] |= {"stamped": [row]}
    first, second = sentences(data)
    assert first.startswith("Contaminated: trained on test questions: dpo on 3 of the 100 problems of test.")
    assert second.startswith("dpo solves")


def test_weights_that_saw_test_questions_in_an_earlier_run_are_warned_about() -> None:
    data = results([LINE[0]], [])
    met = [{"model": "dpo", "dataset": "test", "problem_id": i} for i in ("1", "1", "2")]
    data["contamination"] |= {"earlier": met}
    assert kinds(warnings_of(data)) == ["contamination"]
    assert "dpo was trained on 2 test questions in the run that its weights come from" in warnings_of(data)[0]["text"]


@pytest.mark.parametrize(
    ("rule", "count", "warned"), [("13-gram", 6, True), ("13-gram", 5, False), ("8-gram", 90, False)]
)
def test_likenesses_are_warned_about_where_they_are_many_and_telling(rule: str, count: int, warned: bool) -> None:
    data = results([LINE[0]], [])
    data["contamination"] |= {"listed": [{"dataset": "test", "rule": rule, "questions": count}]}
    assert kinds(warnings_of(data)) == (["similar-questions"] if warned else [])


def test_one_of_a_thing_is_not_several() -> None:
    data = results([LINE[0]], [], n=1, kinds={"timeout": 1})
    data["datasets"][0] |= {"n": 1, "unreadable": ["q7"], "duplicates": {"repeated": 1, "groups": [["a", "b"]]}}
    assert [warning["text"].split(". ")[0] for warning in warnings_of(data)] == [
        "dpo on test: 1 text took the grader too long; it counts as not correct.",
        "test: 1 of 1 problem repeats the question of another",
        "test: 1 problem left out for all models because its gold answer cannot be read.",
    ]
    data["datasets"][0] |= {"n": 9, "unreadable": ["q7", "q8"], "duplicates": {"repeated": 2, "groups": []}}
    texts = [warning["text"] for warning in warnings_of(data)]
    assert "2 of 9 problems repeat the question" in texts[1]
    assert "2 problems left out for all models because their gold" in texts[2]


def test_a_warning_does_not_begin_with_the_words_of_its_kind() -> None:
    """The report puts the kind before the text: "No control. No equal-budget control: ..." said it twice."""
    (warning,) = warnings_of(results(LINE, []))
    assert warning["text"].startswith("A gain of dpo over sft could be due to training longer")
    assert "no equal-budget control" in warning["text"]


def test_stages_made_under_different_conditions_are_named() -> None:
    data = results([LINE[0]], [])
    values = [{"value": "2.12.0", "stages": ["models/sft-00000001"]}, {"value": "2.13.0", "stages": ["models/dpo-2"]}]
    data["mixed_conditions"] = [{"what": "torch", "kind": "models", "values": values}]
    (warning,) = warnings_of(data)
    assert warning["kind"] == "mixed-conditions"
    assert warning["text"].endswith("not made under the same conditions: torch of models (2.12.0, 2.13.0).")


def test_a_grader_that_always_fails_is_the_verdict_and_a_warning_with_its_error() -> None:
    crashed = {"worst": 0.0, "best": 1.0, "kinds": {"crashed": 100}, "first_crash": "mine failed: ValueError: boom."}
    data = results([LINE[0]], [], **crashed)
    assert sentences(data) == [
        "Nothing was judged: the grader could not judge a single text on test. "
        "The first error: mine failed: ValueError: boom."
    ]
    found = warnings_of(data)
    assert kinds(found) == ["crashed"]
    assert found[0]["text"].startswith("dpo on test: all 100 texts made the grader fail")
    assert "The first: mine failed: ValueError: boom." in found[0]["text"]


def test_only_models_that_were_judged_are_compared() -> None:
    data = results(LINE, [row(a="base", b="sft"), row(a="base", b="dpo"), row()])
    scores = data["datasets"][0]["scores"]
    scores[0] |= {"worst": 0.0, "best": 1.0, "kinds": {"timeout": 100}}
    scores[:0] = [scores[0] | {"model": name, "worst": 0.5, "best": 0.5, "kinds": {}} for name in ("base", "sft")]
    first, *others = sentences(data)
    assert first == "Nothing was judged: the grader could not judge a single text of dpo on test."
    assert [line.split(" by ")[0] for line in others] == ["sft beats base"]


def test_a_sequential_comparison_says_so() -> None:
    sequential = {"test": "sequential McNemar", "detectable": 0.12}
    gain = row(**sequential, difference=0.1, low=0.02, high=0.2, p_holm=0.01, n=50)
    assert "(95 % sequential CI 2.0 to 20.0, sequential p = 0.010, n = 50)." in conclusion(gain)
    loss = row(**sequential, difference=-0.1, low=-0.2, high=-0.02, p_holm=0.0001, n=50)
    assert "by 10.0 points (95 % sequential CI 2.0 to 20.0, sequential p < 0.001, n = 50)." in conclusion(loss)
    none = conclusion(row(**sequential, difference=0.01, low=-0.1, high=0.1, p_holm=0.7, n=50))
    assert none.endswith("sequential p = 0.70, n = 50); a gap under about 12.0 points would often be missed here.")
    few = row(test="sequential McNemar", detectable=None, p_holm=1.0, n=5)
    assert conclusion(few).endswith("n = 5 is too few to show any difference.")


def test_where_a_sequential_run_ended_and_what_it_saved() -> None:
    found = {"look": 2, "looks": [{}, {}, {}, {}], "seen": 250, "problems": 1000, "tokens": 1000, "saved_tokens": 3000}
    (said,) = stop_sentences({"sequential": found})
    assert "(look 2 of 4, 250 of 1,000 problems)" in said
    assert "saved about 3,000 of 4,000 tokens, 75 %" in said
    (said,) = stop_sentences({"sequential": {**found, "look": 4, "seen": 1000, "saved_tokens": None}})
    assert "it went to the end (1,000 of 1,000 problems), so nothing was saved" in said
    assert "leaderboard" in said
