"""What builders are given and give: they turn training problems and a model's own graded samples into pairs or rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.types import Completion, Grade, Pair, Problem, Profile, Row

REFERENCE = "reference"


@dataclass(frozen=True)
class PairRule:
    """What holds for pairs whoever builds them. Raises UsageError for a number that cannot work.

    pairs_per_problem: at most so many from one problem. include_truncated: let wrong texts cut at the length limit be
    rejected sides. reference_when_unsolved: take the reference solution as chosen where no sample is right.
    min_characters: texts with fewer, whitespace collapsed, are dropped.
    """

    pairs_per_problem: int = 2
    include_truncated: bool = False
    reference_when_unsolved: bool = True
    min_characters: int = 2

    def __post_init__(self) -> None:
        _check_positive("pairs_per_problem", self.pairs_per_problem)
        _check_characters(self.min_characters)


@dataclass(frozen=True)
class RowRule:
    """What holds for rows whoever builds them. Raises UsageError for a number that cannot work.

    rows_per_problem: at most so many from one problem. reference_when_unsolved: take the reference solution where no
    sample is right. min_characters: texts with fewer, whitespace collapsed, are dropped.
    """

    rows_per_problem: int = 4
    reference_when_unsolved: bool = False
    min_characters: int = 2

    def __post_init__(self) -> None:
        _check_positive("rows_per_problem", self.rows_per_problem)
        _check_characters(self.min_characters)


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"{name} is {value}; it must be 1 or more")


def _check_characters(value: int) -> None:
    if value < 1:
        raise UsageError(f"min_characters is {value}; it must be 1 or more, or empty texts would count")


@dataclass(frozen=True)
class Sampled:
    """A training problem, the exact prompt the model saw, and each sample with its grade; of a builder that learns from
    problems alone there are none. profiles: one for each sample, where the recipe names a profiler."""

    problem: Problem
    prompt: str
    samples: tuple[tuple[Completion, Grade], ...] = ()
    profiles: tuple[Profile, ...] = ()


def _question(problem: Problem) -> str:
    """The prompt where no model says otherwise: the bare question."""
    return problem.question


@dataclass(frozen=True)
class BuildJob:
    """What a builder gets. `sampled` can be read once, problem after problem. `render`: the exact prompt of a problem
    of the builder's own making, whose id is that of no other. What it gives must depend on nothing but this: the pairs
    of a stored run are built again to check them."""

    sampled: Iterable[Sampled]
    rule: PairRule | RowRule
    options: Any
    seed: int
    render: Callable[[Problem], str] = _question


@dataclass(frozen=True)
class PairSet:
    """Pairs in the order of the problems, with counts for the record: whole numbers, at least "problems" and
    "problems_with_pairs". no_pair: why problems gave no pair, in words -> how many."""

    pairs: tuple[Pair, ...]
    counts: Mapping[str, int]
    no_pair: Mapping[str, int]


@dataclass(frozen=True)
class RowSet:
    """Rows in the order of the problems, with counts for the record: whole numbers, at least "problems" and
    "problems_with_rows". no_row: why problems gave no row, in words -> how many."""

    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    no_row: Mapping[str, int]


def collapse(text: str) -> str:
    """The text with each run of whitespace as one space: two texts are one if only whitespace differs."""
    return " ".join(text.split())


def usable(
    completions: Sequence[Completion], rule: PairRule | RowRule, excluded: Iterable[str] = ()
) -> list[Completion]:
    """Distinct texts that are long enough and none of `excluded` (collapsed texts), in the order given."""
    seen = set(excluded)
    found = []
    for completion in completions:
        key = collapse(completion.text)
        if key not in seen and len(key) >= rule.min_characters:
            seen.add(key)
            found.append(completion)
    return found
