"""Another run in the same folder: its finished stages stay and are shared, its report is put aside, never lost."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mra_bench.tables import printable

FOLDER = "earlier"
FILES = ("report.html", "results.json", "recipe.yaml", "run.json")  # run.json last: until then it tells whose they are


@dataclass(frozen=True)
class EarlierRun:
    """What is in a run folder and does not belong to the plan about to be carried out there."""

    out: Path
    name: str
    fingerprint: str
    started: str
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its report and results are kept."""
        return self.out / FOLDER / self.fingerprint[:8]

    def sentence(self) -> str:
        """For the user, before any work: which run it is, what becomes of it, and how to keep the two apart."""
        has_report = "report.html" in self.files or (self.folder / "report.html").is_file()
        kept = "its report and results are kept in" if has_report else "it has no report yet; its recipe is kept in"
        return (
            f"{self.out} holds another run: '{self.name}', fingerprint {self.fingerprint[:8]}, started {self.started}. "
            f"Its finished stages stay, and equal ones are shared; {kept} {self.folder}. For a folder of its own, give "
            "this run --out FOLDER."
        )


def other_run(out: Path, fingerprint: str) -> EarlierRun | None:
    """The run in `out` when it is not the one with `fingerprint`, or None: also where its record is not one
    that mra-bench writes, so that nothing in it becomes a path or reaches the terminal as it is."""
    try:
        record = json.loads((out / "run.json").read_text(encoding="utf-8"))
        plan = record["plan"]
        name, there, started = str(plan["name"]), str(plan["fingerprint"]), str(record["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if there == fingerprint or not re.fullmatch(r"[0-9a-f]{64}", there):
        return None
    files = tuple(file for file in FILES if (out / file).is_file())
    return EarlierRun(out, printable(name), there, printable(started), files)


def set_aside(earlier: EarlierRun) -> None:
    """Copy the report, results, recipe and record of `earlier` to its folder; a kill half-way is made good by the next
    call, because run.json in `out` still names it. Once its run.json is in the folder everything is, and what stands in
    `out` may by now belong to the run that replaces it."""
    if _same_bytes(earlier.folder / "run.json", earlier.out / "run.json"):
        return
    earlier.folder.mkdir(parents=True, exist_ok=True)
    for file in earlier.files:
        arriving = earlier.folder / f".{file}"
        shutil.copy2(earlier.out / file, arriving)
        arriving.replace(earlier.folder / file)


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() == other.read_bytes()
    except OSError:
        return False
