"""Models computed by vLLM's offline engine: the same prompts, stops and ends of texts as those of mra_transformers.

Registers the model loader ``vllm``; `mra_vllm.options` documents its options. Needs the extra ``mra-bench[vllm]``. vLLM
is imported in a process of its own, with the first text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from .model import VllmModel
    from .options import Options

__all__ = ["LOADER", "NEEDS", "Options", "load", "register_models"]
__getattr__ = names(__name__, {"Options": "mra_vllm.options"})

NEEDS = {"vllm": "mra-bench[vllm]"}
LOADER = "mra_vllm:vllm"


def load(options: Options) -> VllmModel:
    """A model ready to be asked; the engine starts on first use. Raises UsageError for a folder that cannot be used."""
    from .model import VllmModel

    return VllmModel(options)


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loader ``vllm``."""
    register("vllm", load, options="mra_vllm.options:Options", needs=NEEDS)
