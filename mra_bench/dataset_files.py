"""Reads a user's JSONL, CSV or Parquet file row by row, and says where a broken row is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from mra_bench.errors import UsageError, nearest

Located = tuple[str, Mapping[str, Any]]  # where a row stands ("my.jsonl, line 3") and its columns

ENCODING = "utf-8-sig"  # UTF-8, with or without the mark that spreadsheet programs put in front


def is_data_file(name: str) -> bool:
    """Whether a dataset's `name` is meant as a local file: a known ending, or a file that exists."""
    return Path(name).suffix.lower() in READERS or Path(name).is_file()


def read_rows(path: Path) -> Iterator[Located]:
    """The rows of `path` in order, streaming. Raises UsageError for a missing file, an unknown ending, a broken row."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"Cannot read '{path}': the file must end in {', '.join(READERS)}.")
    if not path.is_file():
        raise UsageError(no_such_file(path))
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}.") from None
    return reader(path)


def read_jsonl(path: Path, name: str = "") -> Iterator[Located]:
    """One JSON object per line; empty lines are skipped. Raises UsageError naming file (or `name`) and line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                where = f"{name or path}, line {number}"
                yield where, _json_object(line, where)


def read_csv(path: Path) -> Iterator[Located]:
    """A CSV file whose first line names the columns. Raises UsageError naming file and line."""
    with path.open(encoding=ENCODING, newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            names = list(filter(None, reader.fieldnames or ()))
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise UsageError(f"{path}, line {reader.line_num}: the header holds the column '{twice}' twice")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if None in row or None in row.values():
                    raise UsageError(f"{where}: the row does not have the {len(reader.fieldnames or ())} columns named")
                yield where, row
        except csv.Error as error:
            raise UsageError(f"{path}, line {reader.line_num + 1}: not valid CSV ({error})") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path}, line {_undecodable_line(path)}: not UTF-8 text") from None


def read_parquet(path: Path) -> Iterator[Located]:
    """A Parquet file, in batches. Raises UsageError naming the file; rows are numbered from 1."""
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", row
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(f"{path} cannot be read as Parquet: {error}") from None


READERS = {".jsonl": read_jsonl, ".csv": read_csv, ".parquet": read_parquet}


def _undecodable_line(path: Path) -> int:
    """Number of the first line that is not UTF-8; the text reader itself only knows a block of many lines."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def no_such_file(path: Path) -> str:
    """That there is none, with the nearest name beside it."""
    folder = path.parent
    close = nearest(path.name, (file.name for file in folder.iterdir())) if folder.is_dir() else ""
    return f"No such file: '{path}'." + (f" Did you mean '{folder / close}'?" if close else "")


def _json_object(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        text = line.decode(ENCODING).rstrip("\r\n")
        row = json.loads(text, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 text ({error.reason} at byte {error.start + 1} of the line)") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: not valid JSON ({error.msg} at column {error.colno}{_end(error)})") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not valid JSON ({error})") from None
    if not isinstance(row, dict):
        raise UsageError(f"{where}: a JSON object with columns is needed, got {type(row).__name__}")
    return row


def _end(error: json.JSONDecodeError) -> str:
    return ", the end of the line" if not error.doc[error.pos :].strip() else ""


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON value")
