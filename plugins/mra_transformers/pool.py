"""The rows while they are being generated: how they enter, what the model reads next, how they leave. Called in
inference mode."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .batching import Group, RowSpec
from .cache import LibraryStore, SlotStore, Store, fits_slots
from .network import Network
from .prefill import Prompt, Read, Reader, shared_prefix

REFILL = 8
"""Rows enter once one slot in this many is free: prompts are read together, and slots are seldom empty."""
SLACK = 4
"""Columns beyond the longest row, as a share of it: shifting copies the whole cache, and is seldom needed."""
WASTE = 8
"""Columns are dropped once the share of them that no row needs is more than one in this many."""


@dataclass
class Row:
    """A row being generated: `ids` are its tokens so far."""

    spec: RowSpec
    ids: list[int] = field(default_factory=list)


class Pool:
    """The rows of a group. `queue` holds those that have not entered yet; `rows` those that have, each with its next
    `logits` [rows, V]."""

    def __init__(self, network: Network, group: Group, prefill_tokens: int) -> None:
        """prefill_tokens: bound of prompts x longest prompt read in one pass of the model."""
        self.network, self.slots, self.prefill_tokens = network, group.slots, prefill_tokens
        self.queue = deque(group.rows)
        self.rows: list[Row] = []
        self.logits: Any = None
        self._shelf: Read | None = None
        length = group.longest + group.longest // SLACK + 1
        self.in_slots = fits_slots(network.model.config, length)
        self.prefix = shared_prefix([row.prompt for row in group.rows]) if self.in_slots else ()
        self.length = length
        self.reader = Reader(network, self.prefix)
        self.store = self._new_store()

    def _new_store(self) -> Store:
        if self.in_slots:
            return SlotStore(self.network.model.config, self.slots, self.length, len(self.prefix))
        return LibraryStore()

    def fill(self) -> None:
        """Let rows enter where enough slots are free."""
        free = self.slots - len(self.rows)
        if not self.queue or (self.rows and (not self.in_slots or free < max(1, self.slots // REFILL))):
            return
        if not self.rows and not self.in_slots:
            self.store = self._new_store()
        if not self.rows:
            self.store.columns.filled = 0
        entering = [self.queue.popleft() for _ in range(min(free, len(self.queue)))]
        for read in self._read(entering):
            self._enter(read, [row for row in entering if row.prompt in read.prompts])

    def _read(self, entering: list[RowSpec]) -> list[Read]:
        """Read the prompts of rows. The last prompt stays at hand as long as more of its rows wait."""
        prompts = list(dict.fromkeys(row.prompt for row in entering))
        reads = []
        if self._shelf is not None and self._shelf.prompts[0] == prompts[0]:
            reads.append(self._shelf)
            prompts = prompts[1:]
        self._shelf = None
        more = self.in_slots and bool(self.queue) and self.queue[0].prompt == entering[-1].prompt
        for some in self._portions(prompts, alone=more):
            reads.append(self.reader.read(some))
        if more:
            self._shelf = reads[-1]
        return reads

    def _portions(self, prompts: list[Prompt], alone: bool) -> list[list[Prompt]]:
        """Prompts in portions that are read together; with `alone`, the last one is read by itself."""
        if not self.in_slots:
            return [prompts]
        portions: list[list[Prompt]] = []
        for prompt in prompts:
            if alone and prompt is prompts[-1]:
                portions.append([prompt])
            elif portions and (len(portions[-1]) + 1) * len(portions[-1][0]) <= self.prefill_tokens:
                portions[-1].append(prompt)
            else:
                portions.append([prompt])
        return portions

    def _enter(self, read: Read, rows: list[RowSpec]) -> None:
        import torch

        columns = self.store.columns
        columns.filled = max(columns.filled, read.width)
        places = {prompt: index for index, prompt in enumerate(read.prompts)}
        which = torch.tensor([places[row.prompt] for row in rows], device=self.network.device)
        self.store.put(read.states, which)
        logits = read.logits[which]
        self.logits = logits if not self.rows else torch.cat([self.logits, logits])
        self.rows += [Row(spec) for spec in rows]

    def leave(self, gone: list[int]) -> None:
        """Take out the rows at these indices; the last ones take their places."""
        order = list(range(len(self.rows)))
        for index in sorted(gone, reverse=True):
            last = order.pop()
            if index < len(order):
                order[index] = last
        self.store.keep(order)
        self.rows = [self.rows[index] for index in order]

    def advance(self) -> None:
        """Run the model over the newest token of each row."""
        import torch

        if not self.rows:
            return
        self._trim()
        device, filled = self.network.device, self.store.columns.filled
        ids = torch.tensor([[row.ids[-1]] for row in self.rows], device=device)
        seen = torch.tensor([len(row.spec.prompt) + len(row.ids) - 1 for row in self.rows], device=device)[:, None]
        places = torch.arange(filled + 1, device=device)
        mask = (places >= filled - seen + len(self.prefix)) | (places < len(self.prefix))
        self.logits = self.network.logits(ids, mask.long(), seen, self.store.cache)
        self.store.columns.filled += 1

    def _trim(self) -> None:
        """Drop columns that no row needs any more, when there are many of them or no room is left."""
        if not self.in_slots:
            return
        filled = self.store.columns.filled
        needed = max(len(row.spec.prompt) + len(row.ids) - 1 for row in self.rows)
        waiting = max((len(row.prompt) for row in self.queue), default=0)
        idle = filled - max(needed, waiting)
        if idle > 0 and (WASTE * idle > filled or filled + 1 > self.length):
            self.store.shift(idle)
