"""What a model's token ids come to as text, and when a text has ended: one rule, whoever computes the ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.types import LENGTH, STOP

from .stops import StopRule, watched_tokens


@dataclass(frozen=True)
class Ended:
    """A finished text: its row's place in the block, the text without end token and stop string, the number of tokens
    generated (without the end token, with those of a stop string), "stop" or "length", and all ids that were drawn."""

    position: int
    text: str
    tokens: int
    finish: str
    ids: tuple[int, ...] = ()


class Vocabulary:
    """A model's tokenizer. `ends`: ids of the tokens that end a text."""

    def __init__(self, tokenizer: Any, ends: frozenset[int]) -> None:
        self.tokenizer = tokenizer
        self.ends = ends
        self._watched: dict[tuple[StopRule, frozenset[int]], frozenset[int]] = {}

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, without special tokens and with nothing tidied."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def watched(self, rule: StopRule) -> frozenset[int]:
        """The tokens behind which a text has to be looked at: no other can end it."""
        key = rule, self.ends
        if key not in self._watched:
            self._watched[key] = self.ends.union(watched_tokens(self.tokenizer, rule))
        return self._watched[key]

    def ended(self, position: int, ids: Sequence[int], rule: StopRule, *, at_end: bool) -> Ended | None:
        """What the text of `ids` has come to with its last token, or None if it goes on; `at_end`: it has no more
        room. `position`: that of its row in the block."""
        if ids[-1] in self.ends:
            text = self.decode(ids[:-1])
            return Ended(position, text.strip(), len(ids) - 1, STOP, tuple(ids))
        text = self.decode(ids)
        cut = rule.cut(text)
        if cut is not None:
            return Ended(position, cut.strip(), len(ids), STOP, tuple(ids))
        return Ended(position, text.strip(), len(ids), LENGTH, tuple(ids)) if at_end else None
