"""How `run` and `report` say what a run ended with: for a person, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mra_bench.repeated import repeated_sentences
from mra_bench.tables import printable


def outcome_data(report: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Where the report and results are, the verdict, what repetitions show, and the warnings."""
    repeated = repeated_sentences(results)
    return {
        **({"repeated": repeated} if repeated else {}),
        "report": str(report),
        "results": str(report.with_name("results.json")),
        "verdict": results["verdict"],
        "warnings": [warning["text"] for warning in results["warnings"]],
        "warning_kinds": [warning["kind"] for warning in results["warnings"]],
        "recipe": results["run"]["name"],
    }


def nothing_judged(results: Mapping[str, Any]) -> bool:
    """Whether the first grader could not judge a single text of any model on the dataset that the verdict is about."""
    from mra_bench.verdict import judged

    scores = [row for dataset in results["datasets"] if dataset["headline"] for row in dataset["scores"]]
    return bool(scores) and not any(judged(row) for row in scores)


def outcome_lines(report: Path, results: Mapping[str, Any]) -> list[str]:
    """Verdict, what repetitions show, warnings and the report's path. A warning may quote a plugin, so it is made safe
    for a terminal."""
    lines = [f"Verdict: {line}" for line in results["verdict"]]
    lines += [f"Repeated: {line}" for line in repeated_sentences(results)]
    lines += [f"Warning: {warning['text']}" for warning in results["warnings"]]
    return [*map(printable, lines), "", f"Report: {report}"]
