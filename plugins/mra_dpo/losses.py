"""The loss of each pair, by trl's names, before any mean is taken: a pair's weight must come first, and trl's own loss
ends in the mean over the batch. With equal weights each gives what trl 1.16 gives; a test holds every one against it.

The losses are those of the papers that trl's documentation names beside them; here they are written in rewards, beta
times how much more likely the model finds a text than its parent does. Imports torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

DISCOPOP_TEMPERATURE = 0.05  # trl's default, the value of the paper


@dataclasses.dataclass(frozen=True)
class Scored:
    """A batch of n pairs. Log-probabilities are sums over a text's tokens, in nats; all tensors have shape (n,).

    chosen, rejected: under the model. parent_chosen, parent_rejected: under its parent. chosen_tokens, rejected_tokens:
    lengths. smoothing: what `label_smoothing` of the options says.
    """

    chosen: Tensor
    rejected: Tensor
    parent_chosen: Tensor
    parent_rejected: Tensor
    chosen_tokens: Tensor
    rejected_tokens: Tensor
    beta: float
    smoothing: float

    @property
    def chosen_ratio(self) -> Tensor:
        """How much more likely the chosen text is than under the parent, as a difference of log-probabilities."""
        return self.chosen - self.parent_chosen

    @property
    def rejected_ratio(self) -> Tensor:
        """The same of the rejected text."""
        return self.rejected - self.parent_rejected

    @property
    def margin(self) -> Tensor:
        """Reward of the chosen text over that of the rejected one."""
        return self.beta * (self.chosen_ratio - self.rejected_ratio)

    @property
    def token_margin(self) -> Tensor:
        """Difference of the ratios, each for one token of its text; not yet times beta."""
        return self.chosen_ratio / self.chosen_tokens - self.rejected_ratio / self.rejected_tokens


Loss = Callable[[Scored], Tensor]


def weighted(pairs: Scored, losses: Mapping[str, float], weights: Tensor) -> Tensor:
    """The batch's loss: the mean over its pairs of weight times the pair's losses, each by its share in `losses`.

    weights: shape (n,), with mean 1 over the whole data set. They are never divided by the batch's own sum, which would
    cancel them in batches of one pair.
    """
    total = torch.stack([share * LOSSES[name](pairs) for name, share in losses.items()]).sum(0)
    return (weights * total).mean()


def _exo(pairs: Scored) -> Tensor:
    noise = torch.tensor(pairs.smoothing, device=pairs.chosen.device)
    up, down = logsigmoid(pairs.margin), logsigmoid(-pairs.margin)
    return up.exp() * (up - torch.log1p(-noise)) + down.exp() * (down - torch.log(noise))


def _nca(pairs: Scored) -> Tensor:
    chosen, rejected = pairs.beta * pairs.chosen_ratio, pairs.beta * pairs.rejected_ratio
    return -logsigmoid(chosen) - 0.5 * (logsigmoid(-chosen) + logsigmoid(-rejected))


def _bco(pairs: Scored) -> Tensor:
    return -logsigmoid(pairs.beta * pairs.chosen_ratio) - logsigmoid(-pairs.beta * pairs.rejected_ratio)


def _sppo(pairs: Scored) -> Tensor:
    goal = 0.5 / pairs.beta
    return (pairs.chosen_ratio - goal).square() + (pairs.rejected_ratio + goal).square()


def _robust(pairs: Scored) -> Tensor:
    noise = pairs.smoothing
    return (noise * logsigmoid(-pairs.margin) - (1 - noise) * logsigmoid(pairs.margin)) / (1 - 2 * noise)


def _smoothed(margin: Tensor, noise: float) -> Tensor:
    return -(1 - noise) * logsigmoid(margin) - noise * logsigmoid(-margin)


def _aot(pairs: Scored) -> Tensor:
    model, parent = pairs.chosen - pairs.rejected, pairs.parent_chosen - pairs.parent_rejected
    return _smoothed(pairs.beta * (model.sort().values - parent.sort().values), pairs.smoothing)


def _aot_unpaired(pairs: Scored) -> Tensor:
    ranked = pairs.chosen_ratio.sort().values - pairs.rejected_ratio.sort().values
    return _smoothed(pairs.beta * ranked, pairs.smoothing)


def _apo_zero(pairs: Scored) -> Tensor:
    return 1 - torch.sigmoid(pairs.beta * pairs.chosen_ratio) + torch.sigmoid(pairs.beta * pairs.rejected_ratio)


def _apo_down(pairs: Scored) -> Tensor:
    return torch.sigmoid(pairs.beta * pairs.chosen_ratio) + 1 - torch.sigmoid(pairs.margin)


def _discopop(pairs: Scored) -> Tensor:
    mixed = torch.sigmoid(pairs.margin / DISCOPOP_TEMPERATURE)
    return mixed * torch.exp(-pairs.margin) - (1 - mixed) * logsigmoid(pairs.margin)


def _sft(pairs: Scored) -> Tensor:
    """trl takes the mean over the batch's tokens: a text counts by its length, and so do the weights."""
    return -pairs.chosen / pairs.chosen_tokens.float().mean()


LOSSES: Mapping[str, Loss] = {
    "sigmoid": lambda pairs: -logsigmoid(pairs.margin),
    "hinge": lambda pairs: torch.relu(1 - pairs.margin),
    "ipo": lambda pairs: (pairs.token_margin - 0.5 / pairs.beta).square(),
    "exo_pair": _exo,
    "nca_pair": _nca,
    "robust": _robust,
    "bco_pair": _bco,
    "sppo_hard": _sppo,
    "aot": _aot,
    "aot_unpaired": _aot_unpaired,
    "apo_zero": _apo_zero,
    "apo_down": _apo_down,
    "discopop": _discopop,
    "sft": _sft,
    "sigmoid_norm": lambda pairs: -logsigmoid(pairs.beta * pairs.token_margin),
}
