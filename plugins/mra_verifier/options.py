"""Options of the profiler "verifier". The dimensions, their weights and every limit are definitions of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

DIMENSIONS = ("answer", "numeric", "arithmetic", "algebraic", "logical", "structural")


@dataclass(frozen=True)
class Weights:
    """How much each dimension counts in wrongness; only their ratios matter.

    answer: of the final answer being wrong. numeric: of its distance from the gold answer. arithmetic: of false
    equalities. algebraic: of steps that change what is true. logical: of the logical flags. structural: of the flags on
    the text's shape.
    """

    answer: Annotated[float, Ge(0)] = 0.35
    numeric: Annotated[float, Ge(0)] = 0.10
    arithmetic: Annotated[float, Ge(0)] = 0.20
    algebraic: Annotated[float, Ge(0)] = 0.15
    logical: Annotated[float, Ge(0)] = 0.15
    structural: Annotated[float, Ge(0)] = 0.05

    def __post_init__(self) -> None:
        values = [getattr(self, name) for name in DIMENSIONS]
        if not all(math.isfinite(value) for value in values) or sum(values) <= 0:
            raise ValueError("weights must be finite, and one of them above 0")


@dataclass(frozen=True)
class Options:
    """Options of the profiler "verifier".

    weights: how much each dimension counts in wrongness.
    r_max: relative error of the answer from which on the dimension numeric is 1.
    orders: by how many powers of ten an answer is off when its absurdity reaches 1.
    repetition: share of repeated word triples above which a text counts as repetitive.
    points: at how many places two steps that are no rational functions are compared.
    seed: of those places.
    """

    weights: Weights = Weights()
    r_max: Annotated[float, Gt(0)] = 10.0
    orders: Annotated[float, Gt(0)] = 3.0
    repetition: Annotated[float, Gt(0), Le(1)] = 0.5
    points: Annotated[int, Ge(1), Le(12)] = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.r_max) and math.isfinite(self.orders)):
            raise ValueError(f"r_max and orders must be finite (got {self.r_max} and {self.orders})")
