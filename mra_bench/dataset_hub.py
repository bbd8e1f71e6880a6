"""Reads a dataset of the hub at one commit: its repository is fetched, and the package `datasets` reads the files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench import hub
from mra_bench.dataset_files import Located, read_jsonl
from mra_bench.dataset_spec import DatasetSpec, Source
from mra_bench.errors import BenchError, UsageError


@dataclass(frozen=True)
class Lack:
    """A split that its source did not give. `named`: as --data names it, ``gsm8k:test``; `told`: all of it in one
    message; `why`, `fetch`: as of a HubError; `give`: where its file goes instead."""

    named: str
    told: str
    why: str
    fetch: str
    give: str

    @property
    def remedy(self) -> str:
        """What to download and where to give it."""
        return f"{self.fetch}; then {self.give}" if self.fetch else self.give


class Unavailable(BenchError):
    """Splits that their sources did not give. The message names each, why, and what to do."""

    def __init__(self, lacks: Iterable[Lack]) -> None:
        self.lacks = tuple(lacks)
        super().__init__(self.lacks[0].told if len(self.lacks) == 1 else _told_together(self.lacks))


def hub_rows(spec: DatasetSpec, source: Source, split: str, named: str) -> tuple[Iterator[Located], str]:
    """The rows of `split`, as the source calls it, and the commit they were read at. `named`: the split as --data names
    it, for messages.

    Raises Unavailable, as for a model a BenchError, where the hub does not give them; UsageError for files that cannot
    be read, at the first row too: they are read then. Both say why and what can be done.
    """
    assert source.hub is not None
    configs = [config for config in source.configs if config]
    config = f", config{'s' if len(configs) > 1 else ''} {', '.join(configs)}" if configs else ""
    failed = f"The dataset '{spec.name}' could not be loaded from the hub ({source.hub}{config}, split {split})"
    try:
        found = hub.download(source.hub, "dataset", source.revision, source.only or None, deep=True)
    except hub.HubError as error:
        raise _unavailable(failed, error, named) from None
    rows = itertools.chain.from_iterable(_read(found.folder, one, split) for one in source.configs)
    return _told(rows, f"{source.hub} {split}", f"{failed} at commit {found.commit}", _own_file(named)), found.commit


def file_rows(spec: DatasetSpec, source: Source, name: str, named: str) -> Iterator[Located]:
    """The rows of the file `name` in the folder of a file source, fetched once and kept beside the hub's cache. Raises
    Unavailable saying what to download where it is out of reach; UsageError for a broken row."""
    address = f"{source.file}/{name}"
    try:
        path = hub.fetch(address)
    except hub.HubError as error:
        raise _unavailable(f"The dataset '{spec.name}' could not be loaded from {address}", error, named) from None
    return read_jsonl(path, address)


def _unavailable(failed: str, error: hub.HubError, named: str) -> Unavailable:
    return Unavailable([Lack(named, f"{failed}: {error} {_own_file(named)}", error.why, error.fetch, _option(named))])


def _told_together(lacks: Sequence[Lack]) -> str:
    """Several lacks in one message: what each of them needs, below the reason that they share."""
    lines = [f"{len(lacks)} splits of datasets could not be loaded: {', '.join(lack.named for lack in lacks)}."]
    for why in dict.fromkeys(lack.why for lack in lacks):
        alike = [lack for lack in lacks if lack.why == why]
        lines.append(f"{', '.join(lack.named for lack in alike)}: {why}" if len(alike) < len(lacks) else f"Each: {why}")
        lines += [f"  {lack.named}: {lack.remedy}" for lack in alike]
    lines.append("The file of a split (.jsonl, .csv or .parquet) may be downloaded on another machine and given here.")
    return "\n".join(lines)


def _own_file(named: str) -> str:
    data = named.rpartition(":")[0]
    return (
        f"A file of its rows (.jsonl, .csv or .parquet) does as well: {_option(named)}, "
        f"or path: FILE beside data: {data} in the recipe."
    )


def _option(named: str) -> str:
    return f"--data {named}=FILE"


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
