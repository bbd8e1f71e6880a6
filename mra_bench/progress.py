"""How a run shows where it is: one live display on a terminal, plain lines elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO


class Reporter(Protocol):
    """Told what happens in a run. `begin`, then any number of `update`, then `end`, for each stage in turn."""

    def begin(self, label: str, total: int, unit: str) -> None: ...

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None: ...

    def end(self, outcome: str) -> None: ...

    def message(self, text: str) -> None: ...

    def result(self, data: Mapping[str, Any], text: str) -> None: ...


class Clock:
    """Done, rate and time left of the current stage. Rates count from the first update of this process."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = self.tokens = 0
        self.started = time.monotonic()
        self.first_done: int | None = None
        self.note = ""

    def update(self, done: int, total: int | None, tokens: int, note: str) -> None:
        if self.first_done is None:
            self.first_done = 0 if done <= max(1, self.total // 20) else done
        self.done, self.tokens, self.note = done, tokens, note or self.note
        self.total = self.total if total is None else total

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def line(self) -> str:
        """For example ``generate sft-test  512/1000 problems  18,342 tokens/s  ETA 0:12``."""
        parts = [f"{self.label}  {self.done:,}/{self.total:,} {self.unit}"]
        elapsed = self.seconds()
        if self.tokens and elapsed > 0:
            parts.append(f"{self.tokens / elapsed:,.0f} tokens/s")
        moved = self.done - (self.first_done or 0)
        if moved > 0 and self.done < self.total:
            parts.append(f"ETA {minutes(elapsed / moved * (self.total - self.done))}")
        if self.note:
            parts.append(self.note)
        return "  ".join(parts)


def minutes(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


class PlainReporter:
    """Lines of text: one when a stage begins, one every `every` seconds, one when it ends."""

    def __init__(self, stream: TextIO | None = None, every: float = 10.0) -> None:
        self.stream = stream or sys.stderr
        self.every = every
        self.clock = Clock("", 0, "")
        self.last = 0.0

    def begin(self, label: str, total: int, unit: str) -> None:
        self.clock = Clock(label, total, unit)
        self.last = time.monotonic()
        self.message(f"{label}: {total:,} {unit}" if total else f"{label}: starting")

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        self.clock.update(done, total, tokens, note)
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            self.message(f"  {self.clock.line()}")

    def end(self, outcome: str) -> None:
        self.message(f"  {outcome} in {minutes(self.clock.seconds())}")

    def message(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def result(self, data: Mapping[str, Any], text: str) -> None:
        print(text, flush=True)


class QuietReporter(PlainReporter):
    """Only the result."""

    def begin(self, label: str, total: int, unit: str) -> None:
        self.clock = Clock(label, total, unit)

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

    def begin(self, label: str, total: int, unit: str) -> None:
        self.clock = Clock(label, total, unit)
        self.last = time.monotonic()
        self._event("begin", stage=label, total=total, unit=unit)

    def update(self, done: int, *, total: int | None = None, tokens: int = 0, note: str = "") -> None:
        self.clock.update(done, total, tokens, note)
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            clock = self.clock
            self._event("progress", stage=clock.label, done=clock.done, total=clock.total, tokens=clock.tokens)

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

    def begin(self, label: str, total: int, unit: str) -> None:
        self.clock = Clock(label, total, unit)
        self.task = self.bar.add_task(self.clock.line(), total=total)
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
