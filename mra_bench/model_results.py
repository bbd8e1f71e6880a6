"""What results.json says of each model's making: its training, and the data that was built for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mra_bench.compute import making
from mra_bench.store import read_rows, stage_record
from mra_bench.training_stage import LOG


def model_results(run: Path, model: Mapping[str, Any]) -> dict[str, Any]:
    """A model of the run with the facts of its training and what its making took, if it was trained."""
    record = stage_record(run / model["stage"]) if model["stage"] else None
    facts = {k: v for k, v in record["facts"].items() if k != "ref"} if record else {}
    parameters = facts.get("parameters", model["parameters"])
    made = making(run, model["stage"], parameters) if model["stage"] else None
    return {
        "name": model["name"],
        "from": model["from"],
        "how": model["how"],
        "control_for": model["control_for"],
        "parameters": parameters,
        "facts": facts,
        **({"making": made} if made else {}),
    }


def training_results(run: Path, model: Mapping[str, Any]) -> dict[str, Any] | None:
    """The training log of a trained model, or None."""
    if not model["stage"] or stage_record(run / model["stage"]) is None:
        return None
    log = list(read_rows(run / model["stage"] / LOG))
    return {"model": model["name"], "trainer": model["how"], "facts": model_results(run, model)["facts"], "log": log}


def built_results(run: Path, model: Mapping[str, Any], what: str, reasons: str) -> dict[str, Any] | None:
    """How many "pairs" or "rows" (`what`) were built for a model, by whom, and why problems gave none ("no_pair",
    "no_row"), or None where none were built."""
    record = stage_record(run / model[what]) if model.get(what) else None
    if record is None:
        return None
    facts, builder = record["facts"], record["spec"].get("builder")
    named = {"builder": builder.partition("@")[0].rpartition(":")[2]} if builder else {}
    return {**facts["counts"], **named, what: facts[what], "model": model["name"], reasons: facts[reasons]}
