"""Pairs in one row behind one copy of their prompt: the same log-probabilities and gradients as in two rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mra_dpo
import pytest
from mra_dpo.options import DpoOptions
from training_kit import Told, make_job, pairs, small_model

PROMPT, CHOSEN, REJECTED = [5, 6, 7], [8, 9, 0], [10, 0]


def padded(sequences: list[tuple[list[int], list[int]]]) -> dict[str, Any]:
    """A batch as trl's collator makes it, of (prompt, text)."""
    import torch

    width = max(len(prompt) + len(text) for prompt, text in sequences)

    def column(make: Any, filler: int) -> Any:
        return torch.tensor([(row := make(*s)) + [filler] * (width - len(row)) for s in sequences])

    return {
        "input_ids": column(lambda p, t: p + t, 1),
        "attention_mask": column(lambda p, t: [1] * len(p + t), 0),
        "completion_mask": column(lambda p, t: [0] * len(p) + [1] * len(t), 0),
    }


def model(folder: Path, arch: str) -> Any:
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    made = AutoModelForCausalLM.from_pretrained(small_model(folder, arch)).eval()
    add_fused_lm_head(made, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    return made


def asked(batch: dict[str, Any]) -> dict[str, Any]:
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
    return {
        "input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "labels": labels,
        "use_cache": False, "fused_lm_head": True,
    }  # fmt: skip


def test_a_pair_lies_in_one_row_and_branches_do_not_see_each_other() -> None:
    from mra_dpo.shared import layout

    given = asked(padded([(PROMPT, CHOSEN), (PROMPT, REJECTED)]))
    rows = layout(given["input_ids"], given["attention_mask"], given["labels"])
    assert rows.ids.tolist() == [[5, 6, 7, 8, 9, 0, 7, 10, 0]]
    assert rows.positions.tolist() == [[0, 1, 2, 3, 4, 5, 2, 3, 4]]
    assert rows.labels.tolist() == [[-100, -100, 8, 9, 0, -100, 10, 0, -100]]
    seen = [[n for n, there in enumerate(row) if there] for row in rows.mask[0, 0].tolist()]
    assert seen[5] == [0, 1, 2, 3, 4, 5]
    assert seen[8] == [0, 1, 6, 7, 8]


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_log_probabilities_and_gradients_are_those_of_two_rows(tmp_path: Path, arch: str) -> None:
    import torch
    from mra_dpo.shared import SharedPrompts, possible

    net = model(tmp_path, arch)
    long = (list(range(20, 60)), [70, 71, 0])
    one, other = ([3], [4, 0]), ([3], [6] * 9 + [0])  # a prompt of one token: nothing but the last one is shared
    batch = padded([(PROMPT, CHOSEN), long, one, ([], [9, 0]), (PROMPT, REJECTED), long, other, ([], [8, 9, 0])])
    assert possible(net, batch)
    found = []
    for call in (net, SharedPrompts(net)):
        net.zero_grad()
        outputs = call(**asked(batch))
        (outputs.log_probs.sum(1) * torch.arange(1.0, 9.0)).sum().backward()
        gradients = torch.cat([parameter.grad.flatten() for parameter in net.parameters()])
        found.append((outputs, gradients))
    (alone, wanted), (shared, gradients) = found
    assert torch.equal(alone.label_mask, shared.label_mask)
    for name in ("log_probs", "entropy", "mean_logits"):
        torch.testing.assert_close(getattr(shared, name), getattr(alone, name), rtol=1e-5, atol=1e-5)
    assert torch.equal(shared.is_top1, alone.is_top1)
    torch.testing.assert_close(gradients, wanted, rtol=1e-4, atol=1e-4)


def test_a_model_that_heeds_no_mask_or_drops_out_is_asked_in_two_rows(tmp_path: Path) -> None:
    import torch
    from mra_dpo.shared import possible

    net = model(tmp_path, "qwen2")
    batch = padded([(PROMPT, CHOSEN), (PROMPT, REJECTED)])
    assert possible(net, batch)
    assert not net.training
    net.drop = torch.nn.Dropout(0.1)
    assert not possible(net, batch)
    net.drop.p = 0.0
    net.register_forward_pre_hook(lambda _, args, given: (args, {**given, "attention_mask": None}), with_kwargs=True)
    assert not possible(net, batch)


def test_it_pays_behind_a_long_prompt_only() -> None:
    from mra_dpo.shared import pays

    def batch(prompt: int, text: int) -> dict[str, Any]:
        return padded([([5] * prompt, [6] * text), ([5] * prompt, [7] * text)])

    assert pays(batch(50, 50), 192)
    assert not pays(batch(2, 1000), 192)
    assert not pays(batch(1, 5), 192), "the last token of the prompt is there twice"


@pytest.mark.parametrize("can_share", [True, False])
def test_the_trainer_shares_where_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_share: bool) -> None:
    from mra_dpo import shared

    rows: list[int] = []
    layout = shared.layout
    monkeypatch.setattr(shared, "layout", lambda ids, *rest: rows.append(len(ids)) or layout(ids, *rest))
    if not can_share:
        monkeypatch.setattr(shared, "possible", lambda model, inputs: False)
    options = DpoOptions(batch_size=4, accumulation=1)
    mra_dpo.train(make_job(tmp_path, small_model(tmp_path / "m"), options, Told(), pairs=pairs()))
    assert rows == ([2] + [8] * 9 if can_share else []), (
        "tried out on one pair; three batches: before, in, after training"
    )
