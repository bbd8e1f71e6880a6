"""Chosen and rejected text of a pair in one row behind one copy of their prompt, which is then computed once.

A row is ``prompt without its last token, last token, chosen, last token, rejected``. The second branch has the
positions it would have alone and attends to the prompt and to itself, never to the first, so every log-probability is
the same as from two rows, to rounding. Imports torch: only the trainer imports it, once training starts.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-3
"""How far log-probabilities of a model that can be asked so may be apart, in fp32; those of others are off by far."""

FIELDS = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")


@dataclasses.dataclass(frozen=True)
class Layout:
    """Rows of pairs, for a batch of 2n sequences of `length` tokens, the n chosen before the n rejected ones.

    ids, positions, labels: shape (n, row). labels stand at the position that predicts them, -100 for none. mask: shape
    (n, 1, row, row), true where a token attends. places, there: shape (2n, length - 1), where in its row the
    log-probability of each next token is, and whether it has one.
    """

    ids: Tensor
    positions: Tensor
    labels: Tensor
    mask: Tensor
    places: Tensor
    there: Tensor


def layout(ids: Tensor, attention: Tensor, labels: Tensor) -> Layout:
    """Rows for sequences padded on the right, all of shape (2n, length); `labels` is -100 outside the texts."""
    count, length = ids.shape[0] // 2, ids.shape[1]
    sizes = attention.sum(1).tolist()
    heads = [max(0, int((row != -100).int().argmax()) - 1) for row in labels]
    branches = [(heads[n], sizes[n], sizes[n + count]) for n in range(count)]
    width = max(chosen + rejected - head for head, chosen, rejected in branches)
    made = ids.new_zeros(count, width), ids.new_zeros(count, width), ids.new_full((count, width), -100)
    mask = torch.ones(width, width, dtype=torch.bool, device=ids.device).tril().repeat(count, 1, 1, 1)
    places, there = ids.new_zeros(2 * count, length - 1), torch.zeros_like(labels[:, 1:], dtype=torch.bool)
    for n, (head, chosen, rejected) in enumerate(branches):
        for row, start, size, at in ((n, 0, chosen, 0), (n + count, head, rejected, chosen)):
            end = at + size - start
            made[0][n, at:end] = ids[row, start:size]
            made[1][n, at:end] = torch.arange(start, size, device=ids.device)
            made[2][n, at : end - 1] = labels[row, start + 1 : size]
            places[row, start : size - 1] = torch.arange(at, end - 1, device=ids.device)
            there[row, : size - 1] = labels[row, 1:size] != -100
        mask[n, 0, chosen:, head:chosen] = False
    return Layout(*made, mask, places, there)


class SharedPrompts:
    """Called by trl in place of `model`, with the same arguments and the same result."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, **others: Any) -> Any:
        rows = layout(input_ids, attention_mask, labels)
        outputs = self.model(
            input_ids=rows.ids,
            attention_mask=rows.mask,
            position_ids=rows.positions,
            shift_labels=rows.labels,
            **others,
        )
        count = rows.ids.shape[0]
        found = {}
        for name in FIELDS:
            values = getattr(outputs, name)
            if values is not None:
                values = values[torch.arange(2 * count, device=values.device).remainder(count)]
                found[name] = values.gather(1, rows.places).masked_fill(~rows.there, 0)
        return dataclasses.replace(outputs, label_mask=rows.there, **found)


def pays(inputs: dict[str, Tensor], hidden: int) -> bool:
    """Whether one row for each pair costs less than two. Behind a short prompt it does not: a token attends to both
    texts, masked. A layer's matrices cost a token as much as attending to some 6 times `hidden` others: 12 hidden^2
    multiplications against 2 hidden for each of them."""
    attention, texts = inputs["attention_mask"], inputs["completion_mask"]
    sizes, tokens = attention.sum(1), texts.sum(1)
    chosen, rejected = sizes.chunk(2)
    head = (sizes - tokens).chunk(2)[0] - 1
    one, two = int((chosen + rejected - head).max()), attention.shape[1]
    return bool(one * (one + 6 * hidden) < 2 * two * (two + 6 * hidden))


def possible(model: Any, inputs: dict[str, Tensor]) -> bool:
    """Try it out on the first pair: an architecture may not heed positions and masks, and dropout would differ."""
    if any(isinstance(module, torch.nn.Dropout) and module.p > 0 for module in model.modules()):
        return False
    count = inputs["input_ids"].shape[0] // 2
    ids, attention = (inputs[name][[0, count]] for name in ("input_ids", "attention_mask"))
    asked = {
        "input_ids": ids,
        "attention_mask": attention,
        "labels": ids.masked_fill(inputs["completion_mask"][[0, count]] == 0, -100),
        "use_cache": False,
        "fused_lm_head": True,
    }
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(ids.device.type, enabled=False):
            alone, shared = model(**asked), SharedPrompts(model)(**asked)
        return bool(torch.allclose(alone.log_probs, shared.log_probs, rtol=TOLERANCE, atol=TOLERANCE))
    except (ValueError, TypeError, RuntimeError):
        return False
    finally:
        model.train(training)
