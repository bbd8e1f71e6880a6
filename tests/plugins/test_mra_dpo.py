"""The trainer `dpo` on a very small random model."""

from __future__ import annotations

import dataclasses
import math
import statistics
from pathlib import Path
from typing import Any

import mra_dpo
import pytest
from mra_dpo.options import DpoOptions
from mra_transformers.training_options import LoraOptions
from training_kit import Told, hashes, make_job, pairs, small_model

from mra_bench.errors import TrainingFailed, UsageError
from mra_bench.types import Pair, TrainedModel

FAST: dict[str, Any] = {
    "learning_rate": 1e-3,
    "batch_size": 4,
    "accumulation": 1,
    "logging_every": 1,
    "warmup_ratio": 0,
}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"), "gpt2", dropout=0.1)


def run(
    folder: Path, parent: Path, told: Told | None = None, data: list[Pair] | None = None, **options: Any
) -> TrainedModel:
    told = told or Told()
    return mra_dpo.train(make_job(folder, parent, DpoOptions(**{**FAST, **options}), told, pairs=data or pairs()))


@pytest.mark.parametrize("lora", [None, LoraOptions(rank=4)])
def test_margin_rises_on_its_own_pairs(tmp_path: Path, parent: Path, lora: LoraOptions | None) -> None:
    told = Told()
    trained = run(tmp_path, parent, told, epochs=8, lora=lora, learning_rate=1e-2 if lora else 1e-3)
    first, last = told.records[0], told.records[-1]
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-5), "before training the model is its own reference"
    assert first["rewards/margins"] == pytest.approx(0, abs=1e-4)
    assert last["rewards/margins"] > 0.1
    assert last["rewards/accuracies"] > 0.9
    assert last["loss"] < first["loss"]
    assert {"logps/chosen", "logps/rejected", "rewards/chosen", "grad_norm", "learning_rate"} <= set(last)
    tokens = sum(2 * len(p.prompt) + len(p.chosen) + len(p.rejected) + 2 for p in pairs())
    assert (trained.facts["tokens"], trained.facts["reference_tokens"]) == (8 * tokens, tokens)
    assert (trained.facts["rows"], trained.facts["dropped"], trained.facts["steps"]) == (12, 0, 24)


def log_prob(model: Any, tokenizer: Any, prompt: str, text: str) -> float:
    """Of a text and the end token behind a prompt, by transformers alone."""
    import torch

    asked, ids = tokenizer(prompt)["input_ids"], tokenizer(text)["input_ids"] + [0]
    with torch.no_grad():
        logits = model(torch.tensor([asked + ids])).logits[0, len(asked) - 1 : -1]
    return float(logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None]).sum())


@pytest.mark.parametrize(
    "options", [{}, {"lora": LoraOptions(rank=4)}, {"lora": LoraOptions(rank=4), "precompute_ref_log_probs": False}]
)
def test_the_record_says_how_likely_texts_were_before_and_after(
    tmp_path: Path, parent: Path, options: dict[str, Any]
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained = run(tmp_path, parent, epochs=2, data=pairs(10), **{"learning_rate": 1e-2, **options})
    tokenizer = AutoTokenizer.from_pretrained(parent)
    before, after = (AutoModelForCausalLM.from_pretrained(folder).eval() for folder in (parent, trained.checkpoint))
    for side in ("chosen", "rejected"):
        texts = [(pair.prompt, getattr(pair, side)) for pair in pairs(10)]
        first, last = ([log_prob(model, tokenizer, *text) for text in texts] for model in (before, after))
        moved = [b - a for a, b in zip(first, last, strict=True)]
        assert trained.facts[f"{side}_log_prob"] == pytest.approx(
            {
                "first": statistics.fmean(first),
                "last": statistics.fmean(last),
                "error": statistics.stdev(moved) / math.sqrt(10),
                "texts": 10,
            },
            rel=1e-3,
        )
    assert trained.facts["chosen_log_prob"]["last"] > trained.facts["chosen_log_prob"]["first"] + 0.1


def test_likelihoods_are_measured_on_pairs_that_count_spread_over_the_data() -> None:
    from mra_dpo.likelihood import MEASURED, change, spread

    assert spread([1.0, 0.0, 2.0]) == [0, 2]
    many = spread([1.0] * 1000)
    assert (len(many), many[0], many[-1]) == (MEASURED, 0, 984)
    assert change([-1.0], [-3.0]) == {"first": -1.0, "last": -3.0, "error": 0.0, "texts": 1}
    assert change([-1.0, -2.0], [-3.0, -math.inf]) is None


def test_collated_texts_end_with_the_end_token_and_reference_is_the_parent(tmp_path: Path, parent: Path) -> None:
    from mra_dpo.trainer import build
    from mra_transformers.training_quiet import quiet
    from transformers import AutoModelForCausalLM

    with quiet():
        trainer, _ = build(make_job(tmp_path, parent, DpoOptions(**FAST), Told(), pairs=pairs()))
    tokenizer = trainer.processing_class
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(4)])
    texts = [pair.chosen for pair in pairs(4)] + [pair.rejected for pair in pairs(4)]
    for text, ids, mask in zip(texts, batch["input_ids"], batch["completion_mask"], strict=True):
        assert tokenizer.decode(ids[mask == 1]) == text + tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(parent).eval()
    for pair, row in zip(pairs(), trainer.train_dataset, strict=True):
        for text, found in ((pair.chosen, row["ref_chosen_logps"]), (pair.rejected, row["ref_rejected_logps"])):
            assert found == pytest.approx(log_prob(model, tokenizer, pair.prompt, text), rel=1e-4)


