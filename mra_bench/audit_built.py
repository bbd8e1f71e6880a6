"""Pairs and rows built again from new verdicts and profiles, and what differs from those that are stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference, read_safely
from mra_bench.audit_judged import Audit, key, rows_of, said
from mra_bench.builders import BuildJob, PairRule, PairSet, RowRule, RowSet, Sampled
from mra_bench.contracts import run_builder
from mra_bench.errors import UsageError
from mra_bench.plugins import Registered, Registry
from mra_bench.store import stage_record
from mra_bench.stored import stage_of
from mra_bench.stored_rows import built_facts, completion_of, grade_of, problems_of, profile_of
from mra_bench.types import Completion, Grade, Profile
from mra_bench.work import Stage


def check_built(run: Path, shadow: Path, folder: str, registry: Registry, found: Audit) -> Iterator[Finding]:
    """Build a stage's pairs or rows again from the new verdicts. Prompts are taken as stored: only the model can make
    them. A builder that is not installed is noted."""
    stage = stage_of(run, folder)
    name = "pairs" if stage.kind == "pair" else "rows"
    try:
        builder, maybe = _installed(stage, registry)
    except UsageError as error:
        found.notes.append(f"{folder} is not checked: {error} (--plugin FILE loads a plugin)")
        return
    broken: list[Finding] = []
    path = run / folder / f"{name}.jsonl"
    stored = list(read_safely(path, run, broken)) if path.is_file() else []
    yield from broken
    job = _job(run, shadow, stage, builder, stored)
    built = run_builder(builder, job, PairSet) if stage.kind == "pair" else run_builder(builder, job, RowSet)
    items = built.pairs if isinstance(built, PairSet) else built.rows
    found.checked[name] += len(items)
    yield from _rows(f"{folder}/{name}.jsonl", stored, [dataclasses.asdict(item) for item in items], maybe)
    facts = (stage_record(run / folder) or {})["facts"]
    derived = built_facts(built)
    for at, before, now in difference({name: facts.get(name) for name in derived}, derived):
        yield Finding(f"{folder}/stage.json", at, said(before), said(now), maybe)


def _installed(stage: Stage, registry: Registry) -> tuple[Registered, str]:
    """The builder that is installed, and what a difference may come from if it is another version."""
    name, _, version = str(stage.spec["builder"]).partition("@")
    builder = registry.resolve("pair_builders" if stage.kind == "pair" else "row_builders", name)
    builder.parse_options(stage.spec["options"])
    return builder, "" if builder.plugin.version == version else "the builder's version"


def _job(run: Path, shadow: Path, stage: Stage, builder: Registered, stored: Sequence[Mapping[str, Any]]) -> BuildJob:
    """The builder's job, from the stored texts and what is now said of them."""
    problems, *judged = stage.inputs
    prompts = {row["problem_id"]: row["prompt"] for row in stored}
    samples = _samples(run / judged[0].folder, shadow / judged[1].folder) if judged else {}
    profiles = _profiles(shadow / judged[2].folder) if len(judged) > 2 else {}
    sampled = (
        Sampled(
            problem,
            prompts.get(problem.id, ""),
            tuple(samples.get(problem.id, ())),
            tuple(profiles[problem.id, text.sample] for text, _ in samples.get(problem.id, ()) if profiles),
        )
        for problem in problems_of(run / problems.folder)
    )
    rule = PairRule(**stage.spec["rule"]) if stage.kind == "pair" else RowRule(**stage.spec["rule"])
    options = builder.parse_options(stage.spec["options"])
    return BuildJob(sampled, rule, options, stage.spec["seed"], lambda problem: prompts.get(problem.id, ""))


def _samples(texts: Path, grades: Path) -> dict[str, list[tuple[Completion, Grade]]]:
    verdicts = {key(row): grade_of(row) for path in sorted(grades.glob("*.jsonl")) for row in rows_of(path)}
    found: dict[str, list[tuple[Completion, Grade]]] = {}
    for path in sorted(texts.glob("*.jsonl")):
        for row in rows_of(path):
            if key(row) in verdicts:
                found.setdefault(row["problem"], []).append((completion_of(row), verdicts[key(row)]))
    return found


def _profiles(folder: Path) -> dict[tuple[str, int], Profile]:
    return {key(row): profile_of(row) for path in sorted(folder.glob("*.jsonl")) for row in rows_of(path)}


def _rows(
    where: str, stored: Sequence[Mapping[str, Any]], derived: Sequence[Mapping[str, Any]], maybe: str
) -> Iterator[Finding]:
    """Problems whose pairs or rows are not those that follow from the verdicts."""
    before, now = _by_problem(stored), _by_problem(derived)
    for problem in dict.fromkeys([*before, *now]):
        if before.get(problem, []) != now.get(problem, []):
            yield Finding(where, problem, _sides(before.get(problem, [])), _sides(now.get(problem, [])), maybe)


def _by_problem(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(str(row["problem_id"]), []).append(row)
    return found


def _sides(rows: Sequence[Mapping[str, Any]]) -> str:
    """Pairs by where their sides came from, with weights other than 1; rows by how they begin."""
    said_of = [
        f"{row['chosen_source']} over {row['rejected_source']}"
        + (f" (weight {row['weight']:g})" if row["weight"] != 1 else "")
        if "chosen" in row
        else f"{row['completion']!r:.60}"
        for row in rows
    ]
    return ", ".join(said_of) or "nothing"
