"""The one pool of killable processes in which graders and profilers run.

A worker rebuilds its plugin from plain data (`GraderSpec`), never by pickle. It gets items in small chunks, notes which
one it works on in shared memory, and gives back plain data. A hang or a death costs the item it was working on; the
others of its chunk are graded again. Workers are started when there is something to grade and end with the iterator.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from mra_bench.errors import BenchError
from mra_bench.judging import (
    CHUNK_SECONDS,
    JUDGING,
    GraderSpec,
    Item,
    Verdict,
    complete_grade,
    grade_chunk,
    grade_here,
    start_worker,
)
from mra_bench.plugins import load_plugins
from mra_bench.types import Grade, Problem, Profile

CHUNK = 16
SLACK_SECONDS = 0.5
QUEUED_PER_WORKER = 3
WINDOW_PER_WORKER = 64  # chunks that may be ahead of the next one to be given out
MAX_RESTARTS = 3
R = TypeVar("R", Grade, Profile)
ENDED = "ended its worker process"  # how the failure of a grader reads that took its worker along


def usable_cores() -> int:
    """Cores this process may use: the smaller of its CPU affinity and its container's quota, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


@dataclass(frozen=True)
class Limits:
    """seconds: wall time for one text. memory_mb: what grading may take beyond the worker's own size, where the
    platform can limit it. workers: processes."""

    seconds: float = 10.0
    memory_mb: int = 2048
    workers: int = field(default_factory=usable_cores)


def grade_all(
    spec: GraderSpec,
    items: Iterable[Item],
    *,
    limits: Limits | None = None,
    strict: bool = False,
    on_done: Callable[[int], None] | None = None,
) -> Generator[Grade, None, None]:
    """Grade (problem, text) items in worker processes; grades come in the order of `items`, as soon as they can.

    A text that takes too long gets ``Grade(None, kind="timeout")``; one whose grader raises, returns something else
    than a Grade or kills its worker gets ``Grade(None, kind="crashed")``. `on_done` is told how many are done so far.

    Raises UsageError for an unknown grader or bad options, BenchError when workers cannot be started, or with `strict`
    when a grader fails (a timeout is no failure).
    """
    return _once(WorkerPool[Grade](spec, limits=limits, strict=strict, on_done=on_done), items)


def profile_all(
    spec: GraderSpec,
    items: Iterable[Item],
    *,
    limits: Limits | None = None,
    strict: bool = False,
    on_done: Callable[[int], None] | None = None,
) -> Generator[Profile, None, None]:
    """The same for a profiler (`spec.kind` "profilers"): a Profile for each item, with `failure` where it gave none."""
    return _once(WorkerPool[Profile](spec, limits=limits, strict=strict, on_done=on_done), items)


def _once(pool: WorkerPool[R], items: Iterable[Item]) -> Generator[R, None, None]:
    with pool:
        yield from pool.run(items)


