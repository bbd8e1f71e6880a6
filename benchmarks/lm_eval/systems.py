"""The ways to generate that are compared. Each is loaded by a function ``(setting, rows) -> generate``, and
``generate(work)`` gives the texts: question by question, the samples of one side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from jobs import Setting, Work
from mra_transformers.families import PLAIN_STOPS
from mra_transformers.stops import StopRule, watched_tokens

from mra_bench.prompts import plain_prompt
from mra_bench.types import Block, Decoding, Problem, PromptStyle, Request

Generate = Callable[[Work], list[str]]
RULE = StopRule(PLAIN_STOPS)
SPARE = 4
"""Blocks of the cache of continuous batching beyond what its rows need at most."""


def problems(work: Work) -> list[Problem]:
    """The questions as problems, named by their place."""
    return [Problem(str(place), question, "") for place, question in enumerate(work.questions)]


def prompts(work: Work) -> list[str]:
    """The prompt text of each question."""
    return [plain_prompt(problem, PromptStyle()) for problem in problems(work)]


def ours(setting: Setting, rows: int) -> Generate:
    """The engine of mra_transformers, in blocks as the program gives them."""
    from mra_transformers import Options, load

    model = load(Options(setting.model, prompt="plain", dtype=setting.dtype, device=setting.device))  # type: ignore[arg-type]

    def generate(work: Work) -> list[str]:
        asked = [Request(problem, sample) for problem in problems(work) for sample in range(work.samples)]
        decoding = Decoding(work.new_tokens, work.temperature)
        found = {}
        for first in range(0, len(asked), work.block):
            block = Block(tuple(asked[first : first + work.block]), PromptStyle(), decoding, work.seed)
            found.update({(c.problem_id, c.sample): c.text for c in model.generate(block)})
        return [found[request.problem.id, request.sample] for request in asked]

    return generate


def lm_eval_hf(setting: Setting, rows: int) -> Generate:
    """lm-eval's model ``hf`` in batches of `rows`; a prompt is repeated for each of its samples."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=setting.model, dtype=torch_dtype(setting), device=setting.device, batch_size=rows)

    def generate(work: Work) -> list[str]:
        seed(work)
        options = {"until": list(PLAIN_STOPS), "max_gen_toks": work.new_tokens, **sampling(work)}
        asked = [prompt for prompt in prompts(work) for _ in range(work.samples)]
        requests = [Instance("generate_until", {}, (prompt, options), place) for place, prompt in enumerate(asked)]
        texts: list[str] = model.generate_until(requests, disable_tqdm=True)
        return texts

    return generate


