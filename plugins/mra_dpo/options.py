"""Options of the trainer `dpo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from annotated_types import Ge, Gt, Lt
from mra_transformers.training_options import TrainingOptions

from mra_bench.errors import nearest

Loss = Literal[
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
]  # fmt: skip
SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")
SORTING = ("aot", "aot_unpaired")
"""Losses of a whole batch: it is sorted, and no pair has one of its own."""


@dataclass(frozen=True)
class DpoOptions(TrainingOptions):
    """Direct preference optimisation. A pair's loss counts by the pair's `weight`, divided by the mean weight of all
    pairs trained on. learning_rate: 1e-6 by default, 5e-6 with `lora`.

    loss_type: trl's name of the loss ("sigmoid" is DPO's own), or several with the share of each, such as
        {sigmoid: 1, sft: 0.5}; "sft" is the likelihood loss on the chosen text, by trl a mean over a batch's
        tokens. "aot" and "aot_unpaired" sort a batch and take no weights that differ.
    beta: how strongly the model is held to its parent. precompute_ref_log_probs: run the parent once over the pairs
    before training, instead of keeping it in memory and running it at every step. label_smoothing: the share of
    preferences taken to be wrong, for the losses "robust", "exo_pair" (which needs it above 0), "aot" and
    "aot_unpaired".
    """

    epochs: Annotated[float, Gt(0)] = 1.0
    beta: Annotated[float, Gt(0)] = 0.1
    loss_type: Loss | Mapping[str, float] = "sigmoid"
    label_smoothing: Annotated[float, Ge(0), Lt(0.5)] = 0.0
    precompute_ref_log_probs: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_shares(self.losses)
        if "exo_pair" in self.losses and not self.label_smoothing:
            raise ValueError("the loss 'exo_pair' needs label_smoothing above 0, such as 0.001")
        if self.label_smoothing and not set(SMOOTHED) & set(self.losses):
            takes = ", ".join(SMOOTHED)
            raise ValueError(f"label_smoothing is for the losses {takes}; leave it out for {', '.join(self.losses)}")

    @property
    def losses(self) -> Mapping[str, float]:
        """Each loss by name, with its share of the whole."""
        return {self.loss_type: 1.0} if isinstance(self.loss_type, str) else dict(self.loss_type)

    @property
    def rate(self) -> float:
        """The learning rate in use."""
        return self.learning_rate or (5e-6 if self.lora else 1e-6)


def _check_shares(losses: Mapping[str, float]) -> None:
    """Raises ValueError for a loss that nobody knows, a share that is not above 0, or no loss at all."""
    if not losses:
        raise ValueError(
            "loss_type names no loss: give one, such as sigmoid, or a mapping such as {sigmoid: 1, sft: 0.5}"
        )
    for name, share in losses.items():
        if name not in get_args(Loss):
            close = nearest(name, get_args(Loss))
            hint = f"did you mean '{close}'?" if close else f"known: {', '.join(get_args(Loss))}"
            raise ValueError(f"loss_type: unknown loss '{name}', {hint}")
        if not 0 < share < float("inf"):
            raise ValueError(f"loss_type: the share of '{name}' is {share}; it must be a finite number above 0")
