"""Causal language models of the transformers library: Qwen2, Qwen2.5, Qwen3, GPT-2 and any other.

Registers the model loader ``transformers``; `mra_transformers.options` documents its options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from .model import TransformersModel
    from .options import Options

__all__ = ["Options", "load", "register_models"]
__getattr__ = names(__name__, {"Options": "mra_transformers.options"})


def load(options: Options) -> TransformersModel:
    """A model ready to be asked; its weights load on first use. Raises UsageError for a folder that cannot be used."""
    from .model import TransformersModel

    return TransformersModel(options)


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loader ``transformers``."""
    register("transformers", load, options="mra_transformers.options:Options")
