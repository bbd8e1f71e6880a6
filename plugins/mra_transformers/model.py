"""The model of `mra_bench.types`: a block of problems in, completions out. Weights load on first use."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mra_bench import runtime
from mra_bench.plugins import source_hash
from mra_bench.prompts import plain_prompt, plain_stops
from mra_bench.types import Block, Completion, Halving, Problem, PromptStyle

from . import budget, prompts
from .batching import ALONE, Limits, RowSpec
from .families import Family
from .generate import Engine
from .hardware import check_reproducible, choose_device, choose_dtype, compute_reproducibly, device_kind, memory
from .loading import load_causal_lm, load_tokenizer
from .network import Network
from .options import Options
from .source import Source, check_pinned, config_of, file_hashes, is_hub_id, locate, parameters
from .stops import StopRule
from .streams import row_key


class TransformersModel:
    """A causal language model of the transformers library.

    Raises UsageError at once for a folder that cannot be used; a hub id is only looked up when it is needed.
    """

    reproducible = True

    def __init__(self, options: Options) -> None:
        self.options = options
        self._tokenizer: Any = None
        self._engine: Engine | None = None
        self._source: Source | None = None
        self._format: prompts.PromptFormat | None = None
        check_pinned(options.path, options.revision, options.trust_remote_code)
        if not is_hub_id(options.path):
            self._source = locate(options.path, own_code=options.trust_remote_code)
            self._format = prompts.settle(options.prompt, self._source)

    @property
    def source(self) -> Source:
        """The model's files. Downloads a hub id on first use."""
        if self._source is None:
            self._source = locate(self.options.path, self.options.revision, own_code=self.options.trust_remote_code)
        return self._source

    @property
    def format(self) -> prompts.PromptFormat:
        """The prompt format settled for this model."""
        if self._format is None:
            self._format = prompts.settle(self.options.prompt, self.source)
        return self._format

    @property
    def halvings(self) -> tuple[Halving, ...]:
        """Where the block generated last did not fit in memory."""
        return tuple(self._engine.halvings) if self._engine else ()

    def identity(self) -> Mapping[str, Any]:
        """`weights`: hashes of weights, config and tokenizer files. `environment`: facts that do not name a different
        model, such as the commit of a hub id. The rest are the conditions a lineage shares: prompt format, dtype,
        device, bounds of a batch, whether determinism is strict, and a hash of this plugin's source."""
        device = choose_device(self.options.device)
        kind = device_kind(device)
        if self.options.strict_determinism:
            check_reproducible(device)
        limits = self._limits()
        count = parameters(self.source)
        return {
            "weights": {"sha256": file_hashes(self.source)},
            "environment": {
                "parameters": count,
                "threads": runtime.threads() if kind == "cpu" else None,
                "commit": self.source.commit or None,
            },
            "prompt": self.format.describe(),
            "family": self.format.family.describe(),
            "dtype": choose_dtype(self.options.number_format, device, count),
            "device": device.partition(":")[0],
            "token_budget": limits.token_budget,
            "max_rows": limits.max_rows,
            "prefill_tokens": limits.prefill_tokens,
            "strict_determinism": self.options.strict_determinism,
            "code": source_hash(sys.modules["mra_transformers"]),
            **({"own_code": True} if self.options.trust_remote_code else {}),
        }

    def checkpoint(self) -> Path | None:
        """The folder of weights, which a trainer can start from; None for a GGUF file, and for a model that is run by
        code of its own."""
        return None if self.source.gguf or self.source.own_code else self.source.folder

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The exact prompt text for a problem."""
        if self.format.kind == prompts.PLAIN:
            return plain_prompt(problem, style)
        return prompts.chat(problem, style, self.format.family, self._loaded_tokenizer())

    def continuation(self, text: str) -> str:
        """`text` as it follows the prompt: behind a space in the plain format, as it is in a chat."""
        return f" {text}" if self.format.kind == prompts.PLAIN else text

    def generate(self, block: Block) -> Iterator[Completion]:
        """One completion for each request, as each text ends.

        The text is the decoded continuation, stripped of whitespace at both ends. A prompt that fills the model's
        context leaves no room: its completion is empty, with finish "length".
        """
        engine = self._loaded()
        rows = self._rows(block, engine)
        own = plain_stops(block.style) if self.format.kind == prompts.PLAIN else ()
        rule = StopRule((*self.format.stops, *own, *block.decoding.stop), block.decoding.stop_after_answer)
        for ended in engine.run(rows, rule, block.decoding, block.halvings):
            request = block.requests[ended.position]
            yield Completion(
                problem_id=request.problem.id,
                sample=request.sample,
                text=ended.text,
                prompt_tokens=len(rows[ended.position].prompt),
                tokens=ended.tokens,
                finish=ended.finish,
            )

    def release(self) -> None:
        """Free the weights; the next use loads them again."""
        if self._engine is None:
            return
        self._engine = None
        import gc

        import torch

        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _rows(self, block: Block, engine: Engine) -> list[RowSpec]:
        texts = [self.render(request.problem, block.style) for request in block.requests]
        encoded = (
            engine.network.tokenizer(texts, add_special_tokens=self.format.special_tokens).input_ids if texts else []
        )
        return [
            RowSpec(
                position,
                tuple(ids),
                row_key(block.seed, request.problem.id, request.sample),
                min(
                    request.max_new_tokens or block.decoding.max_new_tokens,
                    block.decoding.max_new_tokens,
                    engine.network.context - len(ids),
                ),
            )
            for position, (request, ids) in enumerate(zip(block.requests, encoded, strict=True))
        ]

    def _limits(self) -> Limits:
        if self.options.strict_determinism:
            return ALONE
        device = choose_device(self.options.device)
        count = parameters(self.source)
        dtype = choose_dtype(self.options.dtype, device, count)
        found = budget.limits(config_of(self.source), count, dtype, device_kind(device), memory(device))
        return replace(found, token_budget=self.options.token_budget or found.token_budget)

    def _loaded_tokenizer(self) -> Any:
        if self._tokenizer is None:
            own_code = self.options.trust_remote_code
            self._tokenizer = load_tokenizer(self.options.path, self.options.revision, own_code=own_code)
        return self._tokenizer

    def _loaded(self) -> Engine:
        if self._engine is None:
            tokenizer = self._loaded_tokenizer()
            if self.options.strict_determinism:
                compute_reproducibly(choose_device(self.options.device))
            model = load_causal_lm(
                self.options.path,
                dtype=self.options.number_format,
                device=self.options.device,
                revision=self.options.revision,
                tokenizer=tokenizer,
                own_code=self.options.trust_remote_code,
            )
            if not self.options.strict_determinism:  # a single row is faster with the weights as they are
                from .packed import pack

                pack(model)
            ends = end_ids(model, tokenizer, self.format.family)
            self._engine = Engine(Network(model, tokenizer, ends), self._limits())
        return self._engine


def end_ids(model: Any, tokenizer: Any, family: Family) -> frozenset[int]:
    """Ids that end a text: those of the generation config, the config, the tokenizer and the family."""
    found: set[int] = set()
    for value in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        found |= {value} if isinstance(value, int) else set(value or ())
    vocabulary = tokenizer.get_vocab()
    return frozenset(found | {vocabulary[token] for token in family.end_tokens if token in vocabulary})
