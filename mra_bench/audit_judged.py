"""Grades and profiles made again from their texts, and what differs from those that are stored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference, read_safely
from mra_bench.plugins import PluginSettings
from mra_bench.progress import Reporter
from mra_bench.stages import size_of
from mra_bench.store import stage_record, write_rows
from mra_bench.stored import Judge, stage_of
from mra_bench.stored_rows import (
    grade_facts,
    grade_row,
    kind_of_grade,
    kind_of_profile,
    problems_of,
    profile_facts,
    profile_row,
)
from mra_bench.workers import GraderSpec, Limits, grade_all, profile_all

BY_MACHINE = "timeout"


@dataclass
class Audit:
    """What was checked and found. `notes` are told but are no faults; `published`: what is said of imported
    texts; `changed`: graders, as recorded, that have another version now."""

    run: Path
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    changed: set[str] = field(default_factory=set)

    def data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "run": str(self.run),
            "ok": not self.findings,
            "checked": dict(self.checked),
            "notes": self.notes,
            **({"published": self.published} if self.published else {}),
            "findings": [asdict(finding) for finding in self.findings],
        }


@dataclass(frozen=True)
class Way:
    """How one kind of judge is called, in which words it is told of, how what it says is stored and counted, and what
    of that figures are computed from."""

    does: str
    what: str
    judge_all: Callable[..., Generator[Any, None, None]]
    to_row: Callable[[Mapping[str, Any], Any], dict[str, Any]]
    kind_of: Callable[[Mapping[str, Any]], str]
    facts: Callable[[Counter[str]], dict[str, Any]]
    figures: tuple[str, ...]


WAYS: Mapping[str, Way] = {
    "graders": Way(
        "grade", "verdicts", grade_all, grade_row, kind_of_grade, grade_facts, ("correct", "answer", "kind", "rule")
    ),
    "profilers": Way(
        "profile", "profiles", profile_all, profile_row, kind_of_profile, profile_facts, ("errors", "scores")
    ),
}


class JudgedAgain:
    """One stage of grades or profiles made again from its texts."""

    def __init__(self, found: Audit, folder: str, shadow: Path, plugins: PluginSettings, reporter: Reporter) -> None:
        self.found, self.folder, self.shadow, self.reporter = found, folder, shadow, reporter
        self.run = found.run
        self.stage = stage_of(self.run, folder)
        self.judge = Judge.of(self.stage)
        self.way = WAYS[self.judge.kind]
        self.version_changed = f"{self.judge.name}@{self.judge.version}" in found.changed
        self.spec = GraderSpec(self.judge.name, self.judge.options, plugins, self.judge.kind)

    def carry_out(self) -> None:
        """Compare each stored verdict with the new one, and put the new ones in the copy of the run."""
        completions, problems = self.stage.inputs
        by_id = {p.id: p for p in problems_of(self.run / problems.folder)}
        blocks = sorted((self.run / completions.folder).glob("block-*.jsonl"))
        texts = (row for path in blocks for row in read_safely(path, self.run, self.found.findings))
        self.reporter.begin(f"{self.way.does} {self.stage.name} again", size_of(completions)[0], "texts")
        judged = self.way.judge_all(
            self.spec,
            ((by_id[row["problem"]], row["text"]) for row in texts),
            limits=Limits(self.judge.limits["seconds"], self.judge.limits["memory_mb"]),
            on_done=self.reporter.update,
        )
        kinds: Counter[str] = Counter()
        before = len(self.found.findings)
        for path in blocks:
            again = [self.way.to_row(row, next(judged)) for row in rows_of(path)]
            kinds.update(map(self.way.kind_of, again))
            self._compare(path.name, again)
            write_rows(self.shadow / self.folder / path.name, again)
        self.found.checked[self.way.what] += kinds.total()
        self._compare_facts(self.way.facts(kinds))
        self.reporter.end(f"{kinds.total():,} texts, {len(self.found.findings) - before:,} findings")

    def _compare(self, name: str, again: Sequence[Mapping[str, Any]]) -> None:
        where = f"{self.folder}/{name}"
        path = self.run / self.folder / name
        if not path.is_file():
            self.found.findings.append(Finding(where, "", f"{len(again)} {self.way.what}", "no such file"))
            return
        stored = list(read_safely(path, self.run, self.found.findings))
        if [key(row) for row in stored] != [key(row) for row in again]:
            what = f"it does not hold one row of {self.way.what} for each text, in order"
            self.found.findings.append(Finding(where, "", what, f"{len(stored)} rows for {len(again)} texts"))
        by_key = {key(row): row for row in stored}
        for derived in again:
            self._compare_row(where, by_key.get(key(derived)), derived)

    def _compare_row(self, where: str, stored: Mapping[str, Any] | None, derived: Mapping[str, Any]) -> None:
        if stored is None:
            return
        maybe = f"the {self.judge.kind[:-1]}'s version" if self.version_changed else ""
        finding = differing_row(where, stored, derived, self.way, maybe)
        self.found.findings += [finding] if finding else []

    def _compare_facts(self, derived: Mapping[str, Any]) -> None:
        facts = (stage_record(self.run / self.folder) or {})["facts"]
        maybe = f"the {self.judge.kind[:-1]}'s version" if self.version_changed else ""
        where = f"{self.folder}/stage.json"
        for path, stored, now in difference({key: facts.get(key) for key in derived}, derived):
            self.found.findings.append(Finding(where, path, said(stored), said(now), maybe))


def differing_row(
    where: str, stored: Mapping[str, Any], derived: Mapping[str, Any], way: Way, maybe: str
) -> Finding | None:
    """What differs in a row, if anything does. `maybe`: what it may come from if the judge is another version, of which
    only what figures are computed from is compared; "" for the same one."""
    names = way.figures if maybe else tuple(derived)
    derived = json.loads(json.dumps(derived))
    differing = [name for name in names if name in derived and stored.get(name, "") != derived[name]]
    if not differing:
        return None
    if BY_MACHINE in (way.kind_of(stored), way.kind_of(derived)):
        maybe = "the machine: a timeout depends on its speed"
    told = {name: stored.get(name) for name in differing}
    sample = f"{derived['problem']} sample {derived['sample']}"
    return Finding(where, sample, said(told), said({name: derived[name] for name in differing}), maybe)


def key(row: Mapping[str, Any]) -> tuple[str, int]:
    """Which text a stored row is about."""
    return row["problem"], row["sample"]


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file; what is damaged in it is found elsewhere."""
    return read_safely(path, path.parent, [])


def said(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {item!r:.120}" for name, item in value.items())
    return value if isinstance(value, str) else json.dumps(value)
