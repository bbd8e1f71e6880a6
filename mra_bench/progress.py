"""How a run shows where it is: one live display on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

SETTLED = 0.5  # seconds that a rate must be measured over
EARLY = 2.0  # seconds after which the first line with a rate comes


class Reporter(Protocol):
    """Told what happens in a run. `begin`, then any number of `update`, then `end`, for each stage in turn.

    `about` says how much there is to do where `total`, in the stage's own unit, is 0: not known before it starts.
    """

    def begin(self, label: str, total: int, unit: str, about: str = "") -> None: ...

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None: ...

    def end(self, outcome: str) -> None: ...

    def message(self, text: str) -> None: ...

    def result(self, data: Mapping[str, Any], text: str) -> None: ...


class Clock:
    """Done, rate and time left of the current stage. Rates count from the first update of this process: what comes
    before it is loading, or was done by an earlier one."""

    def __init__(self, label: str, total: int, unit: str, about: str = "") -> None:
        self.label, self.total, self.unit, self.about = label, total, unit, about
        self.done = self.tokens = 0
        self.started = time.monotonic()
        self.first: tuple[float, int, int] | None = None
        self.note = ""

    def update(self, done: int, total: int | None, tokens: int, note: str) -> None:
        if self.first is None:
            self.first = (time.monotonic(), done, tokens)
        self.done, self.tokens, self.note = done, tokens, note or self.note
        self.total = self.total if total is None else total

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def speed(self) -> float | None:
        """Tokens a second, or None as long as there is nothing to compute it from."""
        if self.first is None or self.tokens <= self.first[2] or not self._measured():
            return None
        return (self.tokens - self.first[2]) / (time.monotonic() - self.first[0])

    def left(self) -> float | None:
        """Seconds to go, or None as long as there is nothing to compute it from."""
        if self.first is None or self.done <= self.first[1] or self.done >= self.total or not self._measured():
            return None
        return (time.monotonic() - self.first[0]) / (self.done - self.first[1]) * (self.total - self.done)

    def _measured(self) -> bool:
        return self.first is not None and time.monotonic() - self.first[0] >= SETTLED

    def line(self) -> str:
        """For example ``generate sft-test  512/1000 texts  18,342 tokens/s  ETA 0:12``."""
        parts = [f"{self.label}  {self.done:,}/{self.total:,} {self.unit}" if self.total else self.head()]
        if (speed := self.speed()) is not None:
            parts.append(f"{speed:,.0f} tokens/s")
        if (left := self.left()) is not None:
            parts.append(f"ETA {minutes(left)}")
        if self.note:
            parts.append(self.note)
        return "  ".join(parts)

    def head(self) -> str:
        """How much there is to do, e.g. ``grade sympy-sft-test: 1,000 texts``."""
        amount = f"{self.total:,} {self.unit}" if self.total else self.about
        return f"{self.label}: {amount or 'starting'}"


def minutes(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


class PlainReporter:
    """Lines of text: one when a stage begins, one as soon as the time left is known, then one every `every` seconds,
    and one when it ends."""

    def __init__(self, stream: TextIO | None = None, every: float = 10.0) -> None:
        self.stream = stream or sys.stderr
        self.every = every
        self.clock = Clock("", 0, "")
        self.last = 0.0
        self.told = False

    def begin(self, label: str, total: int, unit: str, about: str = "") -> None:
        self._start(label, total, unit, about)
        self.message(self.clock.head())

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        learnt = not self.clock.total and total
        self.clock.update(done, total, tokens, note)
        if learnt:
            self.message(f"  {self.clock.head()}")
        elif self._due():
            self.message(f"  {self.clock.line()}")

    def _start(self, label: str, total: int, unit: str, about: str) -> None:
        self.clock = Clock(label, total, unit, about)
        self.last, self.told = time.monotonic(), False

    def _due(self) -> bool:
        waited = time.monotonic() - self.last
        early = not self.told and waited >= EARLY and self.clock.left() is not None
        if not early and waited < self.every:
            return False
        self.last, self.told = time.monotonic(), self.told or early
        return True

    def end(self, outcome: str) -> None:
        self.message(f"  {outcome} in {minutes(self.clock.seconds())}")

    def message(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def result(self, data: Mapping[str, Any], text: str) -> None:
        print(text, flush=True)


class QuietReporter(PlainReporter):
    """Only the result."""

    def begin(self, label: str, total: int, unit: str, about: str = "") -> None:
        self._start(label, total, unit, about)

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        pass

    def end(self, outcome: str) -> None:
        pass

    def message(self, text: str) -> None:
        pass


class JsonReporter(PlainReporter):
    """One JSON object a line on standard output; the last one has event "result"."""

    def __init__(self, every: float = 2.0) -> None:
        super().__init__(sys.stdout, every)

    def begin(self, label: str, total: int, unit: str, about: str = "") -> None:
        self._start(label, total, unit, about)
        self._event("begin", stage=label, total=total, unit=unit, about=about)

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        self.clock.update(done, total, tokens, note)
        if self._due():
            clock, speed, left = self.clock, self.clock.speed(), self.clock.left()
            self._event(
                "progress",
                stage=clock.label,
                done=clock.done,
                total=clock.total,
                tokens=clock.tokens,
                tokens_per_second=None if speed is None else round(speed, 1),
                seconds_left=None if left is None else round(left, 1),
                **({"note": clock.note} if clock.note else {}),
            )

    def end(self, outcome: str) -> None:
        self._event("end", stage=self.clock.label, outcome=outcome, seconds=round(self.clock.seconds(), 3))

    def message(self, text: str) -> None:
        self._event("message", text=text)

    def result(self, data: Mapping[str, Any], text: str) -> None:
        self._event("result", **data)

    def _event(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}), file=self.stream, flush=True)


class RichReporter(PlainReporter):
    """One live line with a bar for the current stage; finished stages stay above it."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self.console = Console(stderr=True)
        columns = (SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
        self.bar = Progress(*columns, console=self.console, transient=True)
        self.task: Any = None

    def begin(self, label: str, total: int, unit: str, about: str = "") -> None:
        self._start(label, total, unit, about)
        self.task = self.bar.add_task(self.clock.line(), total=total or None)
        self.bar.start()

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        self.clock.update(done, total, tokens, note)
        self.bar.update(self.task, completed=done, total=self.clock.total, description=self.clock.line())

    def end(self, outcome: str) -> None:
        self.bar.stop()
        self.bar.remove_task(self.task)
        self.task = None
        tokens = f", {self.clock.tokens / max(self.clock.seconds(), 1e-9):,.0f} tokens/s" if self.clock.tokens else ""
        self.message(f"✓ {self.clock.label}: {outcome} in {minutes(self.clock.seconds())}{tokens}")

    def message(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Stop the live display, as on an interrupt, so that the terminal is left tidy."""
        if self.task is not None:
            self.bar.stop()


def make_reporter(*, quiet: bool, as_json: bool) -> PlainReporter:
    """The reporter that fits the flags and the terminal."""
    if as_json:
        return JsonReporter()
    if quiet:
        return QuietReporter()
    return RichReporter() if sys.stderr.isatty() else PlainReporter()
