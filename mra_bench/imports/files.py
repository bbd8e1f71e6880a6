"""Reads other tools' files with a stranger's hand in mind: lines and whole files are bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.costs import size
from mra_bench.dataset_files import ENCODING, Located, read_rows
from mra_bench.errors import UsageError

LONGEST = 16 << 20  # bytes of a line
LARGEST = 256 << 20  # bytes of a JSON file, which is read whole


def rows_of(path: Path) -> Iterator[Located]:
    """The rows of a JSONL, CSV or Parquet file. Raises UsageError as `dataset_files.read_rows` does, and for a line of
    more than `LONGEST` bytes, before it is read as a whole."""
    if path.suffix.lower() in (".jsonl", ".csv") and path.is_file():
        _check_lines(path)
    yield from read_rows(path)


def json_file(path: Path) -> Mapping[str, Any]:
    """A JSON file that holds one object. Raises UsageError for a missing, broken or too large one."""
    try:
        length = path.stat().st_size
        if length > LARGEST:
            raise UsageError(f"{path} has {size(length)}; of a JSON file {size(LARGEST)} are the most that are read")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}.") from None
    return json_object(content, str(path))


def _check_lines(path: Path) -> None:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise UsageError(f"{path}, line {number} is longer than {size(LONGEST)}, the most that is read")


def json_object(content: bytes, where: str) -> Mapping[str, Any]:
    """A JSON object. inspect writes NaN for a figure that it does not have, which is none here. Raises UsageError."""
    try:
        found = json.loads(content.decode(ENCODING), parse_constant=lambda _: None)
    except UnicodeDecodeError:
        raise UsageError(f"{where}: not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not valid JSON ({error!s:.120})") from None
    if not isinstance(found, dict):
        raise UsageError(f"{where}: a JSON object is needed, got {type(found).__name__}")
    return found
