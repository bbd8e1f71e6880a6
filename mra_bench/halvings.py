"""Where blocks of a generation did not fit in memory: noted as it happens, repeated when a block is done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mra_bench.store import append_row, read_rows
from mra_bench.types import Halving


class Halvings:
    """The halvings of a stage's blocks, kept in its work folder until the stage is finished, in a file of each process
    that works on it."""

    def __init__(self, workdir: Path, rank: int = 0) -> None:
        self.path = workdir / f"halvings-{rank}.jsonl"
        self.rows: list[dict[str, Any]] = [row for path in workdir.glob("halvings-*.jsonl") for row in read_rows(path)]

    def of(self, block: int) -> tuple[Halving, ...]:
        """Those of block number `block`, in order."""
        return tuple(Halving(row["step"], row["rows"]) for row in self.rows if row["block"] == block)

    def note(self, block: int, halvings: Sequence[Halving]) -> None:
        """Write down those of a block that are not known yet."""
        for halving in halvings[len(self.of(block)) :]:
            row = {"block": block, **dataclasses.asdict(halving)}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_row(self.path, row)
            self.rows.append(row)

    def facts(self) -> dict[str, Any]:
        """For the stage's record, by block: nothing when all of them fitted."""
        return {"halvings": sorted(self.rows, key=lambda row: (row["block"], row["step"]))} if self.rows else {}
