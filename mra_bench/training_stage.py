"""The stage that trains: what a trainer is given, and what is kept of what it leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.built_guard import trained_rows
from mra_bench.choosing import FOLDER as DEV
from mra_bench.choosing import Chooser
from mra_bench.context import WEIGHTS, Context, StageProgress, open_model, planned_ref
from mra_bench.contracts import run_trainer
from mra_bench.ranks import Ranks
from mra_bench.store import WORK, append_row, read_rows, write_rows
from mra_bench.training_texts import PARENT, learnt_by
from mra_bench.types import Dev, Grade, Model, ModelRef, Pair, Problem, Row, TrainJob
from mra_bench.work import GradeWork, Stage, TrainWork
from mra_bench.workers import GraderSpec, Limits, WorkerPool

LOG = "training.jsonl"
KEPT = ("checkpoint-*", "epoch-*")
Log = Callable[[Mapping[str, Any]], None]


def train(context: Context, stage: Stage) -> dict[str, Any]:
    """A child model. Checkpoints live in the stage's work folder until the weights are saved."""
    work: TrainWork = stage.work
    folder = context.folder(stage)
    ranks = context.ranks if work.trainer.together else Ranks()
    if ranks.leads:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
        for made in (WEIGHTS, DEV):
            shutil.rmtree(folder / made, ignore_errors=True)
    ranks.wait()
    with contextlib.ExitStack() as workers:
        log = _log(folder / WORK / LOG, ranks)
        chooser = _chooser(context, stage, ranks, workers, log)
        job = _job(context, stage, ranks, workers, log, chooser)
        context.release()
        trained = run_trainer(work.trainer, job, context.registry)
    ranks.wait()
    if not ranks.leads:
        return {}
    chosen: dict[str, Any] = {}
    if chooser is not None:
        chosen = chooser.facts(trained.facts)
        shutil.copytree(chooser.folder, folder / DEV)
    for kept in itertools.chain(*((folder / WORK).glob(name) for name in KEPT)):  # the trainer was asked to keep it
        shutil.rmtree(folder / kept.name, ignore_errors=True)
        kept.replace(folder / kept.name)
    log_path = folder / WORK / LOG
    write_rows(folder / LOG, last_of_each_step(read_rows(log_path) if log_path.exists() else iter(())))
    several = {"processes": ranks.count} if ranks.count > 1 else {}
    return {**trained.facts, **chosen, **several, "ref": _ref(context, stage, job.parent, trained.ref)}


def _ref(context: Context, stage: Stage, parent: Path, ref: ModelRef) -> dict[str, Any]:
    """How the child is loaded: as its parent says, else as its trainer does in `ref`. `parent`: the parent's folder."""
    work: TrainWork = stage.work
    own = open_model(context.root, work.parent, context.registry)
    ref = own.child(context.folder(stage) / WEIGHTS, context.registry) or ref
    told: dict[str, Any] = {"loader": ref.loader, "options": {k: v for k, v in ref.options.items() if k != "path"}}
    if work.parent.stage is None and next(learnt_by(parent), None) is not None:
        told[PARENT] = str(parent.resolve())  # so that what it was trained on is still known of this child
    return told


def _log(path: Path, ranks: Ranks) -> Log:
    """Takes records for the training log; in all processes but the leader nothing is logged."""
    return lambda record: append_row(path, record) if ranks.leads else None


def _chooser(context: Context, stage: Stage, ranks: Ranks, workers: contextlib.ExitStack, log: Log) -> Chooser | None:
    """What holds the epochs of a training against each other, if the recipe asks for that."""
    dev = stage.work.dev
    if dev is None:
        return None
    grade = _in_workers(context, dev.grader, workers)

    def told(record: Mapping[str, Any]) -> None:
        right = f"{record['dev_accuracy']:.1%} of {record['dev_problems']:,} problems of {dev.problems.name} right"
        context.reporter.message(f"  epoch {record['epoch']}: {right}")
        log(record)

    return Chooser(context.folder(stage) / WORK / DEV, dev.problems.problems, grade, told, ranks)


def _job(
    context: Context,
    stage: Stage,
    ranks: Ranks,
    workers: contextlib.ExitStack,
    log: Log,
    chooser: Chooser | None,
) -> TrainJob:
    """What the trainer is given. `workers`: ends the graders'."""
    work: TrainWork = stage.work
    folder = context.folder(stage)
    parent = open_model(context.root, work.parent, context.registry)
    checkpoint = parent.checkpoint()
    assert checkpoint is not None
    return TrainJob(
        name=work.name,
        parent=checkpoint,
        parent_ref=planned_ref(context.root, work.parent),
        output=folder / WEIGHTS,
        workdir=folder / WORK,
        options=work.trainer.parse_options(work.options),
        seed=work.seed,
        progress=StageProgress(context.reporter),
        log=log,
        dev=None if chooser is None else _dev(work, parent, chooser),
        rank=ranks.rank,
        ranks=ranks.count,
        **_training_data(context, stage, parent, workers),
    )


def _dev(work: TrainWork, parent: Model, chooser: Chooser) -> Dev:
    dev = work.dev
    assert dev is not None
    prompts = [parent.render(problem, dev.problems.style) for problem in dev.problems.problems]
    return Dev(dev.problems.problems, prompts, dev.decoding, chooser.score, dev.keep_all)


def last_of_each_step(records: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """A resumed training logs some steps again; the last record of a step is the one that led to the weights."""
    by_step = {(record.get("step"), "event" in record): record for record in records}
    return sorted(by_step.values(), key=lambda record: (record.get("step") or 0, "event" in record))


def _training_data(context: Context, stage: Stage, parent: Model, workers: contextlib.ExitStack) -> dict[str, Any]:
    work: TrainWork = stage.work
    style = work.problems.style
    if work.trainer.consumes == "problems":
        return {
            "problems": work.problems.problems,
            "prompts": [parent.render(problem, style) for problem in work.problems.problems],
            "decoding": work.decoding,
            "graders": {grader.grader.name: _in_workers(context, grader, workers) for grader in work.graders},
        }
    if work.trainer.consumes == "pairs":
        pairs = [Pair(**row) for row in trained_rows(context.folder(stage.inputs[0]), work.asked, work.contamination)]
        return {
            "pairs": [
                dataclasses.replace(p, chosen=parent.continuation(p.chosen), rejected=parent.continuation(p.rejected))
                for p in pairs
            ]
        }
    if stage.inputs[0].kind == "rows":
        rows = [Row(**row) for row in trained_rows(context.folder(stage.inputs[0]), work.asked, work.contamination)]
        return {"rows": [dataclasses.replace(row, completion=parent.continuation(row.completion)) for row in rows]}
    return {
        "rows": [
            Row(p.id, parent.render(p, style), parent.continuation(p.solution))
            for p in work.problems.problems
            if p.solution
        ]
    }


def _in_workers(
    context: Context, work: GradeWork, workers: contextlib.ExitStack
) -> Callable[[Sequence[tuple[Problem, str]]], Sequence[Grade]]:
    """A grader for a trainer to call as often as it likes; its processes are kept from call to call."""
    spec = GraderSpec(work.registered.full_name, work.grader.options, context.plugins)
    limits = Limits(work.limits.seconds, work.limits.memory_mb)
    pool = workers.enter_context(WorkerPool[Grade](spec, limits=limits, strict=context.strict))
    return lambda items: list(pool.run(items))
