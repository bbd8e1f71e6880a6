"""`run_bench`: the whole command line on six questions, in a process of its own and a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.types import Grade, Problem

SECONDS = 600.0  # a run of six questions takes a few; this only ends one that hangs

_ASKED = (
    ("Mia has 14 apples and buys 23 more. How many has she?", "37", "14 + 23 = 37, so she has 37"),
    ("A box holds 12 eggs. How many are in 3 boxes?", "36", "3 boxes hold 3 * 12, that is 36"),
    ("What is 50 - 8?", "42", "50 - 8 = 42"),
    ("Tom reads 9 pages a day. How many in 5 days?", "45", "In 5 days he reads 45"),
    ("What is 7 + 6?", "13", "7 + 6 = 14"),
    ("Half of 90 is what?", "45", "I do not know"),
)
SIX: tuple[tuple[Problem, str], ...] = tuple(
    (Problem(f"q{number}", question, answer), text) for number, (question, answer, text) in enumerate(_ASKED)
)
"""Six problems and texts that answer them: the first four right, with the answer as the last word, the others not."""


@dataclass(frozen=True)
class BenchResult:
    """What a run left.

    exit_code: that of `mra-bench run`. output: what it printed, errors too.
    results: results.json, empty where the run did not get so far.
    grades: the grader's Grade of each problem's text, by the problem's id.
    """

    exit_code: int
    output: str
    results: Mapping[str, Any]
    grades: Mapping[str, Grade]

    @property
    def accuracy(self) -> float:
        """The share of all problems that were graded correct. Raises KeyError for a run without results."""
        (score,) = self.results["datasets"][0]["scores"]
        return float(score["accuracy"])


def run_bench(
    *,
    grader: str = "sympy",
    plugin: str = "",
    model: str = "",
    texts: Sequence[tuple[Problem, str]] = SIX,
    arguments: Sequence[str] = (),
    folder: Path | None = None,
) -> BenchResult:
    """Run ``mra-bench run`` on a few problems and give what it left. Nothing is downloaded and nothing trained.

    grader: the name of a registered grader. plugin: the file or module that registers what is named, where it is not
    installed.
    model: a model loader to ask, ``NAME`` or ``NAME@PATH``. Without one the built-in model `echo` answers with `texts`,
    pairs of a problem and the answer to it; with one, only the problems count. They go through a file, so they have no
    `expects`, which a dataset's spec says.
    arguments: more arguments of `mra-bench run`. folder: where to work, if what is left there is wanted; it is made.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return _run(folder.resolve(), grader, plugin, model, texts, arguments)
    with tempfile.TemporaryDirectory(prefix="mra-bench-") as name:
        return _run(Path(name).resolve(), grader, plugin, model, texts, arguments)


def _run(
    folder: Path, grader: str, plugin: str, model: str, texts: Sequence[tuple[Problem, str]], more: Sequence[str]
) -> BenchResult:
    _write(folder / "six.jsonl", [_row_of(problem) for problem, _ in texts])
    _write(folder / "answers.jsonl", [{"problem": problem.id, "text": text} for problem, text in texts])
    named = ["--plugin", os.path.abspath(plugin) if plugin.endswith(".py") else plugin] if plugin else []
    loader, at, path = model.partition("@")
    asked_of = f"{loader}@{os.path.abspath(path) if os.path.exists(path) else path}" if at else model
    asked = ["--model", f"model={asked_of or 'echo@answers.jsonl'}", "--data", "six=six.jsonl", "--grader", grader]
    command = [sys.executable, "-m", "mra_bench", "run", *asked, *named, "--out", "run", "--quiet", *more]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    return BenchResult(done.returncode, done.stdout, _results(folder / "run"), _grades(folder / "run"))


def _row_of(problem: Problem) -> dict[str, Any]:
    return {name: value for name, value in vars(problem).items() if value}


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _results(run: Path) -> dict[str, Any]:
    file = run / "results.json"
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return read


def _grades(run: Path) -> dict[str, Grade]:
    """The first grader's, of the stages that the results come from."""
    from mra_bench.folder import manifest_of
    from mra_bench.store import read_rows
    from mra_bench.stored_rows import grade_of

    grades: dict[str, Grade] = {}
    if (run / "results.json").is_file():
        folders = [run / name for name in manifest_of(run)["folders"] if name.startswith("grades/")]
        for row in [row for folder in folders for file in sorted(folder.glob("*.jsonl")) for row in read_rows(file)]:
            grades.setdefault(row["problem"], grade_of(row))
    return grades
