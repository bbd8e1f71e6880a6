"""Audits a run: grades the stored texts again and holds every stored verdict, pair, count and figure against what
follows from them. Reads the run folder, writes nothing in it.

Figures are computed again by the code that made them, on a copy of the run in which the verdicts are the new ones.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import (
    REPORT,
    Finding,
    check_files,
    check_plan,
    check_report,
    check_results,
    difference,
    guarded,
    read_safely,
)
from mra_bench.audit_record import check_recipe, check_stages, run_record_of, unrecorded_verdicts
from mra_bench.audit_repeats import check_repeats
from mra_bench.errors import UsageError
from mra_bench.folder import RECIPE, RUN, manifest_of
from mra_bench.plugins import PluginSettings, Registered, Registry
from mra_bench.preferences import PairRule, Sampled, build_pairs
from mra_bench.progress import Reporter
from mra_bench.results import RESULTS
from mra_bench.shadow import shadow_run
from mra_bench.stages import completion_of, grade_of, grade_row, problems_of, size_of
from mra_bench.store import stage_record, write_rows
from mra_bench.stored import Judge, added_folders, stage_of
from mra_bench.types import Completion, Grade
from mra_bench.workers import GraderSpec, Limits, grade_all

FIGURES = ("correct", "answer", "kind", "rule")  # what a figure is computed from; the rest is words and places
BY_MACHINE = "timeout"


@dataclass
class Audit:
    """What was checked and found. `notes` are told but are no faults; `changed`: graders, as
    recorded, that have another version now."""

    run: Path
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    changed: set[str] = field(default_factory=set)

    def data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "run": str(self.run),
            "ok": not self.findings,
            "checked": dict(self.checked),
            "notes": self.notes,
            "findings": [dataclasses.asdict(finding) for finding in self.findings],
        }


def audit(run: Path, registry: Registry, plugins: PluginSettings, reporter: Reporter) -> Audit:
    """Check everything in `run` that follows from its texts.

    Raises UsageError for what is no run folder, for a stage of a finished run that is gone, and for a grader of its
    recipe that is not installed.
    """
    manifest = manifest_of(run)
    folders = [f for f in manifest["folders"] if stage_record(run / f) is not None]
    if not any(folder.startswith("completions/") for folder in folders):
        raise UsageError(f"{run} holds no texts, so there is nothing to audit")
    found, record = Audit(run), run_record_of(run)
    _note_unfinished(found, record, manifest["folders"], reporter)
    grades = [f for f in folders if f.startswith("grades/")]
    judges = {folder: Judge.of(stage_of(run, folder)) for folder in grades}
    installed = {judge.name: _installed(registry, judge) for judge in judges.values()}
    for folder in added_folders(run, folders):
        _take_added(found, folder, registry, judges, installed)
    _note_versions(found, judges.values(), installed, reporter)
    found.findings += check_files(run, dict.fromkeys([*folders, *judges]), found.checked)
    with guarded(found.findings, RUN):
        found.findings += [*check_plan(run, manifest), *check_repeats(run, manifest)]
    with guarded(found.findings, RECIPE):
        found.findings += check_recipe(run, record)
    with tempfile.TemporaryDirectory(prefix="mra-bench-audit-") as temporary:
        shadow = shadow_run(run, Path(temporary))
        for folder in judges:
            with guarded(found.findings, folder):
                _Regrading(found, folder, shadow, plugins, reporter).carry_out()
        for folder in (f for f in folders if f.startswith("pairs/")):
            with guarded(found.findings, folder):
                found.findings += check_pairs(run, shadow, folder, found.checked)
        if record.get("finished") is None and not (run / RESULTS).exists():
            found.notes.append(f"There is no {RESULTS} yet")
        else:
            with guarded(found.findings, RESULTS):
                found.findings += check_results(run, shadow, found.checked)
    with guarded(found.findings, REPORT):
        found.findings += check_report(run, found.notes, found.checked)
    return found


def _note_unfinished(found: Audit, record: Mapping[str, Any], folders: Sequence[str], reporter: Reporter) -> None:
    """Say first that the run is not finished, then which added verdicts have no record."""
    if said_first := check_stages(found.run, record):
        found.notes.append(said_first)
        reporter.message(f"Note: {said_first}.")
    found.notes += unrecorded_verdicts(found.run, folders)


def _installed(registry: Registry, judge: Judge) -> Registered:
    """The grader as it is installed, which takes the options that it had."""
    try:
        registered = registry.resolve("graders", judge.name)
        registered.parse_options(judge.options)
    except UsageError as error:
        how = "Install its plugin, or load it with --plugin FILE, to audit the run"
        raise UsageError(f"The run was graded by {judge.name} {judge.version}. {error}. {how}") from None
    return registered


def _take_added(
    found: Audit, folder: str, registry: Registry, judges: dict[str, Judge], installed: dict[str, Registered]
) -> None:
    """Verdicts that `grade` has added are audited where their grader is installed; no figure comes from them."""
    judge = Judge.of(stage_of(found.run, folder))
    try:
        installed[judge.name] = _installed(registry, judge)
    except UsageError:
        found.notes.append(f"{folder} is not checked: {judge.name} is not installed (--plugin FILE loads it)")
    else:
        judges[folder] = judge


def _note_versions(
    found: Audit, judges: Iterable[Judge], installed: Mapping[str, Registered], reporter: Reporter
) -> None:
    """Say first where the installed grader is not the one that made the verdicts."""
    for name, version in dict.fromkeys((judge.name, judge.version) for judge in judges):
        now = installed[name].plugin.version
        if now != version:
            found.notes.append(
                f"{name} was {version} when it graded; installed is {now}: a verdict that differs may come from that, "
                "so only what figures are computed from is compared"
            )
            reporter.message(f"Note: {found.notes[-1]}.")
            found.changed.add(f"{name}@{version}")


class _Regrading:
    """One stage of grades made again from its texts."""

    def __init__(self, found: Audit, folder: str, shadow: Path, plugins: PluginSettings, reporter: Reporter) -> None:
        self.found, self.folder, self.shadow, self.reporter = found, folder, shadow, reporter
        self.run = found.run
        self.stage = stage_of(self.run, folder)
        self.judge = Judge.of(self.stage)
        self.version_changed = f"{self.judge.name}@{self.judge.version}" in found.changed
        self.spec = GraderSpec(self.judge.name, self.judge.options, plugins)

    def carry_out(self) -> None:
        """Compare each stored verdict with the new one, and put the new ones in the copy of the run."""
        completions, problems = self.stage.inputs
        by_id = {p.id: p for p in problems_of(self.run / problems.folder)}
        blocks = sorted((self.run / completions.folder).glob("block-*.jsonl"))
        texts = (row for path in blocks for row in read_safely(path, self.run, self.found.findings))
        self.reporter.begin(f"grade {self.stage.name} again", size_of(completions)[0], "texts")
        grades = grade_all(
            self.spec,
            ((by_id[row["problem"]], row["text"]) for row in texts),
            limits=Limits(self.judge.limits["seconds"], self.judge.limits["memory_mb"]),
            on_done=self.reporter.update,
        )
        kinds: Counter[str] = Counter()
        before = len(self.found.findings)
        for path in blocks:
            again = [grade_row(row, next(grades)) for row in _rows(path)]
            kinds.update(row["kind"] for row in again)
            self._compare(path.name, again)
            write_rows(self.shadow / self.folder / path.name, again)
        self.found.checked["verdicts"] += kinds.total()
        self._compare_facts({"texts": kinds.total(), "kinds": dict(kinds)})
        self.reporter.end(f"{kinds.total():,} texts, {len(self.found.findings) - before:,} findings")

    def _compare(self, name: str, again: Sequence[Mapping[str, Any]]) -> None:
        where = f"{self.folder}/{name}"
        path = self.run / self.folder / name
        if not path.is_file():
            self.found.findings.append(Finding(where, "", f"{len(again)} verdicts", "no such file"))
            return
        stored = list(read_safely(path, self.run, self.found.findings))
        if [_key(row) for row in stored] != [_key(row) for row in again]:
            what = "it does not hold one verdict for each text, in order"
            self.found.findings.append(Finding(where, "", what, f"{len(stored)} rows for {len(again)} texts"))
        by_key = {_key(row): row for row in stored}
        for derived in again:
            self._compare_row(where, by_key.get(_key(derived)), derived)

    def _compare_row(self, where: str, stored: Mapping[str, Any] | None, derived: Mapping[str, Any]) -> None:
        if stored is None:
            return
        names = FIGURES if self.version_changed else tuple(derived)
        derived = json.loads(json.dumps(derived))
        differing = [name for name in names if name in derived and stored.get(name, "") != derived[name]]
        if not differing:
            return
        maybe = "the grader's version" if self.version_changed else ""
        if BY_MACHINE in (stored.get("kind"), derived["kind"]):
            maybe = "the machine: a timeout depends on its speed"
        told = {name: stored.get(name) for name in differing}
        sample = f"{derived['problem']} sample {derived['sample']}"
        self.found.findings.append(
            Finding(where, sample, said(told), said({name: derived[name] for name in differing}), maybe)
        )

    def _compare_facts(self, derived: Mapping[str, Any]) -> None:
        facts = (stage_record(self.run / self.folder) or {})["facts"]
        maybe = "the grader's version" if self.version_changed else ""
        where = f"{self.folder}/stage.json"
        for path, stored, now in difference({key: facts.get(key) for key in derived}, derived):
            self.found.findings.append(Finding(where, path, said(stored), said(now), maybe))


def check_pairs(run: Path, shadow: Path, folder: str, checked: Counter[str]) -> Iterator[Finding]:
    """Make a stage's pairs again from the new verdicts. Prompts are taken as stored: only the model can make them."""
    stage = stage_of(run, folder)
    problems, completions, grades = stage.inputs
    stored_file = run / folder / "pairs.jsonl"
    broken: list[Finding] = []
    stored = list(read_safely(stored_file, run, broken)) if stored_file.is_file() else []
    yield from broken
    prompts = {row["problem_id"]: row["prompt"] for row in stored}
    samples = _samples(run / completions.folder, shadow / grades.folder)
    made = build_pairs(
        (Sampled(p, prompts.get(p.id, ""), tuple(samples.get(p.id, ()))) for p in problems_of(run / problems.folder)),
        PairRule(**stage.spec["rule"]),
        stage.spec["seed"],
    )
    checked["pairs"] += len(made.pairs)
    yield from _pair_rows(f"{folder}/pairs.jsonl", stored, [dataclasses.asdict(pair) for pair in made.pairs])
    facts = (stage_record(run / folder) or {})["facts"]
    derived = {"counts": dict(made.counts), "no_pair": dict(made.no_pair), "pairs": len(made.pairs)}
    for path, before, now in difference({key: facts.get(key) for key in derived}, derived):
        yield Finding(f"{folder}/stage.json", path, said(before), said(now))


