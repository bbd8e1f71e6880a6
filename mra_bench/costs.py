"""What a plan will cost: texts, tokens, arithmetic and disk. Upper bounds where only the run can tell."""

from __future__ import annotations

import dataclasses
import itertools
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.builders import PairRule, RowRule
from mra_bench.errors import UsageError
from mra_bench.looks import needed_stages
from mra_bench.plan import Plan
from mra_bench.problem_sets import ProblemSet
from mra_bench.stages import size_of
from mra_bench.strictness import price
from mra_bench.verdict import counted
from mra_bench.work import BuildWork, GenerateWork, PlannedModel, Stage, TrainWork

BYTES_PER_TOKEN = 5  # of stored text, JSON included
CHARACTERS_PER_TOKEN = 2.5  # of questions and solutions with their numbers; a guess before a tokenizer is loaded
BYTES_PER_ROW = 400  # of a problem, a grade or a completion's other fields
FREE_MARGIN = 64 * 2**20
FP32 = 4


@dataclass(frozen=True)
class Cost:
    """Of one stage. `tokens`: generated at most, or about as many trained on; `drawn`: generated at most by a training
    itself; `flops`: 2 x parameters x tokens to generate, 6 x to train (forward and backward); `disk`: bytes at most,
    with checkpoints; `price`: about what a model that is paid for takes at most, in the currency of its options."""

    amount: int
    unit: str
    tokens: int
    flops: float
    disk: int
    drawn: int = 0
    price: float = 0.0


def stage_cost(stage: Stage) -> Cost:
    """An estimate for one stage from its plan alone. Tokens of training are 0 where a trainer's options do not tell."""
    amount, unit = size_of(stage)
    work = stage.work
    if isinstance(work, GenerateWork):
        tokens = work.most_tokens
        parameters = parameters_of(work.model)
        disk = tokens * BYTES_PER_TOKEN + amount * BYTES_PER_ROW
        return Cost(amount, unit, tokens, 2 * parameters * tokens, disk, price=_priced(work, tokens))
    if isinstance(work, TrainWork):
        return training_cost(stage, work)
    if isinstance(work, ProblemSet):
        return Cost(amount, unit, 0, 0.0, sum(len(p.question) + len(p.solution or "") + 200 for p in work.problems))
    return Cost(amount, unit, 0, 0.0, amount * BYTES_PER_ROW)


def _priced(work: GenerateWork, tokens: int) -> float:
    """What the options of a model's loader say that it takes at most for these prompts and so many tokens."""
    if not hasattr(work.model.loader.options, "price_at_most"):
        return 0.0
    data, style = work.problems.problems, work.problems.style
    shown = len(style.instruction) + sum(len(e.question) + len(e.answer) for e in style.examples)
    prompts = work.samples * (sum(len(problem.question) for problem in data) + shown * len(data))
    options = work.model.loader.parse_options(work.model.options)
    return float(options.price_at_most(round(prompts / CHARACTERS_PER_TOKEN), tokens))


def training_cost(stage: Stage, work: TrainWork) -> Cost:
    """Examples and tokens that training passes through, and tokens that it generates for that, by the trainer's
    options; a pair counts two texts."""
    options = work.trainer.parse_options(work.options)
    texts, available = 1, len(work.problems.problems)
    source = stage.inputs[0].work
    if isinstance(source, BuildWork):
        texts, most = _built_at_most(source.rule)
        available = len(source.problems.problems) * most
    seen = options.examples_seen(available) if hasattr(options, "examples_seen") else 0
    characters = sum(len(p.question) + len(p.solution or "") for p in work.problems.problems)
    tokens = round(seen * texts * characters / (CHARACTERS_PER_TOKEN * max(1, len(work.problems.problems))))
    texts_drawn = options.texts_drawn(available) if hasattr(options, "texts_drawn") else 0
    drawn = texts_drawn * (getattr(options, "max_new_tokens", None) or work.decoding.max_new_tokens)
    parameters = parameters_of(work.parent)
    answered, kept = _chosen(work, seen, available)
    drawn += answered
    flops = parameters * (6 * tokens + 2 * drawn)
    # weights saved once, and while training up to two checkpoints of weights and two Adam moments, each in fp32
    disk = round((7 + kept) * FP32 * parameters) + answered * BYTES_PER_TOKEN
    return Cost(seen, "examples", tokens, flops, disk, drawn)