def test_reference_kept_in_memory_trains_the_same(tmp_path: Path, parent: Path) -> None:
    before, during = Told(), Told()
    run(tmp_path / "before", parent, before, epochs=2)
    trained = run(tmp_path / "during", parent, during, epochs=2, precompute_ref_log_probs=False)
    assert trained.facts["reference_tokens"] == trained.facts["tokens"]
    for one, other in zip(before.records, during.records, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)


def test_likelihood_loss_on_chosen_texts_can_be_added(tmp_path: Path, parent: Path) -> None:
    plain, added = Told(), Told()
    run(tmp_path / "a", parent, plain, max_steps=1)
    run(tmp_path / "b", parent, added, max_steps=1, loss_type={"sigmoid": 1.0, "sft": 0.5})
    extra = added.records[0]["loss"] - plain.records[0]["loss"]
    assert extra == pytest.approx(0.5 * math.log(258), rel=0.1), "a random model's loss is the log of its vocabulary"


@pytest.mark.parametrize("lora", [None, LoraOptions(rank=4)])
def test_interrupted_and_resumed_gives_the_same_bytes(tmp_path: Path, parent: Path, lora: LoraOptions | None) -> None:
    options: dict[str, Any] = {"epochs": 3, "batch_size": 2, "accumulation": 2, "save_every": 2, "logging_every": 3}
    options["lora"] = lora
    whole = Told()
    expected = run(tmp_path / "whole", parent, whole, **options)

    def interrupt(record: Any) -> None:
        if record["step"] == 6:  # written before the checkpoint of step 6
            raise KeyboardInterrupt

    parts = Told(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", parent, parts, **options)
    assert [path.name for path in (tmp_path / "parts" / "work").iterdir() if (path / "complete.json").exists()] == [
        "checkpoint-4"
    ]
    parts.then = None
    trained = run(tmp_path / "parts", parent, parts, **options)
    assert [record["step"] for record in parts.records].count(6) == 2
    assert hashes(trained.checkpoint) == hashes(expected.checkpoint)
    assert {record["step"]: record for record in parts.records} == {record["step"]: record for record in whole.records}
    assert trained.facts == expected.facts


def test_a_loss_that_is_no_number_stops(tmp_path: Path, parent: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"at step 2\. Lower the learning rate"):
        run(tmp_path, parent, learning_rate=1e30)
    assert not (tmp_path / "weights").exists()


def test_long_pairs_are_dropped_and_counted(tmp_path: Path, parent: Path) -> None:
    long = dataclasses.replace(pairs()[1], rejected=" y" * 200)
    trained = run(tmp_path, parent, data=[*pairs(), long], max_steps=1)
    assert (trained.facts["rows"], trained.facts["dropped"]) == (13, 1)
    with pytest.raises(UsageError, match="None of the 1 training examples fits into 128 tokens"):
        run(tmp_path, parent, data=[long])


def test_nothing_set_works_and_prints_nothing(tmp_path: Path, parent: Path, capfd: pytest.CaptureFixture[str]) -> None:
    trained = mra_dpo.train(make_job(tmp_path, parent, DpoOptions(), Told(), pairs=pairs()))
    assert trained.facts["steps"] == 1
    assert capfd.readouterr() == ("", "")
