"""The rows of a batch while they are being generated: their tensors, and how rows leave. Called in inference mode."""

from __future__ import annotations

from typing import Any

from mra_bench.errors import BenchError

from .batching import RowSpec
from .cache import select_rows
from .network import Network

LEAVE = 0.25
"""Share of rows that must have ended before they are taken out: each time the cache of the others is copied."""


class Live:
    """The rows still in the batch. `over` marks those that have ended but not yet left; `texts` [rows, room] holds the
    tokens generated so far. Prompts are padded on the left to `width` tokens."""

    def __init__(self, network: Network, rows: list[RowSpec], watched: list[int]) -> None:
        """watched: ids of the tokens that can end a text."""
        import torch

        self.network, self.rows = network, rows
        self.over = [False] * len(rows)
        device = network.device
        self.width = max(len(row.prompt) for row in rows)
        room = max(row.room for row in rows)
        self.cache = network.cache(self.width + room)
        self.keys = torch.tensor([row.key for row in rows], device=device)
        self.rooms = torch.tensor([row.room for row in rows], device=device)
        self.lengths = torch.tensor([len(row.prompt) for row in rows], device=device)
        self.texts = torch.zeros(len(rows), room, dtype=torch.int64, device=device)
        self.mask = torch.arange(self.width + room, device=device) >= self.width - self.lengths[:, None]
        self.watched = torch.tensor(watched, dtype=torch.int64, device=device)

    def read_prompts(self) -> Any:
        """Run the model over the prompts, each different one once; logits of the next token, float32 [rows, V].

        Raises BenchError when they are not numbers.
        """
        import torch

        places: dict[tuple[int, ...], int] = {}
        which = torch.tensor([places.setdefault(row.prompt, len(places)) for row in self.rows])
        which = which.to(self.network.device)
        padded = [[self.network.pad] * (self.width - len(prompt)) + list(prompt) for prompt in places]
        lengths = torch.tensor([len(prompt) for prompt in places], device=self.network.device)
        columns = torch.arange(self.width, device=self.network.device)
        positions = columns - (self.width - lengths[:, None])
        ids = torch.tensor(padded, device=self.network.device)
        logits = self.network.logits(ids, (positions >= 0).long(), positions.clamp(min=0), self.cache)
        if logits.isnan().any() or not logits.isfinite().any(dim=-1).all():
            raise BenchError("The model's output is not a number. Its weights are broken, or dtype: fp32 is needed.")
        if len(places) < len(self.rows):
            select_rows(self.cache, which)
        return logits[which]

    def read(self, ids: Any, step: int) -> Any:
        """Run the model over the tokens `ids` [rows] chosen at `step`; logits of the next token, float32 [rows, V]."""
        mask = self.mask[:, : self.width + step + 1].long()
        # A row that is over may have used up the positions of the model; what it goes on with is of no account.
        positions = self.lengths + (self.rooms - 1).clamp(max=step)
        return self.network.logits(ids[:, None], mask, positions[:, None], self.cache)

    def take(self, ids: Any, step: int) -> list[int]:
        """Keep the tokens `ids` [rows]; indices of the rows that may have ended with them."""
        import torch

        self.texts[:, step] = ids
        flagged = torch.isin(ids, self.watched) | (self.rooms <= step + 1)
        return [index for index in flagged.nonzero().flatten().tolist() if not self.over[index]]

    def compact(self, ids: Any) -> Any:
        """Take ended rows out once enough of them have ended. The tokens of those that stay, None if none does."""
        import torch

        gone = sum(self.over)
        if gone == len(self.rows):
            return None
        if not gone or gone < LEAVE * len(self.rows):
            return ids
        stay = [index for index, over in enumerate(self.over) if not over]
        keep = torch.tensor(stay, device=self.network.device)
        self.rows = [self.rows[index] for index in stay]
        self.over = [False] * len(stay)
        self.keys, self.rooms, self.lengths = self.keys[keep], self.rooms[keep], self.lengths[keep]
        self.texts, self.mask = self.texts[keep], self.mask[keep]
        select_rows(self.cache, keep)
        return ids[keep]
