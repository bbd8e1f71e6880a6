"""Files of samples that lm-eval writes with --log_samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError
from mra_bench.imports.files import rows_of
from mra_bench.imports.layout import SCORE, Layout
from mra_bench.imports.values import MISSING, at

NOTHING = "[invalid]"  # what its filters give where their pattern is not in the text


def _rows(path: Path, score: str) -> Iterator[Located]:
    """A row for each text of a document. A document stands there once for each filter: `score` is FILTER, METRIC or
    FILTER/METRIC, the first filter and its first metric unless it says."""
    chosen: tuple[str, str] | None = None
    seen: dict[str, list[str]] = {}
    for where, row in rows_of(path):
        name, metrics = str(row.get("filter", "")), _metrics(row, where)
        seen.setdefault(name, metrics)
        chosen = chosen or _choose(name, metrics, score)
        if chosen is None or chosen[0] != name:
            continue
        texts = row.get("resps")
        texts = texts[0] if isinstance(texts, list) and len(texts) == 1 else texts
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise UsageError(f"{where}: 'resps' must hold generated texts; was the task one of likelihoods?")
        one = len(texts) == 1  # a verdict is about all repeats of a document, so of several no text has one
        said = {"verdict": row[chosen[1]], "extracted": _taken(row.get("filtered_resps"))} if one else {}
        said[SCORE] = "/".join(filter(None, chosen))
        for text in texts:
            yield where, {**row, **said, "text": text, "prompt": _first_argument(row.get("arguments"))}
    if chosen is None and seen:
        there = ", ".join(f"{name}/{metric}" for name, metrics in seen.items() for metric in metrics)
        raise UsageError(f"--score {score}: {path} has no such filter or metric. There are: {there}")


def _metrics(row: Mapping[str, Any], where: str) -> list[str]:
    """The metrics of a row; older versions of lm-eval do not list them."""
    listed = row.get("metrics", [name for name in ("exact_match", "acc") if name in row])
    if not isinstance(listed, list) or not listed or not all(isinstance(m, str) and m in row for m in listed):
        raise UsageError(f"{where}: 'metrics' must name the metrics of the row. Is it a file of lm-eval --log_samples?")
    return listed


def _choose(name: str, metrics: list[str], score: str) -> tuple[str, str] | None:
    found = next((metric for metric in metrics if score in ("", name, metric, f"{name}/{metric}")), None)
    return None if found is None else (name, found)


def _taken(filtered: Any) -> Any:
    """What a filter took for the answer, "" where it found none."""
    one = filtered[0] if isinstance(filtered, list) and len(filtered) == 1 else filtered
    return "" if one == NOTHING else one


def _first_argument(arguments: Any) -> Any:
    """The prompt: the first argument of the first request, as a list or under the names that lm-eval gives them."""
    prompt = at(arguments, "gen_args_0.arg_0")
    prompt = at(arguments, "0.0") if prompt is MISSING else prompt
    return prompt if isinstance(prompt, str) else None


def _model(path: Path) -> str:
    """lm-eval keeps a model's files in a folder named after it, the results beside the samples."""
    *_, stamp = path.stem.split("_")
    return path.parent.name.rpartition("__")[2] if (path.parent / f"results_{stamp}.json").is_file() else ""


LM_EVAL = Layout(
    rows=_rows,
    fields={
        "question": ("doc.question", "doc.problem", "doc.input", "doc.query"),
        "gold": ("target",),
        "text": ("text",),
        "id": ("doc_id",),
        "verdict": ("verdict",),
        "answer": ("extracted",),
        "prompt": ("prompt",),
    },
    model=_model,
    files=lambda folder: sorted(folder.rglob("samples_*.jsonl")),
)
