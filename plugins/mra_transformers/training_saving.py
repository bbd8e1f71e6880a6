"""What a training leaves: finite weights, whole, with an adapter merged in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from mra_bench.errors import TrainingFailed

ADVICE = "Lower the learning rate first; else train in fp32 (dtype: fp32), and look at the data for empty or odd texts"


def merged(model: Any) -> Any:
    """The plain model: with an adapter, its weights merged in."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def check_finite(model: Any) -> None:
    """Raise TrainingFailed when a weight is not a finite number."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise TrainingFailed(f"The weights '{name}' are not finite after the last step. {ADVICE}.")


def save(model: Any, tokenizer: Any, output: Path) -> None:
    """Write weights (safetensors), configuration and tokenizer to `output`, which appears whole or not at all."""
    part = output.with_name(f"{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    if model.generation_config.eos_token_id is None:
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    shutil.rmtree(output, ignore_errors=True)
    os.replace(part, output)
