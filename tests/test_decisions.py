"""Decisions: how they are asked for, the rows of a verifier, problems made to be verified, rates, and the guard."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from mra_bench.builders import BuildJob, PairRule, RowRule, RowSet, Sampled
from mra_bench.built_guard import built_overlaps
from mra_bench.contamination import Questions
from mra_bench.contracts import run_builder
from mra_bench.decision_results import decision_results, no_better_than_constant
from mra_bench.decisions import ASKED, asked_about, decision_problem, from_pairs, parts_of
from mra_bench.errors import UsageError
from mra_bench.plan import Plan, make_plan
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.problem_sets import read_datasets
from mra_bench.recipe import to_yaml, validate_recipe
from mra_bench.scored import Judged, Scored
from mra_bench.store import write_rows
from mra_bench.types import LENGTH, STOP, Completion, Grade, Problem
from mra_bench.yaml_text import read_yaml

SUM = Problem("p", "What is 2 + 2?", "4", "2 + 2 = 4.")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def recipe(**more: Any) -> dict[str, Any]:
    return {
        "name": "v",
        "datasets": {
            "train": {"data": "arith", "split": "train", "limit": 40},
            "test": {"data": "arith", "split": "test"},
            "practice": {"verify": "train"},
            "checks": {"verify": "test", "limit": 30},
        },
        "models": {
            "base": {"model": "tiny-qwen2"},
            "verifier": {
                "from": "base",
                "trainer": "sft",
                "data": "train",
                "rows": {"builder": "decisions", "samples_per_problem": 2, "reference_when_unsolved": True},
                "options": {"max_steps": 2, "batch_size": 4, "accumulation": 1, "save_every": 0},
            },
        },
        "evaluate": {"datasets": ["checks"], "max_new_tokens": 16},
        "graders": ["decision"],
        **more,
    }


def plan_of(registry: Registry, data: dict[str, Any]) -> Plan:
    return make_plan(validate_recipe(data, "v"), registry)


def test_what_was_asked_is_read_back_from_questions_and_prompts() -> None:
    asked = decision_problem(SUM, " It is\n\n5.\n", "INCORRECT")
    assert {asked.answer, asked.solution, asked.subject} == {"INCORRECT"}
    assert parts_of(f"Question: {asked.question}\nAnswer:") == (SUM.question, "It is\n\n5.")
    assert (asked_about(asked.question), asked_about("Is it correct?")) == (SUM.question, "Is it correct?")
    other = decision_problem(SUM, "It is 6.", "INCORRECT")
    assert asked.id.startswith("p/")
    assert asked.id != other.id


def sampled(id_: str, *texts: tuple[str, bool | None, str], solution: str | None = "ref") -> Sampled:
    problem = Problem(id_, f"What is {id_}?", "4", solution)
    samples = [(Completion(id_, k, t, 3, 5, finish), Grade(correct)) for k, (t, correct, finish) in enumerate(texts)]
    return Sampled(problem, f"Prompt of {id_}", tuple(samples))


def built(registry: Registry, given: list[Sampled], rule: RowRule | None = None, **options: Any) -> RowSet:
    builder = registry.resolve("row_builders", "decisions")
    job = BuildJob(given, rule or RowRule(), builder.parse_options(options), 0, lambda p: f"<{p.question}>")
    return run_builder(builder, job, RowSet)


def test_a_row_asks_of_each_distinct_sample_what_its_grade_says(registry: Registry) -> None:
    texts = [("it is 4", True, STOP), ("it  is 4", True, STOP), ("it is 5", False, STOP), ("4 or", None, STOP)]
    made = built(registry, [sampled("p", *texts, ("so 4", True, LENGTH))], wrong_share=None, unclear_share=1)
    assert [row.completion for row in made.rows] == ["CORRECT", "INCORRECT", "UNCLEAR", "UNCLEAR"]
    assert made.rows[1].prompt == f"<{ASKED.format(question='What is p?', text='it is 5')}>"
    assert {key: made.counts[key] for key in ("samples", "rows", "CORRECT", "INCORRECT", "UNCLEAR")} == {
        "samples": 5, "rows": 4, "CORRECT": 1, "INCORRECT": 1, "UNCLEAR": 2
    }  # fmt: skip


def test_shares_are_kept_and_what_is_left_out_is_counted(registry: Registry) -> None:
    right = [sampled(f"r{n}", (f"right {n}", True, STOP)) for n in range(30)]
    wrong = [sampled(f"w{n}", (f"wrong {n}", False, STOP), solution=None) for n in range(10)]
    cut = [sampled(f"c{n}", (f"cut {n}", None, STOP), solution=None) for n in range(10)]
    counts = built(registry, right + wrong + cut).counts
    assert (counts["CORRECT"], counts["INCORRECT"], counts["UNCLEAR"]) == (10, 10, 1)
    assert counts["left_out"] == 29
    assert sum(built(registry, right + wrong + cut).no_row.values()) == 50 - counts["problems_with_rows"]
    counts = built(registry, right + wrong, wrong_share=0.25, unclear_share=0).counts
    assert (counts["CORRECT"], counts["INCORRECT"]) == (30, 10)
    assert built(registry, right).rows == ()
    first = built(registry, right + wrong).rows
    assert first == built(registry, right + wrong).rows


def test_a_reference_is_asked_about_only_where_no_sample_is_right(registry: Registry) -> None:
    given = [sampled("a", ("wrong", False, STOP)), sampled("b", ("wrong", False, STOP), ("right", True, STOP))]
    made = built(registry, given, RowRule(reference_when_unsolved=True))
    assert sorted(row.completion for row in made.rows) == ["CORRECT", "CORRECT", "INCORRECT", "INCORRECT"]
    assert made.counts["from_reference"] == 1
    assert len(built(registry, given, RowRule(rows_per_problem=1), wrong_share=None).rows) == 2


def test_a_set_to_verify_has_each_problem_once_about_half_of_them_wrong(registry: Registry) -> None:
    read = validate_recipe(recipe(seed=3), "v")
    checks = read_datasets(read, registry, ["checks"])["checks"]
    assert checks.data == "arith to verify"
    assert checks.problems == read_datasets(validate_recipe(recipe(), "v"), registry, ["checks"])["checks"].problems
    assert 25 <= len(checks.problems) == len({p.id.partition("/")[0] for p in checks.problems}) <= 30
    assert 8 <= sum(p.answer == "INCORRECT" for p in checks.problems) <= 22
    pairs = registry.resolve("pair_builders", "given")
    both = [dataclasses.replace(SUM, id=f"p{n}", rejected=f"{n} is wrong") for n in range(9)]
    job = BuildJob([Sampled(p, p.question) for p in both], PairRule(), None, 0)
    made = list(from_pairs(both, pairs.target(job)))
    assert {p.answer for p in made} == {"CORRECT", "INCORRECT"}
    assert all(("is wrong" in p.question) == (p.answer == "INCORRECT") for p in made)
    again = validate_recipe(read_yaml(to_yaml(read), "again"), "again")
    assert again == read


@pytest.mark.parametrize(
    ("datasets", "said"),
    [
        ({"checks": {"verify": "tset"}}, "Unknown dataset 'tset' that 'checks' verifies. Did you mean 'test'?"),
        ({"checks": {"verify": "practice"}}, "verifies 'practice', which is such a set itself"),
        ({"checks": {"verify": "test", "split": "test"}}, "a set to verify takes 'verify: SET'"),
        ({"checks": {"carve": "practice", "count": 3}}, "carved from 'practice', which is made to be verified"),
        ({"checks": {"data": "arith", "builder": "corrupted"}}, "give 'data: NAME'"),
        (
            {"checks": {"verify": "test", "builder": "graded"}},
            "'graded' needs samples. Use one that builds",
        ),
        (
            {"checks": {"verify": "test", "options": {"kinds": ["sing"]}}},
            "Dataset 'checks': .* 'sing' is no kind",
        ),
        ({"checks": {"verify": "test", "builder": "given"}}, "of no problem of 'test' a pair could be made"),
    ],
)
def test_a_set_that_cannot_be_made_is_refused(registry: Registry, datasets: dict[str, Any], said: str) -> None:
    data = recipe()
    with pytest.raises(UsageError, match=said):
        plan_of(registry, {**data, "datasets": {**data["datasets"], **datasets}})


def test_test_questions_are_found_in_and_by_problems_to_verify(registry: Registry) -> None:
    data = recipe()
    data["datasets"]["practice"] = {"verify": "test", "limit": 20}
    data["models"]["verifier"] |= {"data": "practice", "rows": None}
    with pytest.raises(UsageError, match="20 training rows hold test questions"):
        plan_of(registry, data)
    data["models"]["verifier"] |= {"data": "test"}
    data["evaluate"]["datasets"] = ["practice"]
    with pytest.raises(UsageError, match="20 training rows hold test questions .20 of the 20 problems of practice"):
        plan_of(registry, data)


def test_rates_are_counted_by_gold_and_by_word() -> None:
    golds = {"a": "CORRECT", "b": "CORRECT", "c": "INCORRECT", "d": "INCORRECT", "e": "UNCLEAR"}
    problems = [Problem(i, "?", gold) for i, gold in golds.items()]
    answers = {"a": "CORRECT", "b": "INCORRECT", "c": "CORRECT", "d": "", "e": "UNCLEAR"}
    samples = {
        i: [Judged(answers[i] == golds[i], answers[i] or "UNCLEAR", rule="word" if answers[i] else "none")]
        for i in golds
    }
    found = decision_results([Scored("m", problems, samples)])
    assert found is not None
    assert found["golds"] == {"CORRECT": 2, "INCORRECT": 2, "UNCLEAR": 1}
    (rates,) = found["models"]
    counted = {name: (rate["count"], rate["texts"]) for name, rate in rates.items() if name != "model"}
    assert counted == {
        "accuracy": (2, 5),
        "false_positives": (1, 2),
        "false_negatives": (1, 2),
        "unclear": (1, 5),
        "unreadable": (1, 5),
    }
    (said,) = no_better_than_constant({"name": "checks", "decisions": found})
    assert said.startswith(
        "m on checks: right in 40.0 % of decisions; saying CORRECT every time would be right in 40.0 %"
    )
    assert rates["accuracy"]["low"] < 0.4 < rates["accuracy"]["high"]
    assert decision_results([Scored("m", [*problems, SUM], {**samples, "p": samples["a"]})]) is None
    only = decision_results([Scored("m", problems[:1], samples)])
    assert only is not None
    assert only["models"][0]["false_positives"]["share"] is None


def test_a_solution_that_a_verifier_learns_from_is_held_to_test_questions(tmp_path: Path) -> None:
    question = "How many eggs are in twelve boxes of eggs if each of the boxes holds three eggs?"
    asked = decision_problem(SUM, f"First: {question}", "INCORRECT")
    write_rows(tmp_path / "rows.jsonl", [{"problem_id": asked.id, "prompt": f"Q: {asked.question}", "completion": "X"}])
    (found,) = built_overlaps(tmp_path, [Questions("test", [Problem("t", question, "36")])])
    assert (found[1].rule, found[1].source) == ("holds the question", "row")
