"""How the files of other tools are laid out: rows, and where in a row question, gold, text and verdict stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located, no_such_file
from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.imports.evalscope import EVALSCOPE
from mra_bench.imports.files import rows_of
from mra_bench.imports.inspect import INSPECT
from mra_bench.imports.layout import ENDED, FAILED, SCORE, Layout, no_score
from mra_bench.imports.lm_eval import LM_EVAL
from mra_bench.imports.values import MISSING, at, gold_of, text_of, verdict_of, whole_text
from mra_bench.types import LENGTH, STOP

FIELDS = ("question", "gold", "text", "id", "verdict", "answer", "prompt", "model", "finish")
NAMED = 5  # files, in a message


@dataclass(frozen=True)
class ImportedText:
    """One text of another tool's file, and what the file says of it.

    where: the line or file it stands in. question: "" where only a prompt is known; prompt: the whole of it, or "".
    gold, correct, answer: the tool's gold answer, verdict and extracted answer, None where it has none. model: "" where
    the file names none. score: what the tool calls the score that is its verdict, "" where it has one only. failed: why
    the tool has no text of the model, "" where it has one.
    """

    where: str
    question: str
    text: str
    gold: str | None = None
    id: str = ""
    correct: bool | None = None
    answer: str | None = None
    prompt: str = ""
    finish: str = STOP
    model: str = ""
    score: str = ""
    failed: str = ""


def layout_of(name: str) -> Layout:
    """The layout of a tool's files. Raises UsageError for a tool that is not known."""
    if name not in LAYOUTS:
        raise unknown("format", name, LAYOUTS, where="in --from")
    return LAYOUTS[name]


def files_of(path: Path, layout: str) -> list[Path]:
    """The file itself; of a folder the files of results in it. Raises UsageError where there is none, and for a folder
    of several results, naming some of them."""
    if path.is_file():
        return [path]
    if not path.exists():
        raise UsageError(no_such_file(path))
    used = layout_of(layout)
    found = used.files(path)
    if not found:
        raise UsageError(f"'{path}' is a folder in which no results of {layout} are known; name its files.")
    if len(found) > 1 and not used.together:
        named = ", ".join(map(str, found[:NAMED])) + (", ..." if len(found) > NAMED else "")
        raise UsageError(f"'{path}' is a folder of {len(found):,} results; name those that are meant: {named}")
    return found


def read_texts(path: Path, layout: str, fields: Mapping[str, str], score: str = "") -> Iterator[ImportedText]:
    """The texts of a file of another tool, in its order, streaming. `fields`: paths that replace those of the layout;
    `score`: which of the tool's scores is its verdict. Raises UsageError naming file and line."""
    used = layout_of(layout)
    paths = {name: (fields[name],) if name in fields else used.fields.get(name, ()) for name in FIELDS}
    count = 0
    for where, row in used.rows(path, score):
        count += 1
        text = _text(row, where, paths, fields)
        yield text if text.model else dataclasses.replace(text, model=used.model(path))
    if not count:
        raise UsageError(f"{path} holds no texts")


def _text(row: Mapping[str, Any], where: str, paths: Mapping[str, tuple[str, ...]], named: Any) -> ImportedText:
    found = {name: _found(row, where, name, paths[name], name in named) for name in FIELDS}
    if found["text"] is MISSING:
        raise UsageError(f"{where}: no text at {' or '.join(paths['text'])}. Say where: --field text=PATH.{_has(row)}")
    known = {name: value for name, value in found.items() if value is not MISSING and value is not None}
    question = text_of(known["question"], "question", where) if "question" in known else ""
    prompt = known.get("prompt", known.get("question", ""))
    return ImportedText(
        where=where,
        question=question,
        text="" if found["text"] is None else text_of(found["text"], "text", where),
        gold=gold_of(known.get("gold"), where),
        id=text_of(known["id"], "id", where) if "id" in known else "",
        correct=verdict_of(known.get("verdict"), where),
        answer=_short(known.get("answer"), where),
        prompt=whole_text(prompt, "prompt", where) if prompt else "",
        finish=LENGTH if known.get("finish") in ENDED else STOP,
        model=text_of(known["model"], "model", where) if "model" in known else "",
        score=str(row.get(SCORE, "")),
        failed=str(row.get(FAILED, "")),
    )


def _found(row: Mapping[str, Any], where: str, name: str, paths: tuple[str, ...], named: bool) -> Any:
    for path in paths:
        if (value := at(row, path)) is not MISSING:
            return value
    if named:
        raise UsageError(f"{where}: nothing stands at '{paths[0]}' (--field {name}={paths[0]}).{_has(row, paths[0])}")
    return MISSING


def _has(row: Mapping[str, Any], wanted: str = "text") -> str:
    close = nearest(wanted, map(str, row))
    return f"{f' Is it {close!r}?' if close else ''} The row has: {', '.join(map(str, row))[:300] or 'nothing'}."


def _short(value: Any, where: str) -> str | None:
    """An extracted answer; a list of one is that one, what is no text at all is none."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    return text_of(value, "extracted answer", where) if isinstance(value, str | int | float) else None


def _plain(path: Path, score: str) -> Iterator[Located]:
    no_score(score)
    yield from rows_of(path)


def _openai_gsm8k(path: Path, score: str) -> Iterator[Located]:
    """Rows of one system, or those that OpenAI published: a column for each of four systems, a row for each here."""
    no_score(score)
    for where, row in rows_of(path):
        systems = {name: cell for name, cell in row.items() if isinstance(cell, dict) and "solution" in cell}
        if not systems:
            yield where, row
        for name, cell in systems.items():
            own = {"model": name, "response": cell["solution"], "upstream_correct": cell.get("is_correct")}
            yield where, {"question": row.get("question"), "gold": row.get("ground_truth"), **own}


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "problem"),
    "gold": ("gold", "gold_answer", "expected_answer", "ground_truth", "reference", "target"),
    "text": ("text", "completion", "response", "prediction", "output", "generation", "generated_text"),
    "id": ("id", "problem_id", "unique_id", "uid", "idx", "qid"),
    "verdict": ("verdict", "correct", "is_correct", "upstream_correct", "label"),
    "answer": ("extracted", "extracted_answer", "pred", "upstream_pred"),
    "prompt": ("prompt",),
    "finish": ("finish", "finish_reason", "stop_reason"),
}
LAYOUTS: Mapping[str, Layout] = {
    "lm-eval": LM_EVAL,
    "inspect": INSPECT,
    "evalscope": EVALSCOPE,
    "openai-gsm8k": Layout(
        _openai_gsm8k,
        {
            "question": ("question",),
            "gold": ("gold",),
            "text": ("response",),
            "id": ("qid",),
            "verdict": ("upstream_correct",),
            "model": ("model",),
        },
    ),
    "jsonl": Layout(_plain, _COLUMNS),
}
