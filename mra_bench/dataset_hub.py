"""Reads a dataset of the hub at one commit: its repository is fetched, and the package `datasets` reads the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench import hub
from mra_bench.dataset_files import Located
from mra_bench.dataset_spec import DatasetSpec, Source
from mra_bench.errors import BenchError, UsageError


def hub_rows(spec: DatasetSpec, source: Source, split: str) -> tuple[Iterator[Located], str]:
    """The rows of `split`, as the source calls it, and the commit they were read at.

    Raises BenchError, as for a model, where the hub does not give them; UsageError for files that cannot be read, at
    the first row too: they are read then. Both say why and what can be done.
    """
    assert source.hub is not None
    config = f", config {source.config}" if source.config else ""
    failed = f"The dataset '{spec.name}' could not be loaded from the hub ({source.hub}{config}, split {split})"
    own = (
        f"A file of its rows (.jsonl, .csv or .parquet) does as well: --data {spec.name}=FILE, "
        f"or path: FILE beside data: {spec.name} in the recipe."
    )
    try:
        found = hub.download(source.hub, "dataset", source.revision)
    except hub.HubError as error:
        raise BenchError(f"{failed}: {error} {own}") from None
    rows = _read(found.folder, source.config, split)
    return _told(rows, f"{source.hub} {split}", f"{failed} at commit {found.commit}", own), found.commit


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
