"""The generation engine: one loop over a pool of rows, a deterministic function of the rows.

Rows that have ended leave the pool and others take their places; what prompts share is read once. Nothing here knows of
problems: rows of token ids go in, texts come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mra_bench.errors import BenchError
from mra_bench.types import LENGTH, Decoding, Halving

from .batching import Group, Limits, RowSpec, groups
from .endings import Ended
from .network import Network
from .pool import Pool
from .stops import StopRule
from .streams import choose


class Engine:
    """A loaded model and tokenizer, ready to generate. `halvings`: those of the rows generated last."""

    def __init__(self, network: Network, limits: Limits) -> None:
        self.network = network
        self.limits = limits
        self.halvings: list[Halving] = []

    @property
    def context(self) -> int:
        """Longest sequence, in tokens, that the model's positions allow."""
        return self.network.context

    def run(
        self, rows: Sequence[RowSpec], rule: StopRule, decoding: Decoding, again: Sequence[Halving] = ()
    ) -> Iterator[Ended]:
        """Generate every row; each text is yielded as it ends. A row without room yields an empty text cut by length.

        A pool that does not fit in memory is halved, as often as needed, and its unfinished rows start again. `again`:
        halvings of an earlier attempt, which are repeated at the same steps. Raises BenchError when a single row does
        not fit, or when the model computes no numbers.
        """
        self.halvings = []
        yield from (Ended(row.position, "", 0, LENGTH) for row in rows if row.room < 1)
        waiting = groups([row for row in rows if row.room > 0], self.limits)[::-1]
        steps = _Steps(frozenset(halving.step for halving in again))
        while waiting:
            group, done, full = waiting.pop(), set(), False
            try:
                for ended in self._group(group, rule, decoding, steps):
                    done.add(ended.position)
                    yield ended
            except RuntimeError as error:
                full = _out_of_memory(error)
                if not full:
                    raise
            if full:  # only here, where the error no longer holds the pool's tensors
                waiting.append(self._halved(group, done, steps.count))

    def _halved(self, group: Group, done: set[int], step: int) -> Group:
        rest = tuple(row for row in group.rows if row.position not in done)
        if group.slots < 2:
            raise BenchError(
                f"Not enough memory for one text of {len(rest[0].prompt)} + {rest[0].room} tokens. "
                "Lower max_new_tokens, or choose dtype: bf16 or a smaller model."
            )
        _free_memory()
        slots = group.slots // 2
        self.halvings.append(Halving(step, slots))
        return Group(rest, slots)

    def _group(self, group: Group, rule: StopRule, decoding: Decoding, steps: _Steps) -> Iterator[Ended]:
        pool = Pool(self.network, group, self.limits.prefill_tokens)
        while pool.queue or pool.rows:
            steps.next()
            yield from self._step(pool, rule, decoding)

    def _step(self, pool: Pool, rule: StopRule, decoding: Decoding) -> list[Ended]:
        """One token for each row of the pool: the texts that have ended with it."""
        import torch

        with torch.inference_mode():  # not around a yield: the caller's own work must not run in this mode
            pool.fill()
            keys, steps = [row.spec.key for row in pool.rows], [len(row.ids) for row in pool.rows]
            chosen = choose(pool.logits, keys, steps, decoding.temperature, decoding.top_p).tolist()
            watched = self.network.watched(rule)
            ended: dict[int, Ended] = {}
            for index, (row, token) in enumerate(zip(pool.rows, chosen, strict=True)):
                row.ids.append(token)
                at_end = len(row.ids) >= row.spec.room
                if at_end or token in watched:
                    done = self.network.ended(row.spec.position, row.ids, rule, at_end=at_end)
                    ended |= {index: done} if done is not None else {}
            if ended:
                pool.leave(list(ended))
            pool.advance()
            return list(ended.values())


class _Again(RuntimeError):
    """A step at which memory was short in an earlier attempt."""


@dataclass
class _Steps:
    """Counts the steps of a run and stops at those in `full`."""

    full: frozenset[int]
    count: int = 0

    def next(self) -> None:
        self.count += 1
        if self.count in self.full:
            raise _Again


def _out_of_memory(error: RuntimeError) -> bool:
    """Whether torch said that memory ran out, on a GPU or on the CPU, now or in an earlier attempt."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | _Again) or "allocate memory" in str(error)


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
