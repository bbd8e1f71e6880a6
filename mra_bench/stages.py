"""The work of each kind of stage: reads files of earlier stages, writes its own folder, returns facts about it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.contracts import CheckedModel, PluginFault, build_model, run_trainer
from mra_bench.errors import BenchError
from mra_bench.halvings import Halvings
from mra_bench.plan import GenerateWork, GradeWork, Kind, PairWork, PlannedModel, Stage, StoredTexts, TrainWork
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.preferences import Sampled, build_pairs
from mra_bench.problem_sets import ProblemSet
from mra_bench.progress import Reporter
from mra_bench.ranks import Ranks
from mra_bench.repetition import in_blocks
from mra_bench.store import WORK, append_row, read_rows, stage_record, write_rows
from mra_bench.types import (
    Block,
    Completion,
    Grade,
    Model,
    ModelRef,
    Pair,
    Problem,
    Request,
    Row,
    TrainJob,
)
from mra_bench.workers import GraderSpec, Limits, grade_all

WEIGHTS = "weights"
LOG = "training.jsonl"


@dataclass
class Context:
    """What every stage needs: where, with which plugins, reporting to whom. Holds the one model in memory."""

    root: Path
    registry: Registry
    plugins: PluginSettings
    reporter: Reporter
    conditions: Mapping[str, Any]
    strict: bool = False
    ranks: Ranks = field(default_factory=Ranks)
    _loaded: tuple[str, CheckedModel] | None = None

    def folder(self, stage: Stage) -> Path:
        return self.root / stage.folder

    def model(self, planned: PlannedModel) -> CheckedModel:
        """The planned model, kept until another one is asked for."""
        key = planned.stage.fingerprint if planned.stage else planned.name
        if self._loaded is None or self._loaded[0] != key:
            self.release()
            self._loaded = (key, open_model(self.root, planned, self.registry))
        return self._loaded[1]

    def release(self) -> None:
        """Free the model in memory."""
        if self._loaded is not None:
            self._loaded[1].release()
            self._loaded = None


@dataclass(frozen=True)
class StageProgress:
    """The Progress of models and trainers, passed on to the run's reporter."""

    reporter: Reporter

    def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None:
        self.reporter.update(done, total=total, tokens=tokens, note=note)


def open_model(root: Path, planned: PlannedModel, registry: Registry) -> CheckedModel:
    """The model of a plan, from its loader or from the weights its training stage left in the run folder."""
    if planned.stage is None:
        return build_model(planned.loader, planned.options)
    folder = root / planned.stage.folder
    record = stage_record(folder)
    if record is None:
        raise BenchError(f"The model '{planned.name}' is not trained yet: {folder} is not complete")
    return open_ref(ref_of(folder, record), registry)


def ref_of(folder: Path, record: Mapping[str, Any]) -> ModelRef:
    """How to load the model a training stage left in `folder`."""
    ref = record["facts"]["ref"]
    return ModelRef(ref["loader"], {**ref["options"], "path": str(folder / WEIGHTS)})


def open_ref(ref: ModelRef, registry: Registry) -> CheckedModel:
    return build_model(registry.resolve("models", ref.loader), ref.options)


def write_problems(context: Context, stage: Stage) -> dict[str, Any]:
    """The problems themselves, so that a run folder can be read and graded again without their source."""
    data: ProblemSet = stage.work
    write_rows(context.folder(stage) / "problems.jsonl", (dataclasses.asdict(p) for p in data.problems))
    return {"problems": len(data.problems)}


def shared(stage: Stage) -> bool:
    """Whether all processes of a launcher work on a stage of this kind; the others are the leader's alone."""
    return stage.kind == "generate" or (stage.kind == "train" and stage.work.trainer.together)


def generate(context: Context, stage: Stage) -> dict[str, Any]:
    """Completions, one file a block. A block is there whole or not at all, and is made from its own requests alone, so
    that several processes can share the blocks."""
    work: GenerateWork = stage.work
    folder = context.folder(stage)
    model = context.model(work.model)
    requests = (Request(p, k) for p in work.problems.problems for k in range(work.samples))
    done = tokens = 0
    halvings = Halvings(folder / WORK, context.ranks.rank)
    for number, chosen in enumerate(in_blocks(requests, work.block_size, work.seed, work.repetition)):
        path = folder / f"block-{number:05d}.jsonl"
        own = number % context.ranks.count == context.ranks.rank
        if own and not _kept(context, path, [(r.problem.id, r.sample) for r in chosen], completion_of):
            block = Block(tuple(chosen), work.problems.style, work.decoding, work.seed, halvings.of(number))
            rows: dict[tuple[str, int], Completion] = {}
            for completion in _complete(model, block, work.model.name):
                rows[completion.problem_id, completion.sample] = completion
                tokens += completion.tokens
                halvings.note(number, model.halvings)
                context.reporter.update(done + len(rows), tokens=tokens)
            write_rows(path, (_completion_row(rows, request, work.model.name) for request in chosen))
        done += len(chosen)
        context.reporter.update(done, tokens=tokens)
    context.ranks.wait()
    total = sum(row["tokens"] for row in read_rows(folder)) if context.ranks.leads else 0
    return {"texts": done, "tokens": total, **Halvings(folder / WORK).facts()}


