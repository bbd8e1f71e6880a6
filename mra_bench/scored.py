"""What figures are computed from: the verdicts of a model on the problems of a dataset, without its texts."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mra_bench.types import Problem


class Judged(NamedTuple):
    """What figures need of one graded text, without the text: a run may hold a million. `crash`: the reason, where the
    grader failed."""

    correct: bool | None
    answer: str = ""
    kind: str = ""
    rule: str = ""
    tokens: int = 0
    truncated: bool = False
    empty: bool = False
    crash: str = ""


@dataclass(frozen=True)
class Scored:
    """One model on one dataset: problems in order, and the graded samples of each."""

    model: str
    problems: Sequence[Problem]
    samples: Mapping[str, Sequence[Judged]]

    @functools.cached_property
    def correct(self) -> dict[str, list[bool]]:
        """For each problem id whether each sample is correct; not judged counts as not correct."""
        return {p.id: [s.correct is True for s in self.samples[p.id]] for p in self.problems}

    def flat(self) -> Iterator[Judged]:
        """All samples, in the order of the problems."""
        return (sample for p in self.problems for sample in self.samples[p.id])
