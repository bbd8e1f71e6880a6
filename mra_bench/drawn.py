"""Whether samples were drawn at all: some servers take no notice of a temperature, and k samples are then one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.store import stage_record

ALIKE = "alike"
FEWEST = 5
"""Problems of which samples may be the same by chance: a model can be sure of a few."""


class Alike:
    """Counts the problems whose samples are all the same text. `spec`: of the stage that generates them."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.drawn = spec["samples"] > 1 and spec["decoding"]["temperature"] > 0
        self.first: dict[str, bytes] = {}
        self.differ: set[str] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        """A stored text."""
        if self.drawn:
            digest = hashlib.sha256(row["text"].encode("utf-8", "surrogatepass")).digest()
            if self.first.setdefault(row["problem"], digest) != digest:
                self.differ.add(row["problem"])

    def facts(self) -> dict[str, int]:
        """For the stage's record: nothing where nothing was to be drawn."""
        return {ALIKE: len(self.first) - len(self.differ)} if self.drawn else {}


def not_drawn(run: Path, evaluations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The evaluations of a run in which every problem's samples are one text, though they were to be drawn."""
    found = []
    for evaluation in evaluations:
        record = stage_record(run / evaluation["completions"])
        alike = record["facts"].get(ALIKE) if record else None
        if record is None or alike is None:
            continue
        samples = record["spec"]["samples"]
        if FEWEST <= alike == record["facts"]["texts"] // samples:
            decoding = record["spec"]["decoding"]
            known = decoding["temperature"] if decoding["max_new_tokens"] else None  # of imported texts it is not
            at = {"temperature": known, "samples": samples, "problems": alike}
            found.append({"model": evaluation["model"], "dataset": evaluation["dataset"], **at})
    return found


def not_drawn_warnings(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A warning for each of them."""
    return [
        (
            "not-drawn",
            f"{one['model']} on {one['dataset']}: the {one['samples']} samples of each of {one['problems']:,} problems "
            f"are the same text{_at(one['temperature'])}: they were not drawn, and count as one.",
        )
        for one in found
    ]


def _at(temperature: float | None) -> str:
    return "" if temperature is None else f" at temperature {temperature:g}"
