"""Rows as people read them: the words and figures of a line, the same on the page, in Markdown and in the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mra_bench.compute import amount
from mra_bench.leaderboard.boards import Board, Entry, decoding
from mra_bench.leaderboard.marks import place_of
from mra_bench.leaderboard.ranks import Range
from mra_bench.leaderboard.rows import Row
from mra_bench.report.formatting import DASH

SIGNS = {"verified": "✓", "unverifiable": "?", "refused": "✗", "changed": "!", "not checked": "·"}
QUIET = "not checked"  # of all marks the one whose reason need not stand in every line


@dataclass(frozen=True)
class Line:
    """One entry in words. link: the report as seen from the leaderboard, "" where there is none to open. contamination:
    sign and words. run: the folder's name and the run's hash."""

    entry: Entry
    rank: str
    how: str
    compute: str
    parameters: str
    contamination: tuple[str, str]
    link: str
    folder: str
    name: str

    @property
    def sign(self) -> str:
        """The mark's sign, which never stands alone."""
        return SIGNS[self.entry.mark]

    @property
    def sorted_by(self) -> dict[str, Any]:
        """What the columns are sorted by, numbers or text."""
        row, place = self.entry.row, self.entry.place
        return {
            "rank": place.best if place else 10**9,
            "model": row.model,
            "accuracy": row.accuracy,
            "tokens": row.tokens_mean,
            "parameters": -1 if row.parameters is None else row.parameters,
            "compute": -1 if row.compute is None else row.compute,
            "contamination": -1 if row.contaminated is None else row.contaminated,
            "mark": self.entry.mark,
            "run": self.folder,
            "date": self.entry.folder.date,
        }


def lines(board: Board, out: Path) -> list[Line]:
    """The lines of a board for a leaderboard in the folder `out`."""
    return [_line(entry, out) for entry in board.entries]


def _line(entry: Entry, out: Path) -> Line:
    row, path = entry.row, entry.folder.path
    folder = place_of(path, out)
    made = row.lineage[0] if row.lineage else None
    parent = f" from {row.lineage[1].model}" if len(row.lineage) > 1 else ""
    return Line(
        entry,
        rank=rank(entry.place),
        how=f"{made.how}{parent}" if made else "",
        compute=compute(row),
        parameters=parameters(row.parameters),
        contamination=contamination(row),
        link=f"./{quote(os.fsencode(folder))}/report.html" if entry.report else "",
        folder=path.resolve().name,
        name=f"{folder}:{row.model}:{row.dataset}",
    )


def rank(place: Range | None) -> str:
    """``1``, ``2 to 9``, or a dash."""
    if place is None:
        return DASH
    return str(place.best) if place.best == place.worst else f"{place.best} to {place.worst}"


def parameters(count: int | None) -> str:
    """``2.11 M``, ``7.6 B``; a dash where nobody knows."""
    if count is None:
        return DASH
    value, unit = next(
        ((count / size, f" {unit}") for size, unit in ((1e9, "B"), (1e6, "M")) if count >= size), (0, "")
    )
    return f"{value:.3g}{unit}" if unit else f"{count:,}"


def compute(row: Row) -> str:
    """The training that the run did for a model."""
    if row.compute is None:
        return "not known"
    return amount(row.compute) if row.compute else "none here"


def contamination(row: Row) -> tuple[str, str]:
    """Sign and words on test questions in the training data."""
    if row.contaminated is None:
        return "?", "not known"
    if row.contaminated:
        return "⚠", f"trained on {row.contaminated:,} of {row.problems:,}"
    return ("✓", "none found") if row.trained else ("?", "not known")


def conditions(board: Board) -> Sequence[tuple[str, str]]:
    """What all rows of a board have in common: names and words."""
    row = board.row
    asked = row.prompt.kind or "format not recorded"
    asked += f", answers asked for as {row.prompt.answer_format}" if row.prompt.answer_format else ""
    asked += f", {row.prompt.shots} worked examples" if row.prompt.shots else ""
    left_out = f", {len(row.unreadable):,} left out as nobody can read their reference answer" if row.unreadable else ""
    return (
        ("Problems", f"{row.problems:,}{left_out}; sha256 {row.sha256}"),
        ("Prompt", f"{asked}; sha256 over all prompts {row.prompt.sha256}"),
        ("Decoding", decoding(row)),
        ("Grader", f"{row.grader.name}@{row.grader.version}; options and limits {row.grader.settings[:12]}"),
    )


def shares(value: float) -> str:
    """A share in per cent, one digit."""
    return f"{100 * value:.1f}"
