"""Where `mra-bench compare --out` writes, and in which formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.comparing import Compared
from mra_bench.comparison_text import markdown_of, text_of
from mra_bench.errors import BenchError, UsageError
from mra_bench.folder import RUN
from mra_bench.progress import Reporter
from mra_bench.report.comparison import render_comparison
from mra_bench.report.page import write_page
from mra_bench.store import write_json, write_text

ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".txt": "text"}
IN_A_FOLDER = {"html": "comparison.html", "markdown": "comparison.md", "json": "comparison.json"}


@dataclass(frozen=True)
class Target:
    """Files to write, each with its format."""

    files: Mapping[Path, str]


def target_of(out: str | None, form: str | None, runs: Sequence[Path]) -> Target:
    """What --out and --format ask for. Raises UsageError for a place that cannot be written to, or is in a run."""
    if out is None:
        if form == "html":
            raise UsageError("--format html is a page: say where to write it with --out FILE.html")
        return Target({})
    path = Path(out)
    if not out.strip():
        raise UsageError("--out is empty; name a file or a folder")
    for run in runs:
        if path.resolve().is_relative_to(run.resolve()):
            raise UsageError(f"--out {out} is in the run folder {run}, in which nothing is changed; name another place")
    if any((folder / RUN).is_file() for folder in (path.resolve(), *path.resolve().parents)):
        raise UsageError(f"--out {out} is in a run folder, in which nothing is changed; name another place")
    if not path.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {path.parent}")
    return Target(_files(path, form))


def _files(path: Path, form: str | None) -> dict[Path, str]:
    if path.is_dir() or (not path.suffix and not path.exists()):
        named = {form: f"comparison{_ending(form)}"} if form else IN_A_FOLDER
        return {path / name: kind for kind, name in named.items()}
    kind = form or ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"--out {path}: the ending says no format. Endings: {', '.join(ENDINGS)}; or give --format")
    return {path: kind}


def _ending(form: str) -> str:
    return next(ending for ending, kind in ENDINGS.items() if kind == form)


def write_all(target: Target, results: Mapping[str, Any], compared: Compared, reporter: Reporter) -> list[Path]:
    """Write every file of the target, each whole or not at all; the files. Raises BenchError where that fails."""
    writers: Mapping[str, Callable[[Path], None]] = {
        "html": lambda path: write_page(path, render_comparison(results, compared, lambda f: reporter.message(str(f)))),
        "markdown": lambda path: write_text(path, markdown_of(results)),
        "json": lambda path: write_json(path, results),
        "text": lambda path: write_text(path, text_of(results) + "\n"),
    }
    for path, form in target.files.items():
        reporter.begin(f"write {path.name}", 0, "bytes", form)
        try:
            path.parent.mkdir(exist_ok=True)
            writers[form](path)
        except OSError as error:
            raise BenchError(f"Cannot write {path}: {error.strerror or error}") from None
        reporter.end(f"{path.stat().st_size:,} bytes")
    return list(target.files)
