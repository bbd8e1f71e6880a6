"""A very small random model, rows, pairs and jobs for the tests of the trainers. No test in here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mra_bench.types import ModelRef, Pair, Row, TrainJob

END, PAD = "<|endoftext|>", "<|pad|>"


class Told:
    """Keeps what a job was told."""

    def __init__(self, then: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        self.records: list[dict[str, Any]] = []
        self.progress: list[tuple[int, int, int]] = []
        self.then = then

    def log(self, record: Mapping[str, Any]) -> None:
        self.records.append(dict(record))
        if self.then:
            self.then(record)

    def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None:
        self.progress.append((done, total, tokens))


def small_model(folder: Path, arch: str = "qwen2", *, dropout: float = 0.0) -> Path:
    """Save a random model of some ten thousand parameters, and a byte-level tokenizer, in `folder`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedTokenizerFast, Qwen2Config

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([END, PAD, *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=END, pad_token=PAD)
    common = {"vocab_size": len(vocabulary), "eos_token_id": 0, "pad_token_id": 1, "bos_token_id": None}
    if arch == "qwen2":
        config: Any = Qwen2Config(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=128, tie_word_embeddings=True, **common,
        )  # fmt: skip
    else:
        drop = {"resid_pdrop": dropout, "embd_pdrop": dropout, "attn_pdrop": dropout}
        config = GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=128, **drop, **common)
    torch.manual_seed(5)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def rows(count: int = 12) -> list[Row]:
    """Sums of different lengths."""
    return [
        Row(f"p{n}", f"Question: {n} + {n}?\nAnswer:", f" {n} + {n} = {2 * n}." + " Done." * (n % 3))
        for n in range(count)
    ]


def pairs(count: int = 12) -> list[Pair]:
    """Right sums chosen over wrong ones."""
    return [
        Pair(f"p{n}", f"Question: {n} + {n}?\nAnswer:", f" {n} + {n} = {2 * n}.", f" It is {7 * n + 1}" + "!" * (n % 3))
        for n in range(count)
    ]


def make_job(folder: Path, parent: Path, options: Any, told: Told, **data: Any) -> TrainJob:
    """A job whose result and checkpoints lie in `folder`."""
    return TrainJob(
        name="child",
        parent=parent,
        parent_ref=ModelRef("mra_transformers:transformers", {"path": str(parent), "prompt": "plain"}),
        output=folder / "weights",
        workdir=folder / "work",
        options=options,
        seed=3,
        progress=told,
        log=told.log,
        **data,
    )


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of each file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
