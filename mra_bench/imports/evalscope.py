"""Reviews and predictions of evalscope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError
from mra_bench.imports.files import rows_of
from mra_bench.imports.layout import SCORE, Layout, asked, last_question, no_score
from mra_bench.imports.values import MISSING, at

REVIEWS, PREDICTIONS = "reviews", "predictions"  # KIND/MODEL/DATASET_SUBSET.jsonl
ENDS = ("model_output.choices.0.stop_reason", "model_output.choices.0.finish_reason")


def _rows(path: Path, score: str) -> Iterator[Located]:
    """Rows of reviews, or of predictions, which have neither gold nor verdict; `score` is the name of a metric. How a
    text ended stands only in the predictions, which are read too where they lie beside the reviews."""
    ends = _ends(path)
    for where, row in rows_of(path):
        before = asked(row.get("messages"))
        conversation = {"prompt": before, "question": last_question(before, where)} if before else {}
        end = {"finish": ends[row["index"]]} if isinstance(row.get("index"), int) and row["index"] in ends else {}
        yield where, {**row, **conversation, **end, **_verdict(row, score, where)}


def _verdict(row: Mapping[str, Any], score: str, where: str) -> dict[str, Any]:
    """The value of the metric that counts: the one named, else the main one."""
    values = at(row, "sample_score.score.value")
    if values is MISSING:
        no_score(score)
        return {}
    main = at(row, "sample_score.score.main_score_name")
    named = score or (main if isinstance(main, str) else "")
    if isinstance(values, dict) and values:
        if score and score not in values:
            raise UsageError(f"{where}: no metric '{score}'. There are: {', '.join(map(str, values))}")
        named = named if named in values else str(next(iter(values)))
        values = values[named]
    return {"verdict": values, SCORE: named}


def _ends(path: Path) -> dict[int, Any]:
    """How each text of a file of reviews ended, by its index in the predictions."""
    kind, model = _place(path)
    predictions = path.absolute().parents[2] / PREDICTIONS / model / path.name if kind == REVIEWS else path
    if predictions == path or not predictions.is_file():
        return {}
    rows = (row for _, row in rows_of(predictions) if isinstance(row.get("index"), int))
    return {row["index"]: at(row, ENDS[0]) for row in rows if at(row, ENDS[0]) is not MISSING}


def _place(path: Path) -> tuple[str, str]:
    """In which kind of folder a file lies, and of which model; both "" where evalscope did not put it there."""
    *_, kind, model, _ = ("", "", *path.absolute().parts)
    return (kind, model) if kind in (REVIEWS, PREDICTIONS) else ("", "")


def _files(folder: Path) -> list[Path]:
    """The reviews in an output folder of evalscope, in its ``reviews`` or in that of one model."""
    for pattern in (f"{REVIEWS}/*/*.jsonl", "*/*.jsonl", "*.jsonl"):
        if found := sorted(path for path in folder.glob(pattern) if _place(path)[0] == REVIEWS):
            return found
    return []


EVALSCOPE = Layout(
    rows=_rows,
    fields={
        "question": ("question", "input"),
        "gold": ("target",),
        "text": ("sample_score.score.prediction", "model_output.choices.0.message.content"),
        "id": ("sample_score.group_id", "index"),
        "verdict": ("verdict",),
        "answer": ("sample_score.score.extracted_prediction",),
        "prompt": ("prompt", "input"),
        "model": ("model",),
        "finish": ("finish", *ENDS),
    },
    model=lambda path: _place(path)[1],
    files=_files,
    together=True,
)
