"""Reads a dataset of the hub at one commit: its repository is fetched, and the package `datasets` reads the files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mra_bench import hub
from mra_bench.dataset_files import Located
from mra_bench.dataset_spec import DatasetSpec, Source
from mra_bench.errors import UsageError


def hub_rows(spec: DatasetSpec, source: Source, split: str) -> tuple[Iterator[Located], str]:
    """The rows of `split`, as the source calls it, and the commit they were read at.

    Raises UsageError that says why there are none and what can be done.
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
        raise UsageError(f"{failed}: {error} {own}") from None
    try:
        rows = _read(found.folder, source.config, split)
    except Exception as error:  # the readers of many formats stand behind it
        first = (str(error).strip().splitlines() or [""])[0]
        raise UsageError(f"{failed} at commit {found.commit}: {type(error).__name__}: {first} {own}") from error
    return ((f"{source.hub} {split}, row {number}", row) for number, row in enumerate(rows, start=1)), found.commit


def _read(folder: Path, config: str | None, split: str) -> Iterator[dict[str, object]]:
    import datasets

    with _quiet():
        return iter(datasets.load_dataset(str(folder), config, split=split))


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of the package, and no bars where there is no terminal."""
    from datasets import config
    from datasets.utils import disable_progress_bars, enable_progress_bars, logging

    level = logging.get_verbosity()
    logging.set_verbosity(max(level, logging.ERROR))
    hide = config.HF_DATASETS_DISABLE_PROGRESS_BARS is None and not sys.stderr.isatty()
    if hide:
        disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if hide:
            enable_progress_bars()
