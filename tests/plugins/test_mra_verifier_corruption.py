"""The generator of labelled errors: on the embedded dataset, and on real solutions where they are at hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mra_arith import load
from mra_sympy import grade
from mra_verifier import DIMENSIONS, profile
from mra_verifier.corruption import KINDS, NOTICES, Corruption, corrupt

from mra_bench.errors import UsageError
from mra_bench.types import Problem

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ARITH = list(load("test", None))[:150]
LINES = """Nathan can do 20 x 2 = <<20*2=40>>40 sit ups.
Together that is 20 + 40 = <<20+40=60>>60 sit-ups.
Bob can do 60/2 = <<60/2=30>>30 sit-ups.
Bob can do 30 - 20 = <<30-20=10>>10 more sit-ups than Ken.
#### 10"""
QUESTION = (
    "Ken can do 20 sit-ups. Nathan can do twice as many. Bob can do half of both. How many more is that than Ken?"
)
NATHAN = Problem("nathan", QUESTION, "10", LINES)


def rows(name: str, count: int) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the data file {name} is not beside the project")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:count]]


def every(problems: list[Problem], kind: str, carry: bool) -> list[tuple[Problem, Corruption]]:
    return [(problem, found) for problem in problems if (found := corrupt(problem, kind, 1, carry=carry))]


def sound(problem: Problem, found: Corruption, kind: str, carry: bool) -> None:
    """What holds of every corruption, whatever it was made of."""
    assert found.text != problem.solution
    assert (found.kind, found.carried) == (kind, carry)
    assert set(found.notices) <= set(DIMENSIONS)
    start, end = found.place
    assert 0 <= start <= end <= len(found.text)
    verdict = grade(problem, found.text)
    assert found.rejected == (verdict.correct is False)
    assert found.answer == verdict.answer
    if carry:  # it is meant as a rejected side: its answer differs from the gold answer
        assert found.rejected
        assert found.answer


@pytest.mark.parametrize("carry", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_solutions_of_arith(kind: str, carry: bool) -> None:
    made = every(ARITH, kind, carry)
    assert len(made) >= 40
    for problem, found in made:
        sound(problem, found, kind, carry)
    again = every(ARITH, kind, carry)
    assert again == made
    if (kind, carry) != ("swapped-step", True):  # always the last two steps
        assert any(corrupt(problem, kind, 2, carry=carry) != found for problem, found in made)


@pytest.mark.parametrize(("kind", "least"), list(zip(KINDS, (150, 150, 120, 130, 60, 10), strict=True)))
def test_solutions_of_gsm8k(kind: str, least: int) -> None:
    problems = [
        Problem(str(k), row["question"], row["answer"].rpartition("####")[2].strip(), row["answer"])
        for k, row in enumerate(rows("gsm8k/train.jsonl", 200))
    ]
    for carry in (True, False):
        made = every(problems, kind, carry)
        assert len(made) >= least
        for problem, found in made:
            sound(problem, found, kind, carry)


def test_solutions_of_math() -> None:
    problems = [
        Problem(
            row["unique_id"],
            row["problem"],
            row["solution"].rpartition("\\boxed{")[2].partition("}")[0],
            row["solution"],
        )
        for row in rows("math/train.jsonl", 100)
    ]
    made = every(problems, "sign", True) + every(problems, "carried-digit", True)
    assert len(made) >= 60
    for problem, found in made:
        sound(problem, found, found.kind, True)


def wrong(kind: str, carry: bool, seed: int = 0) -> Corruption:
    found = corrupt(NATHAN, kind, seed, carry=carry)
    assert found is not None
    return found


def test_an_error_is_carried_on_to_the_final_answer() -> None:
    texts = {wrong("wrong-operation", True, seed).text for seed in range(12)}
    assert LINES.replace("60/2", "60*2").replace("30", "120").replace("10", "100") in texts
    for text in texts:  # a wrong operation that is worked out correctly leaves no false equality
        assert profile(NATHAN, text).errors["arithmetic"] == 0


def test_a_place_alone_leaves_the_rest_as_it_is() -> None:
    found = wrong("carried-digit", False)
    assert not found.rejected
    before, after = LINES.split("\n"), found.text.split("\n")
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert found.text[slice(*found.place)].startswith("<<")
    assert profile(NATHAN, found.text).errors["arithmetic"] > 0  # type: ignore[operator]


def test_steps_are_swapped_and_dropped() -> None:
    swapped = wrong("swapped-step", True).text.split("\n")
    assert swapped == [*LINES.split("\n")[:2], LINES.split("\n")[3], LINES.split("\n")[2], "#### 30"]
    dropped = wrong("dropped-step", False).text.split("\n")
    assert len(dropped) == 4
    assert set(dropped) < set(LINES.split("\n"))


def test_an_equation_is_changed_and_the_dimension_algebraic_should_see_it() -> None:
    solution = "We have $2x + 3 = 11$. Subtracting 3, $2x = 8$. Hence $x = 4$. The answer is $\\boxed{4}$."
    problem = Problem("x", "Solve $2x + 3 = 11$.", "4", solution)
    local, carried = corrupt(problem, "sign", 0, carry=False), corrupt(problem, "sign", 0)
    assert local is not None
    assert carried is not None
    assert local.notices == ("algebraic",)
    assert "\\boxed{-4}" in carried.text
    assert "x = -4" in carried.text
    assert profile(problem, local.text).errors["algebraic"] > 0  # type: ignore[operator]


def test_units() -> None:
    problem = Problem(
        "km", "A trip of 5 km is made 2 km longer. How many km is it?", "7", "5 + 2 = 7. It is \\boxed{7} km."
    )
    found = corrupt(problem, "unit", 0)
    assert found is not None
    assert found.rejected
    assert "km" not in found.text[found.place[0] :]
    alone = corrupt(problem, "unit", 0, carry=False)
    assert alone is not None
    assert "\\boxed{7}" in alone.text
    assert not alone.rejected
    assert profile(problem, alone.text).errors["structural"] > 0  # type: ignore[operator]


@pytest.mark.parametrize("solution", [None, "", "It is obvious.", "It is 11.", "\\boxed{"])
def test_a_solution_without_a_handle_gives_none(solution: str | None) -> None:
    for kind in KINDS:
        assert corrupt(Problem("p", "What is it?", "10", solution), kind, 0) is None


def test_every_kind_says_what_should_notice_it_and_an_unknown_kind_is_an_error() -> None:
    assert set(NOTICES) == {(kind, carry) for kind in KINDS for carry in (True, False)}
    with pytest.raises(UsageError, match="Did you mean 'sign'"):
        corrupt(NATHAN, "signs", 0)
