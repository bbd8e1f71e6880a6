"""Adapters of both trainers: what is saved computes what was trained, with plain and with quantised weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import mra_dpo
import mra_sft
import pytest
from mra_dpo.options import DpoOptions
from mra_sft.options import SftOptions
from mra_transformers import training
from mra_transformers.training_options import LoraOptions
from training_kit import Told, hashes, make_job, pairs, rows, small_model

from mra_bench.errors import UsageError
from mra_bench.plugins import load_plugins
from mra_bench.types import TrainedModel

QUANTISES = importlib.util.find_spec("bitsandbytes") is not None
needs_bitsandbytes = pytest.mark.skipif(not QUANTISES, reason="bitsandbytes is not installed (extra qlora)")
STEPS: dict[str, Any] = {
    "learning_rate": 1e-2, "epochs": 4, "batch_size": 4, "accumulation": 1, "warmup_ratio": 0, "logging_every": 1,
}  # fmt: skip
COUNTS = {"steps", "tokens", "reference_tokens", "parameters", "trainable_parameters", "rows"}


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {arch: small_model(tmp_path_factory.mktemp(arch), arch) for arch in ("qwen2", "gpt2")}


def train(name: str, folder: Path, parent: Path, lora: LoraOptions | None, told: Told | None = None) -> TrainedModel:
    told = told or Told()
    if name == "sft":
        return mra_sft.train(make_job(folder, parent, SftOptions(**STEPS, lora=lora), told, rows=rows()))
    return mra_dpo.train(make_job(folder, parent, DpoOptions(**STEPS, lora=lora), told, pairs=pairs()))


@pytest.mark.parametrize("quantised", [False, pytest.param(True, marks=needs_bitsandbytes)])
@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_the_merged_model_has_the_logits_of_the_adapter(
    tmp_path: Path, parents: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str, arch: str, quantised: bool
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    ids = torch.arange(2, 42).reshape(2, 20)
    found: dict[str, Any] = {}
    merge = "merge_into" if quantised else "merged"
    do = getattr(training, merge)

    def spy(*models: Any) -> Any:
        adapted = models[-1].eval()
        with torch.no_grad():
            found["adapter"] = adapted(input_ids=ids).logits
            with adapted.disable_adapter():
                found["parent"] = adapted(input_ids=ids).logits
        return do(*models)

    monkeypatch.setattr(training, merge, spy)
    trained = train(name, tmp_path, parents[arch], LoraOptions(rank=4, alpha=8, quantised=quantised))
    with torch.no_grad():
        merged = AutoModelForCausalLM.from_pretrained(trained.checkpoint)(ids).logits
        parent = AutoModelForCausalLM.from_pretrained(parents[arch])(ids).logits
    assert (merged - found["adapter"]).abs().max() < 1e-4
    assert (merged - found["parent"]).abs().max() > 1e-2, "the adapter must have learnt something"
    assert ((parent - found["parent"]).abs().max() > 1e-3) == quantised, "four bits round the weights"
    files = hashes(trained.checkpoint)
    assert "adapter_config.json" not in files
    assert b"quantization" not in (trained.checkpoint / "config.json").read_bytes()


@pytest.mark.parametrize(("name", "lora"), [("sft", None), ("dpo", LoraOptions(rank=4))])
def test_the_record_has_what_a_budget_counts(
    tmp_path: Path, parents: dict[str, Path], name: str, lora: LoraOptions | None
) -> None:
    from transformers import AutoModelForCausalLM

    facts = train(name, tmp_path, parents["qwen2"], lora).facts
    assert set(facts) >= COUNTS
    whole = AutoModelForCausalLM.from_pretrained(parents["qwen2"]).num_parameters()
    assert facts["parameters"] == whole
    assert (facts["trainable_parameters"] < whole) == (lora is not None)
    assert (facts["reference_tokens"] > 0) == (name == "dpo")
    assert (facts["rows"], facts["steps"]) == (12, 12)


@needs_bitsandbytes
@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_a_quantised_training_learns_in_an_fp32_adapter(
    tmp_path: Path, parents: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    kinds: set[Any] = set()
    do = training.merge_into

    def spy(plain: Any, adapted: Any) -> Any:
        kinds.update(parameter.dtype for parameter in adapted.parameters() if parameter.requires_grad)
        return do(plain, adapted)

    monkeypatch.setattr(training, "merge_into", spy)
    told = Told()
    trained = train(name, tmp_path, parents["qwen2"], LoraOptions(rank=4, quantised=True), told)
    assert kinds == {torch.float32}
    assert told.records[-1]["loss"] < told.records[0]["loss"] - 0.01
    plain = train(name, tmp_path / "plain", parents["qwen2"], LoraOptions(rank=4)).facts
    same = ("parameters", "trainable_parameters", "tokens", "reference_tokens")
    assert [trained.facts[key] for key in same] == [plain[key] for key in same]


@needs_bitsandbytes
def test_weights_in_four_bits_are_counted_one_by_one_and_lie_where_the_device_says(parents: dict[str, Path]) -> None:
    import torch
    from mra_transformers.loading import load_causal_lm
    from mra_transformers.quantised import four_bit, is_quantised

    plain = load_causal_lm(str(parents["qwen2"]), dtype="fp32", device="cpu")
    quantised = load_causal_lm(str(parents["qwen2"]), dtype="fp32", device="cpu", quantised="auto")
    assert (is_quantised(plain), is_quantised(quantised)) == (False, True)
    assert quantised.num_parameters() == plain.num_parameters()
    places = [four_bit(torch.float32, device)["device_map"][""] for device in ("cpu", "cuda", "cuda:1")]
    assert places == ["cpu", 0, 1]


def test_where_bitsandbytes_is_missing_that_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "bitsandbytes" else find(name))
    message = r"bitsandbytes, which is not installed. Run pip install 'mra-bench\[qlora\]', or leave lora.quantised out"
    for name in ("sft", "dpo"):
        with pytest.raises(UsageError, match=message):
            load_plugins().resolve("trainers", name).parse_options({"lora": {"quantised": True}})


def test_a_device_that_cannot_hold_four_bits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from mra_transformers import quantised

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: object())
    monkeypatch.setattr(quantised, "choose_device", lambda name: "mps")
    with pytest.raises(ValueError, match=r"trains on cuda and cpu, not on mps. Use such a machine, or leave"):
        LoraOptions(quantised=True)
