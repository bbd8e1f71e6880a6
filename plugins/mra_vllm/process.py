"""The engine's process, from the side that asks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import IO, Any

from mra_transformers.batching import RowSpec
from mra_transformers.endings import Ended
from mra_transformers.stops import StopRule

from mra_bench.errors import BenchError, UsageError
from mra_bench.types import Decoding, Halving

from .messages import Failed, Job
from .settings import EngineSettings

PATIENCE = 30.0  # seconds in which a process that is asked to end does so
TOLD = 600  # characters of what vLLM said last
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What a launcher tells its processes. vLLM would take it for its own."""


class Engine:
    """A loaded model in a process of its own, which ends with this object. Raises UsageError where vLLM cannot load
    it."""

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        here, there = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        with there:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-X", "utf8", "-m", "mra_vllm.child", str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=_environment(settings),
                pass_fds=(there.fileno(),),
            )
        self._line: Connection[Any, Any] = Connection(here.detach())
        self._end = weakref.finalize(self, _end, self._child, self._line, self._log)
        try:
            self._line.send(settings)
            self.context = int(self._answer(UsageError))
        except BaseException:
            self.kill()
            raise

    def run(
        self, rows: Sequence[RowSpec], rule: StopRule, decoding: Decoding, again: Sequence[Halving] = ()
    ) -> Iterator[Ended]:
        """Generate every row; each text is yielded as it ends. `again` is not used: where memory is short, vLLM lets
        texts wait. Raises BenchError when it fails; the process is ended then, as when not all texts are taken."""
        whole = False
        try:
            self._line.send(Job(tuple(rows), rule, decoding))
            while (ended := self._answer(BenchError)) is not None:
                yield from ended
            whole = True
        except BrokenPipeError:
            raise BenchError(f"The process of vLLM has died. {self._told()}") from None
        finally:
            if not whole:
                self.kill()

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self._child.poll() is None and not self._line.closed

    def close(self) -> None:
        """End the process and free what it holds."""
        self._end()

    def kill(self) -> None:
        """End the process now, whatever it is computing."""
        with contextlib.suppress(OSError):
            self._child.kill()
        self._end()

    def _answer(self, kind: type[BenchError]) -> Any:
        try:
            answer = self._line.recv()
        except (EOFError, ConnectionResetError):
            self._child.wait()
            raise kind(f"The process of vLLM has died (exit {self._child.returncode}). {self._told()}") from None
        if isinstance(answer, Failed):
            raise kind(
                f"vLLM failed on {self.settings.folder}: {answer.name}: {' '.join(answer.message.split())[:TOLD]}"
            )
        return answer

    def _told(self) -> str:
        """What vLLM printed last."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - TOLD))
        said = " ".join(self._log.read().decode(errors="replace").split())
        return f"It said last: {said}" if said else ""


def _end(child: subprocess.Popen[bytes], line: Connection[Any, Any], log: IO[bytes]) -> None:
    """Close the line, at which the process ends by itself; kill it where it does not."""
    line.close()
    log.close()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _environment(settings: EngineSettings) -> dict[str, str]:
    """The environment of the process: that of this one, without what a launcher has told it. Of a launcher's processes
    each takes one GPU."""
    kept = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
    place = os.environ.get("LOCAL_RANK", "")
    if place.isdecimal() and settings.device == "cuda":
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        import torch

        gpus = seen.split(",") if seen else [str(number) for number in range(torch.cuda.device_count())]
        kept["CUDA_VISIBLE_DEVICES"] = gpus[int(place) % len(gpus)]
    return {"VLLM_LOGGING_LEVEL": "WARNING", **kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
