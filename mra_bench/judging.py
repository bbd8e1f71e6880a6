"""What happens to one text inside a worker process: the grader or profiler is run, what it says checked.

Also the worker's own start: silent, limited in memory, out of reach of Ctrl-C, ended with its parent.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.errors import BenchError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.types import Grade, Grader, Problem, Profile

Item = tuple[Problem, str]
Said = Grade | Profile
Verdict = tuple[Said, str]  # what was said, and the plugin's failure ("" for none) that is fatal with `strict`

CHUNK_SECONDS = 0.5  # a worker hands its chunk back after so long, so that a hang behind it loses little
OUT_OF_MEMORY = 77  # exit code of a process that was ended for its memory
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class GraderSpec:
    """Which grader: the name as in ``registry.resolve("graders", name)``, its options, and where plugins come from;
    or, with `kind` "profilers", which profiler."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    plugins: PluginSettings = field(default_factory=PluginSettings)
    kind: str = "graders"


_worker: dict[str, Any] = {}  # filled in worker processes only: plugin, judging, name, marks


def grade_here(grader: Grader, problem: Problem, text: str) -> Grade:
    """Grade one text in this process, with no limit, for notebooks and tests. A grader that raises is recorded."""
    grade, _ = judge(grader, GRADING, "the grader", problem, text)
    assert isinstance(grade, Grade)
    return grade


