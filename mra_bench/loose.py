"""A recipe made up on the spot: score or compare checkpoints on a dataset, without training anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.plugins import Registry

DEFAULT_LOADER = "mra_transformers:transformers"
FILES = (".jsonl", ".csv", ".parquet")


def loose_recipe(models: Iterable[str], data: Iterable[str], registry: Registry) -> dict[str, Any]:
    """Recipe data for ``--model NAME=WHAT`` and ``--data NAME[:SPLIT]`` or ``NAME=FILE``, each given once or more.

    WHAT is a registered model loader, or else a folder, GGUF file or hub id. Raises UsageError for a malformed value.
    """
    entries: dict[str, Any] = {}
    for given in models:
        name, equals, what = given.partition("=")
        if not equals or not name or not what:
            raise UsageError(f"--model takes NAME=PATH_OR_ID, as in --model mine=./checkpoint; got {given!r}")
        if name in entries:
            raise UsageError(f"--model names '{name}' twice")
        loader, _, path = what.partition("@")
        if what in registry.names("models"):
            entries[name] = {"model": what}
        elif path and loader in registry.names("models"):
            entries[name] = {"model": loader, "options": {"path": path}}
        else:
            entries[name] = {"model": DEFAULT_LOADER, "options": {"path": what}}
    datasets: dict[str, Any] = {}
    for given in data:
        label, dataset = _dataset(given)
        if label in datasets:
            raise UsageError(f"--data names '{label}' twice; name one of them otherwise: --data OTHER=FILE")
        datasets[label] = dataset
    return {
        "name": f"{'-'.join(entries)}-on-{'-'.join(datasets)}",
        "description": f"Scores {', '.join(entries)} on {', '.join(datasets)}; nothing is trained.",
        "datasets": datasets,
        "models": entries,
        "evaluate": {"datasets": list(datasets)},
    }


def _dataset(data: str) -> tuple[str, dict[str, Any]]:
    name, equals, path = data.partition("=")
    if not equals and data.endswith(FILES):
        name, equals, path = Path(data).stem, "=", data
    label = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    if equals:
        return label, {"data": name, "split": "test", "path": path}
    base, _, split = name.partition(":")
    return label, {"data": base, "split": split or "test"}
