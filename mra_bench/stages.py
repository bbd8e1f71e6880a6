"""The work of each kind of stage: reads files of earlier stages, writes its own folder, returns facts about it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.answers import Answers
from mra_bench.builders import BuildJob, PairSet, RowSet
from mra_bench.context import Context
from mra_bench.contracts import run_builder
from mra_bench.drawn import Alike
from mra_bench.errors import BenchError
from mra_bench.executors import Part, judging_of
from mra_bench.halvings import Halvings
from mra_bench.imports.golds import equal_golds
from mra_bench.judging import Item
from mra_bench.notes import Notes, notes_so_far
from mra_bench.problem_sets import ProblemSet
from mra_bench.repetition import in_blocks
from mra_bench.store import WORK, read_rows, write_rows
from mra_bench.stored_rows import (
    built_facts,
    completion_of,
    completion_row,
    grade_facts,
    grade_of,
    grade_row,
    kind_of_grade,
    kind_of_profile,
    profile_facts,
    profile_of,
    profile_row,
    sampled_of,
    verdict_facts,
    verdict_rows,
)
from mra_bench.training_stage import train
from mra_bench.training_texts import TEMPLATES
from mra_bench.types import LENGTH, Block, Completion, Problem, PromptStyle, Request
from mra_bench.work import BuildWork, GenerateWork, GradeWork, Kind, Stage, StoredTexts, TrainWork, VerdictWork


def write_problems(context: Context, stage: Stage) -> dict[str, Any]:
    """The problems themselves, so that a run folder can be read and graded again without their source."""
    data: ProblemSet = stage.work
    write_rows(context.folder(stage) / "problems.jsonl", (dataclasses.asdict(p) for p in data.problems))
    return {"problems": len(data.problems), **({TEMPLATES: data.templates} if data.templates else {})}


def shared(stage: Stage) -> bool:
    """Whether all processes of a launcher work on a stage of this kind; the others are the leader's alone."""
    return stage.kind == "generate" or (stage.kind == "train" and stage.work.trainer.together)


def generate(context: Context, stage: Stage) -> dict[str, Any]:
    """Completions, one file a block. A block is there whole or not at all, and is made from its own requests alone, so
    that several processes can share the blocks."""
    asked = Asked(context, stage)
    for part in context.executor.generate(context, stage, notes_so_far(context.root, stage), asked.blocks()):
        asked.take(part)
    context.ranks.wait()
    total, cut, noted, alike = 0, 0, Notes(), Alike(stage.spec)
    for row in read_rows(asked.folder) if context.ranks.leads else ():
        total, cut = total + row["tokens"], cut + (row["finish"] == LENGTH)
        noted.add(row)
        alike.add(row)
    work: GenerateWork = stage.work
    budgeted = {"budget": work.most_tokens, "cut": cut} if work.budgets else {}
    more = {**budgeted, **noted.facts(), **alike.facts(), **Halvings(asked.folder / WORK).facts()}
    return {"texts": asked.done, "tokens": total, **more}


class Asked:
    """The blocks of a generation: which are left to be made, what has come of those begun, and how much is done."""

    def __init__(self, context: Context, stage: Stage) -> None:
        self.context, self.folder = context, context.folder(stage)
        self.work: GenerateWork = stage.work
        self.kept = not context.model(self.work.model).reproducible
        self.halvings = Halvings(self.folder / WORK, context.ranks.rank)
        self.begun: dict[int, tuple[list[Request], Answers]] = {}
        self.done = self.tokens = 0

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """Those left to this process, less the texts that are there."""
        work, ranks = self.work, self.context.ranks
        budgets = work.budgets or (None,) * len(work.problems.problems)
        limited = zip(work.problems.problems, budgets, strict=True)
        requests = (Request(problem, k, budget) for problem, budget in limited for k in range(work.samples))
        for number, chosen in enumerate(in_blocks(requests, work.block_size, work.seed, work.repetition)):
            own = number % ranks.count == ranks.rank
            if own and not _kept(self.context, self._path(number), list(map(_asked_key, chosen)), completion_of):
                answers = Answers(self.folder / WORK, number, chosen, kept=self.kept)
                self.begun[number] = chosen, answers
                left = tuple(r for r in chosen if _asked_key(r) not in answers.there)
                yield number, Block(left, work.problems.style, work.decoding, work.seed, self.halvings.of(number))
            else:
                self.done += len(chosen)
                self.context.reporter.update(self.done, tokens=self.tokens)

    def take(self, part: Part) -> None:
        """Keep texts of a block; write it once it is whole."""
        chosen, answers = self.begun[part.number]
        for completion in part.completions:
            answers.add(completion)
            self.tokens += completion.tokens
        self.halvings.note(part.number, part.halvings)
        if part.ended:
            rows, model = answers.there, self.work.model.name
            write_rows(self._path(part.number), (_completion_row(rows, request, model) for request in chosen))
            answers.drop()
            del self.begun[part.number]
            self.done += len(chosen)
        coming = sum(len(answers.there) for _, answers in self.begun.values())
        self.context.reporter.update(self.done + coming, tokens=self.tokens, note=part.note)

    def _path(self, number: int) -> Path:
        return self.folder / f"block-{number:05d}.jsonl"


