"""Plugin: group-relative policy optimisation with trl's GRPOTrainer, full or LoRA.

Texts are drawn by the generation engine of `mra_transformers` from the very weights that are being trained, and judged
by graders of the recipe and the small functions of `mra_grpo.rewards`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.types import TrainedModel, TrainJob


def train(job: TrainJob) -> TrainedModel:
    """Train `job.parent` on texts it draws itself for `job.problems`; resumes from a checkpoint in `job.workdir`.

    Raises UsageError, before anything heavy loads, for a reward that the problems or graders do not fit, and when no
    prompt leaves room for a text; TrainingFailed when the loss stops being a number.
    """
    job.options.check_problems(job.problems, list(job.graders))
    from .trainer import train_on_problems

    return train_on_problems(job)


@hookimpl
def register_trainers(register: Register) -> None:
    register("grpo", train, options="mra_grpo.options:GrpoOptions", consumes="problems", together=True)
