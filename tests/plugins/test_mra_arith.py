"""The embedded dataset: sizes, determinism, no leak between splits, true solutions."""

from __future__ import annotations

import re

import pytest
from mra_arith import load
from mra_arith.generator import OP_NAMES

from mra_bench.dataset_spec import built_in_specs
from mra_bench.problem_rows import problems_hash
from mra_bench.types import Problem

SIZES = {"train": 20_000, "test": 1_000, "hard": 500}
EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)\. ")
ENDING = re.compile(r"The answer is \\boxed\{(\d+)\} [a-z]+\.")
COMPUTE = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "/": int.__floordiv__}


@pytest.fixture(scope="module")
def splits() -> dict[str, list[Problem]]:
    return {name: list(load(name, None)) for name in SIZES}


def steps(problem: Problem) -> list[tuple[int, str, int, int]]:
    found = EQUATION.findall(problem.solution or "")
    return [(int(before), op, int(operand), int(after)) for before, op, operand, after in found]


@pytest.mark.parametrize("name", SIZES)
def test_a_split_is_the_one_its_spec_describes(splits: dict[str, list[Problem]], name: str) -> None:
    spec = built_in_specs()["arith"].splits[name]
    assert len(splits[name]) == SIZES[name] == spec.rows
    assert problems_hash(splits[name]) == spec.checksum


def test_loading_again_gives_the_same_problems(splits: dict[str, list[Problem]]) -> None:
    assert list(load("hard", None)) == splits["hard"]


def test_no_question_and_no_id_occurs_twice(splits: dict[str, list[Problem]]) -> None:
    everything = [problem for problems in splits.values() for problem in problems]
    assert len({problem.question for problem in everything}) == len(everything)
    assert len({problem.id for problem in everything}) == len(everything)


def test_every_equation_is_true_and_follows_from_the_one_before(splits: dict[str, list[Problem]]) -> None:
    for problem in (p for problems in splits.values() for p in problems):
        chain = steps(problem)
        for before, op, operand, after in chain:
            assert COMPUTE[op](before, operand) == after > 0, problem.solution
            assert op != "/" or before % operand == 0, problem.solution
        assert [a[3] for a in chain[:-1]] == [b[0] for b in chain[1:]], problem.solution


def test_every_solution_is_equations_and_the_boxed_gold(splits: dict[str, list[Problem]]) -> None:
    for problem in (p for problems in splits.values() for p in problems):
        ending = ENDING.fullmatch(EQUATION.sub("", problem.solution or ""))
        assert ending, problem.solution
        assert ending.group(1) == problem.answer == str(steps(problem)[-1][3])


def test_the_numbers_of_the_solution_stand_in_the_question(splits: dict[str, list[Problem]]) -> None:
    for problem in (p for problems in splits.values() for p in problems):
        told = re.findall(r"\d+", problem.question)
        chain = steps(problem)
        assert told == [str(chain[0][0]), *(str(step[2]) for step in chain)], problem.question


def test_level_and_subject_describe_the_solution(splits: dict[str, list[Problem]]) -> None:
    for problem in (p for problems in splits.values() for p in problems):
        chain = steps(problem)
        assert problem.level == str(len(chain))
        assert problem.subject == "+".join(sorted({OP_NAMES[step[1]] for step in chain}))


def test_the_hard_split_goes_beyond_training_in_one_way_at_a_time(splits: dict[str, list[Problem]]) -> None:
    def largest(problem: Problem) -> int:
        chain = steps(problem)
        return max(chain[0][0], *(step[3] for step in chain))

    trained = splits["train"] + splits["test"]
    assert {p.level for p in trained} == {"1", "2", "3", "4"}
    bound = max(map(largest, trained))
    longer, larger = splits["hard"][0::2], splits["hard"][1::2]
    assert {p.level for p in longer} == {"5"}
    assert max(map(largest, longer)) <= bound
    assert {p.level for p in larger} == {"1", "2", "3", "4"}
    assert min(map(largest, larger)) > bound


def test_an_unknown_split_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="dev"):
        load("dev", None)
