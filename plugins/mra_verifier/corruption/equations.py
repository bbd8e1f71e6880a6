"""Errors in the solving of an equation: a number on one side of a simple linear equation is changed.

Equations are found by their looks here, not by the profiler's own reader, so that its recall can be measured.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator

# 2x = 10, 3x + 4 = 19, x = 5, in sentences and in formulas.
_EQUATION = re.compile(
    r"(?<![\w.^_}\\/*+=(-])(?<![-+*/=]\s)(?P<left>\d{0,4}(?P<name>[a-z])(?:\s?[-+]\s?\d{1,4})?)\s*&?=\s*(?P<right>-?\d{1,6})"
    r"(?![\d.,]*\d|\s*[-+*/^=(a-zA-Z\\%°])"
)
_ANOTHER = re.compile(r"\b(?:or|and|if|cases?|when|while|let)\b|,\s")
MAX_APART = 120


def changed_equations(
    text: str, answer: tuple[int, int], rng: random.Random, carry: bool, change: Callable[[int], int]
) -> Iterator[tuple[str, tuple[int, int], str]]:
    """(text, place, what was changed) for equations that follow one in the same unknown, in random order. With `carry`
    only the one that gives the answer, and the answer with it."""
    found = [match for match in _EQUATION.finditer(text) if match.end() <= answer[0]]
    steps = [
        other for one, other in itertools.pairwise(found)
        if one["name"] == other["name"] and len(one["left"]) > 1 and other.start() - one.end() <= MAX_APART
        and not _ANOTHER.search(text, one.end(), other.start())
    ]  # fmt: skip
    for at in rng.sample(steps, len(steps)):
        old = int(at["right"])
        new = change(old)
        if new == old:
            continue
        gives = len(at["left"]) == 1 and text[slice(*answer)].strip(" $") == at["right"]
        if carry and not gives:
            continue
        behind = text[at.end("right") : answer[0]] + str(new) + text[answer[1] :] if carry else text[at.end("right") :]
        changed = f"{text[: at.start('right')]}{new}{behind}"
        yield changed, (at.start(), at.start("right") + len(str(new))), f"{old} became {new} in {at[0]!r}"
