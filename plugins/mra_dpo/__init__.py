"""Plugin: direct preference optimisation with trl's DPOTrainer, full or LoRA."""

from __future__ import annotations

from mra_bench.errors import UsageError
from mra_bench.hookspecs import Register, hookimpl
from mra_bench.types import TrainedModel, TrainJob


def train(job: TrainJob) -> TrainedModel:
    """Train `job.parent` on `job.pairs`, with the parent as reference; resumes from a checkpoint in `job.workdir`.

    Raises UsageError for a pair whose weight is not 1 or when no pair fits into max_length, TrainingFailed when the
    loss stops being a number.
    """
    for pair in job.pairs:
        if pair.weight != 1:
            raise UsageError(
                f"The pair of problem '{pair.problem_id}' has weight {pair.weight}, but weights are not supported yet "
                "by the trainer 'dpo'. Give every pair weight 1."
            )
    from mra_transformers.training_quiet import release

    from .trainer import train_on_pairs

    try:
        return train_on_pairs(job)
    finally:
        release()


@hookimpl
def register_trainers(register: Register) -> None:
    from .options import DpoOptions

    register("dpo", train, options=DpoOptions, consumes="pairs", together=True)
