"""A comparison of runs as plain text for the terminal, and as Markdown. Names in it may be a stranger's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mra_bench.report.headline import verdict_view
from mra_bench.tables import align, markdown, printable, scoreboard
from mra_bench.verdict import ALPHA, p_digits, points

Row = Mapping[str, Any]
SHOWN = 30  # pairs of a dataset in the terminal
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#&~])")


def text_of(results: Row) -> str:
    """Banner, verdict, warnings and tables, for a person at a terminal."""
    compared = results["compared"]
    lines = [f"{compared['banner']}."] if compared["banner"] else []
    lines += _verdict(results)
    lines += [f"Warning: {warning['text']}" for warning in results["warnings"]]
    lines += [f"Left out: {line}." for line in compared["left_out"]]
    tables = [scoreboard(results), *(align(_shown(dataset)) for dataset in results["datasets"])]
    return printable("\n".join(lines) + "\n\n" + "\n\n".join(tables))


def _verdict(results: Row) -> Iterator[str]:
    """Its sentences, where they are many put together as at the top of the page."""
    view = verdict_view(results)
    for lead, figures in view["lines"]:
        yield f"Verdict: {lead} {figures}".rstrip()
    if view["all"]:
        yield f"Verdict: {len(view['all'])} comparisons in all; the table has each"


def _shown(dataset: Row) -> list[list[str]]:
    head, *rows = pair_table(dataset)
    more = len(rows) - SHOWN
    left = [[f"... and {more:,} more (--json or --out for all, --model for fewer)", *[""] * (len(head) - 1)]]
    return [head, *rows] if more <= 0 else [head, *rows[:SHOWN], *left]


def pair_table(dataset: Row) -> list[list[str]]:
    """A head and a row for each pair of models: difference in points, interval, wins, losses, p and what it says."""
    count = len(dataset["pairs"])
    head = [f"{dataset['name']}: points", "difference", "95 % CI", "wins", "losses", "p", f"p Holm ({count})", ""]
    return [head, *map(_pair, dataset["pairs"])]


def _pair(row: Row) -> list[str]:
    interval = f"{points(row['low'])} to {points(row['high'])}"
    counts = (str(row["wins"]), str(row["losses"]))
    name = f"{row['b']} over {row['a']}"
    return [name, points(row["difference"], sign=True), interval, *counts, _p(row["p"]), _p(row["p_holm"]), _says(row)]


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else p_digits(p)


def _says(row: Row) -> str:
    if row["p_holm"] >= ALPHA or row["difference"] == 0:
        return "not told apart"
    return "better" if row["difference"] > 0 else "worse"


def markdown_of(results: Row) -> str:
    """The same as Markdown, with the runs and their conditions."""
    compared = results["compared"]
    parts = [f"# {escaped(results['run']['name'])}"]
    if compared["banner"]:
        parts.append(f"> **{escaped(compared['banner'])}.**")
    parts += _list("", results["verdict"])
    parts += _list("Before you read the figures", [warning["text"] for warning in results["warnings"]])
    for dataset in results["datasets"]:
        parts += [f"## {escaped(dataset['name'])}", _table(_scores(dataset)), _table(pair_table(dataset))]
    parts += ["## Runs", _table(_runs(compared)), "## Same conditions?", _table(condition_table(compared))]
    parts += _list("Left out", compared["left_out"])
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text in which nothing is Markdown or HTML, on one line."""
    return _MARKUP.sub(r"\\\1", printable(text).replace("\n", " "))


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines and title:
        yield f"## {title}"
    if lines:
        yield "\n".join(f"- {escaped(line)}" for line in lines)


def _table(rows: Sequence[Sequence[str]]) -> str:
    return markdown([[escaped(cell) for cell in row] for row in rows])


def _scores(dataset: Row) -> list[list[str]]:
    head = [f"n = {dataset['n']}", "accuracy", "95 % CI", "tokens"]
    return [head] + [
        [
            row["model"],
            f"{points(row['accuracy'])} %",
            f"{points(row['low'])} to {points(row['high'])}",
            f"{row['tokens_mean']:.1f}",
        ]
        for row in dataset["scores"]
    ]


def _runs(compared: Row) -> list[list[str]]:
    rows = [[run["label"], run["name"], str(run["seed"]), run["fingerprint"][:12]] for run in compared["runs"]]
    return [["run", "recipe", "seed", "fingerprint"], *rows]


def condition_table(compared: Row) -> list[list[str]]:
    """A head and a row for each condition: whether it is the same, and what each run has."""
    labels = [run["label"] for run in compared["runs"]]
    rows = [
        [check["what"], "yes" if check["same"] else "NO", *(check["values"].get(label, "") for label in labels)]
        for check in compared["conditions"]
    ]
    return [["condition", "same?", *labels], *rows]
