"""The trainers `sft` and `dpo` against plain trl with the same settings: the same loss at every step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mra_dpo
import mra_sft
import pytest
from mra_dpo.options import DpoOptions
from mra_sft.options import SftOptions
from mra_transformers.training_options import LoraOptions
from training_kit import Told, make_job, pairs, rows, small_model

from mra_bench.types import Pair

STEPS = 9
OPTIONS: dict[str, Any] = {
    "learning_rate": 1e-2, "batch_size": 2, "accumulation": 2, "warmup_ratio": 0.2,
    "weight_decay": 0.01, "max_grad_norm": 0.5, "logging_every": 1,
}  # fmt: skip
LORA = LoraOptions(rank=4, alpha=8, dropout=0.1)

# A new epoch takes a number from the generator that dropout draws from, and the peer's single pass has no new epoch: so
# several epochs for the model without dropout only.
CASES = [("qwen2", None, 3), ("gpt2", None, 1), ("qwen2", LORA, 1)]


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def parent(arch: str) -> Path:
        if arch not in made:
            made[arch] = small_model(tmp_path_factory.mktemp(arch), arch, dropout=0.1)
        return made[arch]

    return parent


def in_order(examples: list[Any], longest: Callable[[Any], int], epochs: int, *, grouped: bool) -> list[Any]:
    """The examples as our trainers show them, epoch behind epoch."""
    from mra_transformers.training_data import Order

    lengths = [longest(example) for example in examples]
    shown = []
    for epoch in range(epochs):
        order = Order(lengths, OPTIONS["batch_size"], seed=3, grouped=grouped, epoch=lambda epoch=epoch: epoch)
        shown += [examples[index] for index in order]
    return shown


def longest_of_pair(pair: Pair) -> int:
    return len(pair.prompt) + max(len(pair.chosen), len(pair.rejected))


def settings(folder: Path) -> dict[str, Any]:
    """`OPTIONS` in trl's words; one pass over data that hold every epoch in its order. The rest is trl's own."""
    return {
        "output_dir": str(folder), "learning_rate": 1e-2, "num_train_epochs": 1, "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 2, "warmup_steps": 0.2, "lr_scheduler_type": "cosine", "weight_decay": 0.01,
        "max_grad_norm": 0.5, "logging_steps": 1, "seed": 3, "train_sampling_strategy": "sequential",
        "gradient_checkpointing": False, "bf16": False, "use_cpu": True, "report_to": "none", "save_strategy": "no",
        "disable_tqdm": True,
    }  # fmt: skip


def plain(
    trainer: Any, config: Any, parent: Path, data: list[dict[str, str]], lora: LoraOptions | None
) -> list[dict[str, Any]]:
    """What trl's own trainer logs, on texts that it tokenises itself."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

    set_seed(3)
    adapter = lora and LoraConfig(
        task_type="CAUSAL_LM", r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout,
        target_modules="all-linear",
    )  # fmt: skip
    peer = trainer(
        model=AutoModelForCausalLM.from_pretrained(parent),
        args=config,
        train_dataset=Dataset.from_list(data),
        processing_class=AutoTokenizer.from_pretrained(parent),
        peft_config=adapter,
    )
    peer.train()
    return [record for record in peer.state.log_history if "loss" in record]


def check_curve(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], tolerance: float) -> None:
    """The same steps, learning rates, losses and lengths of gradients."""
    assert [record["step"] for record in ours] == [record["step"] for record in theirs]
    assert len(ours) == STEPS
    for name in ("loss", "learning_rate", "grad_norm"):
        assert [record[name] for record in ours] == pytest.approx(
            [record[name] for record in theirs], rel=tolerance, abs=tolerance
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize(("arch", "lora", "epochs"), CASES)
def test_sft_has_the_losses_of_plain_trl(
    tmp_path: Path, parents: Callable[[str], Path], arch: str, lora: LoraOptions | None, epochs: int, grouped: bool
) -> None:
    from trl import SFTConfig, SFTTrainer

    told, data = Told(), rows(36 // epochs)
    options = SftOptions(**OPTIONS, epochs=epochs, lora=lora, group_by_length=grouped)
    mra_sft.train(make_job(tmp_path / "ours", parents(arch), options, told, rows=data))
    shown = in_order(data, lambda row: len(row.prompt + row.completion), epochs, grouped=grouped)
    texts = [{"prompt": row.prompt, "completion": row.completion} for row in shown]
    peer = plain(SFTTrainer, SFTConfig(**settings(tmp_path / "trl")), parents(arch), texts, lora)
    check_curve(told.records, peer, 1e-5)
    assert told.records[-1]["loss"] < told.records[0]["loss"] - 0.1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("precomputed", [True, False])
@pytest.mark.parametrize(("arch", "lora", "epochs"), CASES)
def test_dpo_has_the_losses_of_plain_trl(
    tmp_path: Path, parents: Callable[[str], Path], arch: str, lora: LoraOptions | None, epochs: int, precomputed: bool
) -> None:
    from trl import DPOConfig, DPOTrainer

    told, data = Told(), pairs(36 // epochs)
    options = DpoOptions(**OPTIONS, epochs=epochs, lora=lora, beta=0.3)
    mra_dpo.train(make_job(tmp_path / "ours", parents(arch), options, told, pairs=data))
    shown = in_order(data, longest_of_pair, epochs, grouped=True)
    texts = [{"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in shown]
    config = DPOConfig(**settings(tmp_path / "trl"), beta=0.3, precompute_ref_log_probs=precomputed)
    peer = plain(DPOTrainer, config, parents(arch), texts, lora)
    check_curve(told.records, peer, 1e-4)
    for name in ("rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected"):
        assert [record[name] for record in told.records] == pytest.approx(
            [record[name] for record in peer], rel=1e-4, abs=1e-4
        )
    assert told.records[-1]["loss"] < 0.9 * told.records[0]["loss"]
