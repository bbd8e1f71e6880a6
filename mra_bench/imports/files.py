"""Reads other tools' files with a stranger's hand in mind: bounded lines and archives, nothing unpacked to disk."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from mra_bench.costs import size
from mra_bench.dataset_files import ENCODING, Located, read_rows
from mra_bench.errors import UsageError

LONGEST = 16 << 20  # bytes of a line
LARGEST = 256 << 20  # bytes of a JSON file, which is read whole
MEMBER = 64 << 20  # bytes that one file in an archive may unpack to
ARCHIVE = 2 << 30  # bytes that all of them may
MEMBERS = 200_000
SAMPLES = "samples/"  # where an .eval archive keeps its samples
HEADER = "header.json"


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
    return _object(content, str(path))


def eval_samples(path: Path) -> Iterator[Located]:
    """The header of an ``.eval`` archive, then its samples in the order of their names. Nothing is written to disk.

    Raises UsageError for what is no such archive, for names that point out of it, and for one that unpacks to more than
    it may.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = _names(archive, path)
            left = ARCHIVE
            for name in names:
                content = _content(archive, name, min(MEMBER, left), path)
                left -= len(content)
                yield f"{path}, {name}", _object(content, f"{path}, {name}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read as an .eval archive: {error!s:.200}") from None
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror or error}.") from None


def _names(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """The header and the samples, checked before any is read."""
    entries = archive.infolist()
    if len(entries) > MEMBERS:
        raise UsageError(f"{path} holds {len(entries):,} files; {MEMBERS:,} are the most that are read")
    total = 0
    for entry in entries:
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise UsageError(f"{path} holds {entry.filename!r:.80}, a name that points out of the archive")
        total += entry.file_size
    if total > ARCHIVE:
        raise UsageError(f"{path} unpacks to {size(total)}; {size(ARCHIVE)} are the most that are read")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise UsageError(f"{path} holds two files of one name")
    samples = sorted(name for name in names if name.startswith(SAMPLES) and name.endswith(".json"))
    if HEADER not in names or not samples:
        what = HEADER if HEADER not in names else f"{SAMPLES}*.json (was it written with samples?)"
        raise UsageError(f"{path} has no {what}, so it is no finished log of inspect")
    return [HEADER, *samples]


def _content(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    """One file of the archive; what its entry says of its size is not believed."""
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UsageError(f"{path}, {name} unpacks to more than {size(most)}, which is the most that is read")
    return content


def _check_lines(path: Path) -> None:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise UsageError(f"{path}, line {number} is longer than {size(LONGEST)}, the most that is read")


def _object(content: bytes, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(content.decode(ENCODING), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise UsageError(f"{where}: not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not valid JSON ({error!s:.120})") from None
    if not isinstance(found, dict):
        raise UsageError(f"{where}: a JSON object is needed, got {type(found).__name__}")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON value")
