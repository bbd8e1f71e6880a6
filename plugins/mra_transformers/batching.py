"""From the rows of a block to batches: longest first, bounded by a budget of tokens. A pure function of the rows."""

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


def pack(rows: Sequence[RowSpec], token_budget: int, max_rows: int) -> list[list[RowSpec]]:
    """Batches with rows x (longest prompt + most room) <= token_budget, at least one row and at most max_rows each.

    Longest prompts first, so that a lack of memory shows at once; equal prompts side by side, so that several samples
    of a problem share one reading of it.
    """
    first: dict[tuple[int, ...], int] = {}
    for row in rows:
        first.setdefault(row.prompt, row.position)
    batches: list[list[RowSpec]] = []
    for row in sorted(rows, key=lambda r: (-len(r.prompt), first[r.prompt], r.position)):
        if batches and len(batches[-1]) < max_rows and _size([*batches[-1], row]) <= token_budget:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _size(rows: Sequence[RowSpec]) -> int:
    return len(rows) * (max(len(row.prompt) for row in rows) + max(row.room for row in rows))
