"""trl's SFTTrainer on rows of prompt and completion. Heavy: imported once training starts."""

from __future__ import annotations

import dataclasses
from typing import Any

from datasets import Dataset
from mra_transformers import training
from mra_transformers.training_data import Encoded, encode, within
from mra_transformers.training_quiet import quietly
from trl import SFTConfig, SFTTrainer

from mra_bench.types import TrainedModel, TrainJob

from .options import SftOptions

IGNORED = -100


class RowTrainer(training.Guarded, SFTTrainer):  # type: ignore[misc]  # trl is not typed
    """SFTTrainer on examples that are already tokenised and labelled."""


@quietly
def train_on_rows(job: TrainJob) -> TrainedModel:
    """Supervised training on `job.rows`."""
    trainer, data = build(job)
    trained = training.train(trainer, job, data)
    facts = {**trained.facts, "rows": len(job.rows), "dropped": len(job.rows) - len(data)}
    return dataclasses.replace(trained, facts=facts)


def build(job: TrainJob) -> tuple[RowTrainer, list[Encoded]]:
    """The trainer, ready to start, and the examples short enough to train on."""
    options: SftOptions = job.options
    parent = training.load_parent(job)
    encoded = encode(
        parent.tokenizer,
        [(row.prompt, row.completion) for row in job.rows],
        special_tokens=parent.prompt.special_tokens,
    )
    data = within(encoded, parent.limit(options.max_length))
    config = SFTConfig(
        **training.arguments(job, options, options.rate, parent, options.batch_size * max(e.longest for e in data)),
        dataset_kwargs={"skip_prepare_dataset": True},
        packing=False,
    )
    trainer = RowTrainer(
        model=parent.model,
        args=config,
        train_dataset=dataset(data),
        processing_class=parent.tokenizer,
        peft_config=training.lora_config(options.lora),
    )
    if not trainer.aux_loss_enabled:
        trainer.model.register_forward_pre_hook(without_mask, with_kwargs=True)
    return trainer, data


def without_mask(model: Any, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Padding on the right needs no mask: what comes later is not attended to, and has no label. Attention that is
    causal and nothing else takes a faster path."""
    return args, {**given, "attention_mask": None}


def dataset(data: list[Encoded]) -> Dataset:
    """Columns `input_ids` and `labels`; a label is the token itself in the completion, `IGNORED` in the prompt."""
    return Dataset.from_dict(
        {
            "input_ids": [example.prompt + example.texts[0] for example in data],
            "labels": [[IGNORED] * len(example.prompt) + example.texts[0] for example in data],
        }
    )
