"""Where a text ends: stop strings, a closed final answer, and which tokens can bring either about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BOXED = "\\boxed{"


@dataclass(frozen=True)
class StopRule:
    """`strings` end a text and are cut from it; with `after_answer` the first closed ``\\boxed{...}`` ends it and
    stays."""

    strings: tuple[str, ...] = ()
    after_answer: bool = False

    def cut(self, text: str) -> str | None:
        """The text up to its end, or None when it has not ended."""
        ends = [at for stop in self.strings if (at := text.find(stop)) >= 0]
        if self.after_answer and (closed := closed_box(text)) is not None:
            ends.append(closed)
        return text[: min(ends)] if ends else None

    @property
    def last_characters(self) -> frozenset[str]:
        """Only a token that holds one of these can end a text."""
        return frozenset(stop[-1] for stop in self.strings) | (frozenset("}") if self.after_answer else frozenset())


def closed_box(text: str) -> int | None:
    """The position behind the first ``\\boxed{...}`` that closes, or None. Escaped braces do not count."""
    start = text.find(BOXED)
    depth, at = 1, start + len(BOXED)
    while start >= 0 and at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return None


def watched_tokens(tokenizer: Any, rule: StopRule) -> list[int]:
    """Ids of the tokens whose text can complete a stop: they hold a last character of one, or part of one in UTF-8."""
    characters = rule.last_characters
    if not characters:
        return []
    pieces = tokenizer.batch_decode([[token] for token in range(len(tokenizer))], clean_up_tokenization_spaces=False)
    plain_only = all(character.isascii() for character in characters)
    return [
        token
        for token, piece in enumerate(pieces)
        if any(character in piece for character in characters) or (not plain_only and "\ufffd" in piece)
    ]
