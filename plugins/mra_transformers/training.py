"""What the trainers `sft`, `dpo` and `grpo` share around a trl trainer: arguments, watching, resuming, saving.

Imports torch and transformers: only the trainers' own modules import it, once training starts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from transformers import PrinterCallback, TrainerCallback

from mra_bench.errors import BenchError, TrainingFailed, UsageError
from mra_bench.json_safe import plain_options
from mra_bench.types import ModelRef, TrainedModel, TrainJob

from .hardware import check_reproducible, choose_device, choose_dtype, compute_reproducibly, memory
from .options import child_options
from .prompts import PromptFormat, settle
from .quantised import is_quantised, merge_into
from .sharded import check_can_shard, gathered, is_sharded, kind_of
from .source import Source, file_hashes
from .training_checkpoints import Checkpoints
from .training_data import Encoded, Order
from .training_memory import asks_for_checkpointing
from .training_options import LoraOptions, TrainingOptions
from .training_saving import ADVICE, check_finite, merged, save

LOADER = "mra_transformers:transformers"
ALMOST_FULL = 1 << 20  # bytes
CLOCKS = ("runtime", "per_second", "flos", "num_tokens")


@dataclass(frozen=True)
class Parent:
    """The model a training starts from (fp32, on the CPU: the trainer moves it; or quantised, where it is trained), its
    tokenizer and how it is asked."""

    model: Any
    tokenizer: Any
    prompt: PromptFormat

    @property
    def parameters(self) -> int:
        """How many numbers the weights hold."""
        return int(self.model.num_parameters())

    def limit(self, max_length: int) -> int:
        """Longest sequence to train on, in tokens: `max_length`, or the model's context where that is shorter."""
        context = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return min(max_length, context) if context else max_length


def load_parent(job: TrainJob, *, whole: bool = False) -> Parent:
    """Load the parent, seeded, since a token added to the vocabulary gets random weights. They are quantised where the
    options ask for it, unless `whole`."""
    from transformers import set_seed

    from .loading import load_causal_lm, load_tokenizer

    set_seed(job.seed)
    tokenizer = load_tokenizer(str(job.parent))
    quantised = bool(job.options.lora and job.options.lora.quantised) and not whole
    model = load_causal_lm(
        str(job.parent),
        dtype="fp32",
        device="auto" if quantised else "cpu",
        tokenizer=tokenizer,
        quantised=job.options.number_format if quantised else "",
    )
    return Parent(model, tokenizer, prompt_format(job))


def prompt_format(job: TrainJob) -> PromptFormat:
    """How the parent is asked. Its name says whether "auto" means chat; a child's folder no longer has that name."""
    options = job.parent_ref.options
    name = str(options.get("path") or job.parent).rstrip("/").rsplit("/", 1)[-1]
    return settle(str(options.get("prompt", "auto")), Source(job.parent, name))


def arguments(
    job: TrainJob, options: TrainingOptions, rate: float, parent: Parent, batch_tokens: int
) -> dict[str, Any]:
    """Keyword arguments of any trl configuration: nothing printed or sent anywhere, everything seeded.

    batch_tokens: of the longest batch, padding included.
    """
    device = choose_device("auto")
    if options.strict_determinism:
        check_reproducible(device)
        compute_reproducibly(device)
    half = half_precision(options.number_format, device, parent.parameters)
    return {
        "output_dir": str(job.workdir),
        "learning_rate": rate,
        "num_train_epochs": options.epochs,
        "max_steps": options.max_steps,
        **shares(options, job.ranks),
        "max_length": None,
        "warmup_steps": options.warmup_ratio,
        "lr_scheduler_type": options.scheduler,
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.max_grad_norm,
        "gradient_checkpointing": checkpointing(options, parent, batch_tokens, device),
        "save_strategy": "steps" if options.save_every else "no",
        "save_steps": options.save_every or 500,
        "logging_steps": options.logging_every,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "include_num_input_tokens_seen": "non_padding",
        "bf16": half == "bf16",
        "fp16": half == "fp16",
        "use_cpu": device == "cpu",
        "seed": job.seed,
        "data_seed": job.seed,
        "dataloader_num_workers": 0,
        "ddp_find_unused_parameters": False,
        "dataloader_pin_memory": device.startswith("cuda"),
        "disable_tqdm": True,
        "report_to": "none",
    }


