"""Which texts are generated together: the blocks of a stage, and those of its further repetitions, which are others."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator

from mra_bench.types import Request

REPETITION = "repetition"
"""The key of a stage's spec that names its repetition; the first one has none."""


def repeated_name(name: str, repetition: int) -> str:
    """What a stage of a repetition, counted from 1, is called."""
    return name if repetition == 1 else f"{name}-again-{repetition}"


def in_blocks(requests: Iterable[Request], size: int, seed: int, repetition: int = 1) -> Iterator[list[Request]]:
    """The requests in blocks of `size`. In a further repetition they are taken in an order drawn from (seed,
    repetition), in two blocks at least, so that other texts are generated beside each."""
    if repetition > 1:
        requests = list(requests)
        random.Random(f"again/{seed}/{repetition}").shuffle(requests)
        size = min(size, max(1, -(-len(requests) // 2)))
    remaining = iter(requests)
    while block := list(itertools.islice(remaining, size)):
        yield block
