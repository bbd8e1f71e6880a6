"""Small real models for the tests of the plugin mra_transformers: made here, trained for a moment, saved as folders.

They have learnt to box an answer and then to end, or to go on with another question, so texts end in every way there is.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import Any

from mra_bench.types import Block, Completion, Decoding, Problem, PromptStyle, Request

END = "<|endoftext|>"
CONTEXT = 96
STEPS = 80
CHAT = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|ai|>{% endif %}"


def problems(count: int, *, words: int = 3) -> tuple[Problem, ...]:
    """Problems whose questions have different lengths."""
    rng = random.Random(7)
    made = []
    for index in range(count):
        terms = [str(rng.randint(1, 99)) for _ in range(rng.randint(2, 2 + words))]
        made.append(Problem(f"p{index}", f"What is {' + '.join(terms)}?", "0"))
    return tuple(made)


def block(
    wanted: tuple[Problem, ...], decoding: Decoding, *, samples: int = 1, seed: int = 0, instruction: str = ""
) -> Block:
    """A block of `samples` texts for each problem."""
    requests = tuple(Request(problem, sample) for problem in wanted for sample in range(samples))
    return Block(requests, PromptStyle(instruction), decoding, seed)


def by_request(completions: Any) -> dict[tuple[str, int], Completion]:
    """Completions by (problem id, sample); fails if one occurs twice."""
    listed = list(completions)
    found = {(c.problem_id, c.sample): c for c in listed}
    assert len(found) == len(listed)
    return found


def save(arch: str, folder: Path) -> Path:
    """The small model of an architecture ("qwen2", "gpt2", "mistral"), written to `folder`."""
    tokenizer, model = trained(arch)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


@functools.cache
def trained(arch: str) -> tuple[Any, Any]:
    """Tokenizer (without a pad token) and model, trained from fixed seeds."""
    import torch

    torch.manual_seed(3)
    rng = random.Random(3)
    tokenizer = _tokenizer([_document(rng) for _ in range(400)])
    model = _untrained(arch, tokenizer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    model.train()
    for _ in range(STEPS):
        ids = torch.tensor([_sequence(rng, tokenizer) for _ in range(16)])
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return tokenizer, model.eval()


def _document(rng: random.Random) -> str:
    terms = [rng.randint(1, 99) for _ in range(rng.randint(2, 5))]
    asked = f"Question: What is {' + '.join(map(str, terms))}?\nAnswer:"
    thought = ", ".join(str(rng.randint(1, 99)) for _ in range(rng.randint(1, 6)))
    end = rng.choice((END, ". " + END, f" {{x}} done{END}", "\n", " so\n"))
    return f"{asked} {thought} is \\boxed{{{sum(terms)}}}{end}"


def _sequence(rng: random.Random, tokenizer: Any) -> list[int]:
    ids: list[int] = []
    while len(ids) < CONTEXT:
        ids += tokenizer(_document(rng)).input_ids
    return ids[:CONTEXT]


def _tokenizer(texts: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=[END], initial_alphabet=alphabet, show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END)


def _untrained(arch: str, tokenizer: Any) -> Any:
    from transformers import AutoModelForCausalLM, GPT2Config, MistralConfig, Qwen2Config

    ids = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    llama = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": CONTEXT, "tie_word_embeddings": True, **ids,
    }  # fmt: skip
    config = {
        "qwen2": lambda: Qwen2Config(**llama),
        "mistral": lambda: MistralConfig(sliding_window=24, **llama),
        "gpt2": lambda: GPT2Config(
            n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, **ids
        ),
    }[arch]()
    return AutoModelForCausalLM.from_config(config)
