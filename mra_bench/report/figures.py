"""What the templates show of one dataset: results.json's entries joined with charts, order and browser filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.report.charts import difference_scale, percent_scale, whisker
from mra_bench.report.data import RunData
from mra_bench.report.formatting import NARROW, percent, points
from mra_bench.report.samples import grader_labels, label
from mra_bench.report.tokens import efficiency_view
from mra_bench.report.votes import agreement_view, curves

ALPHA = 0.05
SMALL = 20  # a group of fewer problems is greyed
GROUPS = (("by_subject", "Subject"), ("by_level", "Level"), ("by_answer_type", "Answer type"), ("by_steps", "Steps"))
KINDS = ("correct", "wrong", "no-answer", "unparseable", "unjudged", "ran-on", "timeout", "crashed")


def dataset_view(run: RunData, dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the dataset macros need: "scoreboard", "pairs", "groups", "kinds" and a few plain facts."""
    return {
        "name": dataset["name"],
        "label": label(dataset),
        "n": dataset["n"],
        "format": dataset.get("answer_format") or "",
        "unreadable": dataset.get("unreadable") or [],
        "duplicates": dataset.get("duplicates") or {"repeated": 0, "groups": []},
        "browsable": dataset["name"] in run.samples,
        "sequential": dataset["name"] == (run.results.get("sequential") or {}).get("dataset"),
        "scoreboard": scoreboard(run, dataset),
        "pairs": pairs(dataset),
        "groups": [breakdown(run, dataset, key, title) for key, title in GROUPS if dataset.get(key)],
        "kinds": kinds(run, dataset),
        "others": other_graders(run, dataset),
        "efficiency": efficiency_view(run, dataset),
        "agreement": agreement_view(run, dataset),
    }


