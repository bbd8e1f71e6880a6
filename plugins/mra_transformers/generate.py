"""The generation engine: our own loop over one batch at a time, a deterministic function of the rows.

Left padding with explicit mask and positions, a KV cache, rows that have ended leave both. Nothing here knows of
problems or prompts: rows of token ids go in, texts come out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import BenchError
from mra_bench.types import LENGTH, STOP, Decoding

from .batching import RowSpec, pack
from .cache import new_cache, select_rows
from .stops import StopRule, watched_tokens
from .streams import choose

LEAVE = 0.25
"""Share of rows that must have ended before they are taken out: each time the cache of the others is copied."""


@dataclass(frozen=True)
class Limits:
    """Bounds of a batch; both shape the last bits of the logits."""

    token_budget: int
    max_rows: int


@dataclass(frozen=True)
class Ended:
    """A finished text: its row's place in the block, the text without end token and stop string, the number of tokens
    generated (without the end token, with those of a stop string), "stop" or "length"."""

    position: int
    text: str
    tokens: int
    finish: str


class Engine:
    """A loaded model and tokenizer, ready to generate. `halvings` records batches cut for lack of memory."""

    def __init__(self, model: Any, tokenizer: Any, ends: frozenset[int], limits: Limits) -> None:
        """ends: ids of the tokens that end a text."""
        self.model = model
        self.tokenizer = tokenizer
        self.ends = ends
        self.limits = limits
        self.halvings: list[dict[str, int]] = []
        self.takes = frozenset(inspect.signature(model.forward).parameters)
        self._watched: dict[StopRule, list[int]] = {}

    @property
    def context(self) -> int:
        """Longest sequence, in tokens, that the model's positions allow."""
        config = self.model.config.get_text_config(decoder=True)
        return int(getattr(config, "max_position_embeddings", None) or 1 << 30)

    def run(self, rows: Sequence[RowSpec], rule: StopRule, decoding: Decoding) -> Iterator[Ended]:
        """Generate every row; each text is yielded as it ends. A row without room yields an empty text cut by length.

        A batch that does not fit in memory is halved, as often as needed, and its unfinished rows start again. Raises
        BenchError when a single row does not fit, or when the model computes no numbers.
        """
        yield from (Ended(row.position, "", 0, LENGTH) for row in rows if row.room < 1)
        waiting = pack([row for row in rows if row.room > 0], self.limits.token_budget, self.limits.max_rows)[::-1]
        while waiting:
            batch, done, full = waiting.pop(), set(), False
            try:
                for ended in self._batch(batch, rule, decoding):
                    done.add(ended.position)
                    yield ended
            except RuntimeError as error:
                full = _out_of_memory(error)
                if not full:
                    raise
            if full:  # only here, where the error no longer holds the batch's tensors
                waiting += self._halved(batch, done)

    def _halved(self, batch: list[RowSpec], done: set[int]) -> list[list[RowSpec]]:
        rest = [row for row in batch if row.position not in done]
        if len(batch) < 2:
            raise BenchError(
                f"Not enough memory for one text of {len(batch[0].prompt)} + {batch[0].room} tokens. "
                "Lower max_new_tokens, or choose dtype: bf16 or a smaller model."
            )
        _free_memory()
        self.halvings.append({"rows": len(batch), "first": batch[0].position, "unfinished": len(rest)})
        half = (len(rest) + 1) // 2
        return [part for part in (rest[half:], rest[:half]) if part]

    def _batch(self, rows: list[RowSpec], rule: StopRule, decoding: Decoding) -> Iterator[Ended]:
        live = _Live(self, rows, self._watch(rule))
        logits = live.read_prompts()
        for step in range(max(row.room for row in rows)):
            ended, logits = self._step(live, logits, step, rule, decoding)
            yield from ended
            if logits is None:
                return

    def _step(
        self, live: _Live, logits: Any, step: int, rule: StopRule, decoding: Decoding
    ) -> tuple[list[Ended], Any]:
        """Choose a token for each row; the rows that ended with it, and the next logits (None when no row is left)."""
        import torch

        with torch.inference_mode():  # not around a yield: the caller's own work must not run in this mode
            ids = choose(logits, live.keys, step, decoding.temperature, decoding.top_p)
            ended = []
            for index in live.take(ids, step):
                done = self._ended(live, index, step, rule)
                if done is not None:
                    live.over[index] = True
                    ended.append(done)
            ids = live.compact(ids)
            return ended, None if ids is None else live.read(ids, step)

    def _ended(self, live: _Live, index: int, step: int, rule: StopRule) -> Ended | None:
        """What row `index` of the batch has come to at `step`, or None if it goes on."""
        row = live.rows[index]
        ids = live.texts[index, : step + 1].tolist()
        if ids[-1] in self.ends:
            text = self._decode(ids[:-1])
            return Ended(row.position, text.strip(), step, STOP)
        text = self._decode(ids)
        cut = rule.cut(text)
        if cut is not None:
            return Ended(row.position, cut.strip(), step + 1, STOP)
        return Ended(row.position, text.strip(), step + 1, LENGTH) if step + 1 >= row.room else None

    def _decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _watch(self, rule: StopRule) -> list[int]:
        if rule not in self._watched:
            self._watched[rule] = sorted({*watched_tokens(self.tokenizer, rule), *self.ends})
        return self._watched[rule]


