"""Our trainer grpo against plain GRPOTrainer of trl: same model, problems, rewards, steps and threads; seconds a step.

python benchmarks/trl/grpo.py --model FOLDER_OF_AN_SFT_MODEL --steps 4 --repeat 3
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

SIDES = ("trl", "ours")
OPTIONS: dict[str, Any] = {
    "batch_size": 32, "accumulation": 2, "group_size": 8, "learning_rate": 1e-5, "max_new_tokens": 128,
    "scheduler": "constant", "warmup_ratio": 0, "save_every": 0, "logging_every": 1, "dtype": "fp32",
}  # fmt: skip


class Steps:
    """Seconds on the wall and of the processor at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def end(self) -> None:
        """A step has ended, or the first one begins."""
        self.ends.append((perf_counter(), process_time()))

    @property
    def outcome(self) -> dict[str, float]:
        """The medians over the steps, without the first one, in which things are built."""
        pairs = list(zip(self.ends[1:-1], self.ends[2:], strict=True))
        wall, cpu = ([later[k] - one[k] for one, later in pairs] for k in (0, 1))
        return {"wall": median(wall), "cpu": median(cpu)}


def problems() -> list[Any]:
    """Training problems of arith."""
    from mra_bench.datasets import DatasetUse, load_problems
    from mra_bench.plugins import load_plugins

    return list(load_problems(DatasetUse("arith", "train"), load_plugins()))[:400]


def ours(model: str, options: dict[str, Any], folder: Path) -> dict[str, float]:
    """Our trainer; the grader is called in this process, as trl calls its reward function."""
    from mra_grpo.options import GrpoOptions
    from mra_grpo.trainer import train_on_problems
    from mra_sympy import grade

    from mra_bench.types import Decoding, ModelRef, TrainJob

    steps, records = Steps(), list[dict[str, Any]]()
    asked = problems()

    class Told:
        def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None:
            if not note and len(steps.ends) == done:
                steps.end()

    job = TrainJob(
        name="child",
        parent=Path(model),
        parent_ref=ModelRef("mra_transformers:transformers", {"path": model, "prompt": "plain"}),
        output=folder / "weights",
        workdir=folder / "work",
        options=GrpoOptions(**options),
        seed=0,
        progress=Told(),
        log=lambda record: records.append(dict(record)),
        problems=asked,
        prompts=[prompt(problem) for problem in asked],
        decoding=Decoding(options["max_new_tokens"]),
        graders={"sympy": lambda items: [grade(problem, text) for problem, text in items]},
    )
    train_on_problems(job)
    return {**steps.outcome, "tokens": sum(record["completions/mean_length"] for record in records) / len(records)}


def plain(model: str, options: dict[str, Any], folder: Path) -> dict[str, float]:
    """trl's trainer and its own generation."""
    import transformers
    from datasets import Dataset
    from mra_sympy import grade
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    transformers.logging.set_verbosity_error()
    steps, asked = Steps(), problems()

    class Ends(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            steps.end()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            steps.end()

    def correct(completions: list[str], place: list[int], **others: Any) -> list[float]:
        pairs = zip(place, completions, strict=True)
        return [float(bool(grade(asked[index], text.partition("\nQuestion:")[0]).correct)) for index, text in pairs]

    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        reward_funcs=[correct],
        args=GRPOConfig(
            output_dir=str(folder),
            learning_rate=options["learning_rate"],
            per_device_train_batch_size=options["batch_size"],
            gradient_accumulation_steps=options["accumulation"],
            num_generations=options["group_size"],
            max_completion_length=options["max_new_tokens"],
            num_iterations=options.get("iterations", 1),
            beta=options.get("beta", 0.0),
            max_steps=options["max_steps"],
            lr_scheduler_type="constant",
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            logging_steps=1,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            disable_dropout=True,
        ),
        train_dataset=Dataset.from_dict({"prompt": [prompt(p) for p in asked], "place": list(range(len(asked)))}),
        processing_class=AutoTokenizer.from_pretrained(model),
        callbacks=[Ends()],
    )
    trainer.train()
    lengths = [r["completions/mean_length"] for r in trainer.state.log_history if "completions/mean_length" in r]
    return {**steps.outcome, "tokens": sum(lengths) / len(lengths)}


def prompt(problem: Any) -> str:
    """As a base model is asked."""
    return f"Question: {problem.question}\nAnswer:"


def measure(side: str, model: str, options: dict[str, Any]) -> dict[str, float]:
    """One side in a process of its own."""
    given = json.dumps({"side": side, "model": model, "options": options})
    done = subprocess.run([sys.executable, __file__, "--child", given], check=True, capture_output=True, text=True)
    outcome: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--beta", type=float, default=0.0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        job = json.loads(given.child)
        with tempfile.TemporaryDirectory() as folder:
            side = ours if job["side"] == "ours" else plain
            print("\n" + json.dumps(side(job["model"], job["options"], Path(folder))))
        return
    options = {**OPTIONS, "max_steps": given.steps, "iterations": given.iterations, "beta": given.beta}
    found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for repetition in range(given.repeat):
        for side in SIDES if repetition % 2 else SIDES[::-1]:
            found[side].append(measure(side, given.model, options))
            print(side, json.dumps({k: round(v, 2) for k, v in found[side][-1].items()}), flush=True)
    for kind in ("wall", "cpu"):
        one, other = (median(run[kind] for run in found[side]) for side in SIDES)
        print(f"{kind}: trl {one:.2f} s a step, ours {other:.2f}, ratio {one / other:.2f}")


if __name__ == "__main__":
    main()
