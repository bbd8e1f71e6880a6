"""Checkpoints that survive a kill: one counts once its marker, written last, is there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

MARKER = "complete.json"


class Checkpoints:
    """The folders ``checkpoint-<step>`` of one training, made with the settings and data that `digest` stands for."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder, self.digest = folder, digest

    def path(self, step: int) -> Path:
        """Folder of the checkpoint of `step`."""
        return self.folder / f"checkpoint-{step}"

    def newest(self) -> Path | None:
        """The latest checkpoint that counts, or None. Half-written ones and those of other settings are deleted."""
        good: list[tuple[int, Path]] = []
        for path in self.folder.glob("checkpoint-*"):
            step = self._step(path)
            if step is None:
                shutil.rmtree(path)
            else:
                good.append((step, path))
        return max(good)[1] if good else None

    def mark(self, step: int) -> None:
        """Make the checkpoint of `step` count, on disk for certain, and delete the earlier ones."""
        path = self.path(step)
        for file in path.rglob("*"):
            if file.is_file():
                sync(file)
        temporary = path / f".{MARKER}"
        temporary.write_text(json.dumps({"step": step, "digest": self.digest}) + "\n")
        sync(temporary)
        os.replace(temporary, path / MARKER)
        sync(path)
        sync(self.folder)
        for other in self.folder.glob("checkpoint-*"):
            if other != path:
                shutil.rmtree(other)

    def remove(self) -> None:
        """Delete every checkpoint."""
        for path in self.folder.glob("checkpoint-*"):
            shutil.rmtree(path)

    def _step(self, path: Path) -> int | None:
        try:
            marker = json.loads((path / MARKER).read_text())
            step = int(marker["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return step if marker.get("digest") == self.digest and path == self.path(step) else None


def sync(path: Path) -> None:
    """Push a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
