"""Reads inspect's .eval archives with a stranger's hand in mind: bounded, and nothing is unpacked to disk."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mra_bench.costs import size
from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError
from mra_bench.imports.files import json_object

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:  # inspect compresses with Zstandard, which zipfile reads from Python 3.14 on
    from backports.zstd import ZstdError, zipfile

MEMBER = 64 << 20  # bytes that one file in an archive may unpack to
ARCHIVE = 2 << 30  # bytes that all of them may
MEMBERS = 200_000
PIECE = 4096  # bytes of a compressed file that are unpacked at once: what they unpack to is held before it is counted
SAMPLES = "samples/"  # where an .eval archive keeps its samples
HEADER = "header.json"


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
                yield f"{path}, {name}", json_object(content, f"{path}, {name}")
    except (zipfile.BadZipFile, zlib.error, ZstdError, EOFError, NotImplementedError, RuntimeError) as error:
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
    content = bytearray()
    with archive.open(name) as file:
        while piece := file.read(PIECE):
            content += piece
            if len(content) > most:
                raise UsageError(f"{path}, {name} unpacks to more than {size(most)}, which is the most that is read")
    return bytes(content)