def shares(options: TrainingOptions, ranks: int) -> dict[str, int]:
    """Each process's share of a step, so that several take the same steps as one. Raises UsageError when a step cannot
    be shared evenly."""
    if options.accumulation % ranks == 0:
        size, accumulation = options.batch_size, options.accumulation // ranks
    elif options.batch_size % ranks == 0:
        size, accumulation = options.batch_size // ranks, options.accumulation
    else:
        raise UsageError(
            f"{ranks} processes cannot share a step of accumulation {options.accumulation} x batch_size "
            f"{options.batch_size}. Make one of them a multiple of {ranks}, or start another number of processes."
        )
    return {"per_device_train_batch_size": size, "gradient_accumulation_steps": accumulation}


def checkpointing(options: TrainingOptions, parent: Parent, batch_tokens: int, device: str) -> bool:
    """Whether activations are computed twice: as the options say, else where memory asks for it."""
    if options.gradient_checkpointing is not None:
        return options.gradient_checkpointing
    if device == "mps":  # its memory is the machine's, and what it may take of it is its own affair
        device = "cpu"
    return asks_for_checkpointing(
        parent.model, tokens=batch_tokens, trained=options.lora is None, memory=memory(device)
    )


def half_precision(dtype: str, device: str, parameters: int) -> str:
    """ "bf16" or "fp16" arithmetic, or "" for fp32. "auto" takes what generation takes: 16 bits where the hardware
    multiplies them itself, unless the model is so small (`parameters`) that they save nothing.

    Raises UsageError for a type that `device` cannot train in.
    """
    dtype = choose_dtype(dtype, device, parameters)
    if dtype == "fp16" and not device.startswith("cuda"):
        raise UsageError(f"dtype 'fp16' cannot train on {device}. Use 'auto', 'fp32' or 'bf16'.")
    return "" if dtype == "fp32" else dtype


def lora_config(options: LoraOptions | None) -> Any:
    """The peft configuration of an adapter, or None for full training."""
    if options is None:
        return None
    from peft import LoraConfig

    targets = options.targets if isinstance(options.targets, str) else list(options.targets)
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=targets,
    )


class Guarded:
    """Mixed into a trl trainer: no telemetry, no model card, a seeded order, and a stop at a loss that is no number."""

    order: Any  # a sampler

    def closing_facts(self) -> dict[str, Any]:
        """Facts for the record that need the trained model with its adapter; JSON-safe."""
        return {}

    def _send_telemetry(self) -> None:
        """Nothing is reported to anyone."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """No README in checkpoints: it would hold a date."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return self.order

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """One forward and backward pass. Raises TrainingFailed, before weights change, when the loss is not finite."""
        loss = super().training_step(*args, **kwargs)  # type: ignore[misc]
        if not torch.isfinite(loss):
            step = self.state.global_step + 1  # type: ignore[attr-defined]
            raise TrainingFailed(f"The training loss became {float(loss)} at step {step}. {ADVICE}.")
        return loss


