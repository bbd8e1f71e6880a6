"""Results as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def printable(text: str) -> str:
    """Text of a model with every control character but newline and tab shown as an escape: terminals obey them."""
    return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)


def align(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns, the first column left, the others right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table, the first row its head."""
    head, *body = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


def scoreboard(results: Mapping[str, Any]) -> str:
    """One table for each dataset: a row for each model with accuracy and its 95 % interval."""
    tables = []
    for dataset in results["datasets"]:
        in_looks = dataset["name"] == (results.get("sequential") or {}).get("dataset")
        interval = "95 % sequential CI" if in_looks else "95 % CI"
        head = [f"{dataset['name']} (n = {dataset['n']})", "accuracy", interval, "in format", "cut", "tokens"]
        rows = [head]
        for row in dataset["scores"]:
            texts = max(1, row["n"] * row["samples"])
            rows.append(
                [
                    row["model"],
                    f"{100 * row['accuracy']:.1f} %",
                    f"{100 * row['low']:.1f} to {100 * row['high']:.1f}",
                    f"{100 * row['in_format'] / texts:.0f} %" if dataset["answer_format"] else "-",
                    f"{100 * row['truncated'] / texts:.0f} %",
                    f"{row['tokens_mean']:.0f}",
                ]
            )
        tables.append(align(rows))
    return "\n\n".join(tables)
