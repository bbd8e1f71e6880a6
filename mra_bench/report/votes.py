"""What the templates show of several samples a problem: pass@k and maj@k as curves, and accuracy by agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.agreement import SHARES
from mra_bench.report.data import RunData
from mra_bench.report.formatting import bare, percent
from mra_bench.report.plots import Plot, Point, Series, even_axis, plot, share_axis


def curves(rows: Sequence[Mapping[str, Any]]) -> list[Plot]:
    """pass@k and maj@k over k, from the rows of a scoreboard; none where one sample was drawn."""
    return [
        chart
        for title, field in (
            ("pass@k: one of k samples is right", "pass_at_k"),
            ("maj@k: the vote of k is right", "maj_at_k"),
        )
        if (chart := _curve(title, field, rows)) is not None
    ]


def _curve(title: str, field: str, rows: Sequence[Mapping[str, Any]]) -> Plot | None:
    ks = sorted({int(k) for row in rows for k in row.get(field) or ()})
    drawn = [row for row in rows if len(row.get(field) or ()) > 1]
    if not drawn:
        return None
    said, series = [], []
    for row in drawn:
        points = [Point(place, row[field][str(k)]) for place, k in enumerate(ks) if str(k) in row[field]]
        series.append(Series(row["model"], row["index"], points))
        said.append(f"{row['model']} goes from {percent(points[0].y)} to {percent(points[-1].y)}")
    axis = even_axis([str(k) for k in ks], "samples (k)")
    return plot(title, f"From k = {ks[0]} to {ks[-1]}: {'; '.join(said)}.", axis, series)


def agreement_view(run: RunData, dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    """For each model with several samples a problem a chart, and for each bin of shares the figures of all models; None
    where there is none."""
    models = [
        {**row, "index": run.model_order.get(row["model"], 0), "chart": _agreement(run, row)}
        for row in dataset.get("agreement") or ()
        if row["bins"]
    ]
    starts = sorted({bin["from"] for row in models for bin in row["bins"]})
    bins = [{"name": _bin_name(start), "cells": [_bin(row["bins"], start) for row in models]} for start in starts]
    silent = [row["no_vote"] for row in models]
    if any(cell["n"] for cell in silent):
        cells = [{**cell, "accuracy": cell["correct"] / cell["n"]} if cell["n"] else None for cell in silent]
        bins.append({"name": "nobody votes", "cells": cells})
    return {"models": models, "bins": bins} if models else None


def _bin(bins: Sequence[Mapping[str, Any]], start: float) -> Mapping[str, Any] | None:
    return next((found for found in bins if found["from"] == start), None)


def _bin_name(start: float) -> str:
    end = next((share for share in SHARES if share > start), None)
    return "all" if end is None else f"{bare(start, 0)} to {percent(end, 0)}"


def _agreement(run: RunData, row: Mapping[str, Any]) -> Plot:
    points = [Point(b["share"], b["accuracy"], b["low"], b["high"], f"{b['n']:,}") for b in row["bins"]]
    said = "; ".join(
        f"of {b['n']:,} problems with a share of {percent(b['share'], 0)}, {percent(b['accuracy'], 0)} are right"
        for b in row["bins"]
    )
    series = [Series("", run.model_order.get(row["model"], 0), points)]
    return plot(
        row["model"],
        f"{said[:1].upper()}{said[1:]}.",
        share_axis("share of the votes that the majority has"),
        series,
        whole=True,
    )
