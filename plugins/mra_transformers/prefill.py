"""Reads prompts: each different one once, what all of them begin with only once for all. Called in inference mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import BenchError

from .network import Network

Prompt = tuple[int, ...]
SHORTEST_PREFIX = 16
"""Tokens that the prompts of a block must share for the shared part to be read apart."""


@dataclass(frozen=True)
class Read:
    """Prompts that were read: the library's cache [prompts, ..., width], and the logits of the next token, float32
    [prompts, V]. The first `shared` columns hold what all begin with; the rest of each prompt stands at the end."""

    prompts: tuple[Prompt, ...]
    shared: int
    states: Any
    logits: Any

    @property
    def width(self) -> int:
        """Columns of the cache: those of the longest prompt."""
        return max(len(prompt) for prompt in self.prompts)

    def copy(self, states: Any, index: int, slot: Any) -> None:
        """Write a prompt's part of `states` [prompts, heads, width, size], without the padding, to the first columns of
        `slot` [heads, length, size]."""
        length = len(self.prompts[index])
        slot[:, : self.shared] = states[index, :, : self.shared]
        slot[:, self.shared : length] = states[index, :, self.width - length + self.shared :]


def shared_prefix(prompts: Sequence[Prompt]) -> Prompt:
    """The tokens with which all prompts begin, at least one token of each left over; none if they are few, or if there
    is one prompt only."""
    if len(set(prompts)) < 2:
        return ()
    low, high = min(prompts), max(prompts)  # the two that differ earliest
    most = min(len(prompt) for prompt in prompts) - 1
    size = next((place for place in range(most) if low[place] != high[place]), most)
    return low[:size] if size >= SHORTEST_PREFIX else ()


class Reader:
    """Runs the model over prompts that all begin with `prefix`."""

    def __init__(self, network: Network, prefix: Prompt = ()) -> None:
        self.network, self.prefix = network, prefix
        self._prefix_states: Any = None

    def read(self, prompts: Sequence[Prompt]) -> Read:
        """Read prompts, padded on the left to the longest of them. Raises BenchError when the logits are no numbers."""
        import torch

        device, shared = self.network.device, len(self.prefix)
        states = self._started(len(prompts))
        rests = [prompt[shared:] for prompt in prompts]
        width = max(map(len, rests))
        ids = torch.tensor([[self.network.pad] * (width - len(rest)) + list(rest) for rest in rests], device=device)
        lengths = torch.tensor([len(rest) for rest in rests], device=device)
        places = torch.arange(width, device=device) - (width - lengths[:, None])
        mask = torch.cat([torch.ones(len(prompts), shared, device=device).long(), (places >= 0).long()], dim=1)
        logits = self.network.logits(ids, mask, places.clamp(min=0) + shared, states)
        if logits.isnan().any() or not logits.isfinite().any(dim=-1).all():
            raise BenchError("The model's output is not a number. Its weights are broken, or dtype: fp32 is needed.")
        return Read(tuple(prompts), shared, states, logits)

    def _started(self, rows: int) -> Any:
        """A cache that holds the prefix in each of its rows."""
        import torch

        network = self.network
        cache = network.new_cache()
        if not self.prefix:
            return cache
        if self._prefix_states is None:
            self._prefix_states = network.new_cache()
            ids = torch.tensor([self.prefix], device=network.device)
            places = torch.arange(len(self.prefix), device=network.device)[None]
            network.logits(ids, torch.ones_like(ids), places, self._prefix_states)
        for layer, kept in zip(cache.layers, self._prefix_states.layers, strict=True):
            layer.update(kept.keys.expand(rows, -1, -1, -1), kept.values.expand(rows, -1, -1, -1))
        return cache
