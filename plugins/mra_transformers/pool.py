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
        in_slots = fits_slots(network, group.longest)
        prefix = shared_prefix([row.prompt for row in group.rows]) if in_slots else ()
        self.reader = Reader(network, prefix)
        self.store: Store = SlotStore(network, group.slots, group.longest) if in_slots else LibraryStore(network)
        self._shelf: Read | None = None

    def fill(self) -> None:
        """Let rows enter where enough slots are free."""
        free = self.slots - len(self.rows)
        if not self.queue or (self.rows and (not self.store.refills or free < max(1, self.slots // REFILL))):
            return
        entering = [self.queue.popleft() for _ in range(min(free, len(self.queue)))]
        for read in self._read(entering):
            self._enter(read, [row for row in entering if row.prompt in read.prompts])

    def _read(self, entering: list[RowSpec]) -> list[Read]:
        """Read the prompts of rows. The last prompt stays at hand as long as more of its rows wait."""
        prompts = list(dict.fromkeys(row.prompt for row in entering))
        if not self.store.refills:
            return [self.reader.read(prompts)]
        reads = []
        if self._shelf is not None and self._shelf.prompts[0] == prompts[0]:
            reads.append(self._shelf)
            prompts = prompts[1:]
        more = bool(self.queue) and self.queue[0].prompt == entering[-1].prompt
        reads += [self.reader.read(some) for some in self._portions(prompts, apart=more)]
        self._shelf = reads[-1] if more else None
        return reads

    def _portions(self, prompts: list[Prompt], apart: bool) -> list[list[Prompt]]:
        """Prompts in portions that are read together; with `apart`, the last one is read by itself."""
        portions: list[list[Prompt]] = []
        for prompt in prompts:
            alone = not portions or (apart and prompt is prompts[-1])
            if alone or (len(portions[-1]) + 1) * len(portions[-1][0]) > self.prefill_tokens:
                portions.append([])
            portions[-1].append(prompt)
        return portions

    def _enter(self, read: Read, rows: list[RowSpec]) -> None:
        import torch

        places = {prompt: index for index, prompt in enumerate(read.prompts)}
        which = [places[row.prompt] for row in rows]
        self.store.enter(read, which)
        logits = read.logits[which]
        self.logits = torch.cat([self.logits, logits]) if self.rows else logits
        self.rows += [Row(spec) for spec in rows]

    def leave(self, gone: list[int]) -> None:
        """Take out the rows at these indices; the last ones take their places."""
        order = list(range(len(self.rows)))
        for index in sorted(gone, reverse=True):
            last = order.pop()
            if index < len(order):
                order[index] = last
        self.rows = [self.rows[index] for index in order]
        self.store.keep(order)

    def advance(self) -> None:
        """Run the model over the newest token of each row."""
        if self.rows:
            seen = [len(row.spec.prompt) + len(row.ids) - 1 for row in self.rows]
            self.logits = self.store.advance([row.ids[-1] for row in self.rows], seen)
