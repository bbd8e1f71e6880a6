"""Where the keys and values of the rows being generated are kept.

In slots, for models whose layers all attend to everything: buffers of fixed size in which each row has a slot, and
the token at position p of a row stands in column p of its slot. No step copies what earlier steps stored, rows begin
and end when they like, and a row that has ended makes room for another. For all other models, in the library's own
cache: rows begin together, padded on the left, and leave it one by one.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .network import Network
from .prefill import Read


class Store(Protocol):
    """Keeps the states of rows, in order. `refills`: whether rows can join others."""

    refills: bool

    def enter(self, read: Read, which: Sequence[int]) -> None:
        """Add a row for each index in `which` (repeats allowed) of prompts that were read, behind the others."""

    def keep(self, order: Sequence[int]) -> None:
        """Go on with these rows, in this order."""

    def advance(self, tokens: Sequence[int], seen: Sequence[int]) -> Any:
        """Run the model over one new token of each row, `seen` the tokens of the row before it; logits of the next one,
        float32 [rows, V]."""


def fits_slots(network: Network, length: int) -> bool:
    """Whether rows of up to `length` tokens can be kept in slots: no layer is recurrent, and no sliding window is
    shorter than that."""
    return all(_attends_to_all(layer, length) for layer in network.new_cache().layers)


def _attends_to_all(layer: Any, length: int) -> bool:
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    return type(layer) is DynamicLayer or (type(layer) is DynamicSlidingWindowLayer and layer.sliding_window >= length)


@dataclass
class Places:
    """Where the newest tokens stand: `rows` [n, 1] and `columns` [n, 1] as tensors; `width`: columns in use by any
    row."""

    rows: Any = None
    columns: Any = None
    width: int = 0


class SlotStore:
    """Keys and values [slots, heads, length, size] of each layer, written in place."""

    refills = True

    def __init__(self, network: Network, slots: int, length: int) -> None:
        self.network, self.slots, self.length = network, slots, length
        self.count = 0
        self.places = Places()
        self.cache = network.new_cache()
        layer = _slot_layer()
        self.cache.layers = [layer(self.places) for _ in self.cache.layers]

    def enter(self, read: Read, which: Sequence[int]) -> None:
        for layer, source in zip(self.cache.layers, read.states.layers, strict=True):
            for name in ("keys", "values"):
                states = getattr(source, name)
                if name not in layer.stores:
                    layer.stores[name] = _zeros((self.slots, states.shape[1], self.length, states.shape[3]), states)
                for slot, index in enumerate(which, start=self.count):
                    read.copy(states, index, layer.stores[name][slot])
        self.count += len(which)
        self.places.width = max(self.places.width, read.width)

    def keep(self, order: Sequence[int]) -> None:
        for place, source in enumerate(order):
            if place != source:
                for layer in self.cache.layers:
                    for store in layer.stores.values():
                        store[place, :, : self.places.width] = store[source, :, : self.places.width]
        self.count = len(order)

    def advance(self, tokens: Sequence[int], seen: Sequence[int]) -> Any:
        import torch

        device = self.network.device
        columns = torch.tensor(seen, device=device)[:, None]
        width = max(seen) + 1
        self.places.rows = torch.arange(self.count, device=device)[:, None]
        self.places.columns, self.places.width = columns, width
        visible = torch.arange(width, device=device) <= columns
        mask = torch.zeros(visible.shape, dtype=self.network.dtype, device=device).masked_fill_(~visible, float("-inf"))
        ids = torch.tensor(tokens, device=device)[:, None]
        return self.network.logits(ids, mask[:, None, None], columns, self.cache)


def _zeros(shape: tuple[int, ...], like: Any) -> Any:
    """Zeros of the type and on the device of `like`. On the CPU no memory is taken before it is written to."""
    import math

    import numpy as np
    import torch

    if like.device.type != "cpu":
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    return torch.from_numpy(np.zeros(math.prod(shape) * like.element_size(), np.uint8)).view(like.dtype).view(shape)


class LibraryStore:
    """The library's own cache. Rows can leave it, and none can join."""

    refills = False

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cache: Any = None
        self.filled = 0

    def enter(self, read: Read, which: Sequence[int]) -> None:
        self.cache, self.filled = read.states, read.width
        self.keep(which)

    def keep(self, order: Sequence[int]) -> None:
        import torch

        rows = torch.tensor(order, dtype=torch.int64, device=self.network.device)
        for layer in self.cache.layers:
            getattr(layer, "batch_select_indices", layer.reorder_cache)(rows)

    def advance(self, tokens: Sequence[int], seen: Sequence[int]) -> Any:
        import torch

        device = self.network.device
        positions = torch.tensor(seen, device=device)[:, None]
        mask = torch.arange(self.filled + 1, device=device) >= self.filled - positions
        self.filled += 1
        ids = torch.tensor(tokens, device=device)[:, None]
        return self.network.logits(ids, mask.long(), positions, self.cache)


@functools.cache
def _slot_layer() -> Any:
    """The layer class, made on first use because its base needs torch."""
    from transformers.cache_utils import DynamicLayer

    class SlotLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped
        """The part of a SlotStore that one layer of the model sees: one new token a row, then all columns so far."""

        def __init__(self, places: Places) -> None:
            super().__init__()
            self.places = places
            self.stores: dict[str, Any] = {}
            self.is_initialized = True

        def get_seq_length(self) -> int:
            return self.places.width - 1

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            places = self.places
            views = []
            for name, states in (("keys", key_states), ("values", value_states)):
                store = self.stores[name]
                store[places.rows, :, places.columns] = states.transpose(1, 2)
                views.append(store[: len(states), :, : places.width])
            return views[0], views[1]

    return SlotLayer
