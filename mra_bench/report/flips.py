"""What the templates show of flips: a two-by-two of right and wrong for each pair that the verdict is about."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from mra_bench.report.data import RunData
from mra_bench.report.figures import dataset_view
from mra_bench.verdict import spoken_pairs

SIDE = 64  # of the square that would stand for all problems, in CSS pixels
SHOWN = 6  # tables that stand open
_CELLS = (("both_right", "losses"), ("wins", "both_wrong"))  # rows: a right, a wrong; columns: b right, b wrong
_CLASSES = {"wins": "gain", "losses": "loss", "both_right": "level", "both_wrong": "level"}


def flips_view(run: RunData) -> Mapping[str, Any] | None:
    """Two-by-twos on the headline dataset: first the pairs that the test tells apart, then the others, in run order."""
    headline = run.headline
    if headline is None:
        return None
    view = dataset_view(run, headline)
    rows = {(row["a"], row["b"]): row for row in view["pairs"]["rows"]}
    models = [{"from": None, "control_for": None, **model} for model in run.results.get("models") or ()]
    spoken = spoken_pairs(models, headline.get("pairs") or ())
    tables = [_table(rows[pair["a"], pair["b"]]) for _, pair in spoken if pair["n"]]
    if not tables:
        return None
    tables.sort(key=lambda table: table["mark"][1] == "level")
    several = any(score["samples"] > 1 for score in headline.get("scores") or ())
    return {"view": view, "tables": tables, "shown": SHOWN, "several": several}


def _table(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = dict(zip(("wins", "losses", "both_right", "both_wrong"), row["counts"], strict=True))
    cells = [
        [
            {**counts[name], "class": _CLASSES[name], "side": round(SIDE * sqrt(counts[name]["value"] / row["n"]), 1)}
            for name in line
        ]
        for line in _CELLS
    ]
    ties = row["n"] - sum(cell["value"] for line in cells for cell in line)
    keys = ("a", "b", "n", "difference", "mark")
    return {**{key: row[key] for key in keys}, "cells": cells, "ties": ties}
