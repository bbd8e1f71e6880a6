"""Helpers that run the command line, in a process of its own or in this one, and read what it left."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from mra_bench.cli import call

COMMAND = [sys.executable, "-m", "mra_bench"]


def bench(
    *arguments: Any, cwd: Path | None = None, timeout: float = 600, **env: str
) -> subprocess.CompletedProcess[str]:
    """``mra-bench ARGUMENTS`` to its end, output captured."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def here(*arguments: Any, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """The same within this process, in a third of the time: for what does not depend on the process."""
    words, out, err = [str(argument) for argument in arguments], io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd or "."),
        mock.patch.dict(os.environ, env),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = call(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def data_hashes(run: Path) -> dict[str, str]:
    """sha256 of every file that must not depend on interruptions: completions, grades, pairs, problems, results."""
    kinds = ("problems", "completions", "grades", "pairs")
    paths = [p for kind in kinds for p in sorted((run / kind).rglob("*")) if p.is_file()]
    paths += [p for p in sorted((run / "models").rglob("*")) if p.name in ("model.safetensors", "training.jsonl")]
    paths.append(run / "results.json")
    return {p.relative_to(run).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}
