"""Pairs from profiles and from labelled errors."""

from __future__ import annotations

from statistics import mean
from typing import Any

import pytest
from mra_sympy import grade
from mra_verifier import profile

from mra_bench.builders import BuildJob, PairRule, PairSet, Sampled
from mra_bench.contracts import run_builder
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.types import LENGTH, STOP, Completion, Problem

SOLUTION = "12 * 3 = 36. 36 + 4 = 40. \\boxed{40}"
QUESTION = "A farm packs 12 boxes of 3 eggs and 4 more. How many eggs are packed?"
NEAR, FAR = "12 * 3 = 37. 37 + 4 = 41. \\boxed{41}", "It must be a lot. \\boxed{4000000}"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def sampled(id_: str, *texts: str, cut: int = -1, solution: str | None = SOLUTION) -> Sampled:
    """A problem whose texts are graded and profiled as in a run."""
    problem = Problem(id_, QUESTION, "40", solution)
    samples = tuple(
        (Completion(id_, k, text, 5, len(text.split()), LENGTH if k == cut else STOP), grade(problem, text))
        for k, text in enumerate(texts)
    )
    return Sampled(problem, f"Prompt of {id_}", samples, tuple(profile(problem, text) for text in texts))


def build(registry: Registry, name: str, problems: list[Sampled], **options: Any) -> PairSet:
    rule = PairRule(pairs_per_problem=options.pop("pairs_per_problem", 1))
    builder = registry.resolve("pair_builders", name)
    return run_builder(builder, BuildJob(problems, rule, builder.parse_options(options), 0), PairSet)


def test_the_near_miss_is_hard_and_the_absurd_answer_easy(registry: Registry) -> None:
    one = sampled("p", SOLUTION, FAR, NEAR)
    (hard,) = build(registry, "hard-negatives", [one], pairs_per_problem=3).pairs
    assert (hard.chosen, hard.rejected, hard.weight) == (SOLUTION, NEAR, 1.0)
    assert (hard.chosen_source, hard.rejected_source) == ("sample:0", "sample:2")
    (easy,) = build(registry, "easy-negatives", [one], pairs_per_problem=3).pairs
    assert easy.rejected == FAR


def test_weights_have_mean_1_and_grow_with_hardness(registry: Registry) -> None:
    other = "12 * 3 = 36. 36 + 4 = 40. \\boxed{48}"
    problems = [sampled("a", SOLUTION, NEAR), sampled("b", SOLUTION, other), sampled("c", SOLUTION, NEAR)]
    plain = build(registry, "hard-negatives", problems)
    weighed = build(registry, "hard-negatives", problems, weighted=True, alpha=3.0)
    assert {pair.weight for pair in plain.pairs} == {1.0}
    first, second, third = (pair.weight for pair in weighed.pairs)
    assert first == third != second
    assert mean((first, second, third)) == pytest.approx(1, abs=1e-12)


def test_what_is_right_cut_or_not_judged_is_never_rejected(registry: Registry) -> None:
    problems = [
        sampled("all right", SOLUTION, "\\boxed{40}"),
        sampled("cut", SOLUTION, NEAR, cut=1),
        sampled("none right", NEAR),
        sampled("none right, no reference", NEAR, solution=None),
        sampled("absurd only", SOLUTION, FAR),
    ]
    made = build(registry, "hard-negatives", problems)
    assert [(pair.problem_id, pair.chosen_source) for pair in made.pairs] == [("none right", "reference")]
    assert made.no_pair == {
        "no wrong text": 1,
        "no usable wrong text": 1,
        "nothing right to choose": 1,
        "no candidate: absurdity above 0.3": 1,
    }
    assert made.counts["problems"] == 5


def test_corrupted_references_are_graded_wrong_and_say_their_kind(registry: Registry) -> None:
    problems = [sampled("p"), sampled("q", solution=None), sampled("r", solution="There is no sum here. \\boxed{40}")]
    made = build(registry, "corrupted", problems, pairs_per_problem=2)
    assert made == build(registry, "corrupted", problems, pairs_per_problem=2)
    of_first = [pair for pair in made.pairs if pair.problem_id == "p"]
    assert len(of_first) == 2
    for pair in of_first:
        assert (pair.chosen, pair.chosen_source) == (SOLUTION, "reference")
        assert pair.rejected_source.startswith("corrupted:")
        assert grade(problems[0].problem, pair.rejected).correct is False
    assert made.no_pair["no reference solution"] == 1
    only = build(registry, "corrupted", problems, kinds=["sign"])
    assert {pair.rejected_source for pair in only.pairs} <= {"corrupted:sign"}


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("corrupted", {"kinds": ["sing"]}, "'sing' is no kind of error; these are: wrong-operation"),
        ("hard-negatives", {"absurdity": 2}, "must be 1 or less"),
        ("hard-negatives", {"low": 3.0, "high": 2.0}, "low must not be above high"),
        ("easy-negatives", {"absurdty": 1}, "Did you mean 'absurdity'"),
    ],
)
def test_bad_options_are_named(registry: Registry, name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        registry.resolve("pair_builders", name).parse_options(options)
