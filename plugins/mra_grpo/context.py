"""What a reward is given: the texts of one step, prompt after prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mra_bench.types import Grade, Problem


@dataclass(frozen=True)
class Context:
    """All sequences but `groups` have one entry for each text.

    problems: whose text it is. texts: without end token and stop string, as the graders see them. tokens: how many were
    generated. groups: for each problem of the step, the places of its texts. longest: most tokens a text may have.
    grades: verdicts by name of the grader, the recipe's first one first.
    """

    problems: Sequence[Problem]
    texts: Sequence[str]
    tokens: Sequence[int]
    groups: Sequence[range]
    longest: int
    grades: Mapping[str, Sequence[Grade]] = field(default_factory=dict)

    def graded(self, grader: str | None) -> Sequence[Grade]:
        """The verdicts of a grader, None for the first one."""
        return self.grades[grader] if grader else next(iter(self.grades.values()))