class _Live:
    """The tensors of the rows of a batch that are still in it. `over` marks those that have ended but not yet left."""

    def __init__(self, engine: Engine, rows: list[RowSpec], watched: list[int]) -> None:
        import torch

        self.engine = engine
        self.rows = rows
        self.over = [False] * len(rows)
        self.device = engine.model.device
        self.width = max(len(row.prompt) for row in rows)
        room = max(row.room for row in rows)
        self.cache = new_cache(engine.model.config, self.width + room)
        self.keys = torch.tensor([row.key for row in rows], device=self.device)
        self.rooms = torch.tensor([row.room for row in rows], device=self.device)
        self.texts = torch.zeros(len(rows), room, dtype=torch.int64, device=self.device)
        self.watched = torch.tensor(watched, dtype=torch.int64, device=self.device)
        self.stopping: Any = None

    def read_prompts(self) -> Any:
        """Run the model over the prompts, each different one once; logits of the next token, float32 [rows, V]."""
        import torch

        with torch.inference_mode():
            return self._read_prompts(torch)

    def _read_prompts(self, torch: Any) -> Any:
        prompts = list(dict.fromkeys(row.prompt for row in self.rows))
        pad = self.engine.tokenizer.pad_token_id
        lengths = [len(prompt) for prompt in prompts]
        ids = [[pad] * (self.width - len(prompt)) + list(prompt) for prompt in prompts]
        mask = torch.ones(len(prompts), self.width + self.texts.shape[1], dtype=torch.int64)
        for index, length in enumerate(lengths):
            mask[index, : self.width - length] = 0
        self.mask = mask.to(self.device)
        seen = self.mask[:, : self.width]
        positions = (seen.cumsum(dim=-1) - 1).clamp(min=0)
        logits = self._forward(torch.tensor(ids, device=self.device), seen, positions)
        which = torch.tensor([prompts.index(row.prompt) for row in self.rows], device=self.device)
        if len(prompts) < len(self.rows):
            select_rows(self.cache, which)
        self.mask = self.mask[which]
        self.lengths = torch.tensor(lengths, device=self.device)[which]
        if not logits.isfinite().any(dim=-1).all() or logits.isnan().any():
            raise BenchError(
                "The model's output is not a number (NaN). Its weights are broken, or dtype: fp32 is needed."
            )
        return self._allowed(logits[which])

    def read(self, ids: Any, step: int) -> Any:
        """Run the model over the tokens `ids` [rows] chosen at `step`; logits of the next token, float32 [rows, V]."""
        seen = self.mask[:, : self.width + step + 1]
        return self._allowed(self._forward(ids[:, None], seen, (self.lengths + step)[:, None]))

    def take(self, ids: Any, step: int) -> list[int]:
        """Keep the chosen tokens; indices of the rows that may have ended with them."""
        if self.stopping is None:
            import torch

            self.stopping = torch.zeros(self.vocabulary, dtype=torch.bool, device=self.device)
            self.stopping[self.watched] = True
        self.texts[:, step] = ids
        flagged = self.stopping[ids] | (self.rooms <= step + 1)
        return [index for index in flagged.nonzero().flatten().tolist() if not self.over[index]]

    def compact(self, ids: Any) -> Any:
        """Take ended rows out once enough of them have ended. The tokens of those that stay, None if none does."""
        import torch

        gone = sum(self.over)
        if gone == len(self.rows):
            return None
        if gone < LEAVE * len(self.rows) or not gone:
            return ids
        stay = [index for index, over in enumerate(self.over) if not over]
        keep = torch.tensor(stay, device=self.device)
        self.rows = [self.rows[index] for index in stay]
        self.over = [False] * len(stay)
        self.keys, self.rooms, self.texts = self.keys[keep], self.rooms[keep], self.texts[keep]
        self.mask, self.lengths = self.mask[keep], self.lengths[keep]
        select_rows(self.cache, keep)
        return ids[keep]

    def _forward(self, ids: Any, mask: Any, positions: Any) -> Any:
        given = {"attention_mask": mask, "position_ids": positions, "past_key_values": self.cache, "logits_to_keep": 1}
        known = {name: value for name, value in given.items() if name in self.engine.takes}
        output = self.engine.model(input_ids=ids, use_cache=True, **known)
        logits = output.logits[:, -1].float()
        self.vocabulary = logits.shape[-1]
        return logits

    def _allowed(self, logits: Any) -> Any:
        """Logits without the padding token and without rows of the embedding that are no token."""
        logits[:, len(self.engine.tokenizer) :] = float("-inf")
        pad = self.engine.tokenizer.pad_token_id
        if pad not in self.engine.ends:
            logits[:, pad] = float("-inf")
        return logits


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether torch said that memory ran out, on a GPU or on the CPU."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
