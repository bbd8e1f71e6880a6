"""A budget for one verdict: however an answer is built, it costs no more than this much work."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from mra_sympy.errors import TooCostly

STEPS = 60_000  # nodes that are worked out with mpmath; about half a second
SECONDS = 4.0  # of sympy, where it runs in a process of its own


class _Meter(threading.local):
    steps = STEPS
    seconds = SECONDS


_meter = _Meter()


@contextlib.contextmanager
def verdict() -> Iterator[None]:
    """A new budget for what is done inside, in this thread."""
    before = _meter.steps, _meter.seconds
    _meter.steps, _meter.seconds = STEPS, SECONDS
    try:
        yield
    finally:
        _meter.steps, _meter.seconds = before


def step() -> None:
    """Spend one step. Raises TooCostly when none is left."""
    _meter.steps -= 1
    if _meter.steps < 0:
        raise TooCostly("it takes too many steps to work out")


@contextlib.contextmanager
def question(most: float) -> Iterator[float]:
    """How many seconds a question to sympy may take: `most`, or what is left. Raises TooCostly when nothing is."""
    if _meter.seconds <= 0:
        raise TooCostly("it takes too long in sympy")
    started = time.monotonic()
    try:
        yield min(most, _meter.seconds)
    finally:
        _meter.seconds -= time.monotonic() - started
