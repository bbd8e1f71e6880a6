"""Packs problems, texts and grades for the sample browser: an index of each dataset, and its texts in parts.

Everything is embedded when it fits. Beyond the limit all flips and a seeded sample of the rest are, and a note says so.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.groups import answer_type, steps_of
from mra_bench.report.choice import choose
from mra_bench.report.data import RunData, seed_of
from mra_bench.report.formatting import count
from mra_bench.report.latex import Converter
from mra_bench.report.parts import Labels, Packed, packed
from mra_bench.types import Problem

PLAIN = "json"
PACKED = "gzip+base64"


@dataclass(frozen=True)
class Limits:
    """Bytes of JSON up to which blocks stay plain, bytes that all blocks together may take in the page, and characters
    of one part of a dataset's texts."""

    plain: int = 1_500_000
    embedded: int = 25_000_000
    part: int = 500_000


@dataclass(frozen=True)
class Block:
    """One dataset's samples as they stand in the page: an index and the parts with the texts, JSON in `encoding`.
    `note` is empty when nothing was left out."""

    dataset: str
    label: str
    problems: int
    embedded: int
    note: str
    encoding: str
    index: str
    parts: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return len(self.index) + sum(map(len, self.parts))


def blocks(run: RunData, limits: Limits | None = None) -> list[Block]:
    """A block for each dataset that has samples, in the order of results.json. ASCII only, and byte-stable."""
    limits = limits or Limits()
    formulas = Converter()
    names = _names(run)
    chosen: dict[str, Sequence[Mapping[str, Any]]] = {name: run.samples[name].problems for name in names}
    raw = {name: _json(run, name, chosen[name], formulas, limits) for name in names}
    plain = sum(text.size for text in raw.values()) <= limits.plain
    made = raw if plain else {name: _gzipped(raw.pop(name)) for name in names}
    keep = 1.0
    while not plain and (size := sum(text.size for text in made.values())) > limits.embedded and keep > 1e-6:
        keep *= 0.95 * limits.embedded / size
        for name in names:
            chosen[name] = _choice(run, name, keep)
            made[name] = _gzipped(_json(run, name, chosen[name], formulas, limits))
    return [_block(run, name, chosen[name], PLAIN if plain else PACKED, made[name]) for name in names]


def _choice(run: RunData, name: str, keep: float) -> list[Mapping[str, Any]]:
    samples = run.samples[name]
    ids = [problem["id"] for problem in samples.problems]
    kept = choose(ids, samples.flips, keep, f"{seed_of(run.results)}/{name}")
    return [problem for problem in samples.problems if problem["id"] in kept]


def _json(
    run: RunData, name: str, problems: Sequence[Mapping[str, Any]], formulas: Converter, limits: Limits
) -> Packed:
    samples = run.samples[name]
    entry = next((entry for entry in run.datasets if entry["name"] == name), {})
    models = sorted(samples.answers, key=lambda model: run.model_order.get(model, len(run.model_order)))
    labels = Labels(
        models=[{"name": model, "index": run.model_order.get(model, 0)} for model in models],
        graders=grader_labels(entry),
        profilers=[str(profiler["name"]) for profiler in entry.get("profiles") or ()],
        unreadable=frozenset(entry.get("unreadable") or ()),
    )
    problems = [{**problem, **_groups(entry, problem)} for problem in problems]
    return packed(problems, [samples.answers[model] for model in models], labels, formulas, limits.part)


def _groups(entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, str | None]:
    """What results.json has a table by, but the row of a problem does not say."""
    problem = Problem(
        id="",
        question="",
        answer=str(row.get("answer") or ""),
        solution=str(row.get("solution") or ""),
        expects=str(row.get("expects") or ""),
        choices=tuple(row.get("choices") or ()),
    )
    kinds = (("by_answer_type", "answer_type", answer_type), ("by_steps", "steps", steps_of))
    return {name: of(problem) for key, name, of in kinds if entry.get(key)}


def _gzipped(text: Packed) -> Packed:
    return Packed(_pack(text.index), tuple(map(_pack, text.parts)))


def _block(run: RunData, name: str, problems: Sequence[Mapping[str, Any]], encoding: str, text: Packed) -> Block:
    entry = next((entry for entry in run.datasets if entry["name"] == name), {})
    samples = run.samples[name]
    total, flips = samples.total, len(samples.flips)
    note = ""
    if len(problems) < total:
        inside = sum(problem["id"] in samples.flips for problem in problems)
        every = f"all {count(flips)}" if inside == flips else f"{count(inside)} of the {count(flips)}"
        differ = f"{every} on which models differ, and a random draw from the others"
        note = (
            f"To keep this file small it holds {count(len(problems))} of {count(total)} problems of {name}: "
            f"{differ if len(samples.answers) > 1 else 'a random draw'} (seed {seed_of(run.results)}). "
            f"The figures above are over all problems; the run folder has every text."
        )
    return Block(name, label(entry) or name, total, len(problems), note, encoding, text.index, text.parts)


def label(entry: Mapping[str, Any]) -> str:
    """How a dataset is named to people: its own name, with the data and split behind it; no word of it twice."""
    if not entry:
        return ""
    name = str(entry["name"])
    source = " ".join(dict.fromkeys(str(entry[key]) for key in ("data", "split") if entry.get(key)))
    if not source or name in (entry.get("data"), entry.get("split"), source):
        return source or name
    return f"{name} ({source})"


def grader_labels(entry: Mapping[str, Any]) -> list[str]:
    """Names of a dataset's further graders; one that is there twice, with other options, is told apart by them."""
    graders = entry.get("other_graders") or []
    names = [str(grader["name"]) for grader in graders]
    return [
        f"{name} {json.dumps(grader.get('options') or {}, sort_keys=True)}" if names.count(name) > 1 else name
        for name, grader in zip(names, graders, strict=True)
    ]


def _names(run: RunData) -> list[str]:
    order = [entry["name"] for entry in run.datasets if entry["name"] in run.samples]
    return order + [name for name in run.samples if name not in order]


def _pack(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)).decode("ascii")
