"""Plugin: supervised fine-tuning with trl's SFTTrainer, full or LoRA, loss on the completion only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.types import TrainedModel, TrainJob


def train(job: TrainJob) -> TrainedModel:
    """Train `job.parent` on `job.rows`; resumes from a checkpoint in `job.workdir`.

    Raises TrainingFailed when the loss stops being a number, UsageError when no row fits into max_length.
    """
    from .trainer import train_on_rows

    return train_on_rows(job)


@hookimpl
def register_trainers(register: Register) -> None:
    register("sft", train, options="mra_sft.options:SftOptions", consumes="rows", together=True)
