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
from mra_bench.types import Problem
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
    again = _Again(found, stage, folder, judge, plugins, maybe)
    epochs = epochs_in(found.run / folder / FOLDER)
    reporter.begin(f"grade {stage.name} again", len(epochs) * len(again.problems), "texts")
    scores = []
    for epoch in epochs:
        yield from again.grade(epoch)
        scores.append(again.score)
    reporter.end(f"{len(epochs)} epochs")
    yield from _recorded(found.run, folder, scores, len(again.problems), maybe)


def _judge(stage: Stage) -> Judge:
    """Who graded the answers."""
    spec = stage.spec[CHOOSE]
    name, _, version = str(spec["grader"]).partition("@")
    return Judge("graders", name, version, spec["options"], spec["limits"])


class _Again:
    """The epochs of one training, graded again one after the other; `score`: of the last of them."""

    def __init__(
        self, found: Audit, stage: Stage, folder: str, judge: Judge, plugins: PluginSettings, maybe: str
    ) -> None:
        self.found, self.place, self.judge, self.maybe = found, f"{folder}/{FOLDER}", judge, maybe
        self.problems: dict[str, Problem] = {p.id: p for p in problems_of(found.run / stage.inputs[-1].folder)}
        self.spec = GraderSpec(judge.name, judge.options, plugins)
        self.score: EpochScore

    def grade(self, epoch: int) -> Iterator[Finding]:
        """Findings about one epoch."""
        broken: list[Finding] = []
        paths = [epoch_file(self.found.run / self.place, kind, epoch) for kind in (TEXTS, GRADES)]
        texts, stored = ([*read_safely(path, self.found.run, broken)] if path.is_file() else [] for path in paths)
        yield from broken
        if [key(row) for row in texts] != [(problem, 0) for problem in self.problems]:
            where = f"{self.place}/{TEXTS}/{paths[0].name}"
            yield Finding(where, "", f"{len(texts)} texts", f"one for each of {len(self.problems)} problems, in order")
        texts = [row for row in texts if row["problem"] in self.problems]
        again = self._judged(texts)
        self.found.checked[WAYS["graders"].what] += len(again)
        yield from self._compare(f"{self.place}/{GRADES}/{paths[1].name}", stored, again)
        self.score = EpochScore.of(epoch, texts, again)

    def _judged(self, texts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        limits = Limits(self.judge.limits["seconds"], self.judge.limits["memory_mb"])
        items = [(self.problems[row["problem"]], row["text"]) for row in texts]
        said_of = grade_all(self.spec, items, limits=limits)
        return [grade_row(row, grade) for row, grade in zip(texts, said_of, strict=True)]

    def _compare(
        self, where: str, stored: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]
    ) -> Iterator[Finding]:
        by_key = {key(row): row for row in stored}
        if [key(row) for row in stored] != [key(row) for row in again]:
            yield Finding(where, "", f"{len(stored)} verdicts", f"one for each of {len(again)} texts, in order")
        for row in again:
            finding = differing_row(where, by_key.get(key(row), row), row, WAYS["graders"], self.maybe)
            if finding is not None:
                yield finding


def _recorded(run: Path, folder: str, scores: Sequence[EpochScore], problems: int, maybe: str) -> Iterator[Finding]:
    """Facts and log of the training against what the answers give."""
    facts = (stage_record(run / folder) or {})["facts"]
    if not scores:
        yield Finding(f"{folder}/stage.json", "epoch_kept", said(facts.get("epoch_kept")), "no epoch was answered")
        return
    derived = choice_facts(scores, problems, {})
    del derived["generated_tokens"]  # the trainer may have generated, too
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
