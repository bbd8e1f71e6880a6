"""Prediction of tokens and success from questions: it finds what is there, and says when nothing is."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest
from runs import here
from test_plan import plan_of, registry

from mra_bench.costs import stage_cost
from mra_bench.errors import UsageError
from mra_bench.plugins import Registry
from mra_bench.predictor import Observed, Predictor, features, fit, in_range, width
from mra_bench.types import Problem

__all__ = ["registry"]  # a fixture


def observed(count: int, seed: int = 0) -> list[Observed]:
    """Questions with 1 to 5 numbers: 10 tokens for each; right where there are at most 2."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        terms = rng.randint(1, 5)
        question = "Add " + " and ".join(str(rng.randint(1, 99)) for _ in range(terms)) + "."
        found.append(Observed(Problem(f"p{number}", question, "0"), 10.0 * terms, float(terms <= 2)))
    return found


def test_what_follows_from_the_question_is_found() -> None:
    predictor, errors = fit(observed(200))
    assert errors["tokens"]["explained"] > 0.9
    assert errors["tokens"]["error"] < errors["tokens"]["error_of_median"] / 3
    assert errors["success"]["explained"] > 0.6
    assert errors["success"]["auc"] > 0.95
    short, long = (Problem("q", f"Add {numbers}.", "0") for numbers in ("7", "7 and 8 and 9 and 10 and 11"))
    (tokens, chance), (more, less) = predictor.predict(short), predictor.predict(long)
    assert tokens < 20 < more
    assert chance > 0.5 > less
    assert predictor.budget(short, 0.5) <= predictor.budget(short) < predictor.budget(long)


def test_a_budget_covers_the_texts_of_a_problem_not_their_mean_alone() -> None:
    rng = random.Random(2)
    spread = [dataclasses.replace(o, lengths=tuple(round(o.tokens * rng.lognormvariate(0, 0.4)) for _ in range(8)))
              for o in observed(200)]  # fmt: skip
    predictor, errors = fit(spread)
    alone, _ = fit(observed(200))
    assert errors["tokens"]["within_budget"] == pytest.approx(0.95, abs=0.04)
    assert predictor.budget(spread[0].problem) > 1.2 * alone.budget(spread[0].problem)


def test_where_nothing_follows_it_explains_nothing() -> None:
    rng = random.Random(1)
    mixed = [Observed(one.problem, rng.uniform(5, 50), float(rng.random() < 0.5)) for one in observed(200)]
    _, errors = fit(mixed)
    assert errors["tokens"]["explained"] < 0.1
    assert 0.35 < errors["success"]["auc"] < 0.65


def test_all_alike_and_too_few() -> None:
    alike = [Observed(one.problem, 30.0, 1.0) for one in observed(40)]
    predictor, errors = fit(alike)
    assert errors["success"]["auc"] is None
    assert errors["tokens"]["explained"] is None
    assert predictor.predict(alike[0].problem) == (pytest.approx(30.0), pytest.approx(1.0))
    with pytest.raises(UsageError, match="19 problems are too few to fit a predictor on; it takes 20"):
        fit(alike[:19])


def test_it_is_kept_in_a_file_and_nothing_else_is_taken_for_one(tmp_path: Path) -> None:
    predictor, _ = fit(observed(50))
    predictor.save(tmp_path / "p.json")
    assert Predictor.load(tmp_path / "p.json") == predictor
    (tmp_path / "q.json").write_text("{}")
    with pytest.raises(UsageError, match="is no predictor"):
        Predictor.load(tmp_path / "q.json")
    with pytest.raises(UsageError, match="Cannot read the predictor"):
        Predictor.load(tmp_path / "none.json")
    assert len(features(Problem("", "", ""))) == width() == len(predictor.tokens)


def test_a_recipe_samples_only_what_is_within_reach(registry: Registry, tmp_path: Path) -> None:
    everything = plan_of(registry).datasets["train"].problems
    predictor, _ = fit([Observed(p, 30.0, float(len(p.question) > 90)) for p in everything[:200]])
    predictor.save(tmp_path / "p.json")
    settings = (f"models.dpo.pairs.predictor={tmp_path / 'p.json'}", "models.dpo.pairs.problems=null")
    plan = plan_of(registry, *settings, "models.dpo.pairs.chance=[0.3, 0.7]")
    (stage,) = (stage for stage in plan.stages if stage.kind == "pair")
    chosen = stage.work.problems.problems
    assert list(chosen) == in_range(everything, predictor, 0.3, 0.7)
    assert 0 < len(chosen) < len(everything)
    plan = plan_of(registry, *settings, "models.dpo.pairs.budget=0.9", "models.dpo.pairs.max_new_tokens=40")
    (stage,) = (stage for stage in plan.stages if stage.name == "sft-train")
    assert list(stage.work.budgets) == [min(40, predictor.budget(p, 0.9)) for p in everything]
    assert stage.spec["budgets"] == list(stage.work.budgets)
    assert stage_cost(stage).tokens == 4 * sum(stage.work.budgets)
    with pytest.raises(UsageError, match="a budget is a predictor's: name its file"):
        plan_of(registry, "models.dpo.pairs.budget=0.9")
    with pytest.raises(UsageError, match="no problem of 'train' has a chance within"):
        plan_of(registry, *settings, "models.dpo.pairs.chance=[0.123456, 0.123457]")
    with pytest.raises(UsageError, match="chance goes from low to high"):
        plan_of(registry, "models.dpo.pairs.chance=[0.8, 0.2]")


def test_the_command_says_how_well_it_predicts(tmp_path: Path) -> None:
    rows = observed(30)
    problems = [{"id": one.problem.id, "question": one.problem.question, "answer": "0"} for one in rows]
    texts = [
        {"problem": one.problem.id, "text": "so " * int(one.tokens) + f"\\boxed{{{0 if one.success else 1}}}"}
        for one in rows
    ]
    for name, lines in (("p", problems), ("t", texts)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = here("run", "--model", "m=echo@t.jsonl", "--data", "p=p.jsonl", "--out", "run", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = here("predict", "run", "--texts", "m-p", "--out", "predictor.json", "--json", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    data = json.loads(said.stdout)
    assert (data["problems"], data["texts"]) == (30, ["m-p"])
    assert data["tokens"]["explained"] > 0.5
    assert Predictor.load(tmp_path / "predictor.json").spread > 0
    assert "Did you mean 'm-p'?" in here("predict", "run", "--texts", "m-q", cwd=tmp_path).stderr
    assert "built no training data from samples. Name texts with --texts: m-p" in (
        here("predict", "run", cwd=tmp_path).stderr
    )
