"""Options of the trainer `sft`."""

from __future__ import annotations

from dataclasses import dataclass

from mra_transformers.training_options import TrainingOptions


@dataclass(frozen=True)
class SftOptions(TrainingOptions):
    """Supervised training on completions. learning_rate: 2e-5 by default, 2e-4 with `lora`."""

    @property
    def rate(self) -> float:
        """The learning rate in use."""
        return self.learning_rate or (2e-4 if self.lora else 2e-5)
