"""Where blocks of a generation did not fit in memory: noted as it happens, repeated when a block is done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mra_bench.store import append_row, read_rows
from mra_bench.types import Halving

FILE = "halvings.jsonl"


class Halvings:
    """The halvings of a stage's blocks, kept in its work folder until the stage is finished."""

    def __init__(self, workdir: Path) -> None:
        self.path = workdir / FILE
        self.rows: list[dict[str, Any]] = list(read_rows(self.path)) if self.path.exists() else []

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
        """For the stage's record: nothing when every block fitted."""
        return {"halvings": sorted(self.rows, key=lambda row: (row["block"], row["step"]))} if self.rows else {}
