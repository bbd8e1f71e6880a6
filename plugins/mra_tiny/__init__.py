"""The embedded models: two small language models of our own making, of Qwen2 and of GPT-2 architecture.

Registers the loaders ``tiny-qwen2`` and ``tiny-gpt2``. `mra_tiny.pretrain` is the script that made the weights, with
the command to redo it; log.json beside the weights is its record.
"""

from __future__ import annotations

import dataclasses
import functools
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from mra_bench.errors import UsageError
from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_transformers.model import TransformersModel
    from mra_transformers.packaged import PackagedOptions

__all__ = ["ARCHITECTURES", "load", "register_models", "weights_folder"]

ARCHITECTURES = ("qwen2", "gpt2")


def weights_folder(arch: str) -> Path:
    """The packaged folder of one model, "qwen2" or "gpt2": config, weights, tokenizer, log of its pretraining.

    Raises UsageError when the weights are not there.
    """
    folder = Path(str(files(__name__))) / "weights" / arch
    if not (folder / "model.safetensors").is_file():
        raise UsageError(
            f"The weights of the embedded model tiny-{arch} are not in {folder}. Install mra-bench again, or make "
            f"them: python -m mra_tiny.pretrain --arch {arch} --out {folder}"
        )
    return folder


def load(arch: str, options: PackagedOptions) -> TransformersModel:
    """An embedded model, run by the plugin mra_transformers like any other folder."""
    from mra_transformers.model import TransformersModel
    from mra_transformers.options import Options

    path = str(weights_folder(arch))
    return TransformersModel(Options(path=path, prompt="plain", **dataclasses.asdict(options)))


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loaders ``tiny-qwen2`` and ``tiny-gpt2``."""
    for arch in ARCHITECTURES:
        register(f"tiny-{arch}", functools.partial(load, arch), options="mra_transformers.packaged:PackagedOptions")
