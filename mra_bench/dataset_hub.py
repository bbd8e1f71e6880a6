"""Reads a dataset of the hub at one commit: its repository is fetched, and the package `datasets` reads the files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench import hub
from mra_bench.dataset_files import Located, read_jsonl
from mra_bench.dataset_spec import DatasetSpec, Source
from mra_bench.errors import BenchError, UsageError


def hub_rows(spec: DatasetSpec, source: Source, split: str) -> tuple[Iterator[Located], str]:
    """The rows of `split`, as the source calls it, and the commit they were read at.

    Raises BenchError, as for a model, where the hub does not give them; UsageError for files that cannot be read, at
    the first row too: they are read then. Both say why and what can be done.
    """
    assert source.hub is not None
    named = [config for config in source.configs if config]
    config = f", config{'s' if len(named) > 1 else ''} {', '.join(named)}" if named else ""
    failed = f"The dataset '{spec.name}' could not be loaded from the hub ({source.hub}{config}, split {split})"
    own = _own_file(spec)
    try:
        found = hub.download(source.hub, "dataset", source.revision, source.only or None, deep=True)
    except hub.HubError as error:
        raise BenchError(f"{failed}: {error} {own}") from None
    rows = itertools.chain.from_iterable(_read(found.folder, one, split) for one in source.configs)
    return _told(rows, f"{source.hub} {split}", f"{failed} at commit {found.commit}", own), found.commit


def file_rows(spec: DatasetSpec, source: Source, name: str) -> Iterator[Located]:
    """The rows of the file `name` in the folder of a file source, fetched once and kept beside the hub's cache. Raises
    BenchError saying what to download where it is out of reach; UsageError for a broken row."""
    address = f"{source.file}/{name}"
    try:
        path = hub.fetch(address)
    except hub.HubError as error:
        failed = f"The dataset '{spec.name}' could not be loaded from {address}"
        raise BenchError(f"{failed}: {error} {_own_file(spec)}") from None
    return read_jsonl(path, address)


def _own_file(spec: DatasetSpec) -> str:
    return (
        f"A file of its rows (.jsonl, .csv or .parquet) does as well: --data {spec.name}=FILE, "
        f"or path: FILE beside data: {spec.name} in the recipe."
    )


def _told(rows: Iterator[Mapping[str, Any]], where: str, failed: str, own: str) -> Iterator[Located]:
    """Each row with its place; whatever goes wrong in reading one is a UsageError."""
    try:
        for number, row in enumerate(rows, start=1):
            yield f"{where}, row {number}", row
    except Exception as error:  # the readers of many formats stand behind it, and some read row by row only
        first = (str(error).strip().splitlines() or [""])[0]
        raise UsageError(f"{failed}: {type(error).__name__}: {first} {own}") from error


def _read(folder: Path, config: str | None, split: str) -> Iterator[Mapping[str, Any]]:
    import datasets

    with hub.quiet("datasets"):
        found = datasets.load_dataset(str(folder), config, split=split)
    yield from found
