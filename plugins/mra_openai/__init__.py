"""Models behind an OpenAI-compatible endpoint: vLLM, llama.cpp, Ollama, `transformers serve`, a hosted one.

Registers the model loader ``openai``; `mra_openai.options` documents its options. Needs the extra
``mra-bench[openai]``, whose client is imported with the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from .model import EndpointModel
    from .options import Options

__all__ = ["NEEDS", "Options", "load", "register_models"]
__getattr__ = names(__name__, {"Options": "mra_openai.options"})

NEEDS = {"openai": "mra-bench[openai]"}


def load(options: Options) -> EndpointModel:
    """A model that is asked over the network, at first when a run starts."""
    from .model import EndpointModel

    return EndpointModel(options)


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loader ``openai``."""
    register("openai", load, options="mra_openai.options:Options", needs=NEEDS)
