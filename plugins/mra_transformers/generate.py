"""The generation engine: our own loop over one batch at a time, a deterministic function of the rows.

Left padding with explicit mask and positions, a KV cache, rows that have ended leave both. Nothing here knows of
problems or prompts: rows of token ids go in, texts come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import BenchError
from mra_bench.types import LENGTH, STOP, Decoding

from .batching import RowSpec, pack
from .live import Live
from .network import Network
from .stops import StopRule, watched_tokens
from .streams import choose


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

    def __init__(self, network: Network, limits: Limits) -> None:
        self.network = network
        self.limits = limits
        self.halvings: list[dict[str, int]] = []
        self._watched: dict[StopRule, list[int]] = {}

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
        live, logits = self._start(rows, rule)
        for step in range(max(row.room for row in rows)):
            ended, logits = self._step(live, logits, step, rule, decoding)
            yield from ended
            if logits is None:
                return

    def _start(self, rows: list[RowSpec], rule: StopRule) -> tuple[Live, Any]:
        import torch

        with torch.inference_mode():
            live = Live(self.network, rows, self._watch(rule))
            return live, live.read_prompts()

    def _step(self, live: Live, logits: Any, step: int, rule: StopRule, decoding: Decoding) -> tuple[list[Ended], Any]:
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

    def _ended(self, live: Live, index: int, step: int, rule: StopRule) -> Ended | None:
        """What row `index` of the batch has come to at `step`, or None if it goes on."""
        row = live.rows[index]
        ids = live.texts[index, : step + 1].tolist()
        if ids[-1] in self.network.ends:
            text = self.network.decode(ids[:-1])
            return Ended(row.position, text.strip(), step, STOP)
        text = self.network.decode(ids)
        cut = rule.cut(text)
        if cut is not None:
            return Ended(row.position, cut.strip(), step + 1, STOP)
        return Ended(row.position, text.strip(), step + 1, LENGTH) if step + 1 >= row.room else None

    def _watch(self, rule: StopRule) -> list[int]:
        if rule not in self._watched:
            self._watched[rule] = sorted({*watched_tokens(self.network.tokenizer, rule), *self.network.ends})
        return self._watched[rule]


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
