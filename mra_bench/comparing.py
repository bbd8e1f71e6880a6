"""Models of different runs on the problems they share: the figures of results.json, made of several run folders.

What comes out has the format of results.json, so that whatever shows a run shows a comparison. `compared` in it says
what was compared, under which conditions, and what was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.comparable import TEXTS, Check, Evaluated, check_conditions, common_graders, refuse
from mra_bench.compared_models import (
    Member,
    Place,
    chosen_models,
    every_pair,
    lineage,
    members_of,
    parent_name,
    same_sentences,
    spoken_of,
    telling_pairs,
)
from mra_bench.compared_runs import ComparedRun, open_runs, reading
from mra_bench.compared_texts import Source, digest_of, read_shared, sources_of
from mra_bench.comparison_parts import banner_of, contamination_of, left_out, mixed_conditions, mixed_note, notes_of
from mra_bench.compute import UNEQUAL, compute_sentence, related
from mra_bench.model_results import model_results
from mra_bench.progress import QuietReporter, Reporter
from mra_bench.results import VERSION, dataset_figures, other_scores, paired, without_unreadable
from mra_bench.scored import Scored
from mra_bench.shared_problems import SharedDataset, shared_datasets
from mra_bench.statistics import LEVEL
from mra_bench.store import fingerprint
from mra_bench.verdict import Models, Speech, counted, sentences, warnings_of

Row = Mapping[str, Any]
WITHIN_A_RUN = ("no-control", "unequal-compute", "mixed-conditions")  # warnings that are about one run


@dataclass(frozen=True)
class Wanted:
    """What to compare: names of datasets (none: all that are shared, the first one first), patterns of models, as
    ``RUN:MODEL`` or ``MODEL``, and whether different conditions are no obstacle. Every two models that are chosen so
    are compared; where none are, of those that the runs' verdicts speak of the telling pairs."""

    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    anyway: bool = False


