"""What the machine lets this process use, and process-wide settings of the numeric libraries, fixed before any of them
is imported.

OpenMP reads its settings once, when torch is first imported, so `prepare_threads` has to be called before that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")

# A waiting OpenMP thread sleeps instead of spinning: spinning takes the cores from graders and from other work.
FIXED = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names of glibc's mallopt
KEPT = 2**31 - 1  # bytes, the most it takes: freed blocks up to this size are kept


def usable_cores() -> int:
    """Cores this process may use: its affinity mask, cut by the CPU quota of its control group. At least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(int(quota) for quota in _quotas())]))


def usable_memory() -> int:
    """Bytes of memory this process may use: the machine's, cut by the limit of its control group."""
    import psutil

    return int(min([psutil.virtual_memory().total, *_memory_limits()]))


def threads() -> int:
    """Threads for numeric work: the first number of OMP_NUM_THREADS where the user set a valid one, else the cores,
    shared with the other processes of a launcher on this machine."""
    beside = os.environ.get("LOCAL_WORLD_SIZE", "")
    processes = int(beside) if beside.isdecimal() and int(beside) else 1
    return _asked_for() or max(1, usable_cores() // processes)


def _asked_for() -> int:
    """The threads that the user asked for, 0 for none."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def prepare_threads(*, strict: bool = False) -> dict[str, str | int]:
    """Set what the user has not set already and return the settings in force, for the provenance record. `strict`: one
    thread, so that numbers do not depend on how many cores there are.

    Idempotent: a second call changes nothing and returns the same.
    """
    if strict and not _asked_for():
        os.environ["OMP_NUM_THREADS"] = "1"
    count = threads()
    os.environ["OMP_NUM_THREADS"] = str(count)
    os.environ.setdefault("MKL_NUM_THREADS", str(count))
    for name, value in FIXED.items():
        os.environ.setdefault(name, value)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", *FIXED)
    return {"threads": count, "cores": usable_cores(), **{name: os.environ[name] for name in names}}


def keep_freed_memory() -> None:
    """Let glibc keep the memory of a freed tensor for the next one, unless the user has set how it keeps memory.

    Otherwise every large block goes back to the system, and the next one is cleared by it, page by page: a tenth to a
    fifth of the time of a training on two cores. Does nothing with another C library. Idempotent.
    """
    if any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ):
        return
    import ctypes

    with contextlib.suppress(OSError, TypeError, AttributeError):
        for setting in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(setting, KEPT)


def give_freed_memory_back() -> None:
    """Give the system what `keep_freed_memory` kept: for the end of work whose tensors nobody holds any more."""
    import ctypes

    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _quotas() -> Iterator[float]:
    """CPU quotas, in cores, of this process's control group and of those above it."""
    for folder in _groups("cpu"):
        yield from _quota(folder)


def _memory_limits() -> Iterator[int]:
    """Memory limits, in bytes, of this process's control group and of those above it."""
    for folder in _groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # "max" for none
                yield int((folder / name).read_text())


def _groups(controller: str) -> Iterator[Path]:
    """Folders of this process's control group and of those above it (version 2, and version 1 of a controller)."""
    try:
        lines = OWN_CGROUP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root = CGROUPS
        elif controller in controllers.split(","):
            root = CGROUPS / controller
        else:
            continue
        folder = root / path.strip("/")
        while True:
            yield folder
            if folder == root or root not in folder.parents:
                break
            folder = folder.parent


def _quota(folder: Path) -> Iterator[float]:
    """The quota set in one control group, if there is one: cpu.max, or the two files of version 1."""
    try:
        if (folder / "cpu.max").is_file():
            allowed, period = (folder / "cpu.max").read_text().split()
        else:
            allowed = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        if allowed not in ("max", "-1") and int(period) > 0:
            yield int(allowed) / int(period)
    except (OSError, ValueError):
        return
