"""Files that a node may lack: plugins given as files, and the weights that a run has trained. A node that has the same
bytes at the same place uses those."""

from __future__ import annotations

import atexit
import dataclasses
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.context import WEIGHTS
from mra_bench.errors import BenchError
from mra_bench.plugins import PluginSettings
from mra_bench.store import file_hash, stage_record
from mra_bench.types import ModelRef


@dataclass(frozen=True)
class Plugins:
    """Plugin settings, with the bytes of each plugin that is a file."""

    settings: PluginSettings
    files: Mapping[str, bytes]

    @classmethod
    def packed(cls, settings: PluginSettings) -> Plugins:
        """Files are named by their whole path from now on."""
        named = tuple(str(Path(name).resolve()) if name.endswith(".py") else name for name in settings.named)
        files = {name: Path(name).read_bytes() for name in named if name.endswith(".py")}
        return cls(dataclasses.replace(settings, named=named), files)

    def unpacked(self) -> PluginSettings:
        """Settings that hold on this node."""
        return dataclasses.replace(self.settings, named=tuple(map(self._here, self.settings.named)))

    def _here(self, name: str) -> str:
        if name not in self.files or _same(Path(name), self.files[name]):
            return name
        copy = _folder() / Path(name).name
        copy.write_bytes(self.files[name])
        return str(copy)


def _same(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


@dataclass(frozen=True)
class Trained:
    """A stage that has trained a model: its folder in the run, and its record."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def files(self) -> dict[str, str]:
        """Name in the folder -> sha256, for all of the weights."""
        return {name: sha for name, sha in self.record["files"].items() if name.startswith(f"{WEIGHTS}/")}

    def is_here(self) -> bool:
        """Whether this node sees the same folder, as with a shared file system."""
        found = stage_record(self.folder)
        return found is not None and found["files"] == self.record["files"]


@dataclass(frozen=True)
class Shipped:
    """The files of a trained model, each in Ray's object store: name -> reference."""

    files: Mapping[str, Any]


def unpacked(trained: Trained, ref: ModelRef, content: Mapping[str, bytes]) -> tuple[ModelRef, Path]:
    """The model from a copy on this node, and the folder to remove afterwards. Raises BenchError for other bytes."""
    folder = _folder()
    for name, sha in trained.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[name])
        if file_hash(path) != sha:
            raise BenchError(f"{name} of {trained.folder} did not arrive with its recorded hash")
    return dataclasses.replace(ref, options={**ref.options, "path": str(folder / WEIGHTS)}), folder


def _folder() -> Path:
    """A new folder on this node, gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="mra-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