def _samples(texts: Path, grades: Path) -> dict[str, list[tuple[Completion, Grade]]]:
    verdicts = {_key(row): grade_of(row) for path in sorted(grades.glob("*.jsonl")) for row in _rows(path)}
    found: dict[str, list[tuple[Completion, Grade]]] = {}
    for path in sorted(texts.glob("*.jsonl")):
        for row in _rows(path):
            if _key(row) in verdicts:
                found.setdefault(row["problem"], []).append((completion_of(row), verdicts[_key(row)]))
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    return read_safely(path, path.parent, [])


def _pair_rows(
    where: str, stored: Sequence[Mapping[str, Any]], derived: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Problems whose pairs are not those that follow from the verdicts."""
    before, now = _by_problem(stored), _by_problem(derived)
    for problem in dict.fromkeys([*before, *now]):
        if before.get(problem, []) != now.get(problem, []):
            yield Finding(where, problem, _sides(before.get(problem, [])), _sides(now.get(problem, [])))


def _by_problem(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(str(row["problem_id"]), []).append(row)
    return found


def _sides(rows: Sequence[Mapping[str, Any]]) -> str:
    pairs = [f"{row['chosen_source']} over {row['rejected_source']}" for row in rows]
    return ", ".join(pairs) or "no pair"


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["problem"], row["sample"]


def said(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item!r:.120}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value)
