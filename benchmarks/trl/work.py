"""What is trained: texts and options of the recipes' own training stages, and of an adapter on GSM8K."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.context import open_model
from mra_bench.errors import BenchError
from mra_bench.plan import Plan, make_plan
from mra_bench.plugins import Registry, load_plugins
from mra_bench.recipe import read_recipe, validate_recipe
from mra_bench.store import read_rows
from mra_bench.types import Model, Pair, Problem
from mra_bench.work import TrainWork

NAMES = ("sft", "dpo", "lora")
GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k" / "train.jsonl"
FEW = {"test": 20, "hard": 20}  # the run is made for its models and pairs, not for what they score


@dataclass(frozen=True)
class Work:
    """One training. texts: (prompt, completion), or (prompt, chosen, rejected). options: of our trainer, as the recipe
    has them. prompt: how the model is asked, "plain" or "chat"."""

    name: str
    trainer: str
    model: str
    texts: tuple[tuple[str, ...], ...]
    options: Mapping[str, Any]
    prompt: str
    seed: int

    @property
    def steps(self) -> int:
        """As many as the recipe asks for, one epoch at most."""
        epoch = math.ceil(len(self.texts) / (self.options["batch_size"] * self.options["accumulation"]))
        return min(epoch, self.options.get("max_steps", epoch))


def quickstart_recipe() -> dict[str, Any]:
    """The recipe quickstart, its evaluation cut to a few problems."""
    data = read_recipe("quickstart")
    for name, count in FEW.items():
        data["datasets"][name]["limit"] = count
    return {**data, "name": "quickstart-for-trl"}


def adapter_recipe(model: str, gsm8k: Path) -> dict[str, Any]:
    """50 steps of an adapter on GSM8K's training problems, all else by default."""
    return {
        "name": "gsm8k-lora",
        "datasets": {
            "train": {"data": "gsm8k", "split": "train", "path": str(gsm8k)},
            "test": {"data": "arith", "split": "test", "limit": FEW["test"]},
        },
        "models": {
            "base": {"model": "transformers", "options": {"path": model}},
            "lora": {
                "from": "base", "trainer": "sft", "data": "train",
                "options": {"lora": {}, "max_steps": 50, "batch_size": 8, "accumulation": 1},
            },
        },
        "evaluate": {"datasets": ["test"]},
    }  # fmt: skip


def read_work(name: str, run: Path, model: str, gsm8k: Path) -> Work:
    """One of NAMES. `run`: folder of the run that makes what DPO starts from; made where it is not complete."""
    registry = load_plugins()
    if name == "lora":
        return _work(name, _plan(adapter_recipe(model, gsm8k), registry), run, registry)
    recipe = quickstart_recipe()
    if name == "dpo":
        _make(recipe, run)
    return _work(name, _plan(recipe, registry), run, registry)


def _plan(recipe: dict[str, Any], registry: Registry) -> Plan:
    return make_plan(validate_recipe(recipe, recipe["name"]), registry)


def _make(recipe: dict[str, Any], run: Path) -> None:
    """Run the recipe through the command line: base, SFT, its samples, pairs and DPO. It resumes."""
    run.mkdir(parents=True, exist_ok=True)
    file = run.with_suffix(".yaml")
    file.write_text(json.dumps(recipe), encoding="utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "mra_bench", "run", "--recipe", str(file), "--out", str(run), "--quiet"]
    done = subprocess.run([*command, "--models", "dpo"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise BenchError(f"The run in {run} failed; what it printed says why")


def _work(name: str, plan: Plan, root: Path, registry: Registry) -> Work:
    stage = next(stage for stage in plan.stages if stage.kind == "train" and stage.name == name)
    work: TrainWork = stage.work
    model = open_model(root, work.parent, registry)
    folder = model.checkpoint()
    if folder is None:
        raise BenchError(f"The model {work.parent.name} has no folder of weights to train from; give --model a folder")
    if work.trainer.name == "dpo":
        pairs = (Pair(**row) for row in read_rows(root / stage.inputs[0].folder))
        texts = tuple((p.prompt, model.continuation(p.chosen), model.continuation(p.rejected)) for p in pairs)
    else:
        texts = tuple(_row(model, problem, work) for problem in work.problems.problems if problem.solution)
    prompt = model.identity()["prompt"]["kind"]
    return Work(name, work.trainer.name, str(folder), texts, dict(work.options), prompt, work.seed)


def _row(model: Model, problem: Problem, work: TrainWork) -> tuple[str, str]:
    return model.render(problem, work.problems.style), model.continuation(problem.solution)
