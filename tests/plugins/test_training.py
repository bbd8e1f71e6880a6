"""What the trainers share: data, order, checkpoints, options, records."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from mra_sft.options import SftOptions
from mra_transformers.training_checkpoints import MARKER, Checkpoints
from mra_transformers.training_data import GROUP, Encoded, Order, encode, within
from training_kit import Told, make_job, rows, small_model

from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import load_plugins
from mra_bench.types import ModelRef


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"))


def order(count: int, *, seed: int = 1, grouped: bool = True, epoch: int = 0, batch: int = 4) -> list[int]:
    lengths = [(n * 37) % 101 for n in range(count)]
    return list(Order(lengths, batch, seed=seed, grouped=grouped, epoch=lambda: epoch))


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("count", [1, 4, 63, 64, 65, 131])
def test_an_epoch_shows_every_example_once(count: int, grouped: bool) -> None:
    assert sorted(order(count, grouped=grouped)) == list(range(count))


@pytest.mark.parametrize("grouped", [True, False])
def test_order_depends_on_seed_and_epoch_alone(grouped: bool) -> None:
    assert order(200, grouped=grouped) == order(200, grouped=grouped)
    assert order(200, grouped=grouped) != order(200, grouped=grouped, seed=2)
    assert order(200, grouped=grouped) != order(200, grouped=grouped, epoch=1)


def test_grouping_saves_padding_and_still_mixes_lengths_over_time() -> None:
    def batches(grouped: bool) -> list[list[int]]:
        shown = [(index * 37) % 101 for index in order(640, grouped=grouped, batch=8)]
        return [shown[at : at + 8] for at in range(0, len(shown), 8)]

    def padding(grouped: bool) -> int:
        return sum(max(batch) * len(batch) - sum(batch) for batch in batches(grouped))

    assert padding(True) < 0.3 * padding(False)
    longest = [max(batch) for batch in batches(True)]
    assert longest[:GROUP] != sorted(longest[:GROUP]), "batches of one group must not come sorted"


def test_texts_are_parted_from_the_prompt_and_closed(parent: Path) -> None:
    from mra_transformers.loading import load_tokenizer

    tokenizer = load_tokenizer(str(parent))
    ready, bare, chat = encode(tokenizer, [("Answer:", " 4", "5"), ("Answer:", "4", ""), ("user\n", "4", "5")])
    assert ready.texts[0] == bare.texts[0] == [*tokenizer(" 4")["input_ids"], tokenizer.eos_token_id]
    assert bare.texts[1] == [tokenizer.eos_token_id]
    assert chat.texts[0] == [*tokenizer("4")["input_ids"], tokenizer.eos_token_id]
    assert ready.longest == len("Answer:") + len(" 4") + 1


def test_prompts_get_a_begin_token_as_in_generation(parent: Path) -> None:
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(parent)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|pad|> $A", special_tokens=[("<|pad|>", tokenizer.pad_token_id)]
    )
    (plain,) = encode(tokenizer, [("Answer:", "4")])
    (chat,) = encode(tokenizer, [("Answer:", "4")], special_tokens=False)
    assert plain.prompt == [tokenizer.pad_token_id, *chat.prompt]
    assert tokenizer.pad_token_id not in plain.texts[0]
    tokenizer.eos_token = None
    with pytest.raises(UsageError, match="no end-of-sequence token"):
        encode(tokenizer, [("Answer:", "4")])


def test_within_keeps_what_fits_exactly() -> None:
    example = Encoded([1, 2], ([3, 4, 0], [5, 0]))
    assert within([example], 5) == [example]
    with pytest.raises(UsageError, match="the shortest has 5"):
        within([example], 4)


def checkpoint(folder: Path, step: int) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "weights").write_text("w")
    return path


def test_only_marked_checkpoints_of_these_settings_count(tmp_path: Path) -> None:
    ours = Checkpoints(tmp_path, "ours")
    assert ours.newest() is None
    first = checkpoint(tmp_path, 9)
    ours.mark(9)
    checkpoint(tmp_path, 100)
    assert ours.newest() == first
    assert not (tmp_path / "checkpoint-100").exists(), "a half-written one is deleted"
    second = checkpoint(tmp_path, 10)
    ours.mark(10)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-10"]
    assert Checkpoints(tmp_path, "ours").newest() == second
    shutil.copytree(second, tmp_path / "checkpoint-11")
    assert ours.newest() == second, "a marker moved to another step does not count"
    (second / MARKER).write_text('{"step": ')
    assert ours.newest() is None
    checkpoint(tmp_path, 12)
    ours.mark(12)
    assert Checkpoints(tmp_path, "others").newest() is None
    assert list(tmp_path.iterdir()) == []


def test_newest_is_by_number_not_by_name(tmp_path: Path) -> None:
    ours = Checkpoints(tmp_path, "x")
    for step in (9, 10):
        path = checkpoint(tmp_path, step)
        (path / MARKER).write_text(f'{{"step": {step}, "digest": "x"}}')
    found = ours.newest()
    assert found is not None
    assert found.name == "checkpoint-10"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rat": 1}, "Did you mean 'learning_rate'"),
        ({"learning_rate": 0}, "must be more than 0"),
        ({"max_steps": 0}, "at least 1"),
        ({"lora": {"rnk": 3}}, "Unknown option 'lora.rnk'.*Did you mean 'lora.rank'"),
        ({"lora": {"targets": "q"}}, "'lora.targets' of the trainer .*'all-linear'"),
        ({"lora": {"rank": 0}}, "must be 1 or more"),
        ({"scheduler": "cosin"}, "'cosine'"),
        ({"dtype": "float32"}, "'fp32'"),
    ],
)
@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_bad_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_plugins().resolve("trainers", name).parse_options(options)


def test_good_options_and_defaults() -> None:
    registry = load_plugins()
    sft, dpo = registry.resolve("trainers", "sft"), registry.resolve("trainers", "dpo")
    assert (sft.consumes, dpo.consumes) == ("rows", "pairs")
    assert sft.parse_options({"learning_rate": "1e-4"}).rate == 1e-4, "YAML reads 1e-4 as text"
    assert sft.parse_options({}).rate < sft.parse_options({"lora": {}}).rate
    assert dpo.parse_options({}).rate < dpo.parse_options({"lora": {"targets": ["q_proj"]}}).rate
    assert dpo.parse_options({}).precompute_ref_log_probs


def test_registering_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mra_bench.plugins import load_plugins; r = load_plugins();"
        "[r.resolve('trainers', n).parse_options({}) for n in ('sft', 'dpo')];"
        "print(sorted({'torch', 'transformers', 'trl', 'datasets', 'peft', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n"


def test_sixteen_bits_where_the_hardware_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from mra_transformers import hardware
    from mra_transformers.training import half_precision

    for present, auto in ((True, "bf16"), (False, "")):
        monkeypatch.setattr(hardware, "cpu_has_bf16", lambda present=present: present)
        assert half_precision("auto", "cpu", hardware.SMALL) == auto
        assert half_precision("auto", "cpu", hardware.SMALL - 1) == half_precision("fp32", "cpu", 10**9) == ""
        assert half_precision("bf16", "cpu", 1000) == "bf16"
    for present, auto in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda present=present: present)
        assert half_precision("auto", "cuda", hardware.SMALL) == auto
    assert half_precision("auto", "mps", 10**9) == half_precision("auto", "cuda", 1000) == ""
    assert half_precision("fp16", "cuda", 1000) == "fp16"
    with pytest.raises(UsageError, match="'fp16' cannot train on cpu"):
        half_precision("fp16", "cpu", 1000)


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_large_model_is_trained_in_what_the_cpu_has(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    import mra_sft
    from mra_sft import trainer as sft
    from mra_transformers import hardware, training

    used: list[bool] = []
    train = training.train

    def spy(trainer: Any, *args: Any) -> Any:
        used.append(trainer.args.bf16)
        return train(trainer, *args)

    monkeypatch.setattr(training, "choose_device", lambda name: "cpu")
    monkeypatch.setattr(hardware, "cpu_has_bf16", lambda: present)
    monkeypatch.setattr(hardware, "SMALL", 1000)
    monkeypatch.setattr(sft.training, "train", spy)
    told = Told()
    mra_sft.train(make_job(tmp_path, parent, SftOptions(max_steps=2), told, rows=rows()))
    assert used == [present]
    assert 5 < told.records[-1]["loss"] < 6, "near the log of the vocabulary, in either arithmetic"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_arguments_are_safe_on_a_cpu(tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mra_transformers import training
    from trl import SFTConfig

    monkeypatch.setattr(training, "choose_device", lambda name: "cpu")
    job = make_job(tmp_path, parent, SftOptions(), Told(), rows=rows())
    config = SFTConfig(**training.arguments(job, SftOptions(), 1e-5, training.load_parent(job), 100))
    off = (config.bf16, config.fp16, config.gradient_checkpointing, config.dataloader_pin_memory)
    assert off == (False, False, False, False)
    assert config.use_cpu
    assert config.report_to == []
    assert (config.seed, config.data_seed, config.max_length) == (3, 3, None)


def test_strict_determinism_trains_in_fp32_and_makes_a_gpu_reproducible(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mra_transformers import training

    settled: list[str] = []
    monkeypatch.setattr(training, "choose_device", lambda name: "cuda")
    monkeypatch.setattr(training, "compute_reproducibly", settled.append)
    monkeypatch.setattr(training, "choose_dtype", lambda name, device, count: {"auto": "bf16"}.get(name, name))
    for strict, half in ((False, True), (True, False)):
        options = SftOptions(strict_determinism=strict, gradient_checkpointing=False)
        job = make_job(tmp_path, parent, options, Told(), rows=rows())
        assert training.arguments(job, options, 1e-5, training.load_parent(job), 100)["bf16"] is half
    assert settled == ["cuda"]


def test_records_hold_finite_numbers_and_no_clock() -> None:
    from mra_transformers.training import record

    logs = {"loss": 1.5, "grad_norm": float("inf"), "train_runtime": 3.0, "num_input_tokens_seen": 7, "note": "x"}
    assert record(4, logs) == {"step": 4, "loss": 1.5, "tokens": 7}


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"path": "Qwen/Qwen2.5-0.5B-Instruct"}, "chat"),
        ({"path": "Qwen/Qwen2.5-0.5B-Instruct", "prompt": "plain"}, "plain"),
        ({"path": "Qwen/Qwen2.5-0.5B"}, "plain"),
        ({"path": "Qwen/Qwen2.5-0.5B", "prompt": "chat"}, "chat"),
        ({}, "plain"),
    ],
)
def test_a_child_is_asked_like_its_parent(tmp_path: Path, options: dict[str, Any], kind: str) -> None:
    from mra_transformers.training import prompt_format, reference

    parent = small_model(tmp_path / "snapshot")
    (parent / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    job = make_job(tmp_path, parent, SftOptions(), Told(), rows=rows())
    job = dataclasses.replace(job, parent_ref=ModelRef("mra_transformers:transformers", options))
    assert reference(job).options == {"path": str(tmp_path / "weights"), "prompt": kind}
    assert prompt_format(job).special_tokens == (kind == "plain")


def test_a_full_disk_is_named(tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mra_sft
    from mra_transformers import training

    def broken(*args: Any) -> None:
        raise RuntimeError("unexpected pos 64 vs 0")

    monkeypatch.setattr(training, "save", broken)
    job = make_job(tmp_path, parent, SftOptions(max_steps=1), Told(), rows=rows())
    with pytest.raises(RuntimeError, match="unexpected pos"):
        mra_sft.train(job)
    monkeypatch.setattr(training.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=0))
    with pytest.raises(BenchError, match="is full"):
        mra_sft.train(job)


def test_quiet_puts_everything_back() -> None:
    import datasets
    import torch
    from mra_transformers.training_quiet import quiet
    from transformers.utils import logging
    from trl.trainer import utils

    def settings() -> tuple[Any, ...]:
        return (
            logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled(), logging.get_verbosity(),
            torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory,
            utils._use_triton,
        )  # fmt: skip

    def interrupted() -> None:
        with quiet():
            inside.append(torch.are_deterministic_algorithms_enabled())
            raise KeyboardInterrupt

    before, inside = settings(), []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert inside == [True]
    assert settings() == before
