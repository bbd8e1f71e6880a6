"""The embedded models: two small language models of our own making, of Qwen2 and of GPT-2 architecture.

Registers the loaders ``tiny-qwen2`` and ``tiny-gpt2``. `mra_tiny.pretrain` is the script that made the weights, with
the command to redo it; log.json beside the weights is its record.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from mra_transformers.options import Dtype, Options

from mra_bench.errors import UsageError
from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_transformers.model import TransformersModel

ARCHITECTURES = ("qwen2", "gpt2")


@dataclass(frozen=True)
class TinyOptions:
    """How an embedded model is run, as for the loader ``transformers``.

    dtype: ``auto`` takes what the hardware computes well.
    device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``. ``auto`` takes a GPU when there is one.
    """

    dtype: Dtype = "auto"
    device: str = "auto"


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


def load(arch: str, options: TinyOptions) -> TransformersModel:
    """An embedded model, run by the plugin mra_transformers like any other folder."""
    from mra_transformers.model import TransformersModel

    return TransformersModel(Options(str(weights_folder(arch)), None, "plain", options.dtype, options.device))


@hookimpl
def register_models(register: Register) -> None:
    """Offer the loaders ``tiny-qwen2`` and ``tiny-gpt2``."""
    for arch in ARCHITECTURES:
        register(f"tiny-{arch}", functools.partial(load, arch), options=TinyOptions)
