"""What `mra-bench grade` prints: accuracies, tables of agreement, and the texts on which verdicts differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mra_bench.tables import align, printable

SHOWN = 160  # characters of an answer or reason on a line
WORDS = {True: "correct", False: "wrong", None: "not judged"}


def samples_text(data: Mapping[str, Any]) -> str:
    """The summary of graded samples."""
    columns = ", ".join(f"{part} {name!r}" for part, name in data["columns"].items() if name is not None)
    head = f"{data['n']:,} texts of {data['file']} ({columns})"
    parts = [head, align([_HEAD, *map(_row, data["graders"])]), "\n".join(map(_kinds, data["graders"]))]
    if any(row["low"] is None for row in data["graders"]):
        parts.append("No interval: the ids come unequally often, and texts of one problem are not independent.")
    if labelled := [row for row in data["graders"] if "labels" in row]:
        parts += [align([_LABEL_HEAD, *map(_label_row, labelled)]), *_listed("Not as labelled", data["mislabelled"])]
    for table in data["agreement"]:
        parts.append(agreement_text(table, table["first"], table["second"]))
    if "disagreements" in data:
        parts += _disagreements(data["disagreements"])
    if data["out"]:
        parts.append(f"Verdicts: {data['out']}")
    return printable("\n\n".join(parts))


def run_text(data: Mapping[str, Any]) -> str:
    """The run's own figures beside those of the added graders."""
    parts = []
    for grader in data["graders"]:
        for dataset in grader["datasets"]:
            head = [f"{dataset['dataset']} (n = {dataset['n']})", "the run's", "95 % CI", grader["grader"], "95 % CI"]
            head += ["both", "run's only", "added only", "neither", "not judged", "kappa"]
            parts.append(align([head, *map(_beside, dataset["scores"])]))
    own = data["grader"]
    parts.append(f"The run's own grader is {own['name']} {own['version']}; its results and report are unchanged.")
    for row in data["unscored"]:
        added = ", ".join(f"{name} {count:,}" for name, count in row["added"].items())
        parts.append(
            f"{row['texts']}: {row['n']:,} texts that pairs were made from, in no score. "
            f"Correct by the run's grader {row['own']:,}, by {added}."
        )
    parts += _disagreements(data["disagreements"])
    parts.append(f"Verdicts: {', '.join(data['folders'])}")
    return printable("\n\n".join(parts))


_HEAD = ("grader", "correct", "wrong", "not judged", "accuracy", "95 % CI")
_LABEL_HEAD = ("against the labels", "texts", "agree", "false positives", "false negatives", "not judged")


def _row(row: Mapping[str, Any]) -> list[str]:
    interval = _interval(row) if row["low"] is not None else "-"
    counts = [f"{row[key]:,}" for key in ("correct", "wrong", "not_judged")]
    return [row["grader"], *counts, _percent(row["accuracy"]), interval]


def _kinds(row: Mapping[str, Any]) -> str:
    return f"{row['grader']}: " + ", ".join(f"{count:,} {kind}" for kind, count in row["kinds"].items())


def _label_row(row: Mapping[str, Any]) -> list[str]:
    labels = row["labels"]
    agree = f"{labels['agree']:,} ({_percent(labels['agreement'])})"
    counts = [f"{labels[key]:,}" for key in ("false_positives", "false_negatives", "not_judged")]
    return [row["grader"], f"{labels['n']:,}", agree, *counts]


def _beside(row: Mapping[str, Any]) -> list[str]:
    table = row["agreement"]
    cells = [f"{table[key]:,}" for key in ("both", "headline_only", "other_only", "neither", "not_judged")]
    figures = [_percent(row["own"]["accuracy"]), _interval(row["own"]), _percent(row["accuracy"]), _interval(row)]
    return [row["model"], *figures, *cells, _kappa(table["kappa"])]


def agreement_text(table: Mapping[str, Any], first: str, second: str) -> str:
    """Two graders' verdicts as a square table."""
    rows = [
        [f"{first} \\ {second}", "correct", "wrong"],
        ["correct", f"{table['both']:,}", f"{table['first_only']:,}"],
        ["wrong", f"{table['second_only']:,}", f"{table['neither']:,}"],
    ]
    tail = f"Not judged by one or both: {table['not_judged']:,}. Cohen's kappa of the others: {_kappa(table['kappa'])}"
    return f"{align(rows)}\n{tail}"


def _disagreements(data: Mapping[str, Any]) -> list[str]:
    if not data["count"]:
        return ["The graders disagree on no text."]
    shown = f", the first {len(data['shown'])} of them" if len(data["shown"]) < data["count"] else ""
    return _listed(f"Disagreements: {data['count']:,} texts{shown}", data["shown"])


def _listed(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return ["\n".join([title, *(line for row in rows for line in _lines(row))])] if rows else []


def _lines(row: Mapping[str, Any]) -> Iterable[str]:
    where = " ".join(str(row[key]) for key in ("dataset", "model") if key in row)
    sample = f" sample {row['sample']}" if "sample" in row else ""
    label = f", labelled {WORDS[row['label']]}" if "label" in row else ""
    yield f"  {where}{where and ' '}{row['id']}{sample}: gold {_short(row['gold'])}{label}"
    for verdict in row["verdicts"]:
        said = WORDS[verdict["correct"]]
        kind = f" ({verdict['kind']})" if verdict["kind"] not in ("correct", "wrong") else ""
        yield f"    {verdict['grader']}: {said}{kind}. {_short(verdict['reason'])}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 3] + "..."


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(row: Mapping[str, Any]) -> str:
    return f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"


def _kappa(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
