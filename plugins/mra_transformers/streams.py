"""A stream of random numbers for each row, and the choice of the next token with it.

A counter-based generator: every number is a hash of (row key, step, token id), so a row draws the same numbers
whatever batch, device, thread count or version of torch it runs with. The hash is the finaliser of SplitMix64 (Steele,
Lea and Flood, "Fast splittable pseudorandom number generators", 2014), applied to the counter and, crossed with the
row's key, once more.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

MASK = (1 << 63) - 1


def row_key(seed: int, problem_id: str, sample: int) -> int:
    """The key of a row's stream, in [0, 2**63)."""
    name = json.dumps([seed, problem_id, sample], ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") & MASK


def gumbel(keys: Any, step: int, vocabulary: int) -> Any:
    """Standard Gumbel noise for one step: float32 [rows, vocabulary] from int64 keys [rows]."""
    import torch

    counters = torch.arange(step * vocabulary, (step + 1) * vocabulary, dtype=torch.int64, device=keys.device)
    bits = _mix(_mix((counters + 1) * _signed(0x9E3779B97F4A7C15)) ^ keys[:, None])
    # 31 bits as a float keep full relative precision near 0, where the winners of the race are.
    uniform = ((bits & 0x7FFFFFFF).float() + 0.5) * 2.0**-31
    exponential = -torch.log1p(-uniform.clamp_(max=1 - 2.0**-24))
    return -torch.log(exponential)


def choose(logits: Any, keys: Any, step: int, temperature: float, top_p: float) -> Any:
    """Next token ids, int64 [rows], for float32 logits [rows, vocabulary].

    temperature 0: the most likely token. Else a draw from softmax(logits / temperature), restricted to the smallest set
    of tokens whose probability reaches top_p, by the Gumbel-max method: argmax of scaled logits plus noise.
    """
    if temperature == 0:
        return logits.argmax(dim=-1)
    scores = logits / temperature
    if top_p < 1:
        scores = _nucleus(scores, top_p)
    return (scores + gumbel(keys, step, scores.shape[-1])).argmax(dim=-1)


def _nucleus(scores: Any, top_p: float) -> Any:
    """Scores with -inf for every token outside the nucleus; the most likely token always stays."""
    values, order = scores.sort(dim=-1, descending=True, stable=True)
    chances = values.softmax(dim=-1)
    outside = chances.cumsum(dim=-1) - chances >= top_p
    outside[:, 0] = False
    return scores.masked_fill(outside.scatter(-1, order, outside), float("-inf"))


def _mix(x: Any) -> Any:
    """SplitMix64's finaliser on an int64 tensor, in place; multiplication wraps, shifts are logical."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        x ^= (x >> shift).bitwise_and_((1 << (64 - shift)) - 1)
        if factor != 1:
            x *= _signed(factor)
    return x


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
