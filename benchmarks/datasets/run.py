"""Every dataset's rows against its spec: counts, checksums, golds that the grader reads, duplicates.

python benchmarks/datasets/run.py FOLDER --markdown

FOLDER holds the rows as NAME/SPLIT.jsonl (.csv, .parquet), NAME as `mra-bench datasets` lists it; `-`, `_` and nothing
between words are all the same. What lies there under no known name is passed over; a dataset without a file is listed
as not read. Exit code 1 when rows are not what their spec says.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from mra_bench.dataset_checks import Checked, check_split, unread
from mra_bench.dataset_files import READERS
from mra_bench.dataset_spec import DatasetSpec, built_in_specs
from mra_bench.dataset_views import checked_data
from mra_bench.datasets import DatasetUse, read_problems
from mra_bench.errors import BenchError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.tables import align, markdown

HEAD = ["dataset", "answers", "split", "rows", "as in its spec", "golds read", "not read", "duplicates", "seconds"]


def plain(name: str) -> str:
    """A name without what stands between its words, so that gaokao-2023-en is gaokao2023en."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def files_of(folder: Path, spec: DatasetSpec) -> Iterator[tuple[str, Path]]:
    """Split and file of what the folder holds of a dataset. A file that is called test and is known as another split
    alone is that split."""
    known = list(dict.fromkeys(split for one in spec.layouts[1:] or spec.layouts for split in one.splits))
    aliases = {plain(spec.name), plain(spec.name).replace("gaokao", "gaokaomath"), plain(f"{spec.name}math")}
    for place in sorted(folder.iterdir()):
        if place.is_dir() and plain(place.name) in aliases:
            for file in sorted(place.iterdir(), key=lambda file: file.name):
                if file.suffix in READERS:
                    yield (file.stem if file.stem in spec.splits and file.stem in known else known[0]), file


def checked(spec: DatasetSpec, use: DatasetUse) -> Checked:
    """One split, looked at; rows that cannot be read are a failed check."""
    plugins = PluginSettings()
    try:
        problems = read_problems(use, load_plugins(plugins)).problems
    except BenchError as error:
        return unread(error)
    return check_split(spec, use, problems, plugins)


def row_of(spec: DatasetSpec, use: DatasetUse, found: Checked, seconds: float) -> list[str]:
    states = {check.name: check.state for check in found.checks}
    kept = {"passed": "yes", "noted": "unverified"}.get(states.get("checksum", "failed"), "no")
    read = f"{found.rows - len(found.unreadable):,}"
    names = ", ".join(f"{name} ({why})" for name, why in _known(spec, use.split, found).items()) or "-"
    counts = [f"{found.rows:,}", kept, read, names, str(found.duplicates), f"{seconds:.1f}"]
    return [spec.name, spec.answer_type, use.split, *counts]


def _known(spec: DatasetSpec, split: str, found: Checked) -> dict[str, str]:
    """The unreadable golds, with the spec's reasons where it has one."""
    reasons = {k: v for one in spec.layouts if split in one.splits for k, v in one.splits[split].unreadable.items()}
    return {name: reasons.get(name, why) for name, why in found.unreadable.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    table, data, not_read = [HEAD], [], []
    for spec in built_in_specs().values():
        if (given.only and spec.name not in given.only) or (spec.source and spec.source.loader):
            continue
        files = list(files_of(given.folder, spec))
        not_read += [] if files else [spec.name]
        for split, file in files:
            started = time.monotonic()
            use = DatasetUse(spec.name, split, str(file))
            found = checked(spec, use)
            table.append(row_of(spec, use, found, time.monotonic() - started))
            data.append(checked_data(spec.name, split, found))
            for check in found.checks:
                if check.state == "failed":
                    print(f"{spec.name} {split}: {check.name}: {check.said}", file=sys.stderr)
    print(markdown(table) if given.markdown else align(table))
    print(f"\nNot read, for want of a file: {', '.join(not_read) or 'none'}.")
    if given.json:
        given.json.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if any(row["failed"] for row in data) else 0


if __name__ == "__main__":
    sys.exit(main())
