"""Adds a further grader's verdicts to a finished run: every stored text is judged, none is generated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.conditions import conditions
from mra_bench.context import Context
from mra_bench.errors import UsageError
from mra_bench.folder import AGAIN, check_run, manifest_of
from mra_bench.grading import ChosenGrader, verdict_data
from mra_bench.looks import counting
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.progress import Reporter
from mra_bench.recipe_schema import Grading
from mra_bench.results import dataset_results
from mra_bench.run import is_complete, run_stage
from mra_bench.runtime import prepare_threads
from mra_bench.statistics import cohens_kappa
from mra_bench.store import canonical, locked, read_rows, stage_record
from mra_bench.stored import problem_set_of, stage_of
from mra_bench.stored_rows import grade_of, problems_of
from mra_bench.work import GradeWork, Stage, grade_stage


@dataclass(frozen=True)
class Regraded:
    """What was added to a run: for each grader the folder of its verdicts on each folder of texts, and how many of
    the stages were there already."""

    run: Path
    graders: Sequence[ChosenGrader]
    folders: Sequence[Mapping[str, str]]
    limits: Grading
    kept: int


def limits_of(manifest: Mapping[str, Any], seconds: float | None) -> Grading:
    """What a text may cost its grader: as in the run, but for `seconds` if given."""
    limits = Grading(**manifest["graders"][0].get("limits", {}))
    return limits if seconds is None else limits.model_copy(update={"seconds": seconds})


def check_graders(run: Path, graders: Sequence[ChosenGrader], limits: Grading) -> None:
    """Raises UsageError when `run` cannot take more verdicts, or has those of one of `graders` as its own."""
    check_run(run)
    if not finished_texts(run):
        raise UsageError(f"{run} holds no finished texts, so there is nothing to grade. {AGAIN}: it goes on from there")
    manifest = manifest_of(run)
    own = manifest["graders"][0]
    for grader in graders:
        if canonical({**grader.identity, "limits": limits.model_dump()}) == canonical(own):
            others = "another one (`mra-bench graders` lists them), or this one with other options"
            raise UsageError(f"The grader '{grader.label}' is the one that graded {run}; name {others}")


def add_graders(
    run: Path,
    graders: Sequence[ChosenGrader],
    limits: Grading,
    registry: Registry,
    plugins: PluginSettings,
    reporter: Reporter,
    *,
    strict: bool = False,
) -> Regraded:
    """Grade every finished stage of texts with each grader. What was there before is not changed; an interrupted call
    goes on where it was."""
    threads = int(prepare_threads()["threads"])
    folders: list[dict[str, str]] = [{} for _ in graders]
    kept = 0
    with locked(run):
        context = Context(run, registry, plugins, reporter, conditions(threads), strict)
        for texts in finished_texts(run):
            for grader, added in zip(graders, folders, strict=True):
                stage = _stage(run, texts, grader, limits)
                if is_complete(run, stage, reporter):
                    kept += 1
                else:
                    run_stage(context, stage, added=True)
                added[texts] = stage.folder
    return Regraded(run, graders, folders, limits, kept)


def finished_texts(run: Path) -> list[str]:
    """The folders of texts of the run's current plan that are complete, those of evaluations first. Repetitions are
    left out: they are the headline grader's alone."""
    manifest = manifest_of(run)
    repeats = {e["completions"] for e in manifest.get("repeats", ())}
    evaluated = [e["completions"] for e in manifest["evaluations"]]
    others = [f for f in manifest["folders"] if f.startswith("completions/") and f not in repeats]
    return [folder for folder in dict.fromkeys([*evaluated, *others]) if stage_record(run / folder) is not None]


def _stage(run: Path, texts: str, grader: ChosenGrader, limits: Grading) -> Stage:
    completions = stage_of(run, texts)
    problems = completions.inputs[0]
    work = GradeWork(problem_set_of(run, problems), grader.named, grader.registered, limits)
    return grade_stage(completions, problems, work)


