"""Options of the trainer `grpo`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen
from mra_transformers.training_options import TrainingOptions

from mra_bench.types import Problem

from .rewards import Wanted, wanted

Loss = Literal["dapo", "bnpo", "grpo", "dr_grpo"]
Advantage = Literal["zscore", "rank"]


@dataclass(frozen=True)
class GrpoOptions(TrainingOptions):
    """Group-relative policy optimisation. learning_rate: 1e-6 by default, 1e-5 with `lora`.

    epochs: times that each problem is asked. batch_size: texts passed through the model at once.
    accumulation: batches of one step; batch_size times accumulation is a multiple of group_size.
    max_length: prompt and text; a problem whose prompt leaves no room is dropped and counted.
    group_by_length: ask problems with prompts of similar length together; steps then differ in how hard they are.
    save_every: steps between checkpoints to resume from, rounded up to a multiple of `iterations`; 0 for none.

    group_size: texts drawn for each problem. temperature: of drawing and of training's probabilities alike.
    top_p: draw from the likeliest tokens that make up this share; training's probabilities know nothing of it.
    max_new_tokens: length limit of a text; none is that of `evaluate`.
    rewards: name and weight, or name and {weight, options}, of docs/training_signals.md; {correct: 1} by default.
    A text earns the weighted sum.
    advantage: "zscore" is (reward - mean) / (std + 1e-4) in the group, "rank" the rank in it, from -1 to 1.
    epsilon_low: tokens of a text that earned less than its group count while their probability is over 1 - epsilon_low
    times what it was. epsilon_high: those of one that earned more, while it is under 1 + epsilon_high times.
    beta: how strongly the model is held to its parent, 0 for not at all.
    iterations: updates of the weights from the same texts.
    loss_type: trl's name of what the sum over tokens is divided by: "dapo" all tokens of a step, "bnpo" those of each
    batch, "grpo" each text's own, then the mean over texts, "dr_grpo" texts times max_new_tokens.
    """

    epochs: Annotated[float, Gt(0)] = 1.0
    group_by_length: bool = False
    group_size: Annotated[int, Ge(2)] = 8
    temperature: Annotated[float, Gt(0)] = 1.0
    top_p: Annotated[float, Gt(0), Le(1)] = 1.0
    max_new_tokens: Annotated[int, Ge(1)] | None = None
    rewards: Annotated[Mapping[str, Any], MinLen(1)] = field(default_factory=lambda: {"correct": 1.0})
    advantage: Advantage = "zscore"
    epsilon_low: Annotated[float, Gt(0)] = 0.2
    epsilon_high: Annotated[float, Gt(0)] = 0.2
    beta: Annotated[float, Ge(0)] = 0.0
    iterations: Annotated[int, Ge(1)] = 1
    loss_type: Loss = "dapo"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.texts % self.group_size:
            raise ValueError(
                f"a step draws batch_size x accumulation = {self.texts} texts, which must be a multiple of group_size "
                f"{self.group_size}"
            )
        if self.lora is not None and self.lora.dropout:
            raise ValueError("lora.dropout must be 0: with dropout the ratio of probabilities is not 1 at the start")
        self.wanted()  # raises UsageError for an unknown reward or option

    @property
    def rate(self) -> float:
        """The learning rate in use."""
        return self.learning_rate or (1e-5 if self.lora else 1e-6)

    @property
    def texts(self) -> int:
        """Texts of one step."""
        return self.batch_size * self.accumulation

    @property
    def prompts(self) -> int:
        """Problems of one step."""
        return self.texts // self.group_size

    def wanted(self) -> tuple[Wanted, ...]:
        """The rewards with weights and options, checked."""
        return tuple(wanted(name, entry) for name, entry in self.rewards.items())

    def check_problems(self, problems: Sequence[Problem], graders: Sequence[str]) -> None:
        """Raises UsageError for a reward that cannot be computed for these problems with graders of these names."""
        for reward in self.wanted():
            reward.check(problems, graders)

    def examples_seen(self, examples: int) -> int:
        """How many texts training passes through when `examples` problems are asked: for an estimate of its cost."""
        asked = self.max_steps * self.texts if self.max_steps > 0 else self.epochs * examples * self.group_size
        return round(asked * (1 if self.max_steps > 0 else self.iterations))

    def texts_drawn(self, problems: int) -> int:
        """How many texts it draws when `problems` problems are asked: for an estimate of its cost. Those of a step are
        learnt from in `iterations` steps."""
        if self.max_steps > 0:
            return math.ceil(self.max_steps / self.iterations) * self.texts
        return round(self.epochs * problems * self.group_size)
