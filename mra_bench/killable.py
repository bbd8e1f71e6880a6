"""One more process for calls that may never end, for graders that are used outside the core's own workers.

The process is started by a command line of its own: no copy of the caller's memory and no second run of the caller's
script, so it works from threads, notebooks, and forked or spawned processes alike. Only texts cross the border.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import queue
import subprocess
import sys
import threading

from mra_bench.judging import in_worker, limit_memory

MEMORY_MB = 1024
START_SECONDS = 60.0  # for a new process to import what it needs


class CallFailed(Exception):
    """The function raised. name: the class of its exception; the message is the exception's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def prepare(*modules: str) -> None:
    """Start the process and let it import `modules`, so that this does not count in the time of a call."""
    if not in_worker():
        with _lock:
            for module in modules:
                _process().prepare(module)


def call(target: str, *texts: str, seconds: float) -> str:
    """What the function `target` ("package.module:name") gives for `texts`, within `seconds`.

    In a worker of the core it is called directly, because that worker is itself killed when its text takes too long.
    Elsewhere it runs in a process of its own, which is killed and replaced. Raises TimeoutError, CallFailed for an
    exception of the function, and ChildProcessError when its process died (out of memory, say).
    """
    if in_worker():
        return _run(target, texts)
    with _lock:
        try:
            return _asked(target, texts, seconds)
        except ChildProcessError:  # perhaps killed by somebody else: once more, in a new one
            return _asked(target, texts, seconds)


def _asked(target: str, texts: tuple[str, ...], seconds: float) -> str:
    process = _process()
    process.prepare(target.partition(":")[0])
    return process.ask({"target": target, "texts": texts}, seconds)


def _run(target: str, texts: tuple[str, ...] | list[str]) -> str:
    module, _, name = target.partition(":")
    try:
        return str(getattr(importlib.import_module(module), name)(*texts))
    except Exception as error:
        raise CallFailed(type(error).__name__, str(error)) from error


class _Process:
    """The child, its pipes, and a thread that reads its answers (a read with a time limit that every platform has)."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", "-m", "mra_bench.killable"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        self.owner = os.getpid()
        self.prepared: set[str] = set()
        self.answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            ready = self._answer(START_SECONDS)
        except TimeoutError:
            ready = b""
        if not ready:
            self.kill()
            raise ChildProcessError("the process for long calculations does not start")

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.answers.put(line)
        self.answers.put(b"")

    def _answer(self, seconds: float) -> bytes:
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None

    def prepare(self, module: str) -> None:
        """Let the child import `module` once, which may take long on a busy machine."""
        if module and module not in self.prepared:
            self.prepared.add(module)
            self.ask({"target": "importlib:import_module", "texts": [module]}, START_SECONDS)

    def ask(self, request: dict[str, object], seconds: float) -> str:
        assert self.child.stdin is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.write(json.dumps(request).encode() + b"\n")
                self.child.stdin.flush()
            line = self._answer(seconds)
            if not line:
                raise ChildProcessError("the process for long calculations died")
        except BaseException:  # Ctrl-C as well: a late answer must never meet the next question
            self.kill()
            raise
        answer = json.loads(line)
        if "error" in answer:
            raise CallFailed(answer["error"], answer["message"])
        return str(answer["value"])

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


_lock = threading.Lock()
_current: _Process | None = None


def _process() -> _Process:
    """This process's own child, started when first needed, or anew when it is gone or belongs to a parent we were
    forked from."""
    global _current
    if _current is None or _current.owner != os.getpid() or _current.child.poll() is not None:
        _current = _Process()
    return _current


def _after_fork() -> None:
    """A forked process must wait for no thread that it does not have."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


@atexit.register
def _close() -> None:
    if _current is not None and _current.owner == os.getpid():
        _current.kill()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    """Read what the parent asks; end the process with it, whatever it is calculating."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _serve() -> None:
    """The child: one line of JSON in, one out, until its parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_memory(MEMORY_MB)
    answers.write(b"ready\n")
    answers.flush()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        try:
            answer = {"value": _run(request["target"], request["texts"])}
        except CallFailed as error:
            answer = {"error": error.name, "message": str(error)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
