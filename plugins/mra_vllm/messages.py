"""What goes over the line between a model and the process of its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mra_transformers.batching import RowSpec
from mra_transformers.stops import StopRule

from mra_bench.types import Decoding


@dataclass(frozen=True)
class Job:
    """Rows to generate."""

    rows: Sequence[RowSpec]
    rule: StopRule
    decoding: Decoding


@dataclass(frozen=True)
class Failed:
    """What the engine raised: the name of the exception and its message."""

    name: str
    message: str
