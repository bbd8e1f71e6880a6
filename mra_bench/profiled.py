"""What profiles say of each model's texts: figures for results.json, computed from stored profiles and grades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.store import read_rows, stage_record
from mra_bench.stored_rows import kind_of_profile


@dataclass
class Means:
    """Sums of numbers by name, over all texts and over those that are not correct."""

    count: Counter[str] = field(default_factory=Counter)
    above: Counter[str] = field(default_factory=Counter)
    total: dict[str, float] = field(default_factory=dict)

    def add(self, values: Mapping[str, float | None]) -> None:
        """Count each value that is a number."""
        for name, value in values.items():
            self.total.setdefault(name, 0.0)
            if value is not None:
                self.count[name] += 1
                self.above[name] += value > 0
                self.total[name] += value

    def of(self, name: str) -> dict[str, Any]:
        """How many texts it applies to, in how many it is above 0, and its mean over the former (None for none)."""
        count = self.count[name]
        return {"texts": count, "above": self.above[name], "mean": self.total[name] / count if count else None}


def profile_results(
    run: Path, manifest: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]], unreadable: Sequence[str]
) -> list[dict[str, Any]]:
    """For each profiler of the recipe and each model on one dataset: its dimensions and scores, over all texts and over
    those not correct, each with how many texts it applies to. Problems whose gold cannot be read are left out."""
    return [
        {**profiler, "models": list(_models(run, evaluations, place, frozenset(unreadable)))}
        for place, profiler in enumerate(manifest.get("profilers", ()))
    ]


def _models(
    run: Path, evaluations: Sequence[Mapping[str, Any]], place: int, unreadable: frozenset[str]
) -> Iterator[dict[str, Any]]:
    for model in dict.fromkeys(e["model"] for e in evaluations):
        of_model = [e for e in evaluations if e["model"] == model]
        if all(stage_record(run / e["profiles"][place]) is not None for e in of_model):
            yield {"model": model, **_figures(run, of_model, place, unreadable)}


def _figures(
    run: Path, evaluations: Sequence[Mapping[str, Any]], place: int, unreadable: frozenset[str]
) -> dict[str, Any]:
    texts, failures = 0, Counter[str]()
    errors, scores = (Means(), Means()), (Means(), Means())  # of all texts, of those not correct
    for evaluation in evaluations:
        profiles = read_rows(run / evaluation["profiles"][place])
        grades = read_rows(run / evaluation["grades"][0])
        for profile, grade in zip(profiles, grades, strict=True):
            if profile["problem"] in unreadable:
                continue
            texts += 1
            if kind := kind_of_profile(profile):
                failures[kind] += 1
            for sums, values in ((errors, profile["errors"]), (scores, profile["scores"])):
                sums[0].add(values)
                if grade["correct"] is not True:
                    sums[1].add(values)
    named = {"dimensions": errors, "scores": scores}
    tables = {
        what: [{"name": name, "all": whole.of(name), "not_correct": part.of(name)} for name in whole.total]
        for what, (whole, part) in named.items()
    }
    return {"texts": texts, "failures": dict(failures), **tables}
