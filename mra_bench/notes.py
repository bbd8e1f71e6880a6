"""What models say of how their texts came about (`Completion.notes`), summed: numbers add up, texts are counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.store import WORK, canonical, read_rows, stage_record
from mra_bench.work import FOLDERS, Stage

NOTES = "notes"
MOST = 50
"""So many different texts are counted under one word; those beyond count together."""
OTHERS = "others"


class Notes:
    """Sums over texts, and over sums."""

    def __init__(self) -> None:
        self.sums: dict[str, int | float] = {}
        self.counts: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """A stored text, which may have notes."""
        self.add_summed({key: {n: 1} if isinstance(n, str) else n for key, n in row.get(NOTES, {}).items()})

    def add_summed(self, notes: Mapping[str, Any]) -> None:
        """What `data` gave of other texts."""
        for key, value in notes.items():
            if not isinstance(value, Mapping):
                self.sums[key] = self.sums.get(key, 0) + value
                continue
            counts = self.counts.setdefault(key, Counter())
            for text, count in value.items():
                counts[text if text in counts or len(counts) < MOST else OTHERS] += count

    def data(self) -> dict[str, Any]:
        """By word, the sum of its numbers or how often each of its texts is there."""
        return {**{key: dict(sorted(counts.items())) for key, counts in self.counts.items()}, **self.sums}

    def facts(self) -> dict[str, Any]:
        """For the stage's record: nothing where no text has notes."""
        return {NOTES: data} if (data := self.data()) else {}


def notes_so_far(root: Path, stage: Stage) -> dict[str, Any]:
    """The summed notes of all texts that the run in `root` has from the model of a generation, in this stage and in
    others that are finished."""
    found = Notes()
    for folder in sorted((root / FOLDERS["generate"]).glob("*")):
        record = stage_record(folder)
        if record is not None and _asks_the_same(record["spec"], stage.spec):
            found.add_summed(record["facts"].get(NOTES, {}))
    for row in _unfinished(root / stage.folder):
        found.add(row)
    return found.data()


def notes_of(root: Path, folders: Iterable[str]) -> dict[str, Any]:
    """The summed notes of finished stages."""
    found = Notes()
    for folder in folders:
        found.add_summed((stage_record(root / folder) or {"facts": {}})["facts"].get(NOTES, {}))
    return found.data()


def _asks_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(canonical(one.get(key)) == canonical(other.get(key)) for key in ("model", "conditions"))


def _unfinished(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The texts there are of a stage that is not finished: those of whole blocks, and those kept one by one."""
    for path in (*sorted(folder.glob("block-*.jsonl")), *sorted((folder / WORK).glob("answers-*.jsonl"))):
        try:
            rows = list(read_rows(path))
        except json.JSONDecodeError:
            continue  # not as it was written; it is made again
        yield from (row for row in rows if isinstance(row, Mapping))