def grade(context: Context, stage: Stage) -> dict[str, Any]:
    """Grades, one file for each block of completions, in the same order."""
    work: GradeWork = stage.work
    folder = context.folder(stage)
    source = context.folder(stage.inputs[0])
    problems = {p.id: p for p in work.problems.problems}
    todo, before = [], 0
    for path in sorted(source.glob("block-*.jsonl")):
        kept = _kept(context, folder / path.name, map(_key, read_rows(path)), grade_of)
        before += kept
        if not kept:
            todo.append(path)
    items = ((problems[row["problem"]], row["text"]) for path in todo for row in read_rows(path))
    spec = GraderSpec(work.registered.full_name, work.grader.options, context.plugins)
    grades = grade_all(
        spec,
        items,
        limits=Limits(work.limits.seconds, work.limits.memory_mb),
        strict=context.strict,
        on_done=lambda count: context.reporter.update(before + count),
    )
    for path in todo:  # read once more: to hold on to what workers are given would be to hold many blocks
        write_rows(folder / path.name, [grade_row(row, next(grades)) for row in read_rows(path)])
    kinds: dict[str, int] = {}
    for row in read_rows(folder):
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + 1
    return {"texts": sum(kinds.values()), "kinds": kinds}


def pair(context: Context, stage: Stage) -> dict[str, Any]:
    """Preference pairs from graded samples of training problems."""
    work: PairWork = stage.work
    model = context.model(work.parent)
    _, completions, grades = (context.folder(s) for s in stage.inputs)
    rows = zip(read_rows(completions), read_rows(grades), strict=True)
    groups = itertools.groupby(rows, key=lambda row: row[0]["problem"])  # the samples of one problem at a time
    sampled = (
        Sampled(
            problem,
            model.render(problem, work.problems.style),
            tuple((completion_of(text), grade_of(verdict)) for text, verdict in group),
        )
        for problem, (_, group) in zip(work.problems.problems, groups, strict=True)
    )
    result = build_pairs(sampled, work.rule, work.seed)
    if not result.pairs:
        why = ", ".join(f"{count} {reason}" for reason, count in result.no_pair.items())
        raise BenchError(f"No preference pair could be made for '{stage.name}' ({why}). Sample more problems or texts.")
    write_rows(context.folder(stage) / "pairs.jsonl", (dataclasses.asdict(p) for p in result.pairs))
    return {"counts": dict(result.counts), "no_pair": dict(result.no_pair), "pairs": len(result.pairs)}


def train(context: Context, stage: Stage) -> dict[str, Any]:
    """A child model. Checkpoints live in the stage's work folder until the weights are saved."""
    work: TrainWork = stage.work
    folder = context.folder(stage)
    ranks = context.ranks if shared(stage) else Ranks()
    if ranks.leads:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / WEIGHTS, ignore_errors=True)
    ranks.wait()
    job = _job(context, stage, ranks)
    context.release()
    trained = run_trainer(work.trainer, job, context.registry)
    ranks.wait()
    if not ranks.leads:
        return {}
    for kept in (folder / WORK).glob("checkpoint-*"):  # the trainer was asked to keep it
        shutil.rmtree(folder / kept.name, ignore_errors=True)
        kept.replace(folder / kept.name)
    log_path = folder / WORK / LOG
    write_rows(folder / LOG, last_of_each_step(read_rows(log_path) if log_path.exists() else iter(())))
    options = {key: value for key, value in trained.ref.options.items() if key != "path"}
    several = {"processes": ranks.count} if ranks.count > 1 else {}
    return {**trained.facts, **several, "ref": {"loader": trained.ref.loader, "options": options}}


def _job(context: Context, stage: Stage, ranks: Ranks) -> TrainJob:
    """What the trainer is given; in all processes but the leader nothing is logged."""
    work: TrainWork = stage.work
    folder = context.folder(stage)
    parent = open_model(context.root, work.parent, context.registry)
    checkpoint = parent.checkpoint()
    assert checkpoint is not None
    log_path = folder / WORK / LOG
    return TrainJob(
        name=work.name,
        parent=checkpoint,
        parent_ref=_ref(context, work.parent),
        output=folder / WEIGHTS,
        workdir=folder / WORK,
        options=work.trainer.parse_options(work.options),
        seed=work.seed,
        progress=StageProgress(context.reporter),
        log=lambda record: append_row(log_path, record) if ranks.leads else None,
        rank=ranks.rank,
        ranks=ranks.count,
        **_training_data(context, stage, parent),
    )


