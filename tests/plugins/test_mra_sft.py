"""The trainer `sft` on a very small random model."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import mra_sft
import pytest
from mra_sft.options import SftOptions
from mra_transformers.training_options import LoraOptions
from training_kit import Told, hashes, make_job, rows, small_model

from mra_bench.errors import TrainingFailed, UsageError
from mra_bench.types import Row, TrainedModel

FAST: dict[str, Any] = {
    "learning_rate": 3e-3,
    "batch_size": 4,
    "accumulation": 1,
    "logging_every": 1,
    "warmup_ratio": 0,
}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"))


@pytest.fixture(scope="module")
def with_dropout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("gpt2"), "gpt2", dropout=0.1)


def run(
    folder: Path, parent: Path, told: Told | None = None, data: list[Row] | None = None, **options: Any
) -> TrainedModel:
    told = told or Told()
    return mra_sft.train(make_job(folder, parent, SftOptions(**{**FAST, **options}), told, rows=data or rows()))


def test_loss_falls_and_the_result_is_a_plain_model(tmp_path: Path, parent: Path) -> None:
    told = Told()
    trained = run(tmp_path, parent, told, epochs=8)
    losses = [record["loss"] for record in told.records]
    assert losses[-1] < 0.7 * losses[0]
    assert sorted(hashes(trained.checkpoint)) == [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"
    ]  # fmt: skip
    generation = json.loads((trained.checkpoint / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation["pad_token_id"]) == (0, 1)
    assert trained.ref.loader == "mra_transformers:transformers"
    assert trained.ref.options == {"path": str(trained.checkpoint), "prompt": "plain"}
    assert list((tmp_path / "work").iterdir()) == []


def test_records_and_facts_are_plain_numbers_without_a_clock(tmp_path: Path, parent: Path) -> None:
    told = Told()
    trained = run(tmp_path, parent, told, epochs=2)
    assert [record["step"] for record in told.records] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "learning_rate", "grad_norm", "epoch", "tokens"} <= set(told.records[0])
    for record in told.records:
        assert all(isinstance(value, int | float) and math.isfinite(value) for value in record.values())
        assert not any("runtime" in key or "per_second" in key for key in record)
    tokens = 2 * sum(len((row.prompt + row.completion).encode()) + 1 for row in rows())
    assert trained.facts["tokens"] == tokens == told.records[-1]["tokens"]
    assert told.progress[-1] == (6, 6, tokens)
    assert {key: trained.facts[key] for key in ("steps", "epochs", "rows", "dropped")} == {
        "steps": 6, "epochs": 2.0, "rows": 12, "dropped": 0
    }  # fmt: skip
    assert trained.facts["trainable_parameters"] == trained.facts["parameters"] > 10_000


def test_labels_are_the_completion_and_the_end_token(tmp_path: Path, parent: Path) -> None:
    from mra_sft.trainer import build
    from mra_transformers.training_quiet import quiet

    with quiet():
        trainer, _ = build(make_job(tmp_path, parent, SftOptions(**FAST), Told(), rows=rows()))
    tokenizer = trainer.processing_class
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(4)])
    for row, ids, labels, seen in zip(
        rows(), batch["input_ids"], batch["labels"], batch["attention_mask"], strict=False
    ):
        learnt = labels[labels != -100].tolist()
        assert tokenizer.decode(learnt) == row.completion + tokenizer.eos_token
        assert learnt[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(ids[labels == -100]).replace(tokenizer.pad_token, "") == row.prompt
        assert (labels[seen == 0] == -100).all()
        assert (ids[seen == 0] == tokenizer.pad_token_id).all()
    assert (batch["attention_mask"] == 0).any(), "the batch must hold padding for this test to mean anything"


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_first_loss_is_cross_entropy_of_the_completions(tmp_path: Path, arch: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = small_model(tmp_path / "model", arch)
    told = Told()
    run(tmp_path, folder, told, batch_size=6, accumulation=2, max_steps=1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    losses = []
    for row in rows():
        prompt, text = tokenizer(row.prompt)["input_ids"], tokenizer(row.completion)["input_ids"] + [0]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + text])).logits[0, len(prompt) - 1 : -1]
        losses.append(torch.nn.functional.cross_entropy(logits, torch.tensor(text), reduction="none"))
    assert told.records[0]["loss"] == pytest.approx(float(torch.cat(losses).mean()), rel=1e-4)


def test_same_seed_same_bytes_and_other_seed_other_bytes(tmp_path: Path, with_dropout: Path) -> None:
    first, second = (run(tmp_path / name, with_dropout, epochs=1) for name in ("a", "b"))
    assert hashes(first.checkpoint) == hashes(second.checkpoint)
    job = make_job(tmp_path / "c", with_dropout, SftOptions(**FAST, epochs=1), Told(), rows=rows())
    other = mra_sft.train(dataclasses.replace(job, seed=4))
    assert hashes(other.checkpoint)["model.safetensors"] != hashes(first.checkpoint)["model.safetensors"]


@pytest.mark.parametrize("lora", [None, LoraOptions(rank=4, dropout=0.1)])
def test_interrupted_anywhere_and_resumed_gives_the_same_bytes(
    tmp_path: Path, with_dropout: Path, lora: LoraOptions | None
) -> None:
    options: dict[str, Any] = {
        "epochs": 3, "batch_size": 2, "accumulation": 2, "save_every": 2, "logging_every": 3, "lora": lora
    }  # fmt: skip
    whole = Told()
    expected = run(tmp_path / "whole", with_dropout, whole, **options)
    parts = Told(interrupt_at(4))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", with_dropout, parts, **options)
    parts.then = interrupt_at(8)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", with_dropout, parts, **options)
    parts.then = None
    trained = run(tmp_path / "parts", with_dropout, parts, **options)
    assert hashes(trained.checkpoint) == hashes(expected.checkpoint)
    assert {record["step"]: record for record in parts.records} == {record["step"]: record for record in whole.records}
    assert trained.facts == expected.facts
    assert parts.progress[-1] == whole.progress[-1]


def interrupt_at(step: int) -> Any:
    def then(record: Any) -> None:
        if record["step"] == step:
            raise KeyboardInterrupt

    return then


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training_kit import Told
import test_mra_sft as tests
def die(record):
    if record["step"] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
tests.run(Path(sys.argv[2]), Path(sys.argv[3]), Told(die), epochs=3, save_every=4)
"""