def _leave_if_run_again() -> None:
    """End a worker, quietly, that got here by running the main script once more: the script lacks its guard.

    Whoever started the worker tells the user so; multiprocessing would do it in hundreds of lines.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


@dataclass
class _Chunk:
    """Consecutive items, their place in the order, and how often one alone has killed its worker unseen."""

    first: int
    items: tuple[Item, ...]
    strikes: int = 0

    def part(self, start: int, stop: int | None = None) -> _Chunk:
        return _Chunk(self.first + start, self.items[start:stop])


class WorkerPool(Generic[R]):
    """Worker processes of one grader or profiler, kept from one call of `run` to the next until the with block ends:
    what waits, what is in flight, what is done but not yet its turn. Arguments and errors are those of `grade_all`."""

    def __init__(
        self,
        spec: GraderSpec,
        *,
        limits: Limits | None = None,
        strict: bool = False,
        on_done: Callable[[int], None] | None = None,
    ) -> None:
        _leave_if_run_again()
        registered = load_plugins(spec.plugins).resolve(spec.kind, spec.name)
        registered.parse_options(spec.options)
        self.spec, self.name, self.judging = spec, registered.full_name, JUDGING[spec.kind]
        self.limits, self.strict, self.on_done = limits or Limits(), strict, on_done
        self.waiting: deque[_Chunk] = deque()
        self.flying: dict[Future[list[Verdict]], tuple[_Chunk, int]] = {}
        self.ready: dict[int, Any] = {}
        self.done = self.read = self.given = self.restarts = 0
        self.slots: set[int] = set()
        self.pool: Any = None

    def __enter__(self) -> WorkerPool[R]:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop()

    def run(self, items: Iterable[Item]) -> Generator[R, None, None]:
        """What is said of each item, in their order. A call that is not read to its end ends the workers."""
        items = iter(items)
        whole = False
        try:
            self._read(items)
            while self.waiting or self.flying:
                self._fill()
                finished, _ = wait(self.flying, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(future)
                while self.given in self.ready:
                    yield self.ready.pop(self.given)
                    self.given += 1
                self._read(items)
            whole = True
        finally:
            if not whole:
                self._stop()

    def _read(self, items: Iterator[Item]) -> None:
        """Keep enough chunks waiting, within the window ahead of what was given out."""
        workers = self.limits.workers
        while (
            len(self.waiting) < workers * QUEUED_PER_WORKER
            and self.read - self.given < workers * WINDOW_PER_WORKER * CHUNK
        ):
            chunk = tuple(itertools.islice(items, CHUNK))
            if not chunk:
                return
            self.waiting.append(_Chunk(self.read, chunk))
            self.read += len(chunk)

    def _fill(self) -> None:
        if self.pool is None:
            self._open()
        free = self.slots - {slot for _, slot in self.flying.values()}
        while self.waiting and free:
            chunk, slot = self.waiting.popleft(), free.pop()
            self.marks[slot] = 0
            # A worker starts no item after CHUNK_SECONDS: what has not come back by then is one item over its limit.
            limit = self.limits.seconds + (CHUNK_SECONDS + SLACK_SECONDS if len(chunk.items) > 1 else 0)
            try:
                future = self.pool.schedule(grade_chunk, args=(chunk.items, slot), timeout=limit)
            except RuntimeError:  # the pool broke since the last chunk
                self.waiting.appendleft(chunk)
                self._restart()
                return
            self.flying[future] = (chunk, slot)

    def _open(self) -> None:
        from pebble import ProcessPool

        spawn = multiprocessing.get_context("spawn")
        workers = min(self.limits.workers, len(self.waiting) + len(self.flying))
        self.slots = set(range(workers * QUEUED_PER_WORKER))
        self.marks = spawn.RawArray("i", len(self.slots))
        start = (self.spec, self.name, self.limits.memory_mb, self.marks)
        with _interrupts_held():  # workers and the pool's threads inherit this
            self.pool = ProcessPool(max_workers=workers, initializer=start_worker, initargs=start, context=spawn)
            self.pool.schedule(os.getpid)

    def _take(self, future: Future[list[Verdict]]) -> None:
        """Book what came back from one chunk: its verdicts, or who is to blame for there being none."""
        from pebble import ProcessExpired

        if future not in self.flying:
            return
        chunk, slot = self.flying.pop(future)
        error = future.exception()
        if error is None:
            self.restarts = 0
            verdicts = future.result()
            for number, verdict in enumerate(verdicts):
                self._book(chunk.first + number, chunk.items[number][0], verdict)
            if len(verdicts) < len(chunk.items):
                self.waiting.appendleft(chunk.part(len(verdicts)))
        elif isinstance(error, TimeoutError):
            self._charge(chunk, self.marks[slot] - 1, self._timeout())
        elif isinstance(error, ProcessExpired):
            self._lost(chunk, self.marks[slot] - 1, error.exitcode)
        else:
            self._broken(chunk, self.marks[slot], error)

    def _charge(self, chunk: _Chunk, culprit: int, verdict: Verdict) -> None:
        """Book the culprit; grade the others of its chunk again."""
        culprit = max(culprit, 0)
        if culprit + 1 < len(chunk.items):
            self.waiting.appendleft(chunk.part(culprit + 1))
        if culprit:
            self.waiting.appendleft(chunk.part(0, culprit))
        self._book(chunk.first + culprit, chunk.items[culprit][0], verdict)

    def _lost(self, chunk: _Chunk, culprit: int, exitcode: int) -> None:
        """A worker died. Alone in its chunk the item is to blame; else it is tried alone, in a fresh worker."""
        if len(chunk.items) == 1:
            self._charge(chunk, 0, self._death(exitcode))
            return
        culprit = max(culprit, 0)
        for part in (chunk.part(culprit + 1), chunk.part(culprit, culprit + 1), chunk.part(0, culprit)):
            if part.items:
                self.waiting.appendleft(part)

    def _broken(self, chunk: _Chunk, mark: int, error: BaseException) -> None:
        """The pool itself broke: no worker was left alive to say more. Start it anew, but not for ever."""
        if mark and len(chunk.items) == 1:
            chunk.strikes += 1
        if chunk.strikes > 1:
            self._charge(chunk, 0, self._death(None))
        else:
            alone = bool(mark) and len(chunk.items) > 1
            parts = [chunk.part(k, k + 1) for k in range(len(chunk.items))] if alone else [chunk]
            self.waiting.extendleft(reversed(parts))
        self._restart(error)

    def _restart(self, error: BaseException | None = None) -> None:
        for chunk, _ in self.flying.values():
            self.waiting.appendleft(chunk)
        self.flying.clear()
        self._stop()
        self.restarts += 1
        if self.restarts > MAX_RESTARTS:
            raise BenchError(
                f"The worker processes of the grader '{self.name}' end as soon as they start"
                f"{f' ({error})' if error else ''}. A script that grades must do so under "
                "`if __name__ == '__main__':`; otherwise check that the plugin "
                "can be imported in a fresh process: mra-bench plugins"
            )

    def _book(self, place: int, problem: Problem, verdict: Verdict) -> None:
        said, failure = verdict
        if failure and self.strict:
            raise BenchError(f"On problem '{problem.id}', {failure}. (Without --strict this costs one sample.)")
        self.ready[place] = said
        self.done += 1
        if self.on_done is not None:
            self.on_done(self.done)

    def _timeout(self) -> Verdict:
        reason = f"{self.name} took longer than its limit of {self.limits.seconds:g} seconds and was stopped."
        return self.judging.failed("timeout", reason), ""

    def _death(self, exitcode: int | None) -> Verdict:
        how = f" ({_exit_words(exitcode)})" if exitcode is not None else ""
        failure = f"{self.name} {ENDED}{how}"
        return self.judging.failed("crashed", failure + "."), failure

    def _stop(self) -> None:
        if self.pool is not None:
            self.pool.stop()
            self.pool.join()
            self.pool = None


def _exit_words(exitcode: int) -> str:
    if exitcode >= 0:
        return f"exit code {exitcode}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-exitcode).name}"
    return f"signal {-exitcode}"


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes and threads started inside never see Ctrl-C; one pressed meanwhile reaches us afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


__all__ = [
    "GraderSpec",
    "Limits",
    "WorkerPool",
    "complete_grade",
    "grade_all",
    "grade_here",
    "profile_all",
    "usable_cores",
]