def scoreboard(run: RunData, dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of models with their whisker on one shared axis; sampled metrics where several samples were drawn."""
    scores = dataset.get("scores") or []
    axis = percent_scale([score[key] for score in scores for key in ("low", "high")])
    models = {model["name"]: model for model in run.results.get("models") or ()}
    rows = []
    for score in scores:
        index = run.model_order.get(score["model"], 0)
        interval = f"{percent(score['low'])} to {percent(score['high'])}"
        said = f"{score['model']}: {percent(score['accuracy'])}, 95{NARROW}% interval {interval}"
        texts = sum(score["kinds"].values()) or score["n"] * score["samples"]
        rows.append(
            {
                **score,
                "index": index,
                "info": {"from": None, "how": "", "parameters": None, **models.get(score["model"], {})},
                "texts": texts,
                "unjudged": score["worst"] != score["best"],
                "dot": whisker(axis, score, "accuracy", index, said),
            }
        )
    several = _samples(dataset) > 1
    return {
        "axis": axis,
        "rows": rows,
        "samples": _samples(dataset),
        "ks": _ks(scores, "pass_at_k") if several else [],
        "votes": _ks(scores, "maj_at_k") if several else [],
        "curves": curves(rows) if several else [],
    }


def _ks(scores: Sequence[Mapping[str, Any]], field: str) -> list[int]:
    return sorted({int(k) for score in scores for k in score.get(field) or ()})


def pairs(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of pairs with their whisker around zero, the verdict in a few words and filters behind each count."""
    entries = dataset.get("pairs") or []
    axis = difference_scale([pair[key] for pair in entries for key in ("low", "high")])
    rows = []
    for pair in entries:
        interval = f"{points(pair['low'])} to {points(pair['high'])}"
        said = f"{pair['b']} against {pair['a']}: {points(pair['difference'])} points, 95{NARROW}% interval {interval}"
        rows.append(
            {
                **pair,
                "mark": _mark(pair),
                "dot": whisker(axis, pair, "difference", 0, said),
                "counts": [_pair_count(dataset, pair, *column) for column in _PAIR_COLUMNS],
            }
        )
    return {"axis": axis, "rows": rows, "told_apart": sum(row["mark"][1] != "level" for row in rows)}


# (field of results.json, wanted of a, wanted of b, words with {a} and {b})
_PAIR_COLUMNS = (
    ("wins", "wrong", "right", "{b} right where {a} is wrong"),
    ("losses", "right", "wrong", "{b} wrong where {a} is right"),
    ("both_right", "right", "right", "both right"),
    ("both_wrong", "wrong", "wrong", "both wrong"),
)


def _pair_count(dataset: Mapping[str, Any], pair: Mapping[str, Any], *column: str) -> dict[str, Any]:
    field, of_a, of_b, words = column
    wanted: dict[str, Any] = {"data": dataset["name"]}
    if _samples(dataset) > 1:
        wanted["pair"] = {"a": pair["a"], "b": pair["b"], "relation": field}
    else:
        wanted["models"] = {pair["a"]: of_a, pair["b"]: of_b}
    return {"value": pair[field], "words": words.format(a=pair["a"], b=pair["b"]), "filter": wanted}


def _mark(pair: Mapping[str, Any]) -> tuple[str, str, str]:
    """Symbol, class and words of a pair: a clear gain, a clear loss, or neither, after Holm."""
    if pair["p_holm"] is None or pair["p_holm"] >= ALPHA or pair["difference"] == 0:
        return "≈", "level", "not told apart"
    return ("▲", "gain", "better") if pair["difference"] > 0 else ("▼", "loss", "worse")


# (field of results.json, words with {other}, whether a browser filter shows its texts)
_AGREEMENT_COLUMNS = (
    ("both", "both graders say right", False),
    ("headline_only", "right for the headline grader only", True),
    ("other_only", "right for {other} only", True),
    ("neither", "both graders say wrong", False),
    ("not_judged", "one of the graders could not judge it", True),
)


def other_graders(run: RunData, dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each further grader and model: both accuracies, and the texts by what the two graders say of them."""
    rows = []
    headline = {score["model"]: score for score in dataset.get("scores") or ()}
    names = grader_labels(dataset)
    for place, grader in enumerate(dataset.get("other_graders") or ()):
        for score in grader["scores"]:
            agreement = score["agreement"]
            texts = sum(agreement.values())
            model = score["model"]
            cells = [
                {
                    "value": agreement[field],
                    "words": f"{model}: {words.format(other=names[place])}",
                    "filter": {"data": dataset["name"], "models": {model: f"grader={place}:{field}"}}
                    if linked
                    else None,
                }
                for field, words, linked in _AGREEMENT_COLUMNS
            ]
            rows.append(
                {
                    **score,
                    "grader": names[place],
                    "index": run.model_order.get(model, 0),
                    "headline": headline[model]["accuracy"] if model in headline else None,
                    "agree": (agreement["both"] + agreement["neither"]) / texts if texts else None,
                    "counts": cells,
                }
            )
    return rows


def breakdown(run: RunData, dataset: Mapping[str, Any], key: str, title: str) -> dict[str, Any]:
    """Accuracy of each model within groups of problems; one chart per group with all models on a shared axis."""
    groups = dataset[key]
    names = list(dict.fromkeys(score["model"] for group in groups for score in group["scores"]))
    axis = percent_scale([score[end] for group in groups for score in group["scores"] for end in ("low", "high")])
    rows = []
    for group in groups:
        by_model = {score["model"]: score for score in group["scores"]}
        dots = []
        for lane, name in enumerate(name for name in names if name in by_model):
            said = f"{name} {percent(by_model[name]['accuracy'])}"
            dots.append(whisker(axis, by_model[name], "accuracy", run.model_order.get(name, 0), said, lane=lane))
        rows.append(
            {
                "value": group["value"],
                "n": group["n"],
                "small": group["n"] < SMALL,
                "scores": [by_model.get(name) for name in names],
                "dots": dots,
                "filter": {"data": dataset["name"], key.removeprefix("by_"): group["value"]},
            }
        )
    return {"title": title, "models": _named(run, names), "axis": axis, "rows": rows}


def kinds(run: RunData, dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Texts by kind of verdict, for each model: all of them, and those cut at the length limit."""
    scores = dataset.get("scores") or []
    present = {kind for score in scores for kind, number in score["kinds"].items() if number}
    order = [kind for kind in KINDS if kind in present] + sorted(present - set(KINDS))
    rows = []
    for kind in order:
        cells = []
        for score in scores:
            number = score["kinds"].get(kind, 0)
            cut = (score.get("truncated_kinds") or {}).get(kind, 0)
            wanted = {"data": dataset["name"], "models": {score["model"]: f"kind={kind}"}}
            wanted_cut = {"data": dataset["name"], "models": {score["model"]: f"cut={kind}"}}
            cells.append({"number": number, "cut": cut, "filter": wanted, "cut_filter": wanted_cut})
        rows.append({"kind": kind, "cells": cells})
    totals = [{"number": sum(score["kinds"].values()), "cut": score["truncated"]} for score in scores]
    return {
        "models": _named(run, [score["model"] for score in scores]),
        "rows": rows,
        "totals": totals,
        "cut": any(total["cut"] for total in totals),
    }


def _named(run: RunData, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": name, "index": run.model_order.get(name, 0)} for name in names]


def _samples(dataset: Mapping[str, Any]) -> int:
    return max((score["samples"] for score in dataset.get("scores") or ()), default=1)
