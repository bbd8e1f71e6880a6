"""The stored texts and verdicts of a comparison: where they are, and what figures need of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.compared_models import Member, Place
from mra_bench.compared_runs import ComparedRun, Evaluation, reading
from mra_bench.errors import UsageError
from mra_bench.results import read_scored
from mra_bench.scored import Scored
from mra_bench.shared_problems import SharedDataset
from mra_bench.store import canonical, read_rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """Where the texts of one model on one shared dataset are; `model`: what the comparison calls it; `grades`: folders
    of verdicts, those that figures are made of first."""

    run: ComparedRun
    dataset: str
    model: str
    evaluation: Evaluation
    grades: tuple[str, ...]

    def entry(self) -> dict[str, Any]:
        """As `mra_bench.results` takes an evaluation."""
        return {
            "dataset": self.dataset,
            "model": self.model,
            "problems": self.evaluation.problems,
            "completions": self.evaluation.completions,
            "grades": list(self.grades),
        }

    def stage(self) -> dict[str, Any]:
        """As results.json names the stages of an evaluation, with the run that they are of."""
        names = {key: value for key, value in self.entry().items() if key != "grades"}
        return {**names, "run": self.run.label, "grades": self.grades[0], "other_grades": list(self.grades[1:])}


def sources_of(
    runs: Sequence[ComparedRun], datasets: Sequence[SharedDataset], members: Sequence[Member], graders: Sequence[Row]
) -> list[Source]:
    """The texts of each model, in its first run, on each dataset; with the verdicts of `graders`, or those of the run's
    own grader where these are none."""
    by_label = {run.label: run for run in runs}
    return [
        Source(by_label[label], dataset.name, member.name, evaluation, _verdicts(evaluation, graders))
        for dataset in datasets
        for member in members
        for label, model in member.places[:1]
        for evaluation in by_label[label].evaluations
        if evaluation.model == model and evaluation.dataset == dataset.names[label]
    ]


def _verdicts(evaluation: Evaluation, graders: Sequence[Row]) -> tuple[str, ...]:
    folders = {judging.key: judging.folder for judging in evaluation.judgings}
    return tuple(folders[canonical(grader)] for grader in graders) or (evaluation.judgings[0].folder,)


def digest_of(
    runs: Sequence[ComparedRun], datasets: Sequence[SharedDataset], graders: Sequence[Row], place: Place
) -> str:
    """What tells the texts of a model on the shared problems, and the verdicts on them, from others."""
    digest = hashlib.sha256()
    sources = sources_of(runs, datasets, [Member("", (place,))], graders)
    for dataset in datasets:
        shared = {problem.id for problem in dataset.problems}
        lines = []
        for source in (s for s in sources if s.dataset == dataset.name):
            folders = (source.evaluation.completions, source.grades[0])
            with reading(source.run.path):
                for text, verdict in zip(*(read_rows(source.run.path / f) for f in folders), strict=True):
                    if text["problem"] in shared:
                        told = [text["problem"], text["sample"], text["text"], verdict["correct"], verdict["answer"]]
                        lines.append(canonical(told))
        digest.update(canonical([dataset.name, sorted(lines)]).encode())
    return digest.hexdigest()


def read_shared(sources: Sequence[Source], dataset: SharedDataset) -> list[Scored]:
    """Each model on the shared problems of a dataset. Where some have more texts for a problem than others, which only
    a comparison across different conditions has, the first ones of each."""
    found = []
    for run in {id(s.run): s.run for s in sources}.values():
        entries = [s.entry() for s in sources if s.run is run and s.dataset == dataset.name]
        with reading(run.path):
            found += [Scored(s.model, dataset.problems, s.samples) for s in read_scored(run.path, entries)]
            _check(found)
    counts = {len(scored.samples[p.id]) for scored in found for p in dataset.problems}
    if 0 in counts:
        lacking = next(s.model for s in found for p in dataset.problems if not s.samples[p.id])
        raise UsageError(f"{lacking} has no text for some of the problems of {dataset.name}: its run is damaged")
    least = min(counts, default=0)
    if len(counts) <= 1:
        return found
    return [Scored(s.model, s.problems, {p.id: s.samples[p.id][:least] for p in s.problems}) for s in found]


def _check(found: Sequence[Scored]) -> None:
    """Raises TypeError for what no text and no verdict can hold."""
    for scored in found:
        for sample in scored.flat():
            if not isinstance(sample.tokens, int) or sample.correct not in (True, False, None):
                raise TypeError(f"tokens {sample.tokens!r}, correct {sample.correct!r} of {scored.model}")
