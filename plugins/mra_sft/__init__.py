"""Plugin: supervised fine-tuning with trl's SFTTrainer, full or LoRA, loss on the completion only."""

from __future__ import annotations

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.types import TrainedModel, TrainJob


def train(job: TrainJob) -> TrainedModel:
    """Train `job.parent` on `job.rows`; resumes from a checkpoint in `job.workdir`.

    Raises TrainingFailed when the loss stops being a number, UsageError when no row fits into max_length.
    """
    from mra_transformers.training_quiet import release

    from .trainer import train_on_rows

    try:
        return train_on_rows(job)
    finally:
        release()


@hookimpl
def register_trainers(register: Register) -> None:
    from .options import SftOptions

    register("sft", train, options=SftOptions, consumes="rows", together=True, chooses=True)
