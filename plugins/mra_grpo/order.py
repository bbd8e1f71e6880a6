"""The order in which problems are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from typing import Protocol


class Indices(Sized, Protocol):
    """An order of examples: how many there are, and each epoch's indices."""

    def __iter__(self) -> Iterator[int]: ...


class Rounds:
    """A sampler: in each round the next `prompts` problems, each `group` times in a row, and the whole round `times`
    times over, as trl reads a step's problems anew for each batch of it. What does not fill a round is left out."""

    def __init__(self, order: Indices, *, prompts: int, group: int, times: int) -> None:
        self.order, self.prompts, self.group, self.times = order, prompts, group, times

    def __len__(self) -> int:
        return len(self.order) // self.prompts * self.prompts * self.group * self.times

    def __iter__(self) -> Iterator[int]:
        indices: Sequence[int] = list(self.order)
        for start in range(0, len(indices) - self.prompts + 1, self.prompts):
            for _ in range(self.times):
                for index in indices[start : start + self.prompts]:
                    yield from [index] * self.group
