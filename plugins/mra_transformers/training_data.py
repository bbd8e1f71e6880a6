"""From texts to token ids for training, exactly as generation sees them, and the order they are shown in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import UsageError

from .prompts import join

GROUP = 16  # batches whose examples are sorted by length together


@dataclass(frozen=True)
class Encoded:
    """Token ids of one training example: the prompt, and each text that can follow it, closed by the end token.
    weight: how much it counts beside the others."""

    prompt: list[int]
    texts: tuple[list[int], ...]
    weight: float = 1.0

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return len(self.prompt) + max(len(text) for text in self.texts)


def encode(tokenizer: Any, examples: Sequence[tuple[str, ...]], *, special_tokens: bool = True) -> list[Encoded]:
    """Tokenise (prompt, text, ...) examples. `special_tokens`: whether the tokenizer puts its begin token in front of a
    prompt, as in generation. Texts are parted from the prompt as generated ones are, and closed by the end token.

    Raises UsageError when the tokenizer has no end token.
    """
    if tokenizer.eos_token_id is None:
        raise UsageError("The model's tokenizer has no end-of-sequence token, so it cannot learn where to stop.")
    if not examples:
        return []
    columns = list(zip(*(_parted(*example) for example in examples), strict=True))
    prompts = tokenizer(list(columns[0]), add_special_tokens=special_tokens)["input_ids"]
    texts = [tokenizer(list(column), add_special_tokens=False)["input_ids"] for column in columns[1:]]
    end = [tokenizer.eos_token_id]
    rows = zip(prompts, *texts, strict=True)
    return [Encoded(list(prompt), tuple([*ids, *end] for ids in rest)) for prompt, *rest in rows]


def _parted(prompt: str, *texts: str) -> tuple[str, ...]:
    return prompt, *(join(prompt, text)[len(prompt) :] for text in texts)


def within(examples: Sequence[Encoded], limit: int) -> list[Encoded]:
    """The examples no longer than `limit` tokens. Raises UsageError when none is left."""
    kept = [example for example in examples if example.longest <= limit]
    if not kept:
        shortest = min((example.longest for example in examples), default=0)
        raise UsageError(
            f"None of the {len(examples)} training examples fits into {limit} tokens; the shortest has {shortest}. "
            "Raise max_length, or use a model with a longer context."
        )
    return kept


class Order:
    """A sampler: indices of the examples of one epoch, in an order drawn from (seed, epoch) alone.

    With `grouped`, runs of `GROUP` batches are sorted by length inside and their batches shuffled, so that a batch
    holds texts of similar length. `epoch` says which epoch is about to start: a resumed training asks for the same one.
    """

    def __init__(
        self, lengths: Sequence[int], batch: int, *, seed: int, grouped: bool, epoch: Callable[[], int]
    ) -> None:
        self.lengths, self.batch, self.seed, self.grouped, self.epoch = lengths, batch, seed, grouped, epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        import random

        rng = random.Random(f"order/{self.seed}/{self.epoch()}")
        indices = list(range(len(self.lengths)))
        rng.shuffle(indices)
        return iter(self._group(indices, rng) if self.grouped else indices)

    def _group(self, indices: list[int], rng: Any) -> list[int]:
        size = self.batch * GROUP
        batches = []
        for start in range(0, len(indices), size):
            run = sorted(indices[start : start + size], key=lambda index: self.lengths[index])
            batches += [run[at : at + self.batch] for at in range(0, len(run), self.batch)]
        tail = [batch for batch in batches if len(batch) < self.batch]
        full = [batch for batch in batches if len(batch) == self.batch]
        rng.shuffle(full)
        return [index for batch in full + tail for index in batch]
