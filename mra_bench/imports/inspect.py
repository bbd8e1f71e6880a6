"""Logs of inspect: .eval archives and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError
from mra_bench.imports.files import json_file
from mra_bench.imports.layout import FAILED, SCORE, Layout, asked
from mra_bench.imports.values import MISSING, at

ATTACHMENT = "attachment://"  # stands for a text that inspect keeps apart, under its hash


def _rows(path: Path, score: str) -> Iterator[Located]:
    """The samples of a log; `score` is the name of a scorer, or SCORER/KEY where its value has several."""
    if path.suffix.lower() == ".json":
        log = json_file(path)
        samples = log.get("samples")
        if not isinstance(log.get("eval"), dict) or not isinstance(samples, list) or not samples:
            raise UsageError(f"{path} has no 'eval' and 'samples', so it is no log of inspect with samples")
        located: Iterator[Located] = ((f"{path}, sample {n}", sample) for n, sample in enumerate(samples, start=1))
    else:
        from mra_bench.imports.archives import eval_samples

        located = eval_samples(path)
        _, log = next(located)
    model = at(log, "eval.model")
    for where, sample in located:
        if not isinstance(sample, dict):
            raise UsageError(f"{where}: a sample is an object, got {type(sample).__name__}")
        yield where, {**sample, "model": model, **_said(sample, where), **_verdict(sample, score, where)}


def _said(sample: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What the model was asked and wrote; why there is no text, where the sample failed."""
    attached = sample.get("attachments")
    content = at(sample, "output.choices.0.message.content")
    if content is MISSING:
        content = at(sample, "output.completion")
    nothing = content is MISSING or content in ("", [])
    failed = at(sample, "error.message") if nothing and sample.get("error") else ""
    before = asked(sample.get("messages"))
    prompt = [{**one, "content": _attached(one.get("content"), attached)} for one in before or ()]
    question = _attached(sample.get("input"), attached)
    found = {"text": "" if nothing else _attached(content, attached), "input": question, "prompt": prompt or question}
    return {**found, FAILED: "" if failed == "" else str(failed)}


def _verdict(sample: Mapping[str, Any], score: str, where: str) -> dict[str, Any]:
    """The value and the answer of the scorer that counts. A sample that failed may have none."""
    scores = sample.get("scores") or {}
    if not isinstance(scores, dict) or (not scores and sample.get("error")):
        return {}
    named, _, key = (score, "", "") if score in scores else score.partition("/")
    if named and named not in scores:
        raise UsageError(f"{where}: no scorer '{score}'. There are: {', '.join(map(str, scores)) or 'none'}")
    named = named or next(iter(scores), "")
    value, answer = at(scores.get(named), "value"), at(scores.get(named), "answer")
    if isinstance(value, dict) and value:
        key = key or str(next(iter(value)))
        if key not in value:
            raise UsageError(f"{where}: the scorer '{named}' has no '{key}'. There are: {', '.join(map(str, value))}")
        value = value[key]
    return {"verdict": value, "answer": answer, SCORE: f"{named}/{key}" if key else named}


def _attached(value: Any, attachments: Any) -> Any:
    if isinstance(value, str) and value.startswith(ATTACHMENT) and isinstance(attachments, dict):
        return attachments.get(value.removeprefix(ATTACHMENT), value)
    return value


INSPECT = Layout(
    rows=_rows,
    fields={
        "question": ("input",),
        "gold": ("target",),
        "text": ("text",),
        "id": ("id",),
        "verdict": ("verdict",),
        "answer": ("answer",),
        "prompt": ("prompt",),
        "model": ("model",),
        "finish": ("output.choices.0.stop_reason",),
    },
    files=lambda folder: sorted(folder.rglob("*.eval")) or sorted(folder.rglob("*.json")),
)
