"""The process that the engine works in: ``python -m mra_vllm.child FD`` serves what comes over the socket FD.

A process of its own, because vLLM sets seeds, threads, memory and environment of the process it is in, and because a
GPU's memory is free for certain once the process that held it has ended.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from .messages import Failed, Job

if TYPE_CHECKING:
    from .engine import VllmEngine

ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # else what is computed together depends on when it arrives
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # as many threads as the run has, on no cores of their own
    "HF_HUB_OFFLINE": "1",  # the files are here
}


def main() -> None:
    """Start the engine that is asked for first, then do jobs until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks hears it, too, and ends this one
    os.environ.update(ENVIRONMENT)
    with Connection(int(sys.argv[1])) as line:
        try:
            _serve(line)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass  # nobody asks any more
        except Exception as error:  # whatever it was, the other end says it
            line.send(Failed(type(error).__name__, str(error)))
    os._exit(0)  # what is left to do takes torch many seconds, and the memory is wanted


def _serve(line: Connection) -> None:
    settings = line.recv()
    from .engine import VllmEngine

    engine = VllmEngine(settings)
    try:
        line.send(engine.context)
        while (job := line.recv()) is not None:
            _do(engine, job, line)
    finally:
        engine.close()


def _do(engine: VllmEngine, job: Job, line: Connection) -> None:
    for ended in engine.run(job.rows, job.rule, job.decoding):
        line.send(ended)
    line.send(None)


if __name__ == "__main__":
    main()
