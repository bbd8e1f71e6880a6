"""The model of `mra_bench.types`: a block of problems in, completions out. Weights load on first use."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mra_bench import runtime
from mra_bench.plugins import source_hash
from mra_bench.types import Halving

from . import budget
from .batching import ALONE, Limits
from .families import Family
from .folder_model import FolderModel
from .generate import Engine
from .hardware import check_reproducible, choose_device, choose_dtype, compute_reproducibly, device_kind, memory
from .loading import load_causal_lm
from .network import Network
from .options import Options
from .source import config_of, file_hashes, parameters


class TransformersModel(FolderModel):
    """A causal language model of the transformers library, computed by it."""

    reproducible = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.options = options
        self._engine: Engine | None = None

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

    def release(self) -> None:
        """Free the weights; the next use loads them again."""
        if self._engine is None:
            return
        self._engine = None
        import gc

        import torch

        gc.collect()
        runtime.give_freed_memory_back()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _limits(self) -> Limits:
        if self.options.strict_determinism:
            return ALONE
        device = choose_device(self.options.device)
        count = parameters(self.source)
        dtype = choose_dtype(self.options.dtype, device, count)
        found = budget.limits(config_of(self.source), count, dtype, device_kind(device), memory(device))
        return replace(found, token_budget=self.options.token_budget or found.token_budget)

    def _loaded(self) -> Engine:
        if self._engine is None:
            tokenizer = self.tokenizer
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
            ends = end_ids((model.generation_config, model.config), tokenizer, self.format.family)
            self._engine = Engine(Network(model, tokenizer, ends), self._limits())
        return self._engine


def end_ids(configs: Sequence[Any], tokenizer: Any, family: Family) -> frozenset[int]:
    """Ids that end a text: those of `configs`, which are the generation config and the config, the tokenizer's and the
    family's."""
    found: set[int] = set()
    for value in [told.eos_token_id for told in (*configs, tokenizer)]:
        found |= {value} if isinstance(value, int) else set(value or ())
    vocabulary = tokenizer.get_vocab()
    return frozenset(found | {vocabulary[token] for token in family.end_tokens if token in vocabulary})