@pytest.mark.slow
@pytest.mark.long
def test_killed_and_resumed_gives_the_same_bytes(tmp_path: Path, with_dropout: Path) -> None:
    import torch

    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "killed"), str(with_dropout)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(command, check=False, env={**os.environ, **threads}, capture_output=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [path.name for path in (tmp_path / "killed" / "work").iterdir()] == ["checkpoint-4"]
    half = tmp_path / "killed" / "work" / "checkpoint-8"  # a checkpoint whose writing was cut short
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"\0")
    trained = run(tmp_path / "killed", with_dropout, epochs=3, save_every=4)
    expected = run(tmp_path / "whole", with_dropout, epochs=3, save_every=4)
    assert hashes(trained.checkpoint) == hashes(expected.checkpoint)


def test_a_checkpoint_of_other_options_is_not_resumed_from(tmp_path: Path, parent: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", parent, Told(interrupt_at(3)), epochs=1, save_every=2)
    told = Told()
    trained = run(tmp_path / "a", parent, told, epochs=1, save_every=2, weight_decay=0.1)
    assert told.records[0]["step"] == 1
    assert hashes(trained.checkpoint) == hashes(run(tmp_path / "b", parent, epochs=1, weight_decay=0.1).checkpoint)


def test_keep_checkpoint_leaves_the_last_one(tmp_path: Path, parent: Path) -> None:
    run(tmp_path, parent, epochs=2, save_every=2, keep_checkpoint=True)
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["checkpoint-4"]


def test_a_loss_that_is_no_number_stops_with_step_and_advice(tmp_path: Path, parent: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"loss became (nan|inf) at step 2\. Lower the learning rate"):
        run(tmp_path, parent, learning_rate=1e30, save_every=1)
    assert not (tmp_path / "weights").exists()
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["checkpoint-1"]


def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path, parent: Path) -> None:
    with pytest.raises(TrainingFailed, match="not finite after the last step"):
        run(tmp_path, parent, learning_rate=1e39, max_steps=1)
    assert not (tmp_path / "weights").exists()


def test_long_rows_are_dropped_and_counted_never_cut(tmp_path: Path, parent: Path) -> None:
    long = Row("long", "Question: x\nAnswer:", " y" * 200)  # longer than the context of 128
    longish = Row("longish", "Question: x\nAnswer:", " y" * 40)
    trained = run(tmp_path, parent, data=[*rows(), long, longish], epochs=1, max_length=90)
    assert (trained.facts["rows"], trained.facts["dropped"]) == (14, 2)
    assert run(tmp_path, parent, data=[*rows(), long, longish], epochs=1).facts["dropped"] == 1
    with pytest.raises(UsageError, match="None of the 1 training examples fits into 128 tokens; the shortest has 420"):
        run(tmp_path, parent, data=[long])


def test_nothing_set_works_on_a_cpu_without_output_or_network(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError(f"a connection was tried: {args[1:]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("CI", raising=False)
    told = Told()
    trained = mra_sft.train(make_job(tmp_path, parent, SftOptions(), told, rows=rows()))
    assert trained.facts["steps"] == 2
    assert told.records[-1]["step"] == 2
    assert capfd.readouterr() == ("", "")