def _chosen(work: TrainWork, seen: int, available: int) -> tuple[int, int]:
    """Tokens generated at most where the best of the epochs is chosen, and how often weights are kept beside the
    result."""
    if work.dev is None:
        return 0, 0
    epochs = max(1, math.ceil(seen / max(1, available)))
    tokens = epochs * len(work.dev.problems.problems) * work.dev.decoding.max_new_tokens
    return tokens, 2 * epochs if work.dev.keep_all else 2


def _built_at_most(rule: PairRule | RowRule) -> tuple[int, int]:
    """Texts of what is built, and how many of it a problem gives at most."""
    return (2, rule.pairs_per_problem) if isinstance(rule, PairRule) else (1, rule.rows_per_problem)


def parameters_of(model: PlannedModel) -> float:
    """How many parameters a model has, by its identity, or else by the size of its weights taken as fp32."""
    told = model.identity.get("environment", {}).get("parameters")
    return told or model.weight_bytes / FP32


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
    needed = {stage.folder for stage in needed_stages(out, plan)}
    rows = [("stage", "amount", "tokens about", "disk at most", "state")]
    for stage in plan.stages:
        cost = stage_cost(stage)
        rows.append(
            (
                stage.label,
                counted(cost.amount, cost.unit.removesuffix("s")),
                _tokens(cost),
                size(cost.disk),
                "complete" if stage.folder in complete else "to do" if stage.folder in needed else "not needed",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    pending = [stage for stage in plan.stages if stage.folder in needed - complete]
    costs = [stage_cost(stage) for stage in pending]
    tokens = sum(cost.tokens for cost in costs)
    trained = sum(c.tokens for stage, c in zip(pending, costs, strict=True) if isinstance(stage.work, TrainWork))
    generated = tokens - trained + sum(cost.drawn for cost in costs)
    lines.append(
        f"To do: {len(pending)} of {len(plan.stages)} stages, at most {generated:,} tokens to generate and "
        f"about {trained:,} to train on, {sum(c.flops for c in costs) / 1e12:,.1f} TFLOP (2 x parameters x tokens "
        f"to generate, 6 x to train), {size(total_disk(pending))} of disk in {out}."
    )
    paid = sum(cost.price for cost in costs)
    prices = (
        [f"Models that are paid for take at most about {paid:,.4g} by the prices in their options."] if paid else []
    )
    strict = [price(bool(trained))] if plan.recipe.strict_determinism else []
    return "\n".join([*lines, *prices, *(_look_lines(plan) if pending else []), *strict])


def _tokens(cost: Cost) -> str:
    """Tokens of a stage, and behind them those that its training generates."""
    return (f"{cost.tokens:,}" if cost.tokens else "") + (f" + {cost.drawn:,}" if cost.drawn else "")


def looks_data(plan: Plan) -> list[dict[str, int]]:
    """For each look how many problems it has seen, and the tokens that it and those before it generate at most."""
    tokens = list(itertools.accumulate(sum(stage_cost(s).tokens for s in part) for part in plan.parts[1:]))
    return [{"problems": seen, "tokens": most} for seen, most in zip(plan.looks, tokens, strict=True)]


def _look_lines(plan: Plan) -> list[str]:
    """When a run that ends once it knows may end, and what its looks cost until then."""
    if not plan.looks:
        return []
    name = plan.recipe.evaluate.datasets[0]
    said = f"The run ends after the look at {name} that decides every comparison; until then it costs at most"
    costs = [f"{counted(look['problems'], 'problem')} {look['tokens']:,} tokens" for look in looks_data(plan)]
    return [f"{said}: {'; '.join(costs)}."]


def plan_data(plan: Plan, out: Path, complete: frozenset[str]) -> dict[str, Any]:
    """The plan of `plan_table` as data: disk in bytes, arithmetic in floating-point operations."""
    stages = []
    for stage in plan.stages:
        cost = dataclasses.asdict(stage_cost(stage))
        stages.append({"stage": stage.label, "folder": stage.folder, **cost, "complete": stage.folder in complete})
    more: dict[str, Any] = {"looks": looks_data(plan)} if plan.looks else {}
    if plan.recipe.strict_determinism:
        more["strict_determinism"] = price(any(isinstance(stage.work, TrainWork) for stage in plan.stages))
    return {"recipe": plan.recipe.name, "out": str(out), "fingerprint": plan.fingerprint, "stages": stages, **more}
