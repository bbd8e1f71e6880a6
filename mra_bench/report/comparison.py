"""The page of a comparison: the report's own sections over models of several runs, with the runs' conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from mra_bench.compared_runs import reading
from mra_bench.compared_texts import Source
from mra_bench.comparing import Compared
from mra_bench.report.choice import choose, find_flips
from mra_bench.report.data import HELD, DatasetSamples, RunData, files_of, read_answers, read_verdicts
from mra_bench.report.headline import verdict_view
from mra_bench.report.markup import filled
from mra_bench.report.page import Part, document
from mra_bench.report.render import OnFault, part_of
from mra_bench.report.section import Section, installed_sections
from mra_bench.shared_problems import SharedDataset

ABOUT_ONE_RUN = ("contamination",)  # sections that a comparison has nothing for
CONDITIONS = "conditions"
BEHIND = ("samples", "cost", "provenance", "reading")  # sections that the conditions stand before

Row = Mapping[str, Any]


def render_comparison(
    results: Row,
    compared: Compared,
    on_fault: OnFault | None = None,
    sections: Sequence[Section] | None = None,
) -> str:
    """The page as text. `sections`: those of all installed plugins where none are given; `on_fault`: see
    `render_page`."""
    run = RunData(results, provenance_of(compared), samples=joined_samples(compared))
    wanted = installed_sections() if sections is None else sections
    parts = [part_of(section, run, on_fault) for section in wanted if section.id not in ABOUT_ONE_RUN]
    parts = [part for part in parts if part.html]
    place = next((i for i, part in enumerate(parts) if part.id in BEHIND), len(parts))
    parts.insert(place, Part(CONDITIONS, "Runs and conditions", filled("compared.html", **results["compared"])))
    return document(f"{results['run']['name']} – mra-bench comparison", _masthead(results), parts)


def _masthead(results: Row) -> Markup:
    return filled(
        "compared_summary.html",
        runs=results["compared"]["runs"],
        banner=results["compared"]["banner"],
        problems=results["compared"]["problems"],
        grader=results["grader"],
        verdict=verdict_view(results),
        warnings=results["warnings"],
    )


def provenance_of(compared: Compared) -> dict[str, Any]:
    """What run.json says of each run, and of each model that is compared."""
    kept = ("command", "started", "finished", "versions", "machine", "git", "decoding", "datasets")
    with_runs = {run.label: {key: run.record[key] for key in kept if key in run.record} for run in compared.runs}
    models = {}
    for member in compared.members:
        (label, model) = member.places[0]
        run = next(run for run in compared.runs if run.label == label)
        models[member.name] = (run.record.get("models") or {}).get(model) or {}
    return {"runs": with_runs, "models": models}


def joined_samples(compared: Compared, held: int = HELD) -> dict[str, DatasetSamples]:
    """The shared problems with the texts of all runs side by side; of a choice of problems where there are more than
    `held` bytes of them."""
    files = {file for source in compared.sources for file in files_of(source.run.path, source.stage())}
    keep = held / max(1, sum(file.stat().st_size for file in files))
    found = {}
    for dataset in compared.datasets:
        sources: dict[str, list[Source]] = {}
        for source in compared.sources:
            if source.dataset == dataset.name:
                sources.setdefault(source.model, []).append(source)
        found[dataset.name] = _joined(dataset, sources, keep, f"{compared.seed}/{dataset.name}")
    return found


def _joined(dataset: SharedDataset, sources: Mapping[str, Sequence[Source]], keep: float, seed: str) -> DatasetSamples:
    ids = [problem.id for problem in dataset.problems]
    places = {model: (own[0].run, [source.stage() for source in own]) for model, own in sources.items()}
    verdicts = [read_verdicts(run.path, stages) for run, stages in places.values()]
    flips = find_flips(ids, verdicts)
    chosen = frozenset(ids) if keep >= 1 else choose(ids, flips, keep, seed)
    answers = {}
    for model, (run, stages) in places.items():
        with reading(run.path):
            answers[model] = read_answers(run.path, stages, chosen)
    problems = [dataclasses.asdict(problem) for problem in dataset.problems if problem.id in chosen]
    return DatasetSamples(problems, answers, len(ids), flips)
