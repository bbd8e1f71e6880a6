"""Options of the loader ``transformers``. Light: read when a recipe is checked, before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, MinLen

Dtype = Literal["auto", "bf16", "fp16", "fp32"]
Prompt = Literal["auto", "plain", "chat"]


@dataclass(frozen=True)
class Options:
    """Which model, and how it is run.

    path: a folder in the transformers format, a ``.gguf`` file, or a hub id such as ``Qwen/Qwen2.5-0.5B``.
    revision: branch, tag or commit of a hub id.
    prompt: ``plain`` (Question: ... Answer:), ``chat`` (the tokenizer's chat template), or ``auto``: chat for models
        tuned to chat, told by family and name (`mra_transformers.families`), plain for all others.
    dtype: ``auto`` takes what the hardware computes well (`mra_transformers.hardware`).
    device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``. ``auto`` takes a GPU when there is one.
    token_budget: bound of rows x (longest prompt + new tokens) generated together. It shapes batches, and so the last
        bits of the logits; it is part of the model's identity. None: what the memory of the device has room for.
    """

    path: Annotated[str, MinLen(1)]
    revision: str | None = None
    prompt: Prompt = "auto"
    dtype: Dtype = "auto"
    device: str = "auto"
    token_budget: Annotated[int, Ge(1)] | None = None


def child_options(parent: Mapping[str, Any], folder: Path, prompt: str) -> dict[str, Any]:
    """Options for a model trained from one with the options `parent` and saved in `folder`: it is asked in the same
    way (`prompt`, as settled for the parent) and computed with the same dtype, device and token budget."""
    kept = {name: parent[name] for name in ("dtype", "device", "token_budget") if name in parent}
    return {"path": str(folder), "prompt": prompt, **kept}
