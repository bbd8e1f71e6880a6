"""The model of `mra_bench.types`, computed by vLLM. The engine starts on first use, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mra_transformers
from mra_transformers.folder_model import FolderModel
from mra_transformers.hardware import choose_dtype
from mra_transformers.source import file_hashes, parameters

from mra_bench import runtime
from mra_bench.errors import UsageError
from mra_bench.json_safe import plain_options
from mra_bench.plugins import source_hash
from mra_bench.ranks import launched
from mra_bench.types import ModelRef

from . import LOADER
from .options import Options
from .process import Engine
from .settings import BATCHED_TOKENS, CPU_CACHE, EngineSettings, engine_device, vllm_version


class VllmModel(FolderModel):
    """A causal language model in a folder or of the hub, computed by vLLM."""

    reproducible = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.options = options
        self._engine: Engine | None = None
        if options.path.endswith(".gguf"):
            raise UsageError(
                f"The loader vllm takes folders with safetensors, and {options.path} is a GGUF file. Take the loader "
                "transformers"
            )
        if launched() > 1 and options.tensor_parallel_size > 1:
            raise UsageError(
                f"tensor_parallel_size {options.tensor_parallel_size}: a launcher gives each of its {launched()} "
                "processes one GPU. Set it to 1, or start mra-bench without the launcher"
            )

    def identity(self) -> Mapping[str, Any]:
        """`weights`: hashes of weights, config and tokenizer files. `environment`: facts that do not name a different
        model. The rest are the conditions a lineage shares; `engine`: vLLM's version and the settings that can change
        a text. How much memory a GPU has is none of them: where the KV cache is too small for the texts of a block,
        some wait and are computed beside others, which can change last bits."""
        settings = self._settings()
        return {
            "weights": {"sha256": file_hashes(self.source)},
            "environment": {
                "parameters": parameters(self.source),
                "threads": runtime.threads() if settings.device == "cpu" else None,
                "commit": self.source.commit or None,
            },
            "prompt": self.format.describe(),
            "family": self.format.family.describe(),
            "dtype": settings.dtype,
            "device": settings.device,
            "engine": {"vllm": vllm_version(), **settings.shaping()},
            "strict_determinism": self.options.strict_determinism,
            "code": [source_hash(sys.modules[__package__]), source_hash(mra_transformers)],
            **({"own_code": True} if self.options.trust_remote_code else {}),
        }

    def child(self, folder: Path) -> ModelRef:
        """How to load a model that was trained from this one and saved in `folder`: by vLLM, with the same settings,
        and asked in the same way."""
        kept = plain_options(self.options)
        for name in ("revision", "trust_remote_code"):
            del kept[name]
        return ModelRef(LOADER, {**kept, "path": str(folder), "prompt": self.format.kind})

    def release(self) -> None:
        """End the engine's process; the next use starts another."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _loaded(self) -> Engine:
        if self._engine is None or not self._engine.runs:
            self._engine = Engine(self._settings())
        return self._engine

    def _settings(self) -> EngineSettings:
        options, device = self.options, engine_device()
        cache = options.kv_cache_gib
        return EngineSettings(
            folder=str(self.source.folder),
            family=self.format.family,
            own_code=options.trust_remote_code,
            dtype=choose_dtype(options.number_format, device, parameters(self.source)),
            device=device,
            gpu_memory_utilization=options.gpu_memory_utilization,
            tensor_parallel_size=options.tensor_parallel_size,
            kv_cache_gib=CPU_CACHE if cache is None and device == "cpu" else cache,
            max_model_len=options.max_model_len,
            max_num_seqs=options.rows,
            max_num_batched_tokens=max(BATCHED_TOKENS, options.rows),
            enforce_eager=options.enforce_eager,
            enable_prefix_caching=not options.strict_determinism,
        )
