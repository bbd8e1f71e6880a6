"""One side of a comparison in a process of its own: ``python child.py job.json outcome.json``.

Loading and tokenising stand outside the clock. It runs while training runs, to the end of the last step, and while
log-probabilities under the reference model are computed before training.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from mra_bench.plugins import load_plugins
from mra_bench.runtime import prepare_threads
from mra_bench.types import ModelRef, Pair, Row, TrainJob

EQUAL = "equal"


class Clock:
    """Seconds on the wall and of the processor, of one or several stretches."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self._since: tuple[float, float] | None = None

    def start(self) -> None:
        self._since = perf_counter(), process_time()

    def stop(self) -> None:
        """No effect when it stands."""
        if self._since is not None:
            self.wall += perf_counter() - self._since[0]
            self.cpu += process_time() - self._since[1]
            self._since = None


class Told:
    """What our trainer tells: its records, and that the last step is done."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.records = clock, list[dict[str, Any]]()

    def log(self, record: Any) -> None:
        self.records.append(dict(record))

    def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None:
        if done == total:
            self.clock.stop()


@contextlib.contextmanager
def reference_timed(trainer: Any, clock: Clock) -> Iterator[None]:
    """The clock also runs while a DPO trainer, being built, asks the reference model."""
    plain = trainer._precompute_ref_logps

    @wraps(plain)
    def timed(*args: Any, **kwargs: Any) -> Any:
        clock.start()
        try:
            return plain(*args, **kwargs)
        finally:
            clock.stop()

    trainer._precompute_ref_logps = timed
    try:
        yield
    finally:
        trainer._precompute_ref_logps = plain


def train_ours(job: dict[str, Any], folder: Path, clock: Clock) -> list[dict[str, Any]]:
    """Our trainer with the options of the job; its records."""
    import mra_dpo.trainer
    import mra_sft.trainer
    from mra_transformers import training
    from mra_transformers.training_quiet import quiet

    sft = job["trainer"] == "sft"
    told = Told(clock)
    texts = job["texts"]
    train_job = TrainJob(
        name="child",
        parent=Path(job["model"]),
        parent_ref=ModelRef("mra_transformers:transformers", {"path": job["model"], "prompt": job["prompt"]}),
        output=folder / "weights",
        workdir=folder / "work",
        options=options_of(job),
        seed=job["seed"],
        progress=told,
        log=told.log,
        rows=[Row(str(n), *text) for n, text in enumerate(texts)] if sft else (),
        pairs=[] if sft else [Pair(str(n), *text) for n, text in enumerate(texts)],
    )
    with quiet(), reference_timed(mra_dpo.trainer.PairTrainer, clock):
        trainer, data = (mra_sft.trainer if sft else mra_dpo.trainer).build(train_job)
        clock.start()
        training.train(trainer, train_job, data)
    return told.records


def train_trl(job: dict[str, Any], folder: Path, clock: Clock) -> list[dict[str, Any]]:
    """trl's own trainer on the same texts; its records."""
    import trl
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback, set_seed

    class Last(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= state.max_steps:
                clock.stop()

    sft = job["trainer"] == "sft"
    names = ("prompt", "completion") if sft else ("prompt", "chosen", "rejected")
    set_seed(job["seed"])
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    shown = shown_order(job, tokenizer) if job["settings"] == EQUAL else range(len(job["texts"]))
    config = (trl.SFTConfig if sft else trl.DPOConfig)(output_dir=str(folder), **arguments(job))
    with reference_timed(trl.DPOTrainer, clock):
        trainer = (trl.SFTTrainer if sft else trl.DPOTrainer)(
            model=AutoModelForCausalLM.from_pretrained(job["model"]),
            args=config,
            train_dataset=Dataset.from_list([dict(zip(names, job["texts"][index], strict=True)) for index in shown]),
            processing_class=tokenizer,
            peft_config=adapter(job["options"].get("lora")),
            callbacks=[Last()],
        )
    clock.start()
    trainer.train()
    return [record for record in trainer.state.log_history if "loss" in record]


def options_of(job: dict[str, Any]) -> Any:
    """The trainer's options, checked as those of a recipe are."""
    return load_plugins().resolve("trainers", job["trainer"]).parse_options(job["options"])


def arguments(job: dict[str, Any]) -> dict[str, Any]:
    """trl's arguments: what makes it the same training, and with equal settings all else that our trainer sets."""
    from mra_dpo.options import DpoOptions
    from mra_transformers.hardware import cpu_has_bf16

    options = options_of(job)
    given: dict[str, Any] = {
        "learning_rate": options.rate,
        "per_device_train_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulation,
        "max_steps": job["steps"],
        "seed": job["seed"],
        "bf16": cpu_has_bf16(),  # trl's default, which it refuses on other processors
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }
    if isinstance(options, DpoOptions):
        given["beta"] = options.beta
    if job["settings"] != EQUAL:
        return given
    given |= {
        "bf16": False,
        "max_length": None,
        "lr_scheduler_type": options.scheduler,
        "warmup_steps": options.warmup_ratio,
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.max_grad_norm,
        "gradient_checkpointing": False,
        "train_sampling_strategy": "sequential",
        "logging_steps": options.logging_every,
    }
    if isinstance(options, DpoOptions):
        given["precompute_ref_log_probs"] = options.precompute_ref_log_probs
        given["precompute_ref_batch_size"] = options.batch_size
    return given


def shown_order(job: dict[str, Any], tokenizer: Any) -> list[int]:
    """The order in which our trainer shows the examples; `steps` reach no further than one epoch."""
    from mra_transformers.training_data import Order, encode

    examples = encode(tokenizer, [tuple(text) for text in job["texts"]], special_tokens=job["prompt"] == "plain")
    lengths, options = [example.longest for example in examples], job["options"]
    order = Order(lengths, options["batch_size"], seed=job["seed"], grouped=True, epoch=lambda: 0)
    return list(order)[: job["steps"] * options["batch_size"] * options["accumulation"]]


def adapter(lora: dict[str, Any] | None) -> Any:
    """The same adapter as our trainer's."""
    from mra_transformers.training import lora_config
    from mra_transformers.training_options import LoraOptions

    return lora_config(None if lora is None else LoraOptions(**lora))


def main() -> None:
    prepare_threads()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    clock = Clock()
    train: Callable[..., list[dict[str, Any]]] = train_ours if job["side"] == "ours" else train_trl
    with tempfile.TemporaryDirectory() as folder:
        records = train(job, Path(folder), clock)
    outcome = {
        "seconds": clock.wall,
        "cpu_seconds": clock.cpu,
        "losses": {record["step"]: record["loss"] for record in records},
        "peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    Path(sys.argv[2]).write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
