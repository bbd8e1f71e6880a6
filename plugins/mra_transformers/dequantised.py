"""A GGUF file as a model folder in full numbers, which can be trained."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError

from .loading import load_causal_lm, load_tokenizer


def write_folder(file: Path, target: Path) -> None:
    """Write weights (fp32 safetensors), config and tokenizer of the GGUF file `file` to the folder `target`, which
    appears whole or not at all; where two processes do it at once, the first one's stays.

    Raises UsageError for a file that cannot be used, or a place that cannot be written.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _save(file, part)
        if not target.exists():
            part.rename(target)
    except OSError as error:
        raise UsageError(f"The weights of {file.name} cannot be written to {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _save(file: Path, folder: Path) -> None:
    tokenizer = load_tokenizer(str(file))
    with contextlib.redirect_stderr(io.StringIO()):  # the library draws a bar there and takes no word against it
        read = load_causal_lm(str(file), dtype="fp32", device="cpu", tokenizer=tokenizer)
    _never_quantised(read).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _never_quantised(read: Any) -> Any:
    """The same model without the mark of its origin, which the library refuses to save."""
    from transformers import AutoModelForCausalLM

    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=read.dtype)
    plain.load_state_dict(read.state_dict())
    plain.generation_config = read.generation_config
    return plain
