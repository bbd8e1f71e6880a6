"""Profiles of samples that are no run: one profiler over the texts of a file, and what is said of them in the end."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from mra_bench.plugins import PluginSettings, Registered
from mra_bench.profiled import Means
from mra_bench.recipe_schema import Named
from mra_bench.samples import Sample
from mra_bench.types import Profile
from mra_bench.workers import GraderSpec, Limits, profile_all


def profile_samples(
    samples: Iterable[Sample], profiler: Registered, named: Named, plugins: PluginSettings, limits: Limits
) -> Generator[tuple[Sample, Profile], None, None]:
    """Each sample with its profile, in order. Only so many samples are held as workers are ahead."""
    apart, stream = itertools.tee(samples)
    spec = GraderSpec(profiler.full_name, named.options, plugins, "profilers")
    items = ((sample.problem, sample.text) for sample in stream)
    with contextlib.closing(profile_all(spec, items, limits=limits)) as profiles:
        yield from zip(apart, profiles, strict=True)


class Summary:
    """Counts and means of profiled samples; where there are labels, also of those labelled wrong."""

    def __init__(self) -> None:
        self.texts = self.labelled_wrong = 0
        self.failures: Counter[str] = Counter()
        self.errors, self.scores = (Means(), Means()), (Means(), Means())

    def add(self, sample: Sample, profile: Profile) -> None:
        """Count one more sample."""
        self.texts += 1
        self.labelled_wrong += sample.label is False
        if profile.failure:
            self.failures[profile.failure.partition(":")[0]] += 1
        for (whole, wrong), values in ((self.errors, profile.errors), (self.scores, profile.scores)):
            whole.add(values)
            if sample.label is False:
                wrong.add(values)

    def data(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "texts": self.texts,
            "labelled_wrong": self.labelled_wrong,
            "failures": dict(self.failures),
            "dimensions": self._table(self.errors),
            "scores": self._table(self.scores),
        }

    def _table(self, sums: tuple[Means, Means]) -> list[dict[str, Any]]:
        whole, wrong = sums
        labelled = self.labelled_wrong > 0
        return [
            {"name": name, "all": whole.of(name), **({"labelled_wrong": wrong.of(name)} if labelled else {})}
            for name in whole.total
        ]


def profile_row(sample: Sample, profile: Profile, label: bool) -> dict[str, Any]:
    """The row of the output file for one sample."""
    row = {"row": sample.number, "id": sample.problem.id, **dataclasses.asdict(profile)}
    return {**row, "label": sample.label} if label else row


def table_of(data: Mapping[str, Any]) -> list[list[str]]:
    """Rows for a terminal: each dimension and score with how many texts it applies to, the share above 0, the mean."""
    groups = [("all", "")] + ([("labelled_wrong", " (wrong)")] if data["labelled_wrong"] else [])
    head = ["", *(f"{name}{suffix}" for _, suffix in groups for name in ("texts", "above 0", "mean"))]
    rows = [
        [entry["name"], *(cell for key, _ in groups for cell in _cells(entry[key]))]
        for entry in (*data["dimensions"], *data["scores"])
    ]
    return [head, *rows]


def _cells(figures: Mapping[str, Any]) -> tuple[str, str, str]:
    texts = figures["texts"]
    if not texts:
        return "0", "", ""
    return f"{texts:,}", f"{figures['above'] / texts:.1%}", f"{figures['mean']:.3f}"
