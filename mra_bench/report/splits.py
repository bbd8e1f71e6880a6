"""What the templates show of a harder split: each model on other splits of the headline's data."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from mra_bench.report.charts import difference_scale, whisker
from mra_bench.report.data import RunData
from mra_bench.report.formatting import NARROW, points


def splits_view(run: RunData) -> Mapping[str, Any] | None:
    """One table for each further dataset of the same data as the headline; None where there is none."""
    headline = run.headline
    if headline is None:
        return None
    tables = [
        _table(run, headline, other)
        for other in run.datasets
        if other is not headline
        and other.get("data") == headline.get("data")
        and other.get("split") != headline.get("split")
    ]
    tables = [table for table in tables if table["rows"]]
    return {"tables": tables} if tables else None


def change(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float]:
    """The change of accuracy from one set of problems to another, with Newcombe's (1998, Statistics in Medicine 17,
    873-890, method 10) interval for two independent proportions, from the intervals of both."""
    difference = after["accuracy"] - before["accuracy"]
    down = sqrt((after["accuracy"] - after["low"]) ** 2 + (before["high"] - before["accuracy"]) ** 2)
    up = sqrt((after["high"] - after["accuracy"]) ** 2 + (before["accuracy"] - before["low"]) ** 2)
    return {"difference": difference, "low": difference - down, "high": difference + up}


def _table(run: RunData, headline: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    on_other = {score["model"]: score for score in other.get("scores") or () if score["n"]}
    rows = [
        {"model": s["model"], "before": s, "after": on_other[s["model"]], **change(s, on_other[s["model"]])}
        for s in headline.get("scores") or ()
        if s["n"] and s["model"] in on_other
    ]
    axis = difference_scale([row[key] for row in rows for key in ("low", "high")])
    for row in rows:
        row["index"] = run.model_order.get(row["model"], 0)
        interval = f"{points(row['low'])} to {points(row['high'])}"
        said = f"{row['model']}: {points(row['difference'])} points, 95{NARROW}% interval {interval}"
        row["dot"] = whisker(axis, row, "difference", row["index"], said)
    lost = sorted(-row["difference"] for row in rows)
    return {
        "from": headline["name"],
        "to": other["name"],
        "n": (headline["n"], other["n"]),
        "sequential": headline["name"] == (run.results.get("sequential") or {}).get("dataset"),
        "axis": axis,
        "rows": rows,
        "lost": lost,
    }
