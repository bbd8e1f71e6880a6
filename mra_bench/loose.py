"""A recipe made up on the spot: score or compare checkpoints on a dataset, without training anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mra_bench.dataset_spec import is_spec_file
from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.option_values import option_names
from mra_bench.plugins import Registry
from mra_bench.recipe_schema import NAME

DEFAULT_LOADER = "mra_transformers:transformers"
NEARLY = 0.75  # likeness of a misspelt loader; real ids such as gpt2 (0.62 to tiny-gpt2) lie below
FILES = (".jsonl", ".csv", ".parquet")


def loose_recipe(models: Iterable[str], data: Iterable[str], registry: Registry) -> dict[str, Any]:
    """Recipe data for ``--model NAME=WHAT`` and ``--data NAME[:SPLIT]`` or ``NAME=FILE``, each given once or more.

    WHAT is a registered model loader, LOADER@PATH, or else a folder, GGUF file or hub id. Raises UsageError for a
    malformed value, and for a word that is no file but nearly the name of a loader.
    """
    entries: dict[str, Any] = {}
    for given in models:
        name, equals, what = given.partition("=")
        if not equals or not name or not what:
            raise UsageError(f"--model takes NAME=PATH_OR_ID, as in --model mine=./checkpoint; got {given!r}")
        _check_name("--model", name)
        if name in entries:
            raise UsageError(f"--model names '{name}' twice")
        entries[name] = _model(name, what, registry)
    datasets: dict[str, Any] = {}
    for given in data:
        label, dataset = dataset_entry(given)
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


def _model(name: str, what: str, registry: Registry) -> dict[str, Any]:
    loaders = [name for thing in registry.of("models") for name in (thing.name, thing.full_name)]
    loader, _, path = what.partition("@")
    if what in loaders:
        return {"model": what}
    if path and loader in loaders:
        _check_path(name, loader, registry)
        return {"model": loader, "options": {"path": path}}
    if not path and what.endswith(FILES):
        raise UsageError(f"--model {name}={what}: that is no model. Is it a file of texts? Give {name}=echo@{what}")
    if "/" not in what and not Path(what).exists():
        if path:
            raise unknown("model loader", loader, registry.names("models"), "mra-bench models")
        close = nearest(what, loaders, NEARLY)
        if close and not what.startswith(f"{close}-"):  # nobody misspells a name by words behind it: openai-gpt
            raise UsageError(
                f"Unknown model '{what}'. Did you mean the loader '{close}'? List them with: mra-bench models. "
                f"There is no folder or file '{what}' here; if it is the id of a model on the hub, give "
                f"transformers@{what}"
            )
    return {"model": DEFAULT_LOADER, "options": {"path": what}}


def _check_path(name: str, loader: str, registry: Registry) -> None:
    """Raises UsageError where LOADER@PATH names a loader that takes no path."""
    options = registry.resolve("models", loader).options
    takes = option_names(options) if options else []
    if "path" not in takes:
        others = f" Its options: --set models.{name}.options.KEY=VALUE, with {', '.join(takes)}." if takes else ""
        raise UsageError(f"The loader '{loader}' takes no path behind an @: give --model {name}={loader}.{others}")


def _check_name(option: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"{option} {name}=...: a name may hold letters, digits, '.', '_' and '-' only; got '{name}'")


def dataset_entry(data: str) -> tuple[str, dict[str, Any]]:
    """What a recipe would call ``NAME[:SPLIT]`` or ``NAME[:SPLIT]=FILE``, and its entry there; NAME may be the file of
    a spec."""
    name, equals, path = data.partition("=")
    if not equals and data.endswith(FILES):
        name, equals, path = Path(data).stem, "=", data
    base, colon, split = name.partition(":")
    own = f"{Path(base).stem}{colon}{split}" if is_spec_file(base) else name
    label = re.sub(r"[^A-Za-z0-9._-]", "-", own)
    entry = {"data": base, "split": split or "test"}
    return label, {**entry, "path": path} if equals else entry
