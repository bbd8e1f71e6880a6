"""One measurement: start a system, warm it up, then time it on the whole work. Run by `jobs.measure`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from jobs import Outcome, Setting, System, Work

WARM_UP_TOKENS = 8
WARM_UP = (
    "A shelf holds 14 red books and twice as many green ones. How many books are on it?",
    "Lena walks 3 km to the lake and 3 km back each day. How far does she walk in a week?",
    "A baker sells 40 rolls in the morning and 25 fewer in the afternoon. How many rolls does he sell?",
    "Four friends share 36 stamps equally, then each gives 2 away. How many stamps has each of them now?",
)


def measured(system: System, setting: Setting, work: Work) -> Outcome:
    """The outcome of one system; an exception of its own is an outcome too, told by the first line of its message."""
    from systems import SYSTEMS

    started = perf_counter()
    try:
        generate = SYSTEMS[system.kind](setting, system.rows)
        generate(replace(work, questions=WARM_UP, new_tokens=min(WARM_UP_TOKENS, work.new_tokens)))
        start = perf_counter() - started
        seconds, texts = timed(generate, work)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        return Outcome(error=f"{type(error).__name__}: {reason}" if reason else type(error).__name__)
    return Outcome(seconds, start, peak_memory(), tuple(text.strip() for text in texts))


def timed(generate: Callable[[Work], list[str]], work: Work) -> tuple[float, list[str]]:
    """Seconds for the work, and its texts."""
    started = perf_counter()
    texts = generate(work)
    return perf_counter() - started, texts


def peak_memory() -> int:
    """Bytes this process has had in memory at most; 0 where the system does not say."""
    with contextlib.suppress(ImportError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return 0


def main() -> None:
    job, answer = map(Path, sys.argv[1:])
    asked: dict[str, Any] = json.loads(job.read_text())
    work = Work(**{**asked["work"], "questions": tuple(asked["work"]["questions"])})
    found = measured(System(**asked["system"]), Setting(**asked["setting"]), work)
    answer.write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
