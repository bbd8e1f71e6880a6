"""What the templates show of how models came to be: training curves, pairs and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.compute import amount, since_common
from mra_bench.likelihood import CHOSEN, REJECTED, likelihood_sentences
from mra_bench.report.charts import line_chart, thin
from mra_bench.report.data import RunData

# (title, {field of the training log: label at its curve})
CURVES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("Loss", {"loss": ""}),
    ("Held-out loss", {"eval_loss": ""}),
    ("Share of tokens predicted right", {"mean_token_accuracy": ""}),
    ("Log-probability of the answers", {"logps/chosen": "chosen", "logps/rejected": "rejected"}),
    ("Reward of the answers", {"rewards/chosen": "chosen", "rewards/rejected": "rejected"}),
    ("Reward margin, chosen over rejected", {"rewards/margins": ""}),
    ("Share of pairs ranked right", {"rewards/accuracies": ""}),
    ("Mean reward", {"reward": ""}),
    ("Distance from the reference model (KL)", {"kl": ""}),
)

MEMORY = ("memory", "accelerator_memory")  # fields of timings.jsonl
WORK = {  # folder of a run -> what was done to fill it
    "problems": "Reading problems",
    "completions": "Generating",
    "grades": "Grading",
    "models": "Training",
    "pairs": "Building pairs",
}


def training_view(training: Mapping[str, Any]) -> dict[str, Any]:
    """One trained model: its charts, and its log as a table of the fields that have numbers."""
    log = training.get("log") or []
    charts = [chart for title, names in CURVES if (chart := line_chart(title, log, names))]
    drawn = [name for _, names in CURVES for name in names if any(name in row for row in log)]
    extra = [name for name in ("learning_rate", "grad_norm") if any(name in row for row in log)]
    kept = [row for row in log if any(name in row for name in drawn)]
    facts = training.get("facts") or {}
    said = likelihood_sentences(facts)
    hidden = {"dev_epochs", *((CHOSEN, REJECTED) if said else ())}
    return {
        "model": training["model"],
        "trainer": training.get("trainer") or "",
        "facts": {name: fact for name, fact in facts.items() if name not in hidden},
        "chosen": training.get("chosen"),
        "likelihoods": said,
        "charts": charts,
        "fields": [*drawn, *extra],
        "rows": thin(kept),
        "steps": len(log),
        "unsound": sorted(_unsound(log)),
        "short_end": _short_end(kept),
    }


def _short_end(rows: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """Steps behind the last record and behind the one before it, where the last is an average over fewer."""
    steps = sorted({int(row["step"]) for row in rows if isinstance(row.get("step"), int | float)})[-3:]
    if len(steps) < 3:
        return None
    usual, last = steps[1] - steps[0], steps[2] - steps[1]
    return (last, usual) if last < usual else None


def _unsound(log: Sequence[Mapping[str, Any]]) -> set[str]:
    """Fields that held something that is not a finite number at some step."""
    found = set()
    for row in log:
        for name, value in row.items():
            if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
                found.add(name)
    return found


def timings_view(run: RunData) -> dict[str, Any]:
    """Seconds and tokens of each stage, summed over its parts (a resumed stage has several), and their totals; of peak
    memory the largest. "memory": which of its fields are known at all."""
    stages: dict[str, dict[str, Any]] = {}
    for row in run.timings:
        seconds, tokens = row.get("seconds"), row.get("tokens")
        empty = {"seconds": 0.0, "tokens": 0, "parts": 0, **dict.fromkeys(MEMORY, 0)}
        stage = stages.setdefault(str(row.get("stage", "")), empty)
        stage["seconds"] += float(seconds or 0)
        stage["tokens"] += int(tokens or 0)
        stage["parts"] += 1
        for key in MEMORY:
            stage[key] = max(stage[key], int(row.get(key) or 0))
    total = sum(stage["seconds"] for stage in stages.values())
    rows = [
        {"stage": name, **stage, "share": stage["seconds"] / total if total else 0} for name, stage in stages.items()
    ]
    kinds: dict[str, dict[str, Any]] = {}
    for row in rows:
        folder = row["stage"].split("/")[0]
        name = WORK.get(folder, folder)
        empty = {"name": name, "seconds": 0.0, "tokens": 0, "share": 0.0, **dict.fromkeys(MEMORY, 0)}
        kind = kinds.setdefault(name, empty)
        for key in ("seconds", "tokens", "share"):
            kind[key] += row[key]
        for key in MEMORY:
            kind[key] = max(kind[key], row[key])
    tokens = sum(stage["tokens"] for stage in stages.values())
    memory = [key for key in MEMORY if any(row[key] for row in rows)]
    return {"rows": rows, "kinds": list(kinds.values()), "seconds": total, "tokens": tokens, "memory": memory}


def making_view(run: RunData) -> list[dict[str, Any]]:
    """What each trained model took since its parent, with the time of all its stages, and since the run's own start."""
    seconds: dict[str, float] = {}
    for row in run.timings:
        stage = str(row.get("stage", ""))
        seconds[stage] = seconds.get(stage, 0.0) + float(row.get("seconds") or 0)
    models = run.results.get("models") or ()
    rows = []
    for model in models:
        made = model.get("making")
        if made:
            whole = _since_start(models, model["name"])
            rows.append(
                {
                    **made,
                    "model": model["name"],
                    "parent": model["from"],
                    "compute": "not known" if made["operations"] is None else amount(made["operations"]),
                    "whole": "not known" if whole is None else amount(whole),
                    "seconds": _sum_known(seconds, made["stages"]),
                }
            )
    return rows


def _sum_known(seconds: Mapping[str, float], stages: Sequence[str]) -> float | None:
    """The time of the stages, None where none of them has one."""
    known = [seconds[stage] for stage in stages if stage in seconds]
    return sum(known) if known else None


def _since_start(models: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Operations since the model that the run was given, which `name` comes from."""
    parents = {model["name"]: model["from"] for model in models}
    first = name
    while parents.get(first):
        first = parents[first]
    return since_common(models, name, first)[0]
