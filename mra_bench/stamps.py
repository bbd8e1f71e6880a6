"""Which models were trained on test questions: the mark that results, report, verdict and leaderboards carry."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.built_guard import built_overlaps
from mra_bench.contamination import Questions
from mra_bench.store import stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.training_texts import templates_of

Row = Mapping[str, Any]


def contamination_results(run: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """What results.json says of contamination, from run.json and the stages: policy, what was checked, overlaps
    ("earlier": of what loaded checkpoints were trained on in other runs; "built": of data built in this run),
    likenesses ("listed") and the marks of models ("stamped", see `stamps`)."""
    plan = record["plan"]
    found = dict(plan["contamination"])
    built = [] if found["policy"] == "drop" else list(_built(run, plan))
    if built:
        found["built"] = built
    if "listed" in record:
        found["listed"] = record["listed"]
    if "learnt_from" in found:  # not in what an older mra-bench wrote
        found["stamped"] = stamps(found | {"built": built}, {m["name"]: m["from"] for m in plan["models"]})
        del found["learnt_from"], found["problems"]
        found.pop("chosen_by", None)
    return found


def stamps(found: Mapping[str, Any], parents: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """For each model and evaluation dataset how many of its problems ("questions" of "problems") the model, or one
    that it descends from, was trained on; without those where it is none. `parents`: each model's, in run order."""
    seen: dict[str, set[tuple[str, str]]] = {}
    rows = []
    for model, parent in parents.items():
        met = _allowed(found, model) + [o for o in (*found["earlier"], *found["built"]) if o["model"] == model]
        seen[model] = {(o["dataset"], o["problem_id"]) for o in met} | seen.get(parent or "", set())
        for dataset, size in found["problems"].items():
            if count := sum(place == dataset for place, _ in seen[model]):
                rows.append({"model": model, "dataset": dataset, "questions": count, "problems": size})
    return rows


def _allowed(found: Mapping[str, Any], model: str) -> list[Row]:
    """The overlaps of the datasets that the model was trained on or its epoch chosen by, where nothing of them was
    dropped."""
    if found["policy"] != "allow":
        return []
    used = {found["learnt_from"].get(model), found.get("chosen_by", {}).get(model)}
    return [o for o in found["overlaps"] if o["train_id"].partition("/")[0] in used]


def _built(run: Path, plan: Row) -> Iterator[dict[str, Any]]:
    """The overlaps of the pairs or rows that were built for each model and trained on."""
    folders = [(m["name"], run / place) for m in plan["models"] for place in (m.get("pairs"), m.get("rows")) if place]
    asked = _asked(run, plan) if folders else []
    for model, folder in folders:
        if stage_record(folder) is not None:
            for place, overlap in built_overlaps(folder, asked):
                yield {"model": model, "place": place, **dataclasses.asdict(overlap)}


def _asked(run: Path, plan: Row) -> list[Questions]:
    """The stored problems of each evaluation dataset, those of its looks one after the other."""
    found = []
    for dataset, place in dict.fromkeys((e["dataset"], e["problems"]) for e in plan["evaluations"]):
        if (record := stage_record(run / place)) is not None:
            found.append(Questions(dataset, problems_of(run / place), templates_of(record)))
    return found


def stamp_sentence(found: Mapping[str, Any]) -> str:
    """The mark in words, "" where there is none: it comes before any figure."""
    stamped = found.get("stamped") or ()
    if not stamped:
        return ""
    by_what: dict[str, list[str]] = {}
    for row in stamped:
        what = f"{row['questions']:,} of the {row['problems']:,} problems of {row['dataset']}"
        by_what.setdefault(what, []).append(row["model"])
    parts = [f"{', '.join(models)} on {what}" for what, models in by_what.items()]
    return f"Contaminated: trained on test questions: {'; '.join(parts)}. Their figures there are no measure of skill."
