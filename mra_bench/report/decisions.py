"""What the section on decisions shows: results.json's rates of each model, a table for each dataset of a verifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.decision_results import constant
from mra_bench.report.data import RunData
from mra_bench.report.samples import label

RATES = {
    "accuracy": "Right",
    "false_positives": "False positives",
    "false_negatives": "False negatives",
    "unclear": "Says UNCLEAR",
    "unreadable": "Unreadable",
}


def decisions_view(run: RunData) -> Mapping[str, Any] | None:
    """The datasets whose answers are decisions, or None where there are none."""
    views = [_view(run, entry) for entry in run.datasets if entry.get("decisions")]
    return {"views": views, "names": list(RATES.values())} if views else None


def _view(run: RunData, entry: Mapping[str, Any]) -> dict[str, Any]:
    golds = entry["decisions"]["golds"]
    word, share = constant(golds)
    rows = [
        {
            "model": model["model"],
            "index": run.model_order.get(model["model"], 0),
            "cells": [{"name": RATES[name], **model[name]} for name in RATES],
        }
        for model in entry["decisions"]["models"]
    ]
    return {
        "label": label(entry),
        "golds": {name: count for name, count in golds.items() if count},
        "constant": {"word": word, "share": share},
        "rows": rows,
    }
