"""A KV cache that writes in place: the room a batch can need is known, so no step copies what earlier steps stored."""

from __future__ import annotations

import functools
from typing import Any


def new_cache(config: Any, length: int) -> Any:
    """An empty cache for a model's config with room for `length` tokens in its full-attention layers; layers of other
    kinds (sliding windows) are the library's own."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    cache = DynamicCache(config=config)
    layer = _roomy_layer()
    cache.layers = [layer(length) if type(old) is DynamicLayer else old for old in cache.layers]
    return cache


def select_rows(cache: Any, rows: Any) -> None:
    """Keep the rows (int64 indices, repeats allowed) of a cache, in this order."""
    for layer in cache.layers:
        getattr(layer, "batch_select_indices", layer.reorder_cache)(rows)


@functools.cache
def _roomy_layer() -> Any:
    """The layer class, made on first use because its base needs torch."""
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):  # type: ignore[misc]
        """Keys and values [rows, heads, tokens, size] as views of two buffers of `length` tokens."""

        def __init__(self, length: int) -> None:
            super().__init__()
            self.length = length
            self.filled = 0

        def lazy_initialization(self, key_states: Any, value_states: Any) -> None:
            super().lazy_initialization(key_states, value_states)
            self.stores = [_room(states, self.length) for states in (key_states, value_states)]

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            start, self.filled = self.filled, self.filled + key_states.shape[-2]
            for store, states in zip(self.stores, (key_states, value_states), strict=True):
                store[:, :, start : self.filled] = states
            self._view()
            return self.keys, self.values

        def batch_select_indices(self, indices: Any) -> None:
            self.stores = [store[indices] for store in self.stores]
            self._view()

        def _view(self) -> None:
            self.keys, self.values = (store[:, :, : self.filled] for store in self.stores)

    return RoomyLayer


def _room(states: Any, length: int) -> Any:
    rows, heads, _, size = states.shape
    return states.new_empty(rows, heads, length, size)
