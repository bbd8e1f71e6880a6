"""Options shared by the trainers `sft` and `dpo`. Light: imports pydantic only."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .options import Dtype, check_strict

Scheduler = Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]


class LoraOptions(BaseModel):
    """A low-rank adapter, trained in place of the weights and merged into them at the end.

    rank: of the two factors of each update. alpha: the update is scaled by alpha / rank.
    dropout: share of the adapter's inputs zeroed in training; on a CPU, drawing them costs a fifth of a step.
    targets: "all-linear" (every linear layer but the output) or the names of the modules to adapt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class TrainingOptions(BaseModel):
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

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    learning_rate: float | None = Field(default=None, gt=0)
    epochs: float = Field(default=2.0, gt=0)
    max_steps: int = -1
    batch_size: int = Field(default=8, ge=1)
    accumulation: int = Field(default=4, ge=1)
    max_length: int = Field(default=1024, ge=2)
    warmup_ratio: float = Field(default=0.05, ge=0, lt=1)
    scheduler: Scheduler = "cosine"
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    lora: LoraOptions | None = None
    group_by_length: bool = True
    gradient_checkpointing: bool | None = None
    save_every: int = Field(default=200, ge=0)
    keep_checkpoint: bool = False
    logging_every: int = Field(default=10, ge=1)
    dtype: Dtype = "auto"
    strict_determinism: bool = False

    @field_validator("max_steps")
    @classmethod
    def _steps(cls, value: int) -> int:
        if value != -1 and value < 1:
            raise ValueError("must be -1 (as many as the epochs take) or at least 1")
        return value

    @model_validator(mode="after")
    def _strict(self) -> Self:
        check_strict(self.strict_determinism, self.dtype)
        return self

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
