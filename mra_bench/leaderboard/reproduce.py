"""Generates some of a row's texts again, where the weights are there, and says how many come out the same."""

from __future__ import annotations

import dataclasses
import os
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench import statistics
from mra_bench.asking import style_of
from mra_bench.audit_record import run_record_of
from mra_bench.context import WEIGHTS, open_ref, ref_of
from mra_bench.contracts import CheckedModel, build_model
from mra_bench.errors import BenchError, UsageError, unknown
from mra_bench.folder import RECIPE, RUN, manifest_of
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.safety import ARCHIVE, unsafe
from mra_bench.leaderboard.verify import Tools
from mra_bench.option_values import option_names
from mra_bench.recipe import load_recipe
from mra_bench.repetition import in_blocks
from mra_bench.runtime import prepare_threads
from mra_bench.store import fingerprint, read_rows, stage_record
from mra_bench.stored import Judge, stage_of
from mra_bench.stored_rows import problems_of
from mra_bench.strictness import strictly
from mra_bench.types import Block, Completion, Decoding, Halving, Problem, PromptStyle, Request
from mra_bench.verdict import ALPHA, counted
from mra_bench.work import Stage
from mra_bench.workers import GraderSpec, Limits, grade_all

Key = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Reproduced:
    """What came of it. texts: generated again, as whole blocks unless each text is computed by itself; same_texts,
    same_verdicts: how many of them came out the same. before, again: their accuracies, p: of the paired test between
    them. same_prompts: whether all prompts of the row are rendered as recorded. notes: what is not as it was."""

    row: str
    texts: int
    blocks: str
    same_texts: int
    same_verdicts: int
    before: float
    again: float
    p: float
    same_prompts: bool
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the row can stand: asked as it says, and no less or more often right than by chance."""
        return self.same_prompts and self.p >= ALPHA


@dataclasses.dataclass(frozen=True)
class _Row:
    """One evaluation of a run folder that can be read: `home` is where the user has it, `run` where its stages are."""

    home: Path
    run: Path
    record: Mapping[str, Any]
    evaluation: Mapping[str, Any]

    @property
    def texts(self) -> Stage:
        return stage_of(self.run, self.evaluation["completions"])

    @property
    def problems(self) -> list[Problem]:
        return problems_of(self.run / self.evaluation["problems"])

    @property
    def model(self) -> Mapping[str, Any]:
        models: Sequence[Mapping[str, Any]] = self.record["plan"]["models"]
        return next(model for model in models if model["name"] == self.evaluation["model"])


def reproduce(row: str, tools: Tools, *, samples: int = 50, seed: int = 0, weights: Path | None = None) -> Reproduced:
    """Generate `samples` texts or a few more of the row FOLDER:MODEL:DATASET again. `seed` draws which; `weights`: the
    model's weights, where they are not in the folder.

    Raises UsageError for a row that is none, BenchError where the weights are not there or not those of the row.
    """
    folder, model, dataset = _parse(row)
    if not os.path.lexists(folder / RUN):  # no run folder: the usual error, with the nearest one
        manifest_of(folder)
    if reason := unsafe(folder):
        raise UsageError(f"{folder} cannot be read: {reason}")
    with tempfile.TemporaryDirectory(prefix="mra-bench-reproduce-") as temporary:
        run = unpacked(folder, Path(temporary)) if (folder / ARCHIVE).exists() else folder
        found = _find(folder, run, model, dataset)
        return _again(row, found, tools, (samples, seed, weights))


def _parse(row: str) -> tuple[Path, str, str]:
    folder, model, dataset = row.rsplit(":", 2) if row.count(":") > 1 else ("", "", "")  # names have none, folders may
    many = ":" in Path(folder).name and not Path(folder).exists()
    if many or not (folder and model and dataset):
        raise UsageError(f"A row is given as FOLDER:MODEL:DATASET, as in reports/quickstart:dpo:test; got {row!r}")
    return Path(folder), model, dataset


def _find(home: Path, run: Path, model: str, dataset: str) -> _Row:
    plan = manifest_of(run)
    evaluations = [one for one in plan["evaluations"] if not one.get("look")]
    for what, name, key in (("model", model, "model"), ("dataset", dataset, "dataset")):
        if name not in (known := {one[key] for one in evaluations}):
            raise unknown(what, name, known, where=f"in {home}")
    chosen = next(one for one in evaluations if (one["model"], one["dataset"]) == (model, dataset))
    for folder in (chosen["problems"], chosen["completions"], chosen["grades"][0]):
        if stage_record(run / folder) is None:
            raise UsageError(f"{home}: the stage {folder} is not there, so there is nothing to hold texts against")
    return _Row(home, run, run_record_of(run), chosen)


def _again(name: str, row: _Row, tools: Tools, how: tuple[int, int, Path | None]) -> Reproduced:
    samples, seed, weights = how
    recipe = load_recipe(str(row.run / RECIPE))
    prepare_threads(strict=recipe.strict_determinism)
    model, loaded = _open(row, tools, weights)
    notes = tuple(_differences(row, loaded))
    problems = row.problems
    style = _style(row)
    prompts = fingerprint([model.render(problem, style) for problem in problems])
    recorded = row.record["prompts"][row.evaluation["model"]][row.evaluation["dataset"]]["hash"]
    chosen, said = _choose(row, samples, seed)
    tools.reporter.begin(f"generate {name} again", sum(len(block.requests) for block in chosen), "texts")
    again = {(c.problem_id, c.sample): c for c in _generate(model, chosen, tools)}
    model.release()
    return _compared(name, row, tools, again, {"blocks": said, "same_prompts": prompts == recorded, "notes": notes})


def _open(row: _Row, tools: Tools, weights: Path | None) -> tuple[CheckedModel, Mapping[str, Any]]:
    """The model of a row and its identity. Raises BenchError where its weights are not there or are others."""
    entry, recipe = row.model, load_recipe(str(row.run / RECIPE))
    name = entry["name"]
    if entry["stage"] is None:
        loader = tools.registry.resolve("models", entry["how"] or "")
        options = dict(strictly(recipe, loader, recipe.models[name].options))
        if weights is not None:
            if loader.options is None or "path" not in option_names(loader.options):
                raise UsageError(f"{loader.full_name} takes no folder of weights; leave --weights out")
            options["path"] = str(weights)
        model = build_model(loader, options)
    else:
        folder = row.run / entry["stage"]
        ref = ref_of(folder, stage_record(folder) or {})
        place = weights or row.home / entry["stage"] / WEIGHTS
        if not place.is_dir():
            raise BenchError(_missing(row, name))
        model = open_ref(dataclasses.replace(ref, options={**ref.options, "path": str(place)}), tools.registry)
    identity = model.identity()
    told = (row.record["models"].get(name) or {}).get("weights")
    if told is None or identity.get("weights") != told:
        why = "nothing tells which weights wrote its texts" if told is None else "the weights here are others"
        raise BenchError(f"{row.home}: {name} cannot be reproduced: {why}")
    return model, identity


def _missing(row: _Row, name: str) -> str:
    """Which files are not there."""
    hashes = ((row.record["models"].get(name) or {}).get("weights") or {}).get("sha256", {})
    files = ", ".join(f"{file} (sha256 {sha256[:12]}...)" for file, sha256 in sorted(hashes.items()))
    return (
        f"The weights of {name} are not in {row.home / row.model['stage'] / WEIGHTS}: {files or 'files not recorded'}. "
        "Put them there, or give --weights FOLDER"
    )


def _differences(row: _Row, loaded: Mapping[str, Any]) -> Iterator[str]:
    """Conditions that are not those under which the texts were made."""
    for what, before in row.texts.spec["conditions"].items():
        if what in loaded and loaded[what] != before:
            yield f"{what} was {before!r:.80} and is {loaded[what]!r:.80}"


def _choose(row: _Row, samples: int, seed: int) -> tuple[list[Block], str]:
    """What is generated again: whole blocks, as texts of one are computed together, or single texts where each is
    computed by itself; and that in words."""
    spec, plan = row.texts.spec, row.record["plan"]
    style, decoding = _style(row), _decoding(spec["decoding"])
    requests = (Request(problem, k) for problem in row.problems for k in range(spec["samples"]))
    blocks = list(enumerate(in_blocks(requests, spec["block_size"], plan["seed"])))
    draw = random.Random(f"reproduce/{seed}")
    if spec["conditions"].get("strict_determinism"):
        every = [request for _, asked in blocks for request in asked]
        places = sorted(draw.sample(range(len(every)), min(samples, len(every))))
        block = Block(tuple(every[place] for place in places), style, decoding, plan["seed"])
        return [block], "drawn at random, as each is computed by itself"
    draw.shuffle(blocks)
    halvings = (stage_record(row.run / row.evaluation["completions"]) or {})["facts"].get("halvings", ())
    chosen: list[Block] = []
    numbers: list[int] = []
    while blocks and sum(len(block.requests) for block in chosen) < samples:
        number, asked = blocks.pop()
        of_block = tuple(Halving(one["step"], one["rows"]) for one in halvings if one["block"] == number)
        chosen.append(Block(tuple(asked), style, decoding, plan["seed"], of_block))
        numbers.append(number)
    named = ", ".join(map(str, sorted(numbers)))
    total = len(blocks) + len(numbers)
    what = counted(len(numbers), "whole block")
    return chosen, f"{what} of {total} (number {named}, from 0), as texts of a block are computed together"


def _style(row: _Row) -> PromptStyle:
    datasets = row.record["plan"]["datasets"]
    return style_of(next(one for one in datasets if one["name"] == row.evaluation["dataset"]))


def _decoding(spec: Mapping[str, Any]) -> Decoding:
    return Decoding(**{**spec, "stop": tuple(spec["stop"])})


def _generate(model: CheckedModel, blocks: Sequence[Block], tools: Tools) -> Iterator[Completion]:
    done = 0
    for block in blocks:
        for completion in model.generate(block):
            done += 1
            tools.reporter.update(done)
            yield completion
    tools.reporter.end(counted(done, "text"))


def _compared(
    name: str, row: _Row, tools: Tools, again: Mapping[Key, Completion], known: Mapping[str, Any]
) -> Reproduced:
    """The new texts against the stored ones, and their new verdicts against the stored verdicts."""
    texts = {key: stored["text"] for stored in _rows(row, "completions") if (key := _key(stored)) in again}
    before = {key: stored["correct"] for stored in _rows(row, "grades") if (key := _key(stored)) in again}
    judge = Judge.of(stage_of(row.run, row.evaluation["grades"][0]))
    spec = GraderSpec(judge.name, judge.options, tools.plugins, judge.kind)
    problems = {problem.id: problem for problem in row.problems}
    items = ((problems[problem], again[problem, sample].text) for problem, sample in texts)
    limits = Limits(judge.limits["seconds"], judge.limits["memory_mb"])
    now = dict(zip(texts, (grade.correct for grade in grade_all(spec, items, limits=limits)), strict=True))
    return Reproduced(
        row=name,
        texts=len(texts),
        same_texts=sum(again[key].text == text for key, text in texts.items()),
        same_verdicts=sum(now[key] == before[key] for key in texts),
        before=_share(before),
        again=_share(now),
        p=statistics.sign_flip_test(_differences_of(_means(before), _means(now)), 0),
        **known,
    )


def _rows(row: _Row, what: str) -> Iterator[dict[str, Any]]:
    folder = row.evaluation[what] if what == "completions" else row.evaluation[what][0]
    return read_rows(row.run / folder)


def _key(stored: Mapping[str, Any]) -> Key:
    return stored["problem"], stored["sample"]


def _means(verdicts: Mapping[Key, bool | None]) -> dict[str, float]:
    """For each problem the share of its texts here that are correct."""
    found: dict[str, list[bool]] = {}
    for (problem, _), verdict in verdicts.items():
        found.setdefault(problem, []).append(verdict is True)
    return {problem: sum(of) / len(of) for problem, of in found.items()}


def _differences_of(before: Mapping[str, float], again: Mapping[str, float]) -> list[float]:
    return [again[problem] - mean for problem, mean in before.items()]


def _share(verdicts: Mapping[Key, bool | None]) -> float:
    return sum(verdict is True for verdict in verdicts.values()) / len(verdicts)
