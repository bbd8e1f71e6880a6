"""What a plan will cost: texts, tokens, arithmetic and disk. Upper bounds where only the run can tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mra_bench.errors import UsageError
from mra_bench.plan import GenerateWork, Plan, ProblemSet, Stage, TrainWork
from mra_bench.stages import size_of

BYTES_PER_TOKEN = 5  # of stored text, JSON included
BYTES_PER_ROW = 400  # of a problem, a grade or a completion's other fields
FREE_MARGIN = 64 * 2**20
FP32 = 4


@dataclass(frozen=True)
class Cost:
    """Of one stage. `tokens`: generated at most; `flops`: 2 x parameters x tokens; `disk`: bytes, with checkpoints."""

    amount: int
    unit: str
    tokens: int
    flops: float
    disk: int


def stage_cost(stage: Stage) -> Cost:
    """An estimate for one stage from its plan alone. Training steps are known to the trainer only, so tokens are 0."""
    amount, unit = size_of(stage)
    work = stage.work
    if isinstance(work, GenerateWork):
        tokens = amount * work.decoding.max_new_tokens
        parameters = work.model.weight_bytes / FP32
        return Cost(amount, unit, tokens, 2 * parameters * tokens, tokens * BYTES_PER_TOKEN + amount * BYTES_PER_ROW)
    if isinstance(work, TrainWork):
        # weights saved once, and while training up to two checkpoints of weights and two Adam moments each in fp32
        return Cost(len(work.problems.problems), "problems", 0, 0.0, 7 * work.parent.weight_bytes)
    if isinstance(work, ProblemSet):
        return Cost(amount, unit, 0, 0.0, sum(len(p.question) + len(p.solution or "") + 200 for p in work.problems))
    return Cost(amount, unit, 0, 0.0, amount * BYTES_PER_ROW)


def total_disk(stages: Iterable[Stage]) -> int:
    """Bytes that the stages may need at most, all together."""
    return sum(stage_cost(stage).disk for stage in stages)


def check_disk(plan: Plan, pending: Iterable[Stage], out: Path) -> None:
    """Raises UsageError when the disk under `out` is too small for the stages still to run."""
    need = total_disk(pending) + FREE_MARGIN
    folder = next(p for p in (out.resolve(), *out.resolve().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if free < need:
        raise UsageError(
            f"The disk under {folder} has {size(free)} free; the run '{plan.recipe.name}' may need {size(need)}. "
            "Free some space, choose another disk with --out FOLDER, or make it smaller with --limit N."
        )


def size(count: float) -> str:
    """Bytes in words, e.g. ``3.2 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def plan_table(plan: Plan, out: Path, complete: frozenset[str]) -> str:
    """The plan as text: every stage with its counts and whether it is already there, then the sums."""
    rows = [("stage", "amount", "tokens at most", "disk at most", "state")]
    for stage in plan.stages:
        cost = stage_cost(stage)
        rows.append(
            (
                stage.label,
                f"{cost.amount:,} {cost.unit}",
                f"{cost.tokens:,}" if cost.tokens else "",
                size(cost.disk),
                "complete" if stage.folder in complete else "to do",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    pending = [stage for stage in plan.stages if stage.folder not in complete]
    costs = [stage_cost(stage) for stage in pending]
    lines.append(
        f"To do: {len(pending)} of {len(plan.stages)} stages, at most {sum(c.tokens for c in costs):,} new tokens "
        f"({sum(c.flops for c in costs) / 1e12:,.1f} TFLOP at 2 x parameters x tokens) and {size(total_disk(pending))} "
        f"in {out}."
    )
    return "\n".join(lines)