def grade(context: Context, stage: Stage) -> dict[str, Any]:
    """Grades, one file for each block of completions, in the same order."""
    _judge(context, stage, grade_row, grade_of)
    return grade_facts(Counter(map(kind_of_grade, read_rows(context.folder(stage)))))


def profile(context: Context, stage: Stage) -> dict[str, Any]:
    """Profiles, one file for each block of completions, in the same order."""
    _judge(context, stage, profile_row, profile_of)
    return profile_facts(Counter(map(kind_of_profile, read_rows(context.folder(stage)))))


@dataclasses.dataclass(frozen=True)
class Texts:
    """The texts of a stored block with their problems, read each time they are asked for: to hold on to what workers
    are given would be to hold many blocks."""

    path: Path
    problems: Mapping[str, Problem]

    def __iter__(self) -> Iterator[Item]:
        return ((self.problems[row["problem"]], row["text"]) for row in read_rows(self.path))


def _judge(
    context: Context,
    stage: Stage,
    to_row: Callable[[Mapping[str, Any], Any], dict[str, Any]],
    parse: Callable[[dict[str, Any]], Any],
) -> None:
    """What a grader or profiler says of each text, a file for each block of texts; blocks that are there are kept."""
    work: GradeWork = stage.work
    folder = context.folder(stage)
    source = context.folder(stage.inputs[0])
    problems = {p.id: p for p in work.problems.problems}
    todo, before = [], 0
    for path in sorted(source.glob("block-*.jsonl")):
        kept = _kept(context, folder / path.name, map(_key, read_rows(path)), parse)
        before += kept
        if not kept:
            todo.append(Texts(path, problems))
    judged = context.executor.judge(context, stage, todo, lambda count: context.reporter.update(before + count))
    with contextlib.closing(judged):
        for number, said in judged:
            path = todo[number].path
            write_rows(folder / path.name, [to_row(row, next(said)) for row in read_rows(path)])


def verdict(context: Context, stage: Stage) -> dict[str, Any]:
    """What the tool that wrote imported texts says of them, in the order of the texts."""
    work: VerdictWork = stage.work
    golds = ((p, text.gold) for p in work.problems.problems for text in work.texts[p.id] if text.gold is not None)
    rows = list(verdict_rows(work, equal_golds(golds, *judging_of(work.grader, context.plugins))))
    write_rows(context.folder(stage) / "verdicts.jsonl", rows)
    return verdict_facts(rows)


def pair(context: Context, stage: Stage) -> dict[str, Any]:
    """Preference pairs for the training of one model."""
    built = run_builder(stage.work.builder, _build_job(context, stage), PairSet)
    if not built.pairs:
        raise _nothing_built(stage, "preference pair", built.no_pair)
    write_rows(context.folder(stage) / "pairs.jsonl", (dataclasses.asdict(p) for p in built.pairs))
    return built_facts(built)


def rows(context: Context, stage: Stage) -> dict[str, Any]:
    """Supervised rows for the training of one model."""
    built = run_builder(stage.work.builder, _build_job(context, stage), RowSet)
    if not built.rows:
        raise _nothing_built(stage, "row", built.no_row)
    write_rows(context.folder(stage) / "rows.jsonl", (dataclasses.asdict(row) for row in built.rows))
    return built_facts(built)


def _nothing_built(stage: Stage, what: str, reasons: Mapping[str, int]) -> BenchError:
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return BenchError(f"No {what} could be made for '{stage.name}' ({why}). Sample more problems or texts.")


def _build_job(context: Context, stage: Stage) -> BuildJob:
    work: BuildWork = stage.work
    model = context.model(work.parent)
    prompts = {p.id: model.render(p, work.problems.style) for p in work.problems.problems}
    folders = [context.folder(s) for s in stage.inputs[1:]]
    sampled = sampled_of(work.problems.problems, prompts, *folders)
    options = work.builder.parse_options(work.options)
    return BuildJob(sampled, work.rule, options, work.seed, lambda problem: model.render(problem, PromptStyle()))


def _completion_row(rows: Mapping[tuple[str, int], Completion], request: Request, model: str) -> dict[str, Any]:
    completion = rows.get((request.problem.id, request.sample))
    if completion is None:
        raise BenchError(f"The model '{model}' gave no text for problem {request.problem.id}, sample {request.sample}")
    return completion_row(completion)


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["problem"], row["sample"]


def _asked_key(request: Request) -> tuple[str, int]:
    return request.problem.id, request.sample


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


STEPS: Mapping[Kind, Callable[[Context, Stage], dict[str, Any]]] = {
    "problems": write_problems,
    "generate": generate,
    "grade": grade,
    "profile": profile,
    "pair": pair,
    "rows": rows,
    "train": train,
    "verdict": verdict,
}
