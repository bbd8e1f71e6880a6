"""Options shared by the trainers `sft`, `dpo` and `grpo`. Light: read when plugins are listed, so no pydantic here;
values from a recipe are checked against the annotations by `Registered.parse_options`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Lt

from .options import Dtype, check_strict
from .quantised import check_quantising

Scheduler = Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]


@dataclass(frozen=True)
class LoraOptions:
    """A low-rank adapter, trained in place of the weights and merged into them at the end.

    rank: of the two factors of each update. alpha: the update is scaled by alpha / rank.
    dropout: share of the adapter's inputs zeroed in training; on a CPU, drawing them costs a fifth of a step.
    targets: "all-linear" (every linear layer but the output) or the names of the modules to adapt.
    quantised: hold the frozen weights in 4 bits (NF4, as in QLoRA), on cuda or cpu, with the extra `qlora`. The child
        is these rounded weights, turned back into full numbers, with the adapter merged in: on a small model rounding
        can undo what an earlier training taught. The reference of `dpo`, and that of `grpo` with `beta`, is
        rounded, too.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # an unknown key inside of `lora` is an error

    rank: Annotated[int, Ge(1)] = 16
    alpha: Annotated[float, Gt(0)] = 32
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    quantised: bool = False

    def __post_init__(self) -> None:
        if self.quantised:
            check_quantising()


@dataclass(frozen=True)
class TrainingOptions:
    """What every trainer takes. Lengths in tokens; a step is one update of the weights.

    learning_rate: None means the trainer's own default, which depends on `lora`.
    epochs: times that training passes through the data. batch_size: examples passed through the model at once.
    accumulation: batches of one step. scheduler: how the learning rate falls. weight_decay: AdamW's.
    max_grad_norm: longer gradients are cut to this length. lora: train an adapter, merged at the end; none trains all
    weights. gradient_checkpointing: compute activations twice to save memory; none does where the longest batch would
    not fit otherwise. logging_every: steps between two records.
    max_steps: -1 for as many as `epochs` take. warmup_ratio: share of the steps, at least one step when above 0.
    max_length: prompt, completion and end token; longer examples are dropped and counted, never cut.
    group_by_length: draw batches of similar length (less padding, faster); the order stays random and seeded.
    save_every: steps between checkpoints to resume from, 0 for none. keep_checkpoint: leave the last of them in place.
    dtype: of the arithmetic; weights stay fp32. "auto" is, as in generation, 16 bits for large models where the
    hardware multiplies them itself, else fp32.
    strict_determinism: train in fp32 and, on a GPU, add in a fixed order. The recipe's key of that name sets it, and
        fixes the threads, too.
    """

    learning_rate: Annotated[float, Gt(0)] | None = None
    epochs: Annotated[float, Gt(0)] = 2.0
    max_steps: int = -1
    batch_size: Annotated[int, Ge(1)] = 8
    accumulation: Annotated[int, Ge(1)] = 4
    max_length: Annotated[int, Ge(2)] = 1024
    warmup_ratio: Annotated[float, Ge(0), Lt(1)] = 0.05
    scheduler: Scheduler = "cosine"
    weight_decay: Annotated[float, Ge(0)] = 0.0
    max_grad_norm: Annotated[float, Gt(0)] = 1.0
    lora: LoraOptions | None = None
    group_by_length: bool = True
    gradient_checkpointing: bool | None = None
    save_every: Annotated[int, Ge(0)] = 200
    keep_checkpoint: bool = False
    logging_every: Annotated[int, Ge(1)] = 10
    dtype: Dtype = "auto"
    strict_determinism: bool = False

    def __post_init__(self) -> None:
        if self.max_steps != -1 and self.max_steps < 1:
            raise ValueError("max_steps must be -1 (as many as the epochs take) or at least 1")
        check_strict(self.strict_determinism, self.dtype)

    @property
    def number_format(self) -> Dtype:
        """The dtype that is asked for: fp32 where determinism is strict."""
        return "fp32" if self.strict_determinism else self.dtype

    def examples_seen(self, examples: int) -> int:
        """How many examples training passes through, of `examples` there are: for an estimate of its cost."""
        return (
            self.max_steps * self.batch_size * self.accumulation
            if self.max_steps > 0
            else round(self.epochs * examples)
        )
