"""The choice of an epoch made again: its answers graded anew, and what differs from what the training recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference, read_safely
from mra_bench.audit_judged import WAYS, Audit, differing_row, key, rows_of, said
from mra_bench.choosing import (
    EVENT,
    FOLDER,
    GRADES,
    TEXTS,
    EpochScore,
    choice_event,
    choice_facts,
    epoch_file,
    epochs_in,
)
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.progress import Reporter
from mra_bench.store import stage_record
from mra_bench.stored import Judge, stage_of
from mra_bench.stored_rows import grade_row, problems_of
from mra_bench.training_stage import LOG
from mra_bench.work import Stage
from mra_bench.workers import GraderSpec, Limits, grade_all

CHOOSE = "choose"  # in the spec of a training stage


def check_chosen(
    found: Audit, folder: str, registry: Registry, plugins: PluginSettings, reporter: Reporter
) -> Iterator[Finding]:
    """Grade the answers of every epoch again, and hold verdicts, log and facts of the training in `folder` against what
    follows from them. A grader that is not installed is noted."""
    stage = stage_of(found.run, folder)
    judge = _judge(stage)
    try:
        installed = registry.resolve("graders", judge.name)
        installed.parse_options(judge.options)
    except UsageError as error:
        found.notes.append(f"{folder}/{FOLDER} is not checked: {error} (--plugin FILE loads a plugin)")
        return
    maybe = "" if installed.plugin.version == judge.version else "the grader's version"
    epochs = [_Epoch(found.run, f"{folder}/{FOLDER}", epoch) for epoch in epochs_in(found.run / folder / FOLDER)]
    problems = {p.id: p for p in problems_of(found.run / stage.inputs[-1].folder)}
    items = [(problems[row["problem"]], row["text"]) for epoch in epochs for row in epoch.texts]
    reporter.begin(f"grade {stage.name} again", len(items), "texts")
    judged = grade_all(
        GraderSpec(judge.name, judge.options, plugins),
        items,
        limits=Limits(judge.limits["seconds"], judge.limits["memory_mb"]),
        on_done=reporter.update,
    )
    scores = []
    for epoch in epochs:
        again = [grade_row(row, next(judged)) for row in epoch.texts]
        yield from epoch.findings(list(problems), again, maybe)
        scores.append(EpochScore.of(epoch.number, epoch.texts, again))
    found.checked[WAYS["graders"].what] += len(items)
    reporter.end(f"{len(items):,} texts")
    yield from _recorded(found.run, folder, scores, len(problems), maybe)


def _judge(stage: Stage) -> Judge:
    """Who graded the answers."""
    spec = stage.spec[CHOOSE]
    name, _, version = str(spec["grader"]).partition("@")
    return Judge("graders", name, version, spec["options"], spec["limits"])


class _Epoch:
    """The stored answers and verdicts of one epoch, in the folder `place` of a run."""

    def __init__(self, run: Path, place: str, number: int) -> None:
        self.place, self.number = place, number
        self.broken: list[Finding] = []
        paths = [epoch_file(run / place, kind, number) for kind in (TEXTS, GRADES)]
        self.name = paths[0].name
        self.texts, self.stored = (
            list(read_safely(path, run, self.broken)) if path.is_file() else [] for path in paths
        )

    def findings(self, asked: Sequence[str], again: Sequence[Mapping[str, Any]], maybe: str) -> Iterator[Finding]:
        """What differs from answers to all problems that were `asked`, and from the verdicts made `again`."""
        yield from self.broken
        if [key(row) for row in self.texts] != [(problem, 0) for problem in asked]:
            where = f"{self.place}/{TEXTS}/{self.name}"
            yield Finding(where, "", f"{len(self.texts)} texts", f"one for each of {len(asked)} problems, in order")
        where = f"{self.place}/{GRADES}/{self.name}"
        if [key(row) for row in self.stored] != [key(row) for row in again]:
            yield Finding(where, "", f"{len(self.stored)} verdicts", f"one for each of {len(again)} texts, in order")
        by_key = {key(row): row for row in self.stored}
        for row in again:
            finding = differing_row(where, by_key.get(key(row), row), row, WAYS["graders"], maybe)
            if finding is not None:
                yield finding


def _recorded(run: Path, folder: str, scores: Sequence[EpochScore], problems: int, maybe: str) -> Iterator[Finding]:
    """Facts and log of the training against what the answers give."""
    facts = (stage_record(run / folder) or {})["facts"]
    if not scores:
        yield Finding(f"{folder}/stage.json", "epoch_kept", said(facts.get("epoch_kept")), "no epoch was answered")
        return
    derived = choice_facts(scores, problems, {})
    del derived["generated_tokens"], derived["samples"]  # the trainer may have drawn some, too
    for at, before, now in difference({name: facts.get(name) for name in derived}, derived):
        yield Finding(f"{folder}/stage.json", at, said(before), said(now), maybe)
    path = run / folder / LOG
    logged = {row["epoch"]: row for row in rows_of(path) if row.get("event") == EVENT} if path.is_file() else {}
    for score in scores:
        event = choice_event(score, problems)
        told = {name: logged.get(score.epoch, {}).get(name) for name in event}
        for at, before, now in difference(told, event):
            yield Finding(f"{folder}/{LOG}", f"epoch {score.epoch} {at}", said(before), said(now), maybe)


def has_choice(run: Path, folder: str) -> bool:
    """Whether a stage is a training that chose its epoch."""
    record = stage_record(run / folder) or {}
    return record.get("kind") == "train" and CHOOSE in record.get("spec", {})
