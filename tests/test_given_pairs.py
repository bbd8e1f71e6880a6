"""Pairs of a dataset that holds them, and the short ways to say where pairs come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_plan import plan_of, registry

from mra_bench.builders import BuildJob, PairRule, PairSet, Sampled
from mra_bench.contracts import run_builder
from mra_bench.errors import UsageError
from mra_bench.plan import make_plan
from mra_bench.plugins import Registry
from mra_bench.recipe import validate_recipe

__all__ = ["registry"]  # a fixture
ROWS = [
    {"question": "What is 2 + 2?", "solution": "It is 4.", "rejected": "It is 5."},
    {"question": "What is 3 + 3?", "solution": "It is 6.", "rejected": "It  is 6."},
]


def recipe(folder: Path, **model: Any) -> dict[str, Any]:
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return {
        "name": "given",
        "datasets": {
            "public": {"data": "public", "split": "train", "path": str(folder / "pairs.jsonl")},
            "test": {"data": "arith", "split": "test", "limit": 4},
        },
        "models": {
            "base": {"model": "tiny-qwen2"},
            "dpo": {"from": "base", "trainer": "dpo", "pairs": {"dataset": "public"}, **model},
        },
        "evaluate": {"datasets": ["test"]},
    }


def test_a_dataset_of_pairs_needs_no_gold_answer_and_nothing_is_sampled(registry: Registry, tmp_path: Path) -> None:
    plan = make_plan(validate_recipe(recipe(tmp_path), "x"), registry)
    (stage,) = (stage for stage in plan.stages if stage.kind == "pair")
    assert [s.kind for s in stage.inputs] == ["problems"]
    problems = stage.work.problems.problems
    assert [(p.answer, p.solution, p.rejected) for p in problems] == [
        ("", row["solution"], row["rejected"]) for row in ROWS
    ]
    job = BuildJob((Sampled(p, f"Q: {p.question}") for p in problems), PairRule(), None, 0)
    made = run_builder(registry.resolve("pair_builders", "given"), job, PairSet)
    (pair,) = made.pairs
    assert (pair.chosen, pair.rejected, pair.chosen_source) == ("It is 4.", "It is 5.", "dataset")
    assert made.no_pair == {"no two different solutions": 1}


def test_corrupt_reference_is_a_builder_in_short(registry: Registry) -> None:
    plan = plan_of(registry, "models.dpo.pairs={corrupt: reference}")
    (stage,) = (stage for stage in plan.stages if stage.kind == "pair")
    assert stage.work.builder.name == "corrupted"
    assert not any(stage.name == "sft-train" for stage in plan.stages)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pairs": {"dataset": "public", "builder": "graded"}}, "give one of: builder, dataset, corrupt"),
        ({"pairs": {"corrupt": "samples"}, "data": "public"}, "only 'reference' solutions can be corrupted"),
        ({"data": "test"}, "data is 'test', but its pairs are those of 'public'"),
        ({"pairs": {"dataset": "publik"}}, "Did you mean 'public'"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        validate_recipe(recipe(tmp_path, **changed), "x")


def test_a_row_without_both_is_an_ordinary_problem_and_needs_its_answer(registry: Registry, tmp_path: Path) -> None:
    data = recipe(tmp_path)
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"question": "What is 2 + 2?", "solution": "4"}) + "\n")
    with pytest.raises(UsageError, match="no column 'answer'"):
        make_plan(validate_recipe(data, "x"), registry)
