"""From the rows of a block to groups that share one pool of slots. A pure function of the rows and the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RowSpec:
    """One text to generate: its place in the block, prompt token ids, key of its random stream, and `room`, how many
    tokens may be generated."""

    position: int
    prompt: tuple[int, ...]
    key: int
    room: int

    @property
    def length(self) -> int:
        """Tokens of the prompt and of the longest text that may follow it."""
        return len(self.prompt) + self.room


@dataclass(frozen=True)
class Limits:
    """Bounds of what is computed together: `token_budget` of slots x tokens a slot has room for, `max_rows`, and
    `prefill_tokens` of prompts x longest prompt read in one pass. All shape the last bits of the logits."""

    token_budget: int
    max_rows: int
    prefill_tokens: int


ALONE = Limits(1, 1, 1)
"""Each text by itself, from its prompt on: no other text and no memory shapes it."""


@dataclass(frozen=True)
class Group:
    """Rows that are generated in one pool of `slots` slots, in the order in which they enter it: longest prompts first,
    equal prompts side by side, so that a lack of memory shows at once and the samples of a problem share one reading
    of their prompt."""

    rows: tuple[RowSpec, ...]
    slots: int

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(row.length for row in self.rows)


def groups(rows: Sequence[RowSpec], limits: Limits) -> list[Group]:
    """The rows in groups, the longest first. There is one group where the budget gives the longest row as many slots as
    there are rows or may be; else rows of less than half the length of a group's longest form the next group, so that
    one long row does not take the room of many short ones. Where one row is all there may be, each is a group: its
    buffers have the size that it needs, not that of a longer one."""
    first: dict[tuple[int, ...], int] = {}
    for row in rows:
        first.setdefault(row.prompt, row.position)
    ordered = sorted(rows, key=lambda r: (-len(r.prompt), first[r.prompt], r.position))
    if limits.max_rows == 1:
        return [Group((row,), 1) for row in ordered]
    found = []
    while ordered:
        longest = max(row.length for row in ordered)
        slots = max(1, min(len(ordered), limits.max_rows, limits.token_budget // longest))
        narrow = slots < min(len(ordered), limits.max_rows)
        here = [row for row in ordered if not narrow or 2 * row.length >= longest]
        found.append(Group(tuple(here), min(slots, len(here))))
        chosen = {row.position for row in here}
        ordered = [row for row in ordered if row.position not in chosen]
    return found
