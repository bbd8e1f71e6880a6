"""What the templates show of token efficiency: how long right and other texts are, and what fewer tokens would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.report.data import RunData
from mra_bench.report.formatting import percent
from mra_bench.report.plots import Point, Series, even_axis, histogram, plot, value_axis


def efficiency_view(run: RunData, dataset: Mapping[str, Any]) -> dict[str, Any] | None:
    """Charts and tables of one dataset; None where results.json has no lengths."""
    found = dataset.get("efficiency")
    if not found or not found["models"]:
        return None
    scores = {score["model"]: score for score in dataset.get("scores") or ()}
    models = [
        {**model, "index": run.model_order.get(model["model"], 0), "score": scores[model["model"]]}
        for model in found["models"]
        if model["model"] in scores
    ]
    ends = [*found["bins"][1:], None]
    return {
        "models": models,
        "budgets": found["budgets"],
        "bins": [
            (start, found["longest"] if end is None else end - 1)
            for start, end in zip(found["bins"], ends, strict=True)
        ],
        "longest": found["longest"],
        "charts": [_against_tokens(models), *([_at_budgets(found, models)] if len(found["budgets"]) > 1 else [])],
        "histograms": [_histogram(found, model) for model in models],
    }


def _against_tokens(models: list[dict[str, Any]]) -> Any:
    series = [
        Series(
            m["model"],
            m["index"],
            [Point(m["score"]["tokens_mean"], *(m["score"][key] for key in ("accuracy", "low", "high")))],
        )
        for m in models
    ]
    said = [
        f"{m['model']}: {percent(m['score']['accuracy'])} with {m['score']['tokens_mean']:.1f} tokens" for m in models
    ]
    axis = value_axis([m["score"]["tokens_mean"] for m in models], "mean tokens of a text")
    return plot("Accuracy against tokens", f"{'; '.join(said)}.", axis, series, joined=False)


def _at_budgets(found: Mapping[str, Any], models: list[dict[str, Any]]) -> Any:
    budgets = [f"{budget}" for budget in found["budgets"]]
    series, said = [], []
    for m in models:
        shares = [row["accuracy"] for row in m["at_budget"]]
        series.append(Series(m["model"], m["index"], [Point(place, share) for place, share in enumerate(shares)]))
        half = next(b for b, share in zip(found["budgets"], shares, strict=True) if 2 * share >= shares[-1])
        said.append(f"{m['model']} has half of its {percent(shares[-1])} with {half} tokens")
    axis = even_axis(budgets, "tokens allowed for a text")
    return plot("Accuracy at token budgets", f"{'; '.join(said)}.", axis, series)


def _histogram(found: Mapping[str, Any], model: Mapping[str, Any]) -> Any:
    right, wrong = model["right"], model["wrong"]
    usual = [
        f"half of the {side['n']:,} {name} have at most {side['median']:g} tokens"
        for name, side in (("right texts", right), ("others", wrong))
        if side["n"]
    ]
    counts = (right["histogram"], wrong["histogram"])
    said = f"{model['model']}: {', '.join(usual)}."
    return histogram(f"Lengths of texts, {model['model']}", said, counts, [*found["bins"], found["longest"]])
