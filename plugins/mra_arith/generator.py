"""The dataset `arith`: seeded multi-step word problems with worked solutions.

Level = number of steps. Subject = the set of operations involved, e.g. ``add+mul``. All arithmetic is exact on
positive integers. The same seed and split give the same problems in the same order on every machine.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from mra_bench.types import Problem

from .stories import FAMILIES, Step

OP_NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
SEED = 20261


@dataclass(frozen=True)
class Difficulty:
    """Bounds of a problem: numbers of steps to draw from, how large operands and values may be, and how large the
    largest value must be at least."""

    steps: tuple[int, ...]
    largest_value: int
    largest_term: int
    largest_factor: int
    reach: int = 0


NORMAL = Difficulty(steps=(1, 2, 3, 4), largest_value=200, largest_term=60, largest_factor=6)
# The two ways in which `hard` goes beyond training, one at a time: more steps with the same numbers, and as many steps
# with numbers above all that the embedded models have read.
MORE_STEPS = Difficulty(steps=(5,), largest_value=200, largest_term=60, largest_factor=6)
LARGER_NUMBERS = Difficulty(steps=(1, 2, 3, 4), largest_value=400, largest_term=120, largest_factor=9, reach=241)

# (name, size, difficulties taken in turn). Later splits avoid the questions of earlier ones: none is in two splits.
SPLITS: tuple[tuple[str, int, tuple[Difficulty, ...]], ...] = (
    ("test", 1000, (NORMAL,)),
    ("hard", 500, (MORE_STEPS, LARGER_NUMBERS)),
    ("train", 20000, (NORMAL,)),
)


def problems(split: str) -> list[Problem]:
    """All problems of `split` ("train", "test" or "hard"), in a fixed order. Raises KeyError for another split."""
    if split not in {name for name, _, _ in SPLITS}:
        raise KeyError(split)
    return list(_generate(split))


@functools.cache
def _generate(split: str) -> tuple[Problem, ...]:
    seen: set[str] = set()
    for name, size, difficulties in SPLITS:
        rng = random.Random(f"{SEED}/{name}")
        rows: list[Problem] = []
        while len(rows) < size:
            difficulty = difficulties[len(rows) % len(difficulties)]
            problem = draw(rng, difficulty, f"{name}-{len(rows):05d}")
            if problem.question not in seen:
                seen.add(problem.question)
                rows.append(problem)
        if name == split:
            return tuple(rows)
    raise AssertionError("unreachable")


def draw(rng: random.Random, difficulty: Difficulty, problem_id: str) -> Problem:
    """One random problem within `difficulty`, drawn from `rng`."""
    start, steps = draw_steps(rng, difficulty)
    question, unit = rng.choice(FAMILIES)(rng, start, steps)
    answer = str(steps[-1].after)
    lines = [f"{step.equation()}." for step in steps]
    solution = f"{' '.join(lines)} The answer is \\boxed{{{answer}}} {unit}."
    return Problem(
        id=problem_id,
        question=question,
        answer=answer,
        solution=solution,
        subject="+".join(sorted({OP_NAMES[step.op] for step in steps})),
        level=str(len(steps)),
    )


def draw_steps(rng: random.Random, difficulty: Difficulty) -> tuple[int, list[Step]]:
    """A starting value and a chain of exact steps that never leaves 1..largest_value and reaches `reach`."""
    while True:
        start, steps = _chain(rng, difficulty)
        if max(start, *(step.after for step in steps)) >= difficulty.reach:
            return start, steps


def _chain(rng: random.Random, difficulty: Difficulty) -> tuple[int, list[Step]]:
    count = rng.choice(difficulty.steps)
    value = start = rng.randint(2, difficulty.largest_value // 3)
    steps: list[Step] = []
    while len(steps) < count:
        options = list(_choices(rng, value, difficulty))
        op, operand = rng.choice(options)
        after = {"+": value + operand, "-": value - operand, "*": value * operand, "/": value // max(operand, 1)}[op]
        steps.append(Step(op, operand, value, after))
        value = after
    return start, steps


def _choices(rng: random.Random, value: int, difficulty: Difficulty) -> Iterator[tuple[str, int]]:
    """Every operation possible at `value`, each with one random operand."""
    room = difficulty.largest_value - value
    if room >= 2:
        yield "+", rng.randint(2, min(room, difficulty.largest_term))
    if value >= 4:
        yield "-", rng.randint(2, min(value - 2, difficulty.largest_term))
    factors = [k for k in range(2, difficulty.largest_factor + 1) if value * k <= difficulty.largest_value]
    if factors and value > 1:
        yield "*", rng.choice(factors)
    divisors = [k for k in range(2, difficulty.largest_factor + 1) if value % k == 0 and value // k > 1]
    if divisors:
        yield "/", rng.choice(divisors)
