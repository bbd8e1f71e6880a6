"""What the section on profiles shows: results.json's means, a table for each dataset and profiler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.report.data import RunData
from mra_bench.report.samples import label

NONE = "–"


def profiles_view(run: RunData) -> Mapping[str, Any] | None:
    """The datasets with profiles, or None where the recipe names no profiler."""
    views = [
        {"label": label(entry), "tables": [_table(run, profiler) for profiler in entry["profiles"]]}
        for entry in run.datasets
        if entry.get("profiles")
    ]
    return {"views": views} if views else None


def _table(run: RunData, profiler: Mapping[str, Any]) -> dict[str, Any]:
    columns = list(dict.fromkeys(cell["name"] for model in profiler["models"] for cell in _cells(model)))
    rows = []
    for model in profiler["models"]:
        cells = {cell["name"]: cell for cell in _cells(model)}
        rows.append(
            {
                "model": model["model"],
                "index": run.model_order.get(model["model"], 0),
                "texts": model["texts"],
                "failures": sum(model["failures"].values()),
                "cells": [_cell(cells.get(name)) for name in columns],
            }
        )
    return {"name": profiler["name"], "columns": columns, "rows": rows}


def _cells(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*model["dimensions"], *model["scores"]]


def _cell(cell: Mapping[str, Any] | None) -> dict[str, Any]:
    if cell is None:
        return {"mean": NONE, "texts": 0, "all": NONE}
    return {
        "mean": _two(cell["not_correct"]["mean"]),
        "texts": cell["not_correct"]["texts"],
        "all": _two(cell["all"]["mean"]),
    }


def _two(mean: float | None) -> str:
    return NONE if mean is None else f"{mean:.2f}"
