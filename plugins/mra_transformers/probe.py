"""Tries out on a few tokens how a model may be generated from: whether it gives with a cache, and with rows of
different lengths beside each other, the logits that it gives for each text alone.

Most models do with slots. Some read the attention mask in ways of their own (positions or biases made from it), and for
them slots would give other texts without any error; they are kept in the library's cache, if that is right.
"""

from __future__ import annotations

import functools
from typing import Any

from mra_bench.errors import BenchError

from .cache import LibraryStore, SlotStore, Store, fits_slots
from .network import Network
from .prefill import Reader

PROMPTS = ((1, 2, 3, 4, 5), (6, 7, 8))
TOKENS = (1, 2)
ROOM = 8
CLOSE = {"float32": 1e-3}
CLOSE_IN_HALF_PRECISION = 0.1
"""Largest root mean square difference of logits that is only rounding, in units of their spread."""


@functools.lru_cache(maxsize=8)
def computes_in_slots(network: Network) -> bool:
    """Whether rows of this model can be kept in slots, or only in the library's cache. Raises BenchError for a model
    that is right in neither."""
    import torch

    with torch.inference_mode():
        if fits_slots(network, ROOM) and _is_right(network, SlotStore(network, len(PROMPTS), ROOM)):
            return True
        if not _is_right(network, LibraryStore(network)):
            kind = network.model.config.model_type
            raise BenchError(
                f"Models of the kind '{kind}' cannot be used: with a cache, or padded, they compute other logits than "
                "without, so that texts generated together would be wrong. Choose a model of another kind."
            )
        return False


def _is_right(network: Network, store: Store) -> bool:
    """Whether two rows of different lengths, then one after the other has left, get the logits they get alone."""
    lengths = [len(prompt) for prompt in PROMPTS]
    try:
        store.enter(Reader(network).read(PROMPTS), [0, 1])
        both = store.advance(TOKENS, lengths)
        store.keep([1])
        last = store.advance(TOKENS[:1], [lengths[1] + 1])
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
        return False
    texts = [(*prompt, token) for prompt, token in zip(PROMPTS, TOKENS, strict=True)]
    alone = [(both[0], texts[0]), (both[1], texts[1]), (last[0], (*texts[1], TOKENS[0]))]
    return all(_close(network, logits, text) for logits, text in alone)


def _close(network: Network, logits: Any, text: tuple[int, ...]) -> bool:
    import torch

    plain = network.model(input_ids=torch.tensor([text], device=network.device)).logits[0, -1].float()
    offered = logits.isfinite()
    apart = (logits - plain)[offered].square().mean().sqrt() / plain[offered].std().clamp(min=1e-6)
    return bool(apart <= CLOSE.get(str(network.dtype).removeprefix("torch."), CLOSE_IN_HALF_PRECISION))