@dataclass(frozen=True)
class Compared:
    """What a comparison is made of. `graders`: those whose verdicts all runs have, the first of which makes the
    figures; none where each run keeps its own. `pairs`: names of the models that are compared, the earlier first."""

    runs: tuple[ComparedRun, ...]
    datasets: tuple[SharedDataset, ...]
    members: tuple[Member, ...]
    graders: tuple[Row, ...]
    sources: tuple[Source, ...]
    checks: tuple[Check, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def seed(self) -> int:
        """The smallest of the runs' seeds: the same whatever the order of the runs."""
        return min(int(run.plan["seed"]) for run in self.runs)


def compare_runs(
    paths: Sequence[Path], wanted: Wanted, reporter: Reporter | None = None
) -> tuple[dict[str, Any], Compared]:
    """Compare the models of these run folders with one another, each pair being of different runs: results in the
    format of results.json, and what they were made of.

    Raises UsageError for what is no run folder, where no problem is shared, where nothing is left to compare, and,
    unless `wanted` says anyway, naming every condition that differs.
    """
    reporter = reporter or QuietReporter()
    runs = open_runs(paths)
    datasets = shared_datasets(runs, wanted.datasets)
    chosen = chosen_models(runs, {r.label: [d.names[r.label] for d in datasets] for r in runs}, wanted.models)
    evaluated = [_evaluated(run, chosen[run.label], datasets) for run in runs]
    checks = check_conditions(evaluated, datasets)
    if not wanted.anyway:
        refuse(checks)
    graders = common_graders(evaluated)
    if any(check.what == TEXTS and not check.same for check in checks):
        graders = graders[:1]  # only the first texts of each problem count, which further graders' figures do not know
    members = members_of(runs, chosen, lambda place: digest_of(runs, datasets, graders, place))
    sources = sources_of(runs, datasets, members, graders)
    pairs = every_pair(members) if wanted.models else telling_pairs(members)
    compared = Compared(
        runs=tuple(runs),
        datasets=tuple(datasets),
        members=tuple(members),
        graders=tuple(graders),
        sources=tuple(sources),
        checks=tuple(checks),
        pairs=tuple(pairs),
    )
    return _results(compared, chosen, reporter), compared


def _evaluated(run: ComparedRun, models: Sequence[str], datasets: Sequence[SharedDataset]) -> Evaluated:
    names = {dataset.names[run.label] for dataset in datasets}
    return Evaluated(run, tuple(e for e in run.evaluations if e.model in models and e.dataset in names))


def _results(compared: Compared, chosen: Mapping[str, Sequence[str]], reporter: Reporter) -> dict[str, Any]:
    runs, datasets = compared.runs, compared.datasets
    shown = {place: member.name for member in compared.members for place in member.places}
    models, family = _models(compared, shown)
    folders = dict.fromkeys((s.run, f) for s in compared.sources for f in (s.evaluation.completions, s.grades[0]))
    results: dict[str, Any] = {
        "version": VERSION,
        "run": {
            "name": " and ".join(run.label for run in runs),
            "description": "",
            "seed": compared.seed,
            "fingerprint": fingerprint([[run.plan["fingerprint"] for run in runs], sorted(shown.values())]),
        },
        "grader": _grader(compared),
        "partial": False,
        "missing": [],
        "models": models,
        "datasets": [_dataset(compared, dataset, reporter) for dataset in datasets],
        "training": [],
        "pairs": [],
        "contamination": contamination_of(runs, datasets, shown),
        "mixed_conditions": mixed_conditions(folders),
        "stages": [source.stage() for source in compared.sources],
        "compared": {
            "runs": [_run_data(run) for run in runs],
            "problems": [dataset.data() for dataset in datasets],
            "conditions": [check.data() for check in compared.checks],
            "same_models": [[":".join(place) for place in m.places] for m in compared.members if len(m.places) > 1],
            "left_out": [*left_out(runs, datasets, chosen), *_pairs_left_out(compared)],
            "banner": banner_of(compared.checks),
        },
    }
    telling = telling_pairs(compared.members)
    results["verdict"] = sentences({**results, "models": family}, Speech(spoken_of(telling), _on_compute))
    results["warnings"] = _warnings(compared, results)
    return results


def _pairs_left_out(compared: Compared) -> list[str]:
    count = len(every_pair(compared.members)) - len(compared.pairs)
    return [f"{counted(count, 'pair')} of models of different names (--model '*' compares every two)"] if count else []


def _models(compared: Compared, shown: Mapping[Place, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The models that are compared and behind them those they come from, as results.json has models; and the family of
    all models of all runs."""
    facts: dict[Place, dict[str, Any]] = {}
    for run in compared.runs:
        with reading(run.path):
            for model in run.plan["models"]:
                parent = parent_name(run, model, shown)
                place = (run.label, model["name"])
                own: Row = {"name": shown.get(place, ":".join(place)), "from": parent, "control_for": []}
                found = {**model_results(run.path, model), **own}
                if not isinstance(found.get("making", {}).get("operations"), int | None):
                    raise TypeError(f"operations of {model['name']}")
                facts[place] = found
    made = {place: found["making"] for place, found in facts.items() if "making" in found}
    models = {member.name: facts[member.places[0]] for member in compared.members}
    for found in _ancestors(list(models.values()), list(facts.values())):
        models.setdefault(found["name"], found)
    return list(models.values()), lineage(compared.runs, compared.members, made)


def _ancestors(models: Sequence[Row], every: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The models that some come from, directly or not; those more than once that several come from."""
    by_name = {model["name"]: model for model in every}
    for model in models:
        above = by_name.get(model["from"])
        while above is not None:
            yield above
            above = by_name.get(above["from"])


def _dataset(compared: Compared, dataset: SharedDataset, reporter: Reporter) -> dict[str, Any]:
    """A dataset's entry of results.json, over the shared problems, in which each pair is of different runs."""
    reporter.begin(f"compare on {dataset.name}", 0, "texts", f"{len(dataset.problems):,} problems")
    read = read_shared(compared.sources, dataset)
    scored, unreadable = without_unreadable(read)
    pairs = paired(scored, compared.seed, lambda a, b: (a, b) in compared.pairs)
    entries = [run.entry(dataset.names[run.label]) for run in compared.runs]
    formats = {entry["answer_format"] for entry in entries}
    figures = dataset_figures(
        {
            "name": dataset.name,
            "data": entries[0]["data"],
            "split": entries[0]["split"],
            "headline": dataset is compared.datasets[0],
            "answer_format": formats.pop() if len(formats) == 1 else "",
        },
        scored,
        unreadable,
        pairs,
    )
    reporter.end(f"{counted(len(scored), 'model')}, {counted(len(pairs), 'pair')}")
    return {**figures, "other_graders": _other_graders(compared, dataset, scored)}


def _other_graders(compared: Compared, dataset: SharedDataset, scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """The further graders whose verdicts all runs have."""
    found = []
    for place, grader in enumerate(compared.graders):
        rows: list[dict[str, Any]] = []
        for run in compared.runs if place else ():
            own = [s for s in compared.sources if s.run is run and s.dataset == dataset.name]
            of_run = [one for one in scored if one.model in {source.model for source in own}]
            with reading(run.path):
                rows += other_scores(run.path, of_run, [s.entry() for s in own], place, LEVEL)
        if place:
            found.append({**grader, "scores": rows})
    return found


def _grader(compared: Compared) -> dict[str, Any]:
    if compared.graders:
        return dict(compared.graders[0])
    own = [source.evaluation.judgings[0].grader for source in compared.sources]
    names, versions = ([*dict.fromkeys(str(grader[key]) for grader in own)] for key in ("name", "version"))
    return {"name": " and ".join(names), "version": " and ".join(versions), "options": {}}


def _run_data(run: ComparedRun) -> dict[str, Any]:
    return {"label": run.label, **{key: run.plan[key] for key in ("name", "seed", "fingerprint")}}


def _on_compute(family: Models, a: str, b: str) -> str:
    """Whether two models took as much compute, where they come from the same weights."""
    if related(family, a, b):
        return compute_sentence(family, a, b)
    return "Whether they took as much compute is not known: no weights are recorded that both come from."


def _warnings(compared: Compared, results: Row) -> list[dict[str, str]]:
    notes = list(notes_of(compared.datasets, compared.checks))
    notes += mixed_note(results["mixed_conditions"])
    notes += [("same-model", text) for text in same_sentences(compared.runs, compared.members)]
    unequal = [said[said.index(UNEQUAL) :] for said in results["verdict"] if UNEQUAL in said]
    notes += [("unequal-compute", said) for said in unequal]
    found = [warning for warning in warnings_of(results) if warning["kind"] not in WITHIN_A_RUN]
    return [*({"kind": kind, "text": text} for kind, text in notes), *found]
