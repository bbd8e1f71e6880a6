"""A leaderboard as Markdown, CSV and JSON. Names are a stranger's: in each format they stay text."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mra_bench.leaderboard.boards import Board, Leaderboard, decoding
from mra_bench.leaderboard.view import Line, conditions, lines, shares
from mra_bench.report.formatting import visible

VERSION = 1
MARKS = (
    "Verified means: its texts were graded again here and all figures follow from them; the problems are those of the "
    "split. It is no proof that the model wrote the texts."
)
RANKS = (
    "A rank is a range: rows that exact paired tests cannot tell apart share it (Holm over a row's comparisons, so "
    "each row's range holds with 95 %)."
)
COLUMNS = (
    "board", "data", "split", "part", "problems_sha256", "prompt_sha256", "decoding", "grader", "grader_settings",
    "rank_best", "rank_worst", "row", "model", "dataset", "run", "run_hash", "date", "accuracy", "low", "high", "n",
    "samples", "tokens_mean", "parameters", "compute", "contaminated", "contamination", "mark", "reason",
    "same_texts_as", "device", "dtype", "weights", "texts_sha256",
)  # fmt: skip
_FORMULA = re.compile(r"^[\s\"']*[=+\-@\t\r|%]")  # a spreadsheet would compute such a cell
_MARKUP = re.compile(r"([\\`*_{}\[\]()#!|~$])")
HEAD = (
    "Rank", "Model", "Run", "Accuracy", "95 %", "n", "Tokens", "Parameters", "Compute", "Contamination", "Checked",
    "Date", "Run hash",
)  # fmt: skip


def as_rows(found: Leaderboard, out: Path) -> Iterator[dict[str, Any]]:
    """Each line of each board as flat data: `COLUMNS`."""
    for board in found.boards:
        for line in lines(board, out):
            yield _flat(board, line)


def _flat(board: Board, line: Line) -> dict[str, Any]:
    entry, row = line.entry, line.entry.row
    values = (
        board.id, row.data, row.split, row.part, row.sha256, row.prompt.sha256, decoding(row),
        f"{row.grader.name}@{row.grader.version}", row.grader.settings,
        entry.place.best if entry.place else None, entry.place.worst if entry.place else None, line.name, row.model,
        row.dataset, line.folder, entry.folder.published.fingerprint if entry.folder.published else "",
        entry.folder.date, row.accuracy, row.low, row.high, row.n, row.decoding.samples, row.tokens_mean,
        row.parameters, row.compute, row.contaminated, line.contamination[1], entry.mark,
        "; ".join(filter(None, (entry.reason, entry.doubt))),
        "; ".join(entry.alike), row.device, row.dtype, row.lineage[0].weights if row.lineage else None, row.texts,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def as_data(found: Leaderboard, out: Path) -> dict[str, Any]:
    """Everything as JSON-safe data; schema: leaderboard.schema.json."""
    by_board: dict[str, list[dict[str, Any]]] = {}
    for flat in as_rows(found, out):
        by_board.setdefault(flat.pop("board"), []).append(flat)
    return {
        "version": VERSION,
        "boards": [{"id": board.id, "title": board.title, "rows": by_board[board.id]} for board in found.boards],
        "absent": [{**dataclasses.asdict(absent), "folder": absent.folder.name} for absent in found.absent],
    }


def as_csv(found: Leaderboard, out: Path) -> str:
    """One table with all boards. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for flat in as_rows(found, out):
        table.writerow(["" if value is None else _cell(value) for value in flat.values()])
    return written.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = visible(" ".join(value.split()))
    return f"'{text}" if _FORMULA.match(text) else text


def as_markdown(found: Leaderboard, out: Path) -> str:
    """A heading and a table for each board."""
    parts = ["# Leaderboard", f"{RANKS} {MARKS}"]
    for board in found.boards:
        said = [f"- {name}: {markdown_text(words)}" for name, words in conditions(board)]
        parts += [f"## {markdown_text(board.title)}", "\n".join(said), _table(board, out)]
    if found.absent:
        absent = (
            f"- {markdown_text(' '.join(filter(None, _who(one))))}: {markdown_text(one.reason)}" for one in found.absent
        )
        parts += ["## On no board", "\n".join(absent)]
    return "\n\n".join(parts) + "\n"


def _who(absent: Any) -> Sequence[str]:
    return absent.folder.name, absent.model, absent.dataset and f"on {absent.dataset}"


def _table(board: Board, out: Path) -> str:
    rows = [HEAD, ["---"] * len(HEAD), *(_cells(line) for line in lines(board, out))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(line: Line) -> list[str]:
    entry, row = line.entry, line.entry.row
    run = markdown_text(line.folder)
    if line.link:
        run = f"[{run}](<{line.link}>)"
    alike = f" (same texts as {', '.join(entry.alike)})" if entry.alike else ""
    told = entry.reason if entry.mark in ("refused", "unverifiable") else ""
    mark = ": ".join(filter(None, (f"{line.sign} {entry.mark}", "; ".join(filter(None, (told, entry.doubt))))))
    return [
        line.rank,
        markdown_text(row.model + alike),
        run,
        f"{shares(row.accuracy)} %",
        f"{shares(row.low)} to {shares(row.high)}",
        f"{row.n:,}",
        f"{row.tokens_mean:.1f}",
        line.parameters,
        line.compute,
        " ".join(line.contamination),
        markdown_text(mark),
        markdown_text(entry.folder.date),
        f"`{entry.folder.published.fingerprint[:12]}`" if entry.folder.published else "",
    ]


def markdown_text(text: str) -> str:
    """Text on one line in which nothing is markup, a link, a mention or HTML."""
    plain = visible(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain).replace("@", "&#64;").replace("://", ":&#47;&#47;")


def as_text(found: Leaderboard, out: Path) -> str:
    """For the terminal: a table for each board."""
    from mra_bench.tables import align, printable

    parts = []
    for board in found.boards:
        head = [
            f"{board.title}, n = {board.row.n:,}",
            "rank",
            "accuracy",
            "95 % CI",
            "tokens",
            "contamination",
            "checked",
        ]
        rows = [head, *(_terminal(line) for line in lines(board, out))]
        parts.append(align([[printable(" ".join(cell.split())) for cell in row] for row in rows]))
    doubts = {entry.folder.path.name: entry.doubt for board in found.boards for entry in board.entries if entry.doubt}
    parts += [printable(" ".join(f"Note: {name}: {doubt}".split())) for name, doubt in doubts.items()]
    for absent in found.absent:
        who = " ".join(filter(None, _who(absent)))
        parts.append(printable(" ".join(f"No row: {who}: {absent.reason}".split())))
    return "\n\n".join(parts)


def _terminal(line: Line) -> list[str]:
    row = line.entry.row
    return [
        f"{row.model} ({line.folder})",
        line.rank,
        f"{shares(row.accuracy)} %",
        f"{shares(row.low)} to {shares(row.high)}",
        f"{row.tokens_mean:.0f}",
        line.contamination[1],
        line.entry.mark,
    ]
