"""Pages of docs/ as programs: the files they show are written, their commands run, and their output compared.

A block whose first line names a language and a file (```python grader.py) is that file. In a block of `console` a line
with ``$`` is a command; the lines below it must stand in what it prints, ``...`` being whatever is left out.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```([a-z]+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A command of a page and the lines that it must print."""

    line: str
    printed: tuple[str, ...]


def steps(page: Path) -> Iterator[tuple[str, str] | Command]:
    """Files to write (name, text) and commands, in the page's order."""
    for language, name, text in BLOCK.findall(page.read_text("utf-8")):
        if name:
            yield name, text
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                line, *printed = part.splitlines()
                yield Command(line, tuple(printed))


def follow(page: Path, folder: Path, env: Mapping[str, str]) -> int:
    """Do what the page says in an empty folder; the number of commands. Raises AssertionError at the first that fails
    or does not print what the page shows."""
    done = 0
    for step in steps(page):
        if isinstance(step, Command):
            folder = _run(step, folder, env)
            done += 1
        else:
            (folder / step[0]).parent.mkdir(parents=True, exist_ok=True)
            (folder / step[0]).write_text(step[1])
    return done


def programs(folder: Path, python: str = sys.executable) -> dict[str, str]:
    """An environment in which `mra-bench` and `python` are those of this interpreter, or of another one."""
    folder.mkdir()
    for name, command in (("python", f"{python}"), ("mra-bench", f"{python} -P -m mra_bench")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


def _run(step: Command, folder: Path, env: Mapping[str, str]) -> Path:
    """Run one command; the folder that the next one runs in."""
    words = shlex.split(step.line)
    if words[0] == "cd":
        return folder / words[1]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=1200, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, f"$ {step.line}\n{printed}"
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for wanted in step.printed:
        assert any(_pattern(wanted).fullmatch(line) for line in lines), f"$ {step.line}\nno line {wanted!r}:\n{printed}"
    return folder


def _pattern(line: str) -> re.Pattern[str]:
    """The line with any spacing, and with anything where the page leaves something out."""
    return re.compile(" ?.*? ?".join(re.escape(" ".join(part.split())) for part in line.split("...")))
