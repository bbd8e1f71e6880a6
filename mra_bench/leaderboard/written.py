"""Writes a leaderboard's four files."""

from __future__ import annotations

from pathlib import Path

from mra_bench.errors import BenchError
from mra_bench.leaderboard.boards import Leaderboard
from mra_bench.leaderboard.files import as_csv, as_data, as_markdown
from mra_bench.leaderboard.page import page
from mra_bench.report.page import write_page
from mra_bench.store import write_json, write_text

NAME = "leaderboard"


def write_all(found: Leaderboard, out: Path) -> list[Path]:
    """Write leaderboard.html, .md, .csv and .json into `out`, each in one step, and return their paths; the same rows
    give the same bytes. Raises BenchError where that cannot be."""
    paths = [out / f"{NAME}.{kind}" for kind in ("html", "md", "csv", "json")]
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_page(paths[0], page(found, out))
        write_text(paths[1], as_markdown(found, out))
        write_text(paths[2], as_csv(found, out))
        write_json(paths[3], as_data(found, out))
    except OSError as error:
        raise BenchError(f"Cannot write the leaderboard into {out}: {error.strerror or error}") from None
    return paths
