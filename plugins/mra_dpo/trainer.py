"""trl's DPOTrainer on weighted pairs of texts. Heavy: imported once training starts."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from datasets import Dataset
from mra_transformers import training
from mra_transformers.sharded import is_sharded
from mra_transformers.training_data import Encoded, encode, within
from mra_transformers.training_quiet import quietly
from torch import Tensor
from trl import DPOConfig, DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference

from mra_bench.types import Progress, TrainedModel, TrainJob

from . import shared
from .likelihood import change, spread
from .losses import Scored, weighted
from .options import DpoOptions
from .weights import of_mean_one

WEIGHT = "weight"


class WeightedPairs(DataCollatorForPreference):  # type: ignore[misc]  # trl is not typed
    """trl's collator, with the weights of the batch: shape (batch,)."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        return {**super().torch_call(examples), WEIGHT: torch.tensor([example[WEIGHT] for example in examples])}


class Heard:
    """Called by trl in place of `model`; keeps what the model gave."""

    def __init__(self, model: Any) -> None:
        self.model, self.outputs = model, None

    def __call__(self, **asked: Any) -> Any:
        self.outputs = self.model(**asked)
        return self.outputs


class PairTrainer(training.Guarded, DPOTrainer):  # type: ignore[misc]
    """DPOTrainer on pairs that are already tokenised and weighted, telling how far the reference pass is.

    A pair's prompt is computed once for both texts where the model can be asked so and it pays.
    """

    def __init__(self, *args: Any, options: DpoOptions, progress: Progress, steps: int, **kwargs: Any) -> None:
        self.options, self.told, self.steps, self.reference_tokens = options, progress, steps, 0
        self.can_share: bool | None = None
        super().__init__(*args, **kwargs)
        # To trl the parent's log-probabilities are in every batch; where they are not, `_compute_loss` puts them there
        self.precompute_ref_logps = True

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        columns: list[str] = self._signature_columns
        self._signature_columns: Any = list(dict.fromkeys([*columns, WEIGHT]))

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of a batch's chosen and rejected texts under the parent, each of shape (batch,)."""
        inputs = {name: value for name, value in inputs.items() if name != WEIGHT}  # the rest is for the model
        self.reference_tokens += int(inputs["attention_mask"].sum())
        chosen, rejected = super().compute_ref_log_probs(self._asked(model, inputs), inputs)
        return chosen, rejected

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """The weighted loss. trl's own is computed for what trl logs, and then left: it ends in a mean over pairs."""
        inputs = dict(inputs)
        weights = inputs.pop(WEIGHT)
        if "ref_chosen_logps" not in inputs:
            parent = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
            inputs["ref_chosen_logps"], inputs["ref_rejected_logps"] = parent
        heard = Heard(self._asked(model, inputs))
        super()._compute_loss(heard, inputs, False)
        outputs: Any = heard.outputs
        loss = weighted(self._scored(outputs.log_probs, inputs), self.options.losses, weights)
        if self.aux_loss_enabled:
            loss = loss + self.router_aux_loss_coef * outputs.aux_loss
        return (loss, outputs) if return_outputs else loss

    def _scored(self, log_probs: Tensor, inputs: dict[str, Any]) -> Scored:
        """log_probs: of each next token of the 2n sequences, 0 outside the texts."""
        chosen, rejected = log_probs.sum(1).chunk(2)
        chosen_tokens, rejected_tokens = inputs["completion_mask"].sum(1).chunk(2)
        return Scored(
            chosen=chosen,
            rejected=rejected,
            parent_chosen=inputs["ref_chosen_logps"],
            parent_rejected=inputs["ref_rejected_logps"],
            chosen_tokens=chosen_tokens,
            rejected_tokens=rejected_tokens,
            beta=self.options.beta,
            smoothing=self.options.label_smoothing,
        )

    def _asked(self, model: Any, inputs: dict[str, Any]) -> Any:
        """What is called in place of `model` for this batch."""
        if self.can_share is None:
            plain = not self.aux_loss_enabled and not is_sharded(self)
            self.can_share = plain and shared.possible(model, inputs)
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
            batch = self._batch([rows[index] for index in indices])
            chosen, rejected = self.compute_ref_log_probs(self.ref_model or self.model, batch)
            found.update(zip(indices, zip(chosen.tolist(), rejected.tolist(), strict=True), strict=True))
        pairs = [found[index] for index in range(len(rows))]
        dataset = dataset.add_column("ref_chosen_logps", [chosen for chosen, _ in pairs])
        return dataset.add_column("ref_rejected_logps", [rejected for _, rejected in pairs])

    def _batch(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self._prepare_inputs(self.data_collator(rows))
        return batch

    def closing_facts(self) -> dict[str, Any]:
        """How likely the model finds its texts now, and how likely its parent did, on pairs spread over the data."""
        rows = [self.train_dataset[index] for index in spread(self.train_dataset[WEIGHT])]
        size = self.args.per_device_train_batch_size
        found = [self._before_and_now(self._batch(rows[start : start + size])) for start in range(0, len(rows), size)]
        first_chosen, first_rejected, chosen, rejected = (
            torch.cat(column).tolist() for column in zip(*found, strict=True)
        )
        changes = {
            "chosen_log_prob": change(first_chosen, chosen),
            "rejected_log_prob": change(first_rejected, rejected),
        }
        return {name: found for name, found in changes.items() if found is not None}

    def _before_and_now(self, batch: dict[str, Any]) -> tuple[Tensor, ...]:
        """Log-probabilities of chosen and rejected texts under the parent, then under the model, each of shape (n,)."""
        before = batch.get("ref_chosen_logps"), batch.get("ref_rejected_logps")
        if before[0] is None:
            before = self.compute_ref_log_probs(self.ref_model or self.model, batch)
        self.model.eval()
        with torch.no_grad(), self.accelerator.autocast():
            outputs = self._asked(self.model, batch)(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                labels=batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100),
                use_cache=False,
                fused_lm_head=True,
            )
        return *before, *outputs.log_probs.sum(1).chunk(2)


