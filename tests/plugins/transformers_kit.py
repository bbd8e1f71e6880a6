"""Small real models for the tests of the plugin mra_transformers: random weights, saved as folders.

Their vocabulary is so small, and their weights so large, that texts differ and end in every way there is: by the end
token, a stop string, a closed answer, the limit.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from mra_bench.types import Block, Completion, Decoding, Problem, PromptStyle, Request

END = "<|endoftext|>"
CONTEXT = 96
CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|ai|>{% endif %}"
)


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
    """The small model of an architecture ("qwen2", "gpt2", "mistral", ...) with its tokenizer, written to `folder`."""
    import torch

    torch.manual_seed(3)
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    _model(arch, tokenizer).save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    """Pieces of questions and answers and the single characters they are made of; no padding token."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["\\boxed{", "}", "}.", "\n", "Question:", " so", " is", "What", "Answer:", *" 0123456789+?,.{"]
    text = "".join(pieces)
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys([END, *pieces, *sorted(set(text))]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    cut = r"\\boxed\{|\}\.|Question:| so| is|What|Answer:|[\s\S]"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(cut), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END)


def _model(arch: str, tokenizer: Any) -> Any:
    from transformers import (
        AutoModelForCausalLM,
        BloomConfig,
        Gemma2Config,
        GPT2Config,
        Lfm2Config,
        MambaConfig,
        MistralConfig,
        OPTConfig,
        Qwen2Config,
    )  # fmt: skip

    ids = {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    llama = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": CONTEXT, "initializer_range": 0.4, **ids,
    }  # fmt: skip
    config = {
        "qwen2": lambda: Qwen2Config(tie_word_embeddings=True, **llama),
        "qwen2-wide": lambda: Qwen2Config(  # heads that vLLM computes, too
            tie_word_embeddings=True, **{**llama, "hidden_size": 64, "num_attention_heads": 2}
        ),
        "mistral": lambda: MistralConfig(sliding_window=24, **llama),
        "bloom": lambda: BloomConfig(hidden_size=32, n_layer=2, n_head=4, initializer_range=0.4, **ids),
        "opt": lambda: OPTConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            ffn_dim=64,
            max_position_embeddings=CONTEXT,
            word_embed_proj_dim=32,
            init_std=0.4,
            **ids,
        ),
        "lfm2": lambda: Lfm2Config(layer_types=["conv", "full_attention"], **llama),
        "mamba": lambda: MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=8, initializer_range=0.4, **ids),
        "gemma2": lambda: Gemma2Config(head_dim=8, sliding_window=24, query_pre_attn_scalar=8, **llama),
        "gpt2": lambda: GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, initializer_range=0.4, **ids),
    }[arch]()
    return AutoModelForCausalLM.from_config(config).eval()
