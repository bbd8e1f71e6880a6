"""trl's DPOTrainer on pairs of texts. Heavy: imported once training starts."""

from __future__ import annotations

import dataclasses
from typing import Any

from datasets import Dataset
from mra_transformers import training
from mra_transformers.training_data import Encoded, encode, within
from mra_transformers.training_quiet import quiet
from trl import DPOConfig, DPOTrainer

from mra_bench.types import Progress, TrainedModel, TrainJob

from . import shared
from .options import DpoOptions


class PairTrainer(training.Guarded, DPOTrainer):  # type: ignore[misc]  # trl is not typed
    """DPOTrainer on pairs that are already tokenised, telling how far the reference pass is.

    A pair's prompt is computed once for both texts where the model can be asked so and it pays.
    """

    def __init__(self, *args: Any, progress: Progress, steps: int, **kwargs: Any) -> None:
        self.told, self.steps, self.reference_tokens = progress, steps, 0
        self.can_share: bool | None = None
        super().__init__(*args, **kwargs)

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Log-probabilities of a batch's chosen and rejected texts under the parent, each of shape (batch,)."""
        self.reference_tokens += int(inputs["attention_mask"].sum())
        chosen, rejected = super().compute_ref_log_probs(self._asked(model, inputs), inputs)
        return chosen, rejected

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        return super()._compute_loss(self._asked(model, inputs), inputs, return_outputs)

    def _asked(self, model: Any, inputs: dict[str, Any]) -> Any:
        """What is called in place of `model` for this batch."""
        if self.can_share is None:
            self.can_share = not self.aux_loss_enabled and shared.possible(model, inputs)
        hidden = self.model.config.get_text_config().hidden_size
        return shared.SharedPrompts(model) if self.can_share and shared.pays(inputs, hidden) else model

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        # trl's own keeps a cache file and shows a bar; this one sorts by length, which saves padding.
        rows = dataset.to_list()
        order = sorted(range(len(rows)), key=lambda index: _length(rows[index]))
        found: dict[int, tuple[float, float]] = {}
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            self.told.update(0, self.steps, note=f"reference model: {start} of {len(order)} pairs")
            batch = self._prepare_inputs(self.data_collator([rows[index] for index in indices]))
            chosen, rejected = self.compute_ref_log_probs(self.ref_model or self.model, batch)
            found.update(zip(indices, zip(chosen.tolist(), rejected.tolist(), strict=True), strict=True))
        pairs = [found[index] for index in range(len(rows))]
        dataset = dataset.add_column("ref_chosen_logps", [chosen for chosen, _ in pairs])
        return dataset.add_column("ref_rejected_logps", [rejected for _, rejected in pairs])


def train_on_pairs(job: TrainJob) -> TrainedModel:
    """Preference training on `job.pairs`."""
    with quiet():
        trainer, data = build(job)
        trained = training.train(trainer, job, data)
    facts = {
        **trained.facts,
        "reference_tokens": trainer.reference_tokens
        if job.options.precompute_ref_log_probs
        else trained.facts["tokens"],
        "rows": len(job.pairs),
        "dropped": len(job.pairs) - len(data),
    }
    return dataclasses.replace(trained, facts=facts)


def build(job: TrainJob) -> tuple[PairTrainer, list[Encoded]]:
    """The trainer, ready to start (reference pass done), and the pairs short enough to train on."""
    options: DpoOptions = job.options
    parent = training.load_parent(job)
    encoded = encode(
        parent.tokenizer,
        [(pair.prompt, pair.chosen, pair.rejected) for pair in job.pairs],
        special_tokens=parent.prompt.special_tokens,
    )
    data = within(encoded, parent.limit(options.max_length))
    trainer = PairTrainer(
        model=parent.model,
        ref_model=None if options.precompute_ref_log_probs or options.lora else training.load_parent(job).model,
        args=config(job, parent, 2 * options.batch_size * max(example.longest for example in data)),
        train_dataset=dataset(data),
        processing_class=parent.tokenizer,
        peft_config=training.lora_config(options.lora),
        progress=job.progress,
        steps=training.total_steps(len(data), options),
    )
    return trainer, data


def config(job: TrainJob, parent: training.Parent, batch_tokens: int) -> DPOConfig:
    """trl's configuration; the likelihood loss on chosen texts is its second loss."""
    options: DpoOptions = job.options
    with_sft = options.sft_weight > 0
    return DPOConfig(
        **training.arguments(job, options, options.rate, parent, batch_tokens),
        beta=options.beta,
        loss_type=[options.loss_type, "sft"] if with_sft else [options.loss_type],
        loss_weights=[1.0, options.sft_weight] if with_sft else None,
        label_smoothing=options.label_smoothing,
        precompute_ref_log_probs=options.precompute_ref_log_probs,
    )


def dataset(data: list[Encoded]) -> Dataset:
    """Columns `prompt_ids`, `chosen_ids` and `rejected_ids`, both texts with the end token."""
    return Dataset.from_dict(
        {
            "prompt_ids": [example.prompt for example in data],
            "chosen_ids": [example.texts[0] for example in data],
            "rejected_ids": [example.texts[1] for example in data],
        }
    )


def _length(row: dict[str, Any]) -> int:
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
