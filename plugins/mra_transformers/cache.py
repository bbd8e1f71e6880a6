"""Where the keys and values of the rows being generated are kept: slots in buffers of fixed size, so that no step
copies what earlier steps stored, and a row that has ended makes room for another.

The newest token of every row stands in the same column: `columns.filled` grows by one a step. A row's first token
stands in a column of its own; what is before it is masked, except a prefix that all rows share in the first columns.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass
class Columns:
    """The part of the buffers in use: the first `rows` slots and the first `filled` columns."""

    rows: int = 0
    filled: int = 0


class Store(Protocol):
    """What keeps the states of rows. `cache` is what the model is given; `refills`: whether rows can join others."""

    cache: Any
    refills: bool
    columns: Columns

    def put(self, states: Any, which: Any) -> None:
        """Add the rows `which` [int64] of a library cache that ends with the newest column, behind the others."""

    def keep(self, order: list[int]) -> None:
        """Go on with these rows, in this order."""

    def shift(self, by: int) -> None:
        """Drop the first `by` columns behind the prefix."""


def fits_slots(config: Any, length: int) -> bool:
    """Whether rows of up to `length` columns can be kept in slots: all layers of the model attend to everything there.
    Sliding windows shorter than that and recurrent layers cannot."""
    return all(_attends_to_all(layer, length) for layer in library_cache(config).layers)


def library_cache(config: Any) -> Any:
    """An empty cache of the library for a model's config."""
    from transformers import DynamicCache

    return DynamicCache(config=config)


def _attends_to_all(layer: Any, length: int) -> bool:
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    return type(layer) is DynamicLayer or (type(layer) is DynamicSlidingWindowLayer and layer.sliding_window >= length)


class SlotStore:
    """Keys and values [slots, heads, length, size] of each layer, written in place. The first `prefix` columns hold
    what all rows begin with."""

    refills = True

    def __init__(self, config: Any, slots: int, length: int, prefix: int) -> None:
        self.slots, self.length, self.prefix = slots, length, prefix
        self.columns = Columns()
        self.cache = library_cache(config)
        layer = _slot_layer()
        self.cache.layers = [layer(self.columns) for _ in self.cache.layers]

    def put(self, states: Any, which: Any) -> None:
        rows, filled, prefix = self.columns.rows, self.columns.filled, self.prefix
        slots = slice(rows, rows + len(which))
        for layer, source in zip(self.cache.layers, states.layers, strict=True):
            for name in ("keys", "values"):
                new = getattr(source, name)[which]
                store = layer.stores.get(name)
                if store is None:
                    store = layer.stores[name] = new.new_zeros(self.slots, new.shape[1], self.length, new.shape[3])
                store[slots, :, :prefix] = new[:, :, :prefix]
                store[slots, :, filled - (new.shape[2] - prefix) : filled] = new[:, :, prefix:]
        self.columns.rows += len(which)

    def keep(self, order: list[int]) -> None:
        moved = [(place, source) for place, source in enumerate(order) if place != source]
        filled = self.columns.filled
        for layer in self.cache.layers if moved else ():
            for store in layer.stores.values():
                for place, source in moved:
                    store[place, :, :filled] = store[source, :, :filled]
        self.columns.rows = len(order)

    def shift(self, by: int) -> None:
        rows, filled, first = self.columns.rows, self.columns.filled, self.prefix
        for layer in self.cache.layers:
            for store in layer.stores.values():
                store[:rows, :, first : filled - by] = store[:rows, :, first + by : filled].clone()
        self.columns.filled -= by


class LibraryStore:
    """The library's own cache. Rows can leave it, and none can join."""

    refills = False

    def __init__(self) -> None:
        self.columns = Columns()
        self.cache: Any = None

    def put(self, states: Any, which: Any) -> None:
        select_rows(states, which)
        self.cache = states
        self.columns.rows = len(which)

    def keep(self, order: list[int]) -> None:
        import torch

        if order != list(range(self.columns.rows)):
            select_rows(self.cache, torch.tensor(order, dtype=torch.int64))
        self.columns.rows = len(order)

    def shift(self, by: int) -> None:
        raise AssertionError("rows of the library's cache begin together and are never shifted")


def select_rows(cache: Any, rows: Any) -> None:
    """Keep the rows (int64 indices, repeats allowed) of a library cache, in this order."""
    for layer in cache.layers:
        getattr(layer, "batch_select_indices", layer.reorder_cache)(rows)


@functools.cache
def _slot_layer() -> Any:
    """The layer class, made on first use because its base needs torch."""
    from transformers.cache_utils import DynamicLayer

    class SlotLayer(DynamicLayer):  # type: ignore[misc]
        """The part of a SlotStore that one layer of the model sees: one new token a row, then all columns so far."""

        def __init__(self, columns: Columns) -> None:
            super().__init__()
            self.columns = columns
            self.stores: dict[str, Any] = {}
            self.is_initialized = True

        def get_seq_length(self) -> int:
            return self.columns.filled

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            rows, column = self.columns.rows, self.columns.filled
            views = []
            for name, states in (("keys", key_states), ("values", value_states)):
                store = self.stores[name]
                store[:rows, :, column : column + 1] = states
                views.append(store[:rows, :, : column + 1])
            return views[0], views[1]

    return SlotLayer
