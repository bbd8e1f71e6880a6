"""Pretrains the two embedded models from nothing. Redo: ``python -m mra_tiny.pretrain --arch qwen2`` (or gpt2).

Writes tokenizer, config, weights (safetensors) and log.json (settings, seeds, loss curve, versions) to --out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

END = "<|endoftext|>"
PAD = "<|pad|>"
CONTEXT = 256


def train_tokenizer(seed: int, forbidden: frozenset[str], vocabulary: int = 1024) -> Any:
    """A byte-level BPE tokenizer whose digits are single tokens, trained on 20,000 documents of the corpus."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from .corpus import documents

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(itertools.islice(documents(seed, forbidden), 20_000), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, model_max_length=CONTEXT * 2
    )


def build_model(arch: str, tokenizer: Any) -> Any:
    """An untrained model of about two million parameters. Raises KeyError for an unknown `arch`."""
    from transformers import AutoModelForCausalLM, GPT2Config, Qwen2Config

    common = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    config = {
        "qwen2": lambda: Qwen2Config(
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=5,
            num_attention_heads=6,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT * 2,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            **common,
        ),
        "gpt2": lambda: GPT2Config(
            n_embd=192,
            n_layer=5,
            n_head=6,
            n_positions=CONTEXT * 2,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            pad_token_id=tokenizer.pad_token_id,
            **common,
        ),
    }[arch]()
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")


def sequences(tokenizer: Any, seed: int, forbidden: frozenset[str]) -> Iterator[list[int]]:
    """Documents joined by the end token and cut into sequences of CONTEXT + 1 token ids.

    Half of the stream is shifted by the cuts into later positions; positions beyond CONTEXT are never seen here.
    """
    from .corpus import documents

    buffer: list[int] = []
    stream = documents(seed, forbidden)
    while True:
        batch = [text + END for text in itertools.islice(stream, 512)]
        for encoded in tokenizer.backend_tokenizer.encode_batch(batch):
            buffer.extend(encoded.ids)
        while len(buffer) > CONTEXT:
            yield buffer[: CONTEXT + 1]
            buffer = buffer[CONTEXT:]


def pretrain(arch: str, out: Path, *, steps: int, batch: int, rate: float, seed: int) -> None:
    """Train and save; the learning rate warms up over 200 steps and falls to a tenth along a cosine."""
    import torch
    import transformers

    from .corpus import benchmark_questions

    torch.manual_seed(seed)
    forbidden = benchmark_questions()
    tokenizer = train_tokenizer(seed, forbidden)
    model = build_model(arch, tokenizer)
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.05)
    stream = sequences(tokenizer, seed, forbidden)
    started = time.monotonic()
    losses: list[tuple[int, float]] = []
    recent: list[float] = []
    out.mkdir(parents=True, exist_ok=True)
    model.train()
    for step in range(1, steps + 1):
        progress = max(0.0, (step - 200) / max(1, steps - 200))
        scale = min(1.0, step / 200) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate * scale
        ids = torch.tensor(list(itertools.islice(stream, batch)))
        logits = model(input_ids=ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        if step % 100 == 0 or step == steps:
            losses.append((step, round(sum(recent) / len(recent), 4)))
            recent = []
            rate_now = step * batch * CONTEXT / (time.monotonic() - started)
            print(f"{arch} step {step}/{steps} loss {losses[-1][1]} {rate_now:.0f} tokens/s", flush=True)
        if step % 1000 == 0 or step == steps:
            model.save_pretrained(out)
            tokenizer.save_pretrained(out)
            log = {
                "arch": arch, "parameters": parameters, "steps": step, "batch": batch, "context": CONTEXT,
                "tokens": step * batch * CONTEXT, "learning_rate": rate, "seed": seed, "loss": losses,
                "torch": torch.__version__, "transformers": transformers.__version__,
            }  # fmt: skip
            (out / "log.json").write_text(json.dumps(log) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=("qwen2", "gpt2"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4500)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    pretrain(args.arch, args.out, steps=args.steps, batch=args.batch, rate=args.rate, seed=args.seed)


if __name__ == "__main__":
    main()
