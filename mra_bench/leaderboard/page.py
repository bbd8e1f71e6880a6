"""The leaderboard as one HTML page, on the skeleton of the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mra_bench.leaderboard.boards import Board, Leaderboard
from mra_bench.leaderboard.files import MARKS, RANKS
from mra_bench.leaderboard.view import SIGNS, conditions, lines
from mra_bench.report.charts import Scale, percent_scale, whisker
from mra_bench.report.markup import filled
from mra_bench.report.page import Part, document

STYLES = ("base.css", "tables.css", "browser.css", "leaderboard.css", "print.css")
SCRIPTS = ("leaderboard.js",)
HEAD = (
    ("rank", "Rank", "num"), ("model", "Model", ""), ("accuracy", "Accuracy", "num"), ("", "", "chart"),
    ("tokens", "Tokens", "num"), ("parameters", "Parameters", "num"), ("compute", "Compute", "num"),
    ("contamination", "Contamination", ""), ("mark", "Checked", ""), ("run", "Run", ""), ("date", "Date", ""),
)  # fmt: skip


def page(found: Leaderboard, out: Path) -> str:
    """The page of a leaderboard that is to stand in the folder `out`; the same rows give the same text."""
    drawn = [(board, lines(board, out)) for board in found.boards]
    marks = {line.entry.mark for _, of_board in drawn for line in of_board}
    values: dict[str, Any] = {
        "boards": len(drawn),
        "rows": sum(len(of_board) for _, of_board in drawn),
        "runs": len({line.entry.folder.path for _, of_board in drawn for line in of_board}),
        "marks": [mark for mark in SIGNS if mark in marks],
        "signs": SIGNS,
        "columns": [(key, name) for key, name, _ in HEAD if key],
    }
    masthead = filled("leaderboard_masthead.html", **values)
    parts = [_part(board, of_board) for board, of_board in drawn]
    if found.absent:
        absent = [(one.folder.name, one.model, one.dataset, one.reason) for one in found.absent]
        parts.append(Part("absent", "On no board", filled("leaderboard_absent.html", absent=absent)))
    parts.append(Part("reading", "How to read this", filled("leaderboard_reading.html", ranks=RANKS, marks=MARKS)))
    return document("Leaderboard – mra-bench", masthead, parts, styles=STYLES, scripts=SCRIPTS)


def _part(board: Board, of_board: Sequence[Any]) -> Part:
    rows = [line.entry.row for line in of_board]
    axis = percent_scale(share for row in rows for share in (row.low, row.high))
    shown = [(line, _dot(axis, line)) for line in of_board]
    html = filled(
        "leaderboard_board.html",
        board=board,
        head=HEAD,
        lines=shown,
        axis=axis,
        conditions=conditions(board),
        first=board.row.prompt.first,
    )
    return Part(f"board-{board.id}", board.title, html)


def _dot(axis: Scale, line: Any) -> Any:
    row = line.entry.row
    entry = {"accuracy": row.accuracy, "low": row.low, "high": row.high}
    said = f"{100 * row.accuracy:.1f} %, interval {100 * row.low:.1f} to {100 * row.high:.1f}"
    return whisker(axis, entry, "accuracy", 1, f"{row.model}: {said}")
