"""Packs problems, texts and grades for the sample browser: JSON blocks that the page's script reads.

Everything is embedded when it fits. Beyond the limit all flips and a seeded sample of the rest are, and a note says so.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.report.choice import choose
from mra_bench.report.data import RunData, Sample, seed_of
from mra_bench.report.formatting import count

FIELDS = ("index", "text", "tokens", "finish", "correct", "answer", "reason", "kind", "span", "rule", "others")
VERDICT = ("correct", "answer", "kind", "reason")  # of each further grader, in "others"
PLAIN = "json"
PACKED = "gzip+base64"


@dataclass(frozen=True)
class Limits:
    """Bytes of JSON up to which blocks stay plain, and bytes that all blocks together may take in the page."""

    plain: int = 1_500_000
    embedded: int = 25_000_000


@dataclass(frozen=True)
class Block:
    """One dataset's samples as they stand in the page. `note` is empty when nothing was left out."""

    dataset: str
    label: str
    problems: int
    embedded: int
    note: str
    encoding: str
    content: str


def blocks(run: RunData, limits: Limits | None = None) -> list[Block]:
    """A block for each dataset that has samples, in the order of results.json. ASCII only, and byte-stable."""
    limits = limits or Limits()
    chosen = {name: list(run.samples[name].problems) for name in _names(run)}
    raw = {name: _json(payload(run, name, problems)) for name, problems in chosen.items()}
    packed = sum(map(len, raw.values())) > limits.plain
    content = {name: _pack(text) if packed else text for name, text in raw.items()}
    keep = 1.0
    while packed and (size := sum(map(len, content.values()))) > limits.embedded and keep > 1e-6:
        keep *= 0.95 * limits.embedded / size
        for name in content:
            samples = run.samples[name]
            ids = [problem["id"] for problem in samples.problems]
            kept = choose(ids, samples.flips, keep, f"{seed_of(run.results)}/{name}")
            chosen[name] = [problem for problem in samples.problems if problem["id"] in kept]
            content[name] = _pack(_json(payload(run, name, chosen[name])))
    return [_block(run, name, chosen[name], PACKED if packed else PLAIN, content[name]) for name in content]


def payload(run: RunData, name: str, problems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the script reads for one dataset. "answers" is [problem][model][sample][field], null where a model has none.

    Spans are in UTF-16 units, as the script counts. "graders" names the further graders, in the order of "others".
    """
    samples = run.samples[name]
    entry = next((entry for entry in run.datasets if entry["name"] == name), {})
    unreadable = set(entry.get("unreadable") or ())
    models = sorted(samples.answers, key=lambda model: run.model_order.get(model, len(run.model_order)))
    return {
        "fields": list(FIELDS),
        "verdict": list(VERDICT),
        "graders": grader_labels(entry),
        "models": [{"name": model, "index": run.model_order.get(model, 0)} for model in models],
        "problems": [
            {
                "id": problem["id"],
                "question": problem.get("question") or "",
                "answer": problem.get("answer") or "",
                "solution": problem.get("solution") or "",
                "subject": problem.get("subject") or "",
                "level": problem.get("level") or "",
                "unreadable": problem["id"] in unreadable,
            }
            for problem in problems
        ],
        "answers": [[_cells(samples.answers[model].get(problem["id"])) for model in models] for problem in problems],
    }


def _cells(samples: Sequence[Sample] | None) -> list[list[Any]] | None:
    if not samples:
        return None
    return [[_cell(sample, name) for name in FIELDS] for sample in samples]


def _cell(sample: Sample, name: str) -> Any:
    if name == "span":
        return _utf16_span(sample)
    if name == "others":
        return [other and [getattr(other, part) for part in VERDICT] for other in sample.others]
    return getattr(sample, name)


def _utf16_span(sample: Sample) -> list[int] | None:
    if sample.span is None or not 0 <= sample.span[0] < sample.span[1] <= len(sample.text):
        return None
    return [len(sample.text[:end].encode("utf-16-le", "surrogatepass")) // 2 for end in sample.span]


def _block(run: RunData, name: str, problems: Sequence[Mapping[str, Any]], encoding: str, content: str) -> Block:
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
    return Block(name, label(entry) or name, total, len(problems), note, encoding, content)


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


def _json(value: Any) -> str:
    """ASCII JSON that is safe between script tags; lone surrogates survive as escapes."""
    from jinja2.utils import htmlsafe_json_dumps

    return str(htmlsafe_json_dumps(value, ensure_ascii=True, separators=(",", ":")))


def _pack(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)).decode("ascii")
