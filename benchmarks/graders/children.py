"""A grader in a process of its own, asked case by case and killed when it does not answer in time."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from cases import Case

START_SECONDS = 300.0
MEMORY = 4 << 30


@dataclass(frozen=True)
class Answer:
    """outcome: "judged", "hang" or "crash". correct: the verdict, None for none. seconds: the time it took, which for
    a hang is the limit."""

    outcome: str
    correct: bool | None
    seconds: float


class Child:
    """Runs ``module:function() -> judge`` in a spawned process, started on first use and again after a hang or death.
    Cases in `warm_up` are judged before anything is timed; ``module:forget()`` is called before each case."""

    def __init__(self, target: str, forget: str, warm_up: tuple[Case, ...], limit: float) -> None:
        self.target, self.forget, self.warm_up, self.limit = target, forget, warm_up, limit
        self.process: Any = None
        self.pipe: Connection

    def ask(self, case: Case) -> Answer:
        if self.process is None:
            self._start()
        self.pipe.send(case)
        started = perf_counter()
        try:
            if self.pipe.poll(self.limit):
                answer: Answer = self.pipe.recv()
                return answer
            found = Answer("hang", None, self.limit)
        except (EOFError, ConnectionError):
            found = Answer("crash", None, perf_counter() - started)
        self.close()
        return found

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, far = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(self.target, self.forget, self.warm_up, far))
        self.process.start()  # not as a daemon: a grader may start processes of its own
        far.close()
        if not self.pipe.poll(START_SECONDS):
            self.close()
            raise TimeoutError(f"{self.target} did not start within {START_SECONDS:g} seconds")
        try:
            self.pipe.recv()
        except EOFError:
            self.close()
            raise RuntimeError(f"{self.target} cannot be started; what it printed says why") from None


def serve(target: str, forget: str, warm_up: tuple[Case, ...], pipe: Connection) -> None:
    """The child's life: build the judge, warm up, say so, then answer one case after the other."""
    judge, empty_caches = named(target)(), named(forget)
    for case in warm_up:
        with contextlib.suppress(Exception):
            judge(case)
    _limit_memory()
    pipe.send("ready")
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        empty_caches()
        started = perf_counter()
        try:
            correct = judge(case)
            answer = Answer("judged", correct, perf_counter() - started)
        except (Exception, MemoryError):
            answer = Answer("crash", None, perf_counter() - started)
        pipe.send(answer)


def named(target: str) -> Any:
    """What ``module:name`` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
