"""Local files in the place of a recipe's own sources: ``--data NAME[:SPLIT]=FILE`` beside a recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mra_bench.errors import UsageError, meant


def read_from_files(recipe: Mapping[str, Any], given: Iterable[str]) -> None:
    """Put the files of ``--data NAME[:SPLIT]=FILE`` into the datasets of a recipe's plain data.

    NAME is what the recipe calls a set of problems (``test=rows.jsonl``), or the dataset that it reads
    (``gsm8k:test=rows.jsonl``; without a split where the recipe reads one only). Raises UsageError for what the recipe
    does not read.
    """
    datasets = recipe.get("datasets")
    entries = {name: entry for name, entry in datasets.items() if _reads(entry)} if isinstance(datasets, dict) else {}
    for one in given:
        wanted, equals, path = one.partition("=")
        if not equals or not wanted or not path:
            raise UsageError(
                f"--data takes NAME=FILE or NAME:SPLIT=FILE beside a recipe, as in --data gsm8k:test=test.jsonl; got "
                f"{one!r}. Another dataset: --set datasets.test.data=NAME"
            )
        for entry in _meant(wanted, entries, one):
            entry["path"] = path


def _reads(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("data"), str)


def _source(entry: Mapping[str, Any]) -> str:
    return f"{entry['data']}:{entry.get('split') or 'test'}"


def _meant(wanted: str, entries: Mapping[str, dict[str, Any]], given: str) -> list[dict[str, Any]]:
    """The entries that `wanted` names: one by its own name, or all that read this split of a dataset."""
    if wanted in entries:
        return [entries[wanted]]
    sources = {name: _source(entry) for name, entry in entries.items()}
    splits = sorted({source for source in sources.values() if wanted in (source, source.partition(":")[0])})
    if len(splits) > 1:
        raise UsageError(f"--data {given}: the recipe reads {' and '.join(splits)}. Say which of them the file is")
    if not splits:
        hint = meant(wanted, [*entries, *sources.values()])
        read = ", ".join(f"{name} ({source})" for name, source in sources.items()) or "no dataset"
        raise UsageError(f"--data {given}: the recipe does not read '{wanted}'.{hint} It reads: {read}")
    return [entries[name] for name, source in sources.items() if source in splits]
