"""Texts of a model that cannot be asked for the same text again, kept as they come: a kill in the middle of a block
loses none of them. What a model computes again to the same bytes needs no such thing: its blocks are redone whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mra_bench.store import append_row, read_rows
from mra_bench.stored_rows import completion_of, completion_row
from mra_bench.types import Completion, Request


class Answers:
    """The texts of one block. `kept`: each goes to a file of its block in the stage's work folder, and `there` begins
    with those that an earlier attempt has left of `asked`."""

    def __init__(self, workdir: Path, block: int, asked: Iterable[Request], *, kept: bool) -> None:
        self.path = workdir / f"answers-{block:05d}.jsonl" if kept else None
        self.there: dict[tuple[str, int], Completion] = {}
        wanted = {(request.problem.id, request.sample) for request in asked}
        for completion in _left(self.path):
            if (key := (completion.problem_id, completion.sample)) in wanted:
                self.there[key] = completion

    def add(self, completion: Completion) -> None:
        """Keep a text that has come."""
        self.there[completion.problem_id, completion.sample] = completion
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_row(self.path, completion_row(completion))

    def drop(self) -> None:
        """The block is written: its texts need no file of their own."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _left(path: Path | None) -> list[Completion]:
    """What an earlier attempt left in a file; nothing of one that is not as it was written."""
    if path is None or not path.exists():
        return []
    try:
        return [completion_of(row) for row in read_rows(path)]
    except (json.JSONDecodeError, KeyError, TypeError):
        return []
