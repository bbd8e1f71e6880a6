"""A stream of random numbers for each row, and the choice of the next token with it.

A counter-based generator: every number is a hash of (row key, step), so a row draws the same numbers whatever batch,
device, thread count or version of torch it runs with. The hash is the finaliser of SplitMix64 (Steele, Lea and Flood,
"Fast splittable pseudorandom number generators", 2014), applied to the counter and, crossed with the row's key, once
more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

WORD = (1 << 64) - 1
MASK = (1 << 63) - 1
GOLDEN = 0x9E3779B97F4A7C15
SPAN = 256
LARGEST_NUCLEUS = 1024
"""Tokens among which a nucleus is looked for before the whole vocabulary is sorted."""


def row_key(seed: int, problem_id: str, sample: int, step: int | None = None) -> int:
    """The key of a row's stream, in [0, 2**63). `step`: of a training, which may ask the same again with other
    weights."""
    name = json.dumps([seed, problem_id, sample, *([] if step is None else [step])], ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") & MASK


def uniforms(keys: Sequence[int], steps: Sequence[int]) -> list[float]:
    """For each row the number of its stream at its step, in (0, 1)."""
    hashes = (_mix(_mix((step + 1) * GOLDEN & WORD) ^ key) for key, step in zip(keys, steps, strict=True))
    return [((number >> 14) + 0.5) * 2.0**-50 for number in hashes]


def choose(logits: Any, keys: Sequence[int], steps: Sequence[int], temperature: float, top_p: float) -> Any:
    """Next token ids, int64 [rows], for float32 logits [rows, vocabulary]; `keys` and `steps` of each row's stream.

    temperature 0: the most likely token. Else a draw from softmax(logits / temperature), restricted to the most likely
    tokens that together reach the probability top_p, by inversion: the token in which the cumulated probability, in
    the order of the vocabulary, passes the row's uniform number.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    chances = (logits / temperature).softmax(dim=-1)
    if top_p < 1:
        chances = _nucleus(chances, top_p)
    return _inverted(chances, uniforms(keys, steps))


def _inverted(chances: Any, numbers: Sequence[float]) -> Any:
    """The token of each row in which the cumulated chance passes the row's share of the whole, in two levels: which run
    of SPAN tokens, then which of them. Sums are float64 on the CPU, so only `chances` depend on the device."""
    import torch

    rows, vocabulary = chances.shape
    spans = torch.nn.functional.pad(chances, (0, -vocabulary % SPAN)).view(rows, -1, SPAN)
    totals = spans.sum(dim=-1).cpu().double().cumsum(dim=-1)
    goals = torch.tensor(numbers, dtype=torch.float64)[:, None] * totals[:, -1:]
    span = _first_above(totals, goals)
    before = torch.nn.functional.pad(totals, (1, 0)).gather(1, span)
    inside = spans[torch.arange(rows), span[:, 0].to(chances.device)].cpu().double().cumsum(dim=-1)
    token = _first_above(inside, (goals - before).clamp(max=inside[:, -1:] * (1 - 2**-52)))
    return (span * SPAN + token)[:, 0].to(chances.device)


def _first_above(cumulated: Any, goals: Any) -> Any:
    """Index [rows, 1] of the first of the rising numbers [rows, n] that is greater than the row's goal."""
    return (cumulated > goals).int().argmax(dim=-1, keepdim=True)


def _nucleus(chances: Any, top_p: float) -> Any:
    """Chances with 0 for every token outside the nucleus; tokens as likely as its last one stay."""
    import torch

    size = min(LARGEST_NUCLEUS, chances.shape[-1])
    values = chances.topk(size, dim=-1).values
    if (values.sum(dim=-1) < top_p).any():  # some row is nearly flat
        values = chances.sort(dim=-1, descending=True).values
    inside = values.cumsum(dim=-1) - values < top_p
    last = inside.sum(dim=-1, keepdim=True).clamp(min=1) - 1
    return torch.where(chances >= values.gather(1, last), chances, 0)


def _mix(x: int) -> int:
    """SplitMix64's finaliser."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & WORD
    return x ^ (x >> 31)
