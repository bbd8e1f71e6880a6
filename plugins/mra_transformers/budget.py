"""How much may be generated together: bounds from the memory of the device and the size of the model.

Nothing here looks at how much memory is free just now: on one machine the same model always gets the same bounds, so
that a resumed run gives the same texts. What does not fit after all is halved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .batching import Limits

MAX_ROWS = 256
PREFILL_TOKENS = {"cpu": 2_048, "gpu": 16_384}
SHARE = {"cpu": 0.3, "gpu": 0.7}
"""Share of all memory for weights, keys and values, and logits; on the CPU other programs need theirs."""
LEAST, MOST = 4_096, {"cpu": 131_072, "gpu": 1_048_576}
"""Bounds of the token budget. At the upper one a machine with more memory gives the same texts."""
UNKNOWN = 32_768
"""The token budget of a model whose size cannot be told from its files."""
SIZES = {"bf16": 2, "fp16": 2, "fp32": 4}
LOGITS = 16
"""Bytes for each row and entry of the vocabulary: logits, chances and what choosing from them needs."""


def limits(config: Mapping[str, Any], parameters: int | None, dtype: str, kind: str, memory: int) -> Limits:
    """Bounds for a model with the `config` of its files. kind: "cpu" or "gpu"; memory: of the device, in bytes."""
    return Limits(token_budget(config, parameters, dtype, kind, memory), MAX_ROWS, PREFILL_TOKENS[kind])


def token_budget(config: Mapping[str, Any], parameters: int | None, dtype: str, kind: str, memory: int) -> int:
    """Tokens whose keys and values fit beside weights and logits, rounded down to a power of two."""
    each = cache_bytes(config, dtype)
    if not each or parameters is None:
        return UNKNOWN
    weights = parameters * SIZES[dtype]
    logits = MAX_ROWS * LOGITS * int(config.get("vocab_size") or 0)
    room = int((SHARE[kind] * memory - weights - logits) // each)
    return min(MOST[kind], max(LEAST, 1 << max(room, 1).bit_length() - 1))


def cache_bytes(config: Mapping[str, Any], dtype: str) -> int:
    """Bytes of keys and values for one token, were all layers plain attention; 0 where the config does not tell."""
    config = config.get("text_config") or config
    layers, hidden = _first(config, "num_hidden_layers", "n_layer"), _first(config, "hidden_size", "n_embd")
    heads = _first(config, "num_attention_heads", "n_head")
    if not (layers and hidden and heads):
        return 0
    size = _first(config, "head_dim") or hidden // heads
    return 2 * layers * (_first(config, "num_key_value_heads") or heads) * size * SIZES[dtype]


def _first(config: Mapping[str, Any], *names: str) -> int:
    return next((value for name in names if isinstance(value := config.get(name), int)), 0)
