"""Whether activations of a training have to be computed twice to fit in memory."""

from __future__ import annotations

from typing import Any

NUMBER = 4  # bytes: weights and what is kept of the forward pass are fp32, or that is the upper bound
FULL = 4  # numbers for each trained weight: itself, its gradient, AdamW's two moments
SHARE = 0.8  # of the memory; the rest is for data, buffers and other processes


def activations(config: Any, tokens: int) -> int:
    """Bytes that a forward pass over `tokens` tokens keeps for the backward pass, roughly and rather more than less.

    A layer keeps of each token some vectors as long as the hidden state (two norms, their input and output, queries,
    keys, values, rotated ones, what attention gives, two residuals) and as the feed-forward layer's inner one.
    """
    text = config.get_text_config()
    hidden = text.hidden_size
    inner = getattr(text, "intermediate_size", None) or 4 * hidden
    return int(NUMBER * tokens * text.num_hidden_layers * (16 * hidden + 5 * inner))


def asks_for_checkpointing(model: Any, *, tokens: int, trained: bool, memory: int) -> bool:
    """Whether a step of batches of `tokens` tokens would take more of `memory` (bytes) than it should. `trained`:
    whether the weights are, instead of an adapter."""
    weights: int = sum(parameter.numel() for parameter in model.parameters())
    needed: int = NUMBER * weights * (FULL if trained else 1) + activations(model.config, tokens)
    return needed > SHARE * memory
