"""Options of the trainer `dpo`."""

from __future__ import annotations

from typing import Literal

from mra_transformers.training_options import TrainingOptions
from pydantic import Field

Loss = Literal["sigmoid", "hinge", "ipo", "robust", "nca_pair", "apo_zero", "apo_down", "sigmoid_norm"]


class DpoOptions(TrainingOptions):
    """Direct preference optimisation. learning_rate: 1e-6 by default, 5e-6 with `lora`.

    loss_type: trl's name of the loss; "sigmoid" is DPO's own.
    beta: how strongly the model is held to its parent. sft_weight: weight of an added likelihood loss on the chosen
    text, 0 for none. precompute_ref_log_probs: run the parent once over the pairs before training, instead of keeping
    it in memory and running it at every step. label_smoothing: for loss_type "robust", the share of wrong preferences.
    """

    epochs: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.1, gt=0)
    loss_type: Loss = "sigmoid"
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    sft_weight: float = Field(default=0.0, ge=0)
    precompute_ref_log_probs: bool = True

    @property
    def rate(self) -> float:
        """The learning rate in use."""
        return self.learning_rate or (5e-6 if self.lora else 1e-6)
