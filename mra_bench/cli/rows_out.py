"""Where `mra-bench grade --out` writes: a file that appears whole, a device or pipe that is there, standard output."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.samples import STDIN
from mra_bench.store import replacing

STDOUT = "-"
Write = Callable[[Mapping[str, Any]], None]


def to_stdout(out: str | None) -> bool:
    """Whether the rows go where the summary would go: ``-``, or a path that is standard output."""
    if out == STDOUT:
        return True
    if not out or out == os.devnull:
        return False
    try:
        return os.path.samestat(os.stat(out), os.fstat(1))
    except OSError:
        return False


def check_out(what: str, out: str | None, *, as_json: bool) -> None:
    """Raises UsageError when --out cannot be written, or is what is read."""
    if out is None:
        return
    if to_stdout(out):
        if as_json:
            raise UsageError(f"--out {out} and --json both go to standard output; give --out a file")
        return
    path = Path(out)
    if not out or path.is_dir():
        raise UsageError(f"--out {out!r} names no file")
    if what != STDIN and path.exists() and Path(what).exists() and path.samefile(what):
        raise UsageError(f"--out {out} is the file that is graded; write the verdicts to another one")
    parent = path.resolve().parent if path.is_symlink() else path.parent
    if not _streams(path) and not parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {parent}")


def left_of(out: str | None) -> str:
    """What an interrupted call has left at --out, as a sentence after a blank; "" without --out."""
    if out is None:
        return ""
    if to_stdout(out) or _streams(Path(out)):
        return f" What {'standard output' if out == STDOUT else out} got is not all."
    return f" Nothing was written to {out}."


@contextlib.contextmanager
def rows_out(out: str | None) -> Iterator[Write]:
    """A function that writes a row to --out, if there is one. A file appears, whole, when all is done, in place of the
    one that a link leads to; what exists and is no regular file is written to as it is."""
    if out is None:
        yield lambda row: None
    elif to_stdout(out):
        yield _writer(sys.stdout)
        sys.stdout.flush()
    elif _streams(Path(out)):
        try:
            file = Path(out).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115
        except OSError as error:
            raise UsageError(f"--out {out}: {error.strerror}") from None
        with file:
            yield _writer(file)
    else:
        with _whole_file(Path(out).resolve(), out) as write:
            yield write


def _streams(path: Path) -> bool:
    return path.exists() and not path.is_file()


@contextlib.contextmanager
def _whole_file(path: Path, out: str) -> Iterator[Write]:
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(replacing(path))
        except OSError as error:
            raise UsageError(f"--out {out}: {error.strerror}") from None
        yield _writer(file)


def _writer(file: Any) -> Write:
    def write(row: Mapping[str, Any]) -> None:
        file.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")

    return write
