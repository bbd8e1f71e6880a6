"""A model of which each process of a launcher holds a part: FSDP and DeepSpeed, as ``accelerate launch`` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.types import TrainJob

KINDS = ("FSDP", "DEEPSPEED")


def kind_of(trainer: Any) -> str:
    """How the processes of a training work together, as accelerate calls it."""
    return str(trainer.accelerator.distributed_type.value)


def is_sharded(trainer: Any) -> bool:
    """Whether no process has the whole model for itself."""
    return kind_of(trainer) in KINDS


def check_can_shard(trainer: Any, job: TrainJob) -> None:
    """Raises UsageError for a training that needs the whole model in one process."""
    if not is_sharded(trainer):
        return
    lora = job.options.lora
    needs = {
        "a trainer that draws texts itself": bool(job.problems),
        "choosing the best epoch by a dev set": job.dev is not None,
        "lora: {quantised: true}": bool(lora and lora.quantised),
    }
    for what, asked in needs.items():
        if asked:
            raise UsageError(
                f"'{job.name}' cannot be trained with {kind_of(trainer)}: {what} needs the whole model in each "
                "process. Launch without it (distributed_type: MULTI_GPU, or one process)"
            )


def gathered(trainer: Any) -> Mapping[str, Any]:
    """The weights of the whole model by name, in fp32, on the CPU. All processes call it; the first gets them."""
    found = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return {name: weight.detach().float().cpu() for name, weight in (found or {}).items()}
