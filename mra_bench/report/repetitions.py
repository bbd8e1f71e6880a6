"""What the report shows of repetitions: a sentence for each, and the texts whose verdict differs."""

from __future__ import annotations

from typing import Any

from mra_bench.repeated import repeated_sentence
from mra_bench.report.data import RunData

SHOWN_FLIPS = 50


def repetitions(run: RunData) -> list[dict[str, Any]]:
    """An entry for each row of "repeated" in results.json; "more" counts the flips that are not shown; "place": the
    address of a problem in the page."""
    return [_entry(run, dataset, row) for dataset in run.datasets for row in dataset.get("repeated") or ()]


def _entry(run: RunData, dataset: Any, row: Any) -> dict[str, Any]:
    name = dataset["name"]
    shown = row["flips"][:SHOWN_FLIPS]
    return {
        **row,
        "dataset": name,
        "sentence": repeated_sentence(row, dataset),
        "index": run.model_order.get(row["model"], 0),
        "samples": max((score["samples"] for score in dataset["scores"]), default=1),
        "browsable": name in run.samples,
        "flips": [{**flip, "place": {"data": name, "q": flip["problem"]}} for flip in shown],
        "more": len(row["flips"]) - len(shown),
    }