def compare(regraded: Regraded, show: int) -> dict[str, Any]:
    """The run's own verdicts beside the added ones, for each evaluation: accuracies, agreement, and the first `show`
    texts on which they differ. The figures are made by the code that makes those of results.json."""
    run = regraded.run
    manifest = manifest_of(run)
    evaluations = [
        {**e, "grades": [*e["grades"], *(f.get(e["completions"], "") for f in regraded.folders)]}
        for e in counting(run, manifest)
    ]
    limits = regraded.limits.model_dump()
    own = len(manifest["graders"])
    graders = [*manifest["graders"], *({**g.identity, "limits": limits} for g in regraded.graders)]
    datasets = [
        dataset_results(
            run, entry, [e for e in evaluations if e["dataset"] == entry["name"]], {**manifest, "graders": graders}
        )
        for entry in manifest["datasets"]
    ]
    unscored = _unscored(regraded)
    judged = [(e, own) for e in evaluations] + [(e, 1) for e in unscored]
    differ = itertools.chain.from_iterable(_differing(run, e, first, regraded.graders) for e, first in judged)
    shown = list(itertools.islice(differ, show))
    return {
        "run": str(run),
        "grader": manifest["graders"][0],
        "folders": sorted(folder for folders in regraded.folders for folder in folders.values()),
        "graders": [
            {
                "grader": grader.label,
                **graders[own + place],
                "datasets": [_beside(dataset, own + place - 1) for dataset in datasets],
            }
            for place, grader in enumerate(regraded.graders)
        ],
        "unscored": [_counted(run, e, regraded.graders) for e in unscored],
        "disagreements": {"count": len(shown) + sum(1 for _ in differ), "shown": shown},
    }


def _unscored(regraded: Regraded) -> list[dict[str, Any]]:
    """The texts that no evaluation counts, those that pairs were made from, each with its verdicts: the run's own
    first, then the added ones."""
    run = regraded.run
    manifest = manifest_of(run)
    evaluated = {e["completions"] for e in manifest["evaluations"]}
    graded: dict[str, tuple[str, str]] = {}
    for folder in manifest["folders"]:
        record = stage_record(run / folder) if folder.startswith("grades/") else None
        if record is not None:
            graded.setdefault(record["inputs"][0], (folder, record["inputs"][1]))
    return [
        {
            "dataset": "texts for pairs",
            "model": texts.removeprefix("completions/").rpartition("-")[0],
            "completions": texts,
            "problems": graded[texts][1],
            "grades": [graded[texts][0], *(added[texts] for added in regraded.folders)],
        }
        for texts in finished_texts(run)
        if texts not in evaluated and texts in graded
    ]


def _counted(run: Path, evaluation: Mapping[str, Any], graders: Sequence[ChosenGrader]) -> dict[str, Any]:
    """How many of some texts each grader calls correct."""
    verdicts = ([row["correct"] for row in read_rows(run / folder)] for folder in evaluation["grades"])
    texts, correct = zip(*((len(rows), rows.count(True)) for rows in verdicts), strict=True)
    names = [grader.label for grader in graders]
    return {
        "texts": evaluation["model"],
        "n": texts[0],
        "own": correct[0],
        "added": dict(zip(names, correct[1:], strict=True)),
    }


def _beside(dataset: Mapping[str, Any], place: int) -> dict[str, Any]:
    """One grader's figures on a dataset, each beside the run's own."""
    headline = {row["model"]: row for row in dataset["scores"]}
    rows = []
    for row in dataset["other_graders"][place]["scores"]:
        own = headline[row["model"]]
        table = row["agreement"]
        cells = [table[key] for key in ("both", "headline_only", "other_only", "neither")]
        figures = {key: own[key] for key in ("accuracy", "low", "high")}
        rows.append({**row, "own": figures, "agreement": {**table, "kappa": cohens_kappa(*cells)}})
    return {"dataset": dataset["name"], "n": dataset["n"], "scores": rows}


def _differing(
    run: Path, evaluation: Mapping[str, Any], own: int, graders: Sequence[ChosenGrader]
) -> Iterator[dict[str, Any]]:
    """The texts of one evaluation on which an added grader's verdict is not the run's own."""
    if not all(stage_record(run / folder) for folder in (evaluation["completions"], evaluation["grades"][0])):
        return
    gold = {p.id: p.answer for p in problems_of(run / evaluation["problems"])}
    where = {key: evaluation[key] for key in ("dataset", "model")}
    for place, grader in enumerate(graders):
        folders = (evaluation["grades"][0], evaluation["grades"][own + place])
        for first, second in zip(*(read_rows(run / folder) for folder in folders), strict=True):
            if first["correct"] is not second["correct"]:
                sample = {"id": first["problem"], "sample": first["sample"], "gold": gold[first["problem"]]}
                verdicts = [verdict_data("the run's", grade_of(first)), verdict_data(grader.label, grade_of(second))]
                yield {**where, **sample, "verdicts": verdicts}


def nothing_judged(regraded: Regraded) -> bool:
    """Whether an added grader could not judge a single one of the run's texts."""
    return any(
        not any(row["correct"] is not None for name in folders.values() for row in read_rows(regraded.run / name))
        for folders in regraded.folders
    )
