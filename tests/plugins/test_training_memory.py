"""Gradient checkpointing only where memory asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mra_sft
import pytest
from mra_sft.options import SftOptions
from training_kit import Told, make_job, rows, small_model


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_the_estimate_is_near_what_a_forward_pass_keeps(tmp_path: Path, arch: str) -> None:
    import torch
    from mra_transformers.training_memory import activations
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(small_model(tmp_path, arch))
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage
        return tensor

    ids = torch.arange(8 * 64).reshape(8, 64) % 250
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = model.base_model(ids, use_cache=False).last_hidden_state
    assert output.requires_grad
    found = sum(storage.nbytes() for storage in kept.values())
    assert 0.8 * found < activations(model.config, ids.numel()) < 2 * found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("asked", "free", "taken"), [
    (None, 64 << 30, False), (None, 100_000, True), (True, 64 << 30, True), (False, 100_000, False),
])  # fmt: skip
def test_memory_asks_and_the_option_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool | None, free: int, taken: bool
) -> None:
    from mra_transformers import training

    used: list[bool] = []
    train = training.train

    def spy(trainer: Any, *args: Any) -> Any:
        used.append(trainer.args.gradient_checkpointing)
        return train(trainer, *args)

    monkeypatch.setattr(training, "memory", lambda device: free)
    monkeypatch.setattr(training, "train", spy)
    told, plain = Told(), Told()
    parent = small_model(tmp_path / "parent")
    options = {"max_steps": 2, "logging_every": 1, "learning_rate": 1e-3}
    mra_sft.train(
        make_job(tmp_path / "a", parent, SftOptions(**options, gradient_checkpointing=asked), told, rows=rows())
    )
    assert used == [taken]
    mra_sft.train(
        make_job(tmp_path / "b", parent, SftOptions(**options, gradient_checkpointing=False), plain, rows=rows())
    )
    assert [record["loss"] for record in told.records] == [record["loss"] for record in plain.records]
