"""How the files of other tools are laid out: rows, and where in a row question, gold, text and verdict stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.imports.files import eval_samples, json_file, rows_of
from mra_bench.imports.values import MISSING, at, gold_of, text_of, verdict_of, whole_text
from mra_bench.types import LENGTH, STOP

FIELDS = ("question", "gold", "text", "id", "verdict", "answer", "prompt", "model", "finish")
SCORE = " score"  # no tool has such a column
ENDED = {"length", "max_tokens", "model_length"}  # what tools call a text that was cut at its length limit


@dataclass(frozen=True)
class ImportedText:
    """One text of another tool's file, and what the file says of it.

    where: the line or file it stands in. question: "" where only a prompt is known; prompt: the whole of it, or "".
    gold, correct, answer: the tool's gold answer, verdict and extracted answer, None where it has none. model: "" where
    the file names none. score: what the tool calls the score that is its verdict, "" where it has one only.
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


@dataclass(frozen=True)
class Layout:
    """rows: the rows of a file, told which score counts ("" for the first); under `SCORE` they say which that is.
    fields: for each of `FIELDS` the paths at which it may stand, the first that is there counts."""

    rows: Callable[[Path, str], Iterator[Located]]
    fields: Mapping[str, tuple[str, ...]]


def read_texts(path: Path, layout: str, fields: Mapping[str, str], score: str = "") -> Iterator[ImportedText]:
    """The texts of a file of another tool, in its order, streaming. `fields`: paths that replace those of the layout;
    `score`: which of the tool's scores is its verdict. Raises UsageError naming file and line."""
    if layout not in LAYOUTS:
        raise unknown("format", layout, LAYOUTS, where="in --from")
    if not path.is_file():
        raise UsageError(f"No such file: '{path}'." if not path.exists() else f"'{path}' is a folder; name its files.")
    used = LAYOUTS[layout]
    paths = {name: (fields[name],) if name in fields else used.fields.get(name, ()) for name in FIELDS}
    count = 0
    for where, row in used.rows(path, score):
        count += 1
        yield _text(row, where, paths, fields)
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
    _no_score(score)
    yield from rows_of(path)


def _no_score(score: str) -> None:
    if score:
        raise UsageError(
            f"--score {score}: this format has one verdict in a row; name its column: --field verdict=PATH"
        )


def _lm_eval(path: Path, score: str) -> Iterator[Located]:
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
        filtered = row.get("filtered_resps")
        one = len(texts) == 1  # a verdict is about all repeats of a document, so of several no text has one
        said = {"verdict": row[chosen[1]] if one else None, "extracted": filtered if one else None}
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


def _first_argument(arguments: Any) -> Any:
    """The prompt: the first argument of the first request, as a list or under the names that lm-eval gives them."""
    prompt = at(arguments, "gen_args_0.arg_0")
    prompt = at(arguments, "0.0") if prompt is MISSING else prompt
    return prompt if isinstance(prompt, str) else None


def _inspect(path: Path, score: str) -> Iterator[Located]:
    """The samples of a log of inspect, an .eval archive or JSON; `score` is the name of a scorer."""
    if path.suffix.lower() == ".json":
        log = json_file(path)
        samples = log.get("samples")
        if not isinstance(log.get("eval"), dict) or not isinstance(samples, list) or not samples:
            raise UsageError(f"{path} has no 'eval' and 'samples', so it is no log of inspect with samples")
        located: Iterator[Located] = ((f"{path}, sample {n}", sample) for n, sample in enumerate(samples, start=1))
    else:
        located = eval_samples(path)
        _, log = next(located)
    model = at(log, "eval.model")
    for where, sample in located:
        if not isinstance(sample, dict):
            raise UsageError(f"{where}: a sample is an object, got {type(sample).__name__}")
        scores = sample.get("scores") or {}
        if not isinstance(scores, dict) or (score and score not in scores):
            there = ", ".join(map(str, scores)) or "none"
            raise UsageError(f"{where}: no scorer '{score}'. There are: {there}")
        scorer = score or next(iter(scores), "")
        attached = sample.get("attachments")
        text = _attached(_content(sample), attached)
        more = {
            "text": text,
            "score": scores.get(scorer),
            SCORE: scorer,
            "model": model,
            "input": _attached(sample.get("input"), attached),
        }
        yield where, {**sample, **more}


def _content(sample: Mapping[str, Any]) -> Any:
    """What the model wrote; a sample that failed has no text."""
    content = at(sample, "output.choices.0.message.content")
    if content is MISSING:
        content = at(sample, "output.completion")
    return "" if content is MISSING or content == [] else content


def _attached(value: Any, attachments: Any) -> Any:
    """A text that inspect keeps apart, under its hash."""
    prefix = "attachment://"
    if isinstance(value, str) and value.startswith(prefix) and isinstance(attachments, dict):
        return attachments.get(value.removeprefix(prefix), value)
    return value


def _evalscope(path: Path, score: str) -> Iterator[Located]:
    """Rows of reviews, or of predictions, which have neither gold nor verdict; `score` is the name of a metric."""
    for where, row in rows_of(path):
        values = at(row, "sample_score.score.value")
        if values is MISSING:
            _no_score(score)
            yield where, row
            continue
        main = at(row, "sample_score.score.main_score_name")
        named = score or (main if isinstance(main, str) else "")
        if isinstance(values, dict) and values:
            if score and score not in values:
                raise UsageError(f"{where}: no metric '{score}'. There are: {', '.join(map(str, values))}")
            named = named if named in values else next(iter(values))
            values = values[named]
        yield where, {**row, "verdict": values, SCORE: named}


def _openai_gsm8k(path: Path, score: str) -> Iterator[Located]:
    """Rows of one system, or those that OpenAI published: a column for each of four systems, a row for each here."""
    _no_score(score)
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
    "lm-eval": Layout(
        _lm_eval,
        {
            "question": ("doc.question", "doc.problem", "doc.input", "doc.query"),
            "gold": ("target",),
            "text": ("text",),
            "id": ("doc_id",),
            "verdict": ("verdict",),
            "answer": ("extracted",),
            "prompt": ("prompt",),
        },
    ),
    "inspect": Layout(
        _inspect,
        {
            "question": ("input",),
            "gold": ("target",),
            "text": ("text",),
            "id": ("id",),
            "verdict": ("score.value",),
            "answer": ("score.answer",),
            "prompt": ("input",),
            "model": ("model",),
            "finish": ("output.choices.0.stop_reason",),
        },
    ),
    "evalscope": Layout(
        _evalscope,
        {
            "question": ("input", "messages.0.content"),
            "gold": ("target",),
            "text": ("sample_score.score.prediction", "model_output.choices.0.message.content"),
            "id": ("sample_score.group_id", "index"),
            "verdict": ("verdict",),
            "answer": ("sample_score.score.extracted_prediction",),
            "prompt": ("input", "messages.0.content"),
            "model": ("model",),
            "finish": ("model_output.choices.0.stop_reason", "model_output.choices.0.finish_reason"),
        },
    ),
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


def renamed(text: ImportedText, model: str) -> ImportedText:
    """The text as one of another model."""
    return dataclasses.replace(text, model=model)