def last_of_each_step(records: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """A resumed training logs some steps again; the last record of a step is the one that led to the weights."""
    by_step = {(record.get("step"), "event" in record): record for record in records}
    return sorted(by_step.values(), key=lambda record: record.get("step") or 0)


def _training_data(context: Context, stage: Stage, parent: Model) -> dict[str, Any]:
    work: TrainWork = stage.work
    style = work.problems.style
    if work.trainer.consumes == "problems":
        return {"problems": work.problems.problems}
    if work.trainer.consumes == "pairs":
        pairs = [Pair(**row) for row in read_rows(context.folder(stage.inputs[0]))]
        return {
            "pairs": [
                dataclasses.replace(p, chosen=parent.continuation(p.chosen), rejected=parent.continuation(p.rejected))
                for p in pairs
            ]
        }
    return {
        "rows": [
            Row(p.id, parent.render(p, style), parent.continuation(p.solution))
            for p in work.problems.problems
            if p.solution
        ]
    }


def _ref(context: Context, planned: PlannedModel) -> ModelRef:
    if planned.stage is None:
        return ModelRef(planned.loader.full_name, planned.options)
    folder = context.root / planned.stage.folder
    record = stage_record(folder)
    assert record is not None
    return ref_of(folder, record)


def _complete(model: Model, block: Block, name: str) -> Iterator[Completion]:
    try:
        yield from model.generate(block)
    except PluginFault as error:
        first = block.requests[0].problem.id
        raise BenchError(
            f"The model '{name}' failed on the block that starts at problem {first}. {error}. "
            "Blocks finished so far are kept; the same command goes on from here."
        ) from error


def _completion_row(rows: Mapping[tuple[str, int], Completion], request: Request, model: str) -> dict[str, Any]:
    completion = rows.get((request.problem.id, request.sample))
    if completion is None:
        raise BenchError(f"The model '{model}' gave no text for problem {request.problem.id}, sample {request.sample}")
    return {
        "problem": completion.problem_id,
        "sample": completion.sample,
        "text": completion.text,
        "prompt_tokens": completion.prompt_tokens,
        "tokens": completion.tokens,
        "finish": completion.finish,
    }


def grade_row(row: Mapping[str, Any], verdict: Grade) -> dict[str, Any]:
    """How a Grade of the stored completion `row` is stored."""
    return {"problem": row["problem"], "sample": row["sample"], **dataclasses.asdict(verdict)}


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["problem"], row["sample"]


def _kept(context: Context, path: Path, keys: Iterable[tuple[str, int]], parse: Callable[[dict[str, Any]], Any]) -> int:
    """How many rows an earlier call left of this block: all of `keys`, in order and such that `parse` reads them, or 0.
    If it left something else, that is said, and the block is made again."""
    if not path.exists():
        return 0
    try:
        *lines, end = path.read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines]
        for row in rows:
            parse(row)
        if not end and list(map(_key, rows)) == list(keys):
            return len(rows)
    except (ValueError, KeyError, TypeError):
        pass
    name = path.relative_to(context.root).as_posix()
    context.reporter.message(f"{name} does not hold the rows of its block; it is made again")
    return 0


def completion_of(row: Mapping[str, Any]) -> Completion:
    """A Completion from its stored row."""
    return Completion(row["problem"], row["sample"], row["text"], row["prompt_tokens"], row["tokens"], row["finish"])


def grade_of(row: Mapping[str, Any]) -> Grade:
    """A Grade from its stored row."""
    span = tuple(row["span"]) if row["span"] is not None else None
    return Grade(row["correct"], row["answer"], row["reason"], row["kind"], span, row["rule"], row.get("extracted", ""))


def problems_of(folder: Path) -> list[Problem]:
    """The problems stored in a run folder; an older mra-bench wrote none with choices."""
    rows = read_rows(folder / "problems.jsonl")
    return [Problem(**{**row, "choices": tuple(row.get("choices", ()))}) for row in rows]


def size_of(stage: Stage) -> tuple[int, str]:
    """How much a stage has to do, and in which unit: for progress and plans."""
    work = stage.work
    if isinstance(work, GenerateWork):
        return len(work.problems.problems) * work.samples, "texts"
    if isinstance(work, StoredTexts):
        return work.count, "texts"
    if isinstance(work, GradeWork):
        return size_of(stage.inputs[0])[0], "texts"
    if isinstance(work, TrainWork):
        return 0, "steps"
    if isinstance(work, ProblemSet):
        return len(work.problems), "problems"
    return len(work.problems.problems), "problems"


EXECUTORS: Mapping[Kind, Callable[[Context, Stage], dict[str, Any]]] = {
    "problems": write_problems,
    "generate": generate,
    "grade": grade,
    "pair": pair,
    "train": train,
}