class Watch(TrainerCallback):  # type: ignore[misc]
    """Hands records and progress to the job, and makes checkpoints count.

    A checkpoint is preceded by a record, so that a resumed training averages its next one over the same steps.
    """

    def __init__(self, job: TrainJob, checkpoints: Checkpoints) -> None:
        self.job, self.checkpoints = job, checkpoints

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._progress(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_save = False  # the finished weights are saved as the result
            control.should_log = True
        if control.should_save:
            control.should_log = True
        self._progress(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **kwargs: Any) -> None:
        if "loss" in logs:
            self.job.log(record(state.global_step, logs))

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        PartialState().wait_for_everyone()  # each has written its part
        if self.job.rank == 0:
            self.checkpoints.mark(state.global_step)

    def _progress(self, state: Any) -> None:
        self.job.progress.update(state.global_step, state.max_steps, tokens=state.num_input_tokens_seen)


def record(step: int, logs: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the training log: numbers only, none of them from a clock. `tokens` counts from the start."""
    numbers = {
        key: value
        for key, value in logs.items()
        if isinstance(value, int | float) and math.isfinite(value) and not any(clock in key for clock in CLOCKS)
    }
    tokens = numbers.pop("num_input_tokens_seen", None)
    return {"step": step, **numbers, **({} if tokens is None else {"tokens": tokens})}


def train(trainer: Any, job: TrainJob, data: Sequence[Encoded], epochs: Chosen | None = None) -> TrainedModel:
    """Train on `data` in its seeded order; see `run`."""
    options: TrainingOptions = job.options
    steps = steps_per_epoch(len(data), options)
    trainer.order = Order(
        [example.longest for example in data],
        options.batch_size,
        seed=job.seed,
        grouped=options.group_by_length,
        epoch=lambda: trainer.state.global_step // steps,
    )
    examples = ([example.prompt, *example.texts, example.weight] for example in data)
    return run(trainer, job, digest(job, examples), epochs)


class Chosen(Protocol):
    """A callback that scores epochs; `finish` gives the model the weights of the best one."""

    def finish(self) -> None: ...


def run(trainer: Any, job: TrainJob, made_with: str, epochs: Chosen | None = None) -> TrainedModel:
    """Train from the newest checkpoint that counts, save the merged weights in `job.output`, drop the checkpoints.

    made_with: the digest of everything that a checkpoint must have been made with. epochs: what chooses among them.
    """
    options: TrainingOptions = job.options
    check_can_shard(trainer, job)
    checkpoints = Checkpoints(job.workdir, f"{made_with}-sharded" if is_sharded(trainer) else made_with)
    (newest,) = broadcast_object_list([checkpoints.newest() if job.rank == 0 else None])
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Watch(job, checkpoints))
    if epochs is not None:
        trainer.add_callback(epochs)  # behind Watch: a checkpoint counts before its epoch is scored
    parameters = list(trainer.model.parameters())
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    for parameter in parameters:
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # trl turns adapters of quantised weights into bf16; see `dtype`
    with _naming_a_full_disk(job):
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        if epochs is not None:
            epochs.finish()
        closing = trainer.closing_facts()
        model = whole(trainer, job)
        check_finite(model)
        if job.rank == 0:
            save(model, trainer.processing_class, job.output)
    trainer.accelerator.wait_for_everyone()
    if job.rank == 0 and not options.keep_checkpoint:
        checkpoints.remove()
    facts = {
        "steps": trainer.state.global_step,
        "epochs": trainer.state.epoch,
        "tokens": trainer.state.num_input_tokens_seen,
        **({"sharded": kind_of(trainer)} if is_sharded(trainer) else {}),
        "reference_tokens": 0,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trainable_parameters": trainable,
        **closing,
    }
    return TrainedModel(job.output, reference(job), facts)


def steps_per_epoch(examples: int, options: TrainingOptions) -> int:
    """Updates of the weights in one epoch; the last one may see fewer examples."""
    return math.ceil(math.ceil(examples / options.batch_size) / options.accumulation)


def total_steps(examples: int, options: TrainingOptions) -> int:
    """Updates of the weights in the whole training."""
    if options.max_steps > 0:
        return options.max_steps
    return math.ceil(options.epochs * steps_per_epoch(examples, options))


def digest(job: TrainJob, data: Iterable[Any]) -> str:
    """What a checkpoint must have been made with to be resumed from: parent, options, seed, the data (JSON-safe)."""
    settings = [plain_options(job.options), job.seed, file_hashes(Source(job.parent, job.parent.name))]
    sums = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for example in data:
        sums.update(json.dumps(example).encode())
    return sums.hexdigest()


def whole(trainer: Any, job: TrainJob) -> Any:
    """The trained model with an adapter merged in. Where each process holds a part of it, all call this, and the first
    gets what was trained, the others their parent."""
    if is_sharded(trainer):
        weights, model = gathered(trainer), load_parent(job, whole=True).model
        if job.options.lora:
            from peft import get_peft_model

            model = get_peft_model(model, lora_config(job.options.lora))
        if job.rank == 0:
            model.load_state_dict(weights)
        return merged(model)
    if is_quantised(trainer.model):
        return merge_into(load_parent(job, whole=True).model, trainer.model)
    return merged(trainer.model)


@contextlib.contextmanager
def _naming_a_full_disk(job: TrainJob) -> Iterator[None]:
    """Writers of weights say it in many ways, and not as OSError: look at the disk itself."""
    try:
        yield
    except (BenchError, KeyboardInterrupt):
        raise
    except Exception as error:
        free = shutil.disk_usage(job.workdir).free
        if free >= ALMOST_FULL:
            raise
        raise BenchError(
            f"The disk that holds {job.workdir} is full ({free} bytes are left). Make room and run again: the training "
            "goes on from its last checkpoint."
        ) from error


def reference(job: TrainJob) -> ModelRef:
    """How to load the result: from its folder, asked in the same way as its parent."""
    return ModelRef(LOADER, child_options(job.parent_ref.options, job.output, prompt_format(job).kind))
