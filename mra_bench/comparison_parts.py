"""What a comparison takes over from the records of its runs: contamination, conditions of making, and what to say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mra_bench.comparable import Check
from mra_bench.compared_models import Place
from mra_bench.compared_runs import ComparedRun, reading
from mra_bench.conditions import differences
from mra_bench.results import RESULTS, made_with_of
from mra_bench.shared_problems import SharedDataset
from mra_bench.stamps import contamination_results

Row = Mapping[str, Any]
Note = tuple[str, str]  # kind of a warning, its text


def contamination_of(
    runs: Sequence[ComparedRun], datasets: Sequence[SharedDataset], shown: Mapping[Place, str]
) -> dict[str, Any]:
    """The marks of the models that are compared, on the datasets that are. The runs' own results say more."""
    stamped: dict[tuple[str, str], dict[str, Any]] = {}
    checked = 0
    for run in runs:
        names = {dataset.names[run.label]: dataset.name for dataset in datasets}
        with reading(run.path):
            found = _contamination(run)
            checked += int(found["checked"])
            for row in found.get("stamped") or ():
                place = (run.label, row["model"])
                if place in shown and row["dataset"] in names:
                    counts = {key: int(row[key]) for key in ("questions", "problems")}
                    names_of = (shown[place], names[row["dataset"]])
                    stamped[names_of] = {"model": names_of[0], "dataset": names_of[1], **counts}
    return {"policy": "refuse", "checked": checked, "overlaps": [], "stamped": list(stamped.values())}


def _contamination(run: ComparedRun) -> Row:
    """What the run's results say of it, or what follows from its stages where they are not written yet."""
    try:
        results = json.loads((run.path / RESULTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return contamination_results(run.path, run.record)
    found: Row = results["contamination"]
    return found


def mixed_conditions(folders: Iterable[tuple[ComparedRun, str]]) -> list[dict[str, Any]] | None:
    """What was not the same when the compared texts and verdicts were made: see `conditions.differences`. Stages are
    named with their run."""
    found = {}
    for run, folder in folders:
        kind, _, name = folder.partition("/")
        with reading(run.path):
            found[f"{kind}/{run.label}: {name}"] = made_with_of(run.path, [folder])[folder]
    return differences(found)


def banner_of(checks: Sequence[Check]) -> str:
    """What stands above everything else where conditions differ that forbid to compare; "" where none does."""
    differing = [check.sentence() for check in checks if check.forbids]
    if not differing:
        return ""
    return (
        "These runs were NOT evaluated under the same conditions, so a difference of their models could be one of the "
        f"conditions: {'; '.join(differing)}"
    )


def notes_of(datasets: Sequence[SharedDataset], checks: Sequence[Check]) -> Iterator[Note]:
    """What a reader must know of problems and conditions that does not forbid to compare."""
    for dataset in datasets:
        if not dataset.whole:
            yield "problems-left-out", f"{dataset.sentence()}."
    for check in checks:
        if not check.same and not check.forbids:
            yield "different-conditions", f"Not the same in all runs: {check.sentence()}."


def mixed_note(mixed: Sequence[Row] | None) -> Iterator[Note]:
    """That texts or verdicts were made by other versions, processors or threads."""
    if mixed:
        parts = [f"{m['what']} of {m['kind']} ({', '.join(v['value'] for v in m['values'])})" for m in mixed]
        yield "mixed-conditions", f"What is compared was not all made under the same conditions: {'; '.join(parts)}."


def left_out(
    runs: Sequence[ComparedRun], datasets: Sequence[SharedDataset], chosen: Mapping[str, Sequence[str]]
) -> list[str]:
    """Datasets and models of the runs that are not compared, in words."""
    found = []
    for run in runs:
        used = {dataset.names[run.label] for dataset in datasets}
        others = [name for name in run.datasets if name not in used]
        models = [m["name"] for m in run.plan["models"] if m["name"] not in chosen[run.label]]
        found += [f"{what} of {run.label}: {', '.join(names)}" for what, names in _named(others, models)]
    return found


def _named(datasets: Sequence[str], models: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    for noun, names in (("dataset", datasets), ("model", models)):
        if names:
            yield noun if len(names) == 1 else f"{noun}s", names