def plain_generate(setting: Setting, rows: int) -> Generate:
    """``generate`` of transformers in batches of `rows` sequences (the samples of a question count), the longest
    prompts first, padded on the left."""
    import torch

    model, tokenizer = library(setting)

    def batch(texts: Sequence[str], work: Work) -> list[str]:
        given = tokenizer(list(texts), return_tensors="pt", padding=True).to(setting.device)
        rules = {"max_new_tokens": work.new_tokens, "stop_strings": list(PLAIN_STOPS), "tokenizer": tokenizer}
        with torch.inference_mode():
            ids = model.generate(**given, **rules, **sampling(work), num_return_sequences=work.samples)
        written = ids[:, given.input_ids.shape[1] :].tolist()
        return [cut(tokenizer.decode(row, skip_special_tokens=True)) for row in written]

    def generate(work: Work) -> list[str]:
        seed(work)
        asked = prompts(work)
        order = sorted(range(len(asked)), key=lambda place: -len(tokenizer(asked[place]).input_ids))
        found: dict[int, list[str]] = {}
        for first in range(0, len(order), max(1, rows // work.samples)):
            places = order[first : first + max(1, rows // work.samples)]
            texts = batch([asked[place] for place in places], work)
            found.update({p: texts[k * work.samples :][: work.samples] for k, p in enumerate(places)})
        return [text for place in range(len(asked)) for text in found[place]]

    return generate


def continuous(setting: Setting, rows: int) -> Generate:
    """Continuous batching of transformers, at most `rows` texts at a time, the cache as large
    as they need: by itself it takes, and fills with zeros, 60 % of the memory. It knows no stop strings: a text that
    has come to one is cancelled the moment its tokens arrive here."""
    import torch
    from transformers import ContinuousBatchingConfig, GenerationConfig
    from transformers.generation.continuous_batching.utils import WorkloadHints

    model, tokenizer = library(setting)
    watched = frozenset(watched_tokens(tokenizer, RULE))
    ends = {name: getattr(model.generation_config, name) for name in ("eos_token_id", "pad_token_id")}

    def generate(work: Work) -> list[str]:
        asked = tokenizer(prompts(work)).input_ids
        count, longest = len(asked) * work.samples, max(map(len, asked))
        pages = math.ceil((longest + work.new_tokens) / ContinuousBatchingConfig.page_size)
        cache = ContinuousBatchingConfig(num_blocks=pages * rows + SPARE, max_requests_per_batch=rows)
        rules = {"max_new_tokens": work.new_tokens, "num_return_sequences": work.samples}
        hints = WorkloadHints(max_prompt_length=longest, max_generated_length=work.new_tokens, num_requests=count)
        seed(work)
        manage = model.continuous_batching_context_manager(
            GenerationConfig(**rules, **ends, **sampling(work)), continuous_batching_config=cache, workload_hints=hints
        )
        with torch.no_grad(), manage as manager:
            names = manager.add_requests(asked, max_new_tokens=work.new_tokens, streaming=True)
            found = collect(manager, count, watched, tokenizer)
        children = [f"__child#{number}" for number in range(work.samples - 1)]
        return [found[name + child] for name in names for child in ("", *children)]

    return generate


def collect(manager: Any, count: int, watched: frozenset[int], tokenizer: Any) -> dict[str, str]:
    """The text of each request of continuous batching, by its name. Raises RuntimeError when one failed."""
    found: dict[str, str] = {}
    while len(found) < count:
        result = manager.get_result(timeout=1)
        if result is None:
            if not manager.is_running():
                raise RuntimeError(f"generation ended after {len(found)} of {count} texts")
            continue
        if result.error is not None:
            raise RuntimeError(result.error)
        tokens = result.generated_tokens
        if result.request_id in found or not (result.is_finished() or (tokens and tokens[-1] in watched)):
            continue
        text = tokenizer.decode(tokens, skip_special_tokens=True)
        if result.is_finished() or RULE.cut(text) is not None:
            found[result.request_id] = cut(text)
            if not result.is_finished():
                manager.cancel_request(result.request_id)
    return found


def llama_cpp(setting: Setting, rows: int) -> Generate:
    """llama.cpp through llama-cpp-python, on the GGUF file's own weights, one text after the other."""
    from llama_cpp import Llama

    if not setting.gguf:
        raise ValueError("needs a GGUF file: --model FILE.gguf")
    threads = {"n_threads": setting.threads, "n_threads_batch": setting.threads}
    model = Llama(setting.gguf, n_ctx=2048, verbose=False, **threads)

    def generate(work: Work) -> list[str]:
        rules = {"max_tokens": work.new_tokens, "stop": list(PLAIN_STOPS), "temperature": work.temperature}
        whole = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0}
        texts = []
        for number, prompt in enumerate(text for text in prompts(work) for _ in range(work.samples)):
            answer: Any = model.create_completion(prompt, seed=work.seed + number, **rules, **whole)
            texts.append(answer["choices"][0]["text"])
        return texts

    return generate


SYSTEMS: dict[str, Callable[[Setting, int], Generate]] = {
    "ours": ours,
    "lm-eval": lm_eval_hf,
    "generate": plain_generate,
    "continuous": continuous,
    "llama.cpp": llama_cpp,
}
BATCHED = ("lm-eval", "generate", "continuous")
"""Kinds that are given the number of rows of a batch."""
PACKAGES = {"lm-eval": "lm_eval", "llama.cpp": "llama_cpp"}
"""What has to be installed for a kind, beyond what mra-bench needs itself."""


def library(setting: Setting) -> tuple[Any, Any]:
    """Model and tokenizer as transformers loads them, prompts padded on the left."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(setting.model, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(setting.model, dtype=torch_dtype(setting))
    return model.to(setting.device).eval(), tokenizer


def torch_dtype(setting: Setting) -> Any:
    """The dtype by torch's name."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[setting.dtype]


def sampling(work: Work) -> dict[str, Any]:
    """Greedy, or draws from the whole distribution; the library by itself would draw from the 50 likeliest tokens."""
    if work.temperature == 0:
        return {"do_sample": False}
    return {"do_sample": True, "temperature": work.temperature, "top_k": 0, "top_p": 1.0}


def seed(work: Work) -> None:
    """Seed torch, from which the peers draw."""
    import torch

    torch.manual_seed(work.seed)


def cut(text: str) -> str:
    """The text up to the first stop string."""
    ended = RULE.cut(text)
    return text if ended is None else ended
