"""The run folder: atomic files, complete-or-absent stages, one writer at a time.

A stage's folder counts once its `stage.json` is there; it is written last and lists the sha256 of every other file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from mra_bench.errors import BenchError, UsageError

FORMAT = 1
STAGE_FILE = "stage.json"
WORK = "work"


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a file so that after a crash it is either the old one or the whole new one."""
    _write(path, (text,))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file beside `path` to write UTF-8 to, which takes its place, whole, when the block ends without an error.

    Raises OSError.
    """
    # The name is known before the file is there, so an interrupt at any moment can remove it.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, parts: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.writelines(parts)
    _sync_folder(path.parent)


def write_json(path: Path, value: Any, *, indent: int | None = 1) -> None:
    """Atomically write a JSON file with sorted keys; text from models may hold any code point."""
    write_text(path, json.dumps(value, sort_keys=True, indent=indent, ensure_ascii=True, allow_nan=False) + "\n")


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Atomically write a JSONL file, keys in the order given."""
    _write(path, (json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n" for row in rows))


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append one JSON line and push it to the disk. A line that a crash has cut is removed first."""
    _drop_torn_line(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return
        file.seek(-1, os.SEEK_END)
        whole = file.read() == b"\n"
    if not whole:
        os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSONL file, or of all JSONL files of a folder in name order. A last line cut by a crash is left out."""
    paths = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file_path in paths:
        with file_path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield json.loads(line)


def stage_record(folder: Path) -> dict[str, Any] | None:
    """The `stage.json` of a finished stage, or None."""
    try:
        record: dict[str, Any] = json.loads((folder / STAGE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    return record


def finish_stage(folder: Path, record: Mapping[str, Any]) -> None:
    """Mark a stage complete: hash its files, write `stage.json`, and only then drop the work folder, which a stage that
    is begun again after a kill needs."""
    hashes = {p.relative_to(folder).as_posix(): file_hash(p) for p in stage_files(folder)}
    write_json(folder / STAGE_FILE, {"version": FORMAT, **record, "files": hashes})
    drop_work(folder)


def drop_work(folder: Path) -> None:
    """Remove the work folder of a complete stage, also one that a kill has left there."""
    shutil.rmtree(folder / WORK, ignore_errors=True)


def stage_files(folder: Path) -> list[Path]:
    """Every file of a stage but `stage.json`, its work folder and left-over temporary files."""
    found = (p for p in folder.rglob("*") if p.is_file() and p.name != STAGE_FILE and not p.name.startswith("."))
    return sorted(p for p in found if p.relative_to(folder).parts[0] != WORK)


def reuse_stage(source: Path, target: Path, expected: str) -> bool:
    """Take a finished stage of equal fingerprint from another run by hard links, checking every hash.

    Returns False when there is none. Raises BenchError when its files do not match their recorded hashes.
    """
    record = stage_record(source)
    if record is None or record.get("fingerprint") != expected:
        return False
    for name, recorded in record["files"].items():
        if file_hash(source / name) != recorded:
            raise BenchError(f"{source / name} does not have its recorded hash; it was changed after the run")
    shutil.rmtree(target, ignore_errors=True)
    arriving = target.with_name(f".{target.name}")
    shutil.rmtree(arriving, ignore_errors=True)
    for name in [*record["files"], STAGE_FILE]:
        (arriving / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source / name, arriving / name)
        except OSError:
            shutil.copy2(source / name, arriving / name)
    arriving.replace(target)
    return True


def tidy(folder: Path) -> None:
    """Remove temporary files that a killed write has left in a stage's folder."""
    for path in folder.glob(".*"):
        if path.is_file():
            path.unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run folder for one process. Raises UsageError when it cannot be written or another run holds it.

    The lock belongs to the process, so it is free again after a kill.
    """
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"Cannot write to the run folder {folder}: {error.strerror}. Make it writable, or run into another with "
            "--out FOLDER."
        ) from None
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(
            f"Another run is working on {folder}. Wait for it, or choose another folder with --out FOLDER."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _sync_folder(folder: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
