"""What a command costs: wall time, processor time and memory, of the process and of all that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True)
class Cost:
    """wall, cpu: seconds. memory: the largest sum of the resident sizes of the process and its descendants seen at one
    time; pages that they share count for each. largest: the peak of the one process that was largest. Both in bytes."""

    wall: float
    cpu: float
    memory: int
    largest: int


def measured(arguments: Sequence[str], log: Path) -> Cost:
    """Run ``mra-bench ARGUMENTS`` in a fresh process to its end, output to `log`. Raises CalledProcessError."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "mra_bench", *arguments], stdout=output, stderr=output)
    sizes = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, sizes), daemon=True)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)  # processor time with that of the children it has waited for
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, ["mra-bench", *arguments], log.read_text("utf-8"))
    kilobyte = 1 if sys.platform == "darwin" else 1024
    largest = usage.ru_maxrss * kilobyte
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(sizes[0], largest), largest)


def _watch(pid: int, sizes: list[int]) -> None:
    """Keep in `sizes` the largest sum seen, until the process is gone."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            sizes[0] = max(sizes[0], sum(map(_size, [process, *process.children(recursive=True)])))
            time.sleep(EVERY)
    except psutil.NoSuchProcess:
        return


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
