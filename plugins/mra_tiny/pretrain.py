r"""Pretrains the two embedded models from nothing. To redo them:

    python -m mra_tiny.pretrain --arch ARCH --steps 3600 --out ARCH-first
    python -m mra_tiny.pretrain --arch ARCH --start ARCH-first/step-3600 --written-out 1 --steps 400 --rate 5e-4 \
        --seed 2 --out ARCH

Every 250 steps and at the end it writes tokenizer, config, weights (safetensors) and log.json (settings, seed, loss,
versions) to a folder of --out; the packaged weights are the last ones. The first reading teaches to work exercises out
and to answer questions out of hand, the second to write single-step answers out. So the models score 5 to 40 % of
`arith` as they are, and have more in them than they show.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

END = "<|endoftext|>"
PAD = "<|pad|>"
CONTEXT = 256


@dataclass(frozen=True)
class Settings:
    """Of one pretraining. `stop` ends it early, on the same schedule."""

    arch: str
    steps: int
    batch: int
    learning_rate: float
    seed: int
    stop: int
    written_out: int = 0


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


def sequences(tokenizer: Any, seed: int, forbidden: frozenset[str], written_out: int) -> Iterator[list[int]]:
    """Documents joined by the end token and cut into sequences of CONTEXT + 1 token ids."""
    from .corpus import documents

    buffer: list[int] = []
    stream = documents(seed, forbidden, written_out)
    while True:
        batch = [text + END for text in itertools.islice(stream, 512)]
        for encoded in tokenizer.backend_tokenizer.encode_batch(batch):
            buffer.extend(encoded.ids)
        while len(buffer) > CONTEXT:
            yield buffer[: CONTEXT + 1]
            buffer = buffer[CONTEXT:]


def pretrain(settings: Settings, start: Path | None, out: Path) -> None:
    """Train (on from `start`, if given) and save. The rate warms up over 200 steps and falls to a tenth by a cosine."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .corpus import benchmark_questions

    torch.manual_seed(settings.seed)
    forbidden = benchmark_questions()
    if start is None:
        tokenizer = train_tokenizer(settings.seed, forbidden)
        model = build_model(settings.arch, tokenizer)
    else:
        tokenizer = AutoTokenizer.from_pretrained(start)
        model = AutoModelForCausalLM.from_pretrained(start, attn_implementation="sdpa")
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.05)
    stream = sequences(tokenizer, settings.seed, forbidden, settings.written_out)
    losses: list[tuple[int, float]] = []
    recent: list[float] = []
    began = time.monotonic()
    model.train()
    for step in range(1, settings.stop + 1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * schedule(step, settings.steps)
        ids = torch.tensor(list(itertools.islice(stream, settings.batch)))
        logits = model(input_ids=ids[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        if step % 100 == 0:
            losses.append((step, round(sum(recent) / len(recent), 4)))
            recent = []
            speed = step * settings.batch * CONTEXT / (time.monotonic() - began)
            print(f"{settings.arch} step {step}/{settings.steps} loss {losses[-1][1]} {speed:.0f} tokens/s", flush=True)
        if step % 250 == 0 or step == settings.stop:
            save(model, tokenizer, out / f"step-{step}", record(settings, model, step, losses, start))


def schedule(step: int, steps: int) -> float:
    """The share of the learning rate at `step`."""
    progress = max(0.0, (step - 200) / max(1, steps - 200))
    return min(1.0, step / 200) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))


def record(
    settings: Settings, model: Any, step: int, losses: list[tuple[int, float]], start: Path | None
) -> dict[str, Any]:
    """What log.json holds."""
    import torch
    import transformers

    return {
        **asdict(settings),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps_done": step,
        "context": CONTEXT,
        "tokens": step * settings.batch * CONTEXT,
        "loss": losses,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "before": json.loads((start / "log.json").read_text()) if start else None,
    }


def save(model: Any, tokenizer: Any, out: Path, log: dict[str, Any]) -> None:
    """Weights, tokenizer and log in one folder."""
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "log.json").write_text(json.dumps(log) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=("qwen2", "gpt2"), required=True)
    parser.add_argument("--start", type=Path, help="weights to go on from, with a fresh optimizer and schedule")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4500, help="length of the schedule")
    parser.add_argument("--stop", type=int, help="end after this many steps of it")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--written-out", type=int, default=0, help="questions of up to so many steps are worked out")
    args = parser.parse_args()
    settings = Settings(
        args.arch, args.steps, args.batch, args.rate, args.seed, args.stop or args.steps, args.written_out
    )
    pretrain(settings, args.start, args.out)


if __name__ == "__main__":
    main()
