"""The stages of a run in one compressed file, as `submit` packs them, and unpacked again with a stranger's hand in
mind: only plain files with names that a run has, and never more than so many bytes."""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mra_bench.costs import size
from mra_bench.errors import UsageError
from mra_bench.leaderboard.safety import ARCHIVE, in_stage
from mra_bench.work import FOLDERS

LARGEST = 2 << 30  # bytes that an archive may unpack to
MOST = 100_000  # files in one


def pack(run: Path, names: Iterable[str], target: Path) -> None:
    """Write the files `names` of `run` to an archive; the same files give the same bytes."""
    with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT, preset=6) as archive:
        for name in sorted(names):
            content = (run / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def unpacked(folder: Path, target: Path) -> Path:
    """A run folder at `target`: the plain files of `folder` and, from its archive, the stages. Raises UsageError for an
    archive that `submit` cannot have written."""
    for path in folder.iterdir():
        if path.is_file() and path.name != ARCHIVE:
            shutil.copyfile(path, target / path.name)
    if any((folder / kind).exists() for kind in FOLDERS.values()):
        raise UsageError(f"{folder} holds {ARCHIVE} and stages beside it; it must be one or the other")
    left = LARGEST
    try:
        with tarfile.open(folder / ARCHIVE, "r:xz") as archive:
            for count, entry in enumerate(archive, start=1):
                left -= _checked(entry, count, left)
                path = target / entry.name
                path.parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(entry)
                assert source is not None  # it is a plain file
                with path.open("xb") as file:
                    shutil.copyfileobj(source, file)
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        raise UsageError(f"{ARCHIVE} cannot be unpacked: {type(error).__name__}: {error!s:.120}") from None
    return target


def _checked(entry: tarfile.TarInfo, count: int, left: int) -> int:
    """The bytes of an entry that may be unpacked. Raises UsageError for any other."""
    name = PurePosixPath(entry.name)
    if not entry.isreg() or name.is_absolute() or ".." in name.parts or not in_stage(name):
        raise UsageError(f"{ARCHIVE} holds {entry.name!r:.80}, which is no file of a stage")
    if count > MOST or entry.size > left:
        raise UsageError(f"{ARCHIVE} unpacks to more than {size(LARGEST)} or {MOST:,} files")
    return entry.size