def complete_grade(grade: object, text: str = "") -> Grade:
    """The grade with `kind` filled in, as plain data. Raises TypeError or ValueError naming the field that is wrong."""
    if not isinstance(grade, Grade):
        raise TypeError(f"it returned {type(grade).__name__}, not a Grade")
    if grade.correct is not None and type(grade.correct) is not bool:
        raise TypeError(f"Grade.correct must be True, False or None, not {_type_name(grade.correct)}")
    texts = {name: getattr(grade, name) for name in ("answer", "reason", "kind", "rule", "extracted")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise TypeError(f"Grade.{name} must be a str, not {_type_name(value)}")
    plain = {name: str.__str__(value) for name, value in texts.items()}
    plain["kind"] = plain["kind"] or _kind(grade.correct, plain["answer"])
    return Grade(grade.correct, span=_plain_span(grade.span, len(text)), **plain)


def _type_name(value: object) -> str:
    """With its module, unless it is built in: numpy calls a type of its own "bool" too."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _kind(correct: bool | None, answer: str) -> str:
    if correct is None:
        return "unjudged"
    return "correct" if correct else "wrong" if answer else "no-answer"


def _plain_span(span: object, length: int) -> tuple[int, int] | None:
    if span is None:
        return None
    if not isinstance(span, tuple | list) or len(span) != 2 or not all(type(end) is int for end in span):
        raise TypeError(f"Grade.span must be two ints or None, not {span!r:.60}")
    first, last = span
    if not 0 <= first <= last <= length:
        raise ValueError(f"Grade.span {first}, {last} lies outside the text of {length} characters")
    return first, last


def complete_profile(profile: object, text: str = "") -> Profile:
    """The profile as plain data. Raises TypeError or ValueError naming the field that is wrong."""
    if not isinstance(profile, Profile):
        raise TypeError(f"it returned {type(profile).__name__}, not a Profile")
    errors: dict[str, float | None] = {}
    for name, value in profile.errors.items():
        errors[str(name)] = number = None if value is None else _finite(value, f"errors[{name!r}]")
        if number is not None and not 0 <= number <= 1:
            raise ValueError(f"Profile.errors[{name!r}] is {number:g}; it must lie between 0 and 1")
    scores = {str(name): _finite(value, f"scores[{name!r}]") for name, value in profile.scores.items()}
    evidence = {}
    for name, said in profile.evidence.items():
        if name not in errors:
            raise ValueError(f"Profile.evidence is about {name!r}, which is not among the errors: {', '.join(errors)}")
        if isinstance(said, str) or not all(isinstance(sentence, str) for sentence in said):
            raise TypeError(f"Profile.evidence[{name!r}] must be a list of sentences (str)")
        evidence[str(name)] = tuple(str.__str__(sentence) for sentence in said)
    return Profile(errors, evidence, scores, str(profile.failure))


def _finite(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"Profile.{where} must be a finite number, not {value!r:.60}")
    return float(value)


@dataclass(frozen=True)
class Judging:
    """One kind of plugin that judges texts: how what it says is checked, and what is recorded where it says nothing,
    from the kind of failure ("timeout", "crashed") and a sentence."""

    complete: Callable[[object, str], Said]
    failed: Callable[[str, str], Said]


GRADING = Judging(complete_grade, lambda kind, reason: Grade(None, reason=reason, kind=kind))
PROFILING = Judging(complete_profile, lambda kind, reason: Profile(failure=f"{kind}: {reason}"))
JUDGING: Mapping[str, Judging] = {"graders": GRADING, "profilers": PROFILING}


def judge(
    plugin: Callable[[Problem, str], object], judging: Judging, name: str, problem: Problem, text: str
) -> Verdict:
    """What is said of one text, completed, or the record of the plugin's failure."""
    try:
        return judging.complete(plugin(problem, text), text), ""
    except MemoryError:
        failure = f"{name} ran out of memory"
    except BaseException as error:  # graders may raise anything; only Ctrl-C in our own process is not theirs
        if isinstance(error, KeyboardInterrupt) and not _worker:
            raise
        failure = f"{name} failed: {_described(error)}"
    return judging.failed("crashed", failure + "."), failure


def _described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".strip().removesuffix(".")[:500]
    except Exception:
        return type(error).__name__


def start_worker(spec: GraderSpec, name: str, memory_mb: int, marks: Any) -> None:
    """Run once in every new worker: silent, out of reach of Ctrl-C, ended with its parent; builds the grader."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGTERM must end even a worker that is deep in C code
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    _silence()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(marks=marks, name=name)
    try:
        plugin = load_plugins(spec.plugins).resolve(spec.kind, spec.name).build(spec.options)
    except Exception as error:
        message = f"it cannot be built in a worker: {_described(error)}"

        def plugin(problem: Problem, text: str) -> Said:
            raise BenchError(message)

    _worker.update(plugin=plugin, judging=JUDGING[spec.kind])
    limit_memory(memory_mb)


def _silence() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdin, sys.stdout, sys.stderr = (open(os.devnull, mode) for mode in ("r", "w", "w"))  # noqa: SIM115


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def in_worker() -> bool:
    """Is this process one of the core's workers?"""
    return bool(_worker)


def limit_memory(memory_mb: int) -> None:
    """Limit the address space to what it is now and `memory_mb` more; forbid core files. Where the platform has no
    such limits, a thread watches the memory in use and ends the process."""
    try:
        import resource
    except ImportError:
        threading.Thread(target=watch_memory, args=(memory_mb,), daemon=True).start()
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory_mb * _MEGABYTE
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def watch_memory(memory_mb: int, every: float = 0.1) -> None:
    """End this process once it uses `memory_mb` more than now; looks `every` so many seconds. Does not return."""
    import psutil

    process = psutil.Process()
    limit = process.memory_info().rss + memory_mb * _MEGABYTE
    while process.memory_info().rss <= limit:
        time.sleep(every)
    os._exit(OUT_OF_MEMORY)


def grade_chunk(items: Sequence[Item], slot: int) -> list[Verdict]:
    """Grade the items in order, as many as fit in CHUNK_SECONDS, at least one."""
    verdicts: list[Verdict] = []
    started = time.monotonic()
    for number, (problem, text) in enumerate(items, start=1):
        _worker["marks"][slot] = number
        verdicts.append(judge(_worker["plugin"], _worker["judging"], _worker["name"], problem, text))
        if time.monotonic() - started > CHUNK_SECONDS:
            break
    return verdicts
