"""Plugin: direct preference optimisation of weighted pairs with trl's DPOTrainer, full or LoRA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.types import TrainedModel, TrainJob


def train(job: TrainJob) -> TrainedModel:
    """Train `job.parent` on `job.pairs`, with the parent as reference; resumes from a checkpoint in `job.workdir`.

    Raises UsageError for weights that cannot be used or when no pair fits into max_length, TrainingFailed when the loss
    stops being a number.
    """
    from .weights import check_weights

    check_weights(job.pairs, job.options)
    from .trainer import train_on_pairs

    return train_on_pairs(job)


@hookimpl
def register_trainers(register: Register) -> None:
    register("dpo", train, options="mra_dpo.options:DpoOptions", consumes="pairs", together=True)