@quietly
def train_on_pairs(job: TrainJob) -> TrainedModel:
    """Preference training on `job.pairs`."""
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
    encoded = [dataclasses.replace(e, weight=pair.weight) for e, pair in zip(encoded, job.pairs, strict=True)]
    data = within(encoded, parent.limit(options.max_length))
    trainer = PairTrainer(
        model=parent.model,
        ref_model=None if options.precompute_ref_log_probs or options.lora else training.load_parent(job).model,
        args=config(job, parent, 2 * options.batch_size * max(example.longest for example in data)),
        train_dataset=dataset(data),
        processing_class=parent.tokenizer,
        data_collator=WeightedPairs(pad_token_id=parent.tokenizer.pad_token_id),
        peft_config=training.lora_config(options.lora),
        options=options,
        progress=job.progress,
        steps=training.total_steps(len(data), options),
    )
    return trainer, data


def config(job: TrainJob, parent: training.Parent, batch_tokens: int) -> DPOConfig:
    """trl's configuration. It names the losses for trl's own checks; what is learnt from is `losses.weighted`."""
    options: DpoOptions = job.options
    return DPOConfig(
        **training.arguments(job, options, options.rate, parent, batch_tokens),
        beta=options.beta,
        loss_type=list(options.losses),
        loss_weights=list(options.losses.values()),
        label_smoothing=options.label_smoothing,
        precompute_ref_log_probs=options.precompute_ref_log_probs,
    )


def dataset(data: list[Encoded]) -> Dataset:
    """Columns `prompt_ids`, `chosen_ids` and `rejected_ids`, both texts with the end token, and `weight`, of mean 1."""
    return Dataset.from_dict(
        {
            "prompt_ids": [example.prompt for example in data],
            "chosen_ids": [example.texts[0] for example in data],
            "rejected_ids": [example.texts[1] for example in data],
            WEIGHT: of_mean_one([example.weight for example in data]),
        }
    )


def _length(row: dict[str, Any]) -> int:
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
