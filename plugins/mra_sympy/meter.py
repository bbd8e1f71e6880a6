"""A budget for one verdict: however an answer is built, it costs no more than this much work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from mra_sympy.errors import TooCostly

STEPS = 60_000  # nodes that are worked out with mpmath; about half a second
QUESTIONS = 40  # to sympy


class _Meter(threading.local):
    steps = STEPS
    questions = QUESTIONS


_meter = _Meter()


@contextlib.contextmanager
def verdict() -> Iterator[None]:
    """A new budget for what is done inside, in this thread."""
    before = _meter.steps, _meter.questions
    _meter.steps, _meter.questions = STEPS, QUESTIONS
    try:
        yield
    finally:
        _meter.steps, _meter.questions = before


def step() -> None:
    """Spend one step. Raises TooCostly when none is left."""
    _meter.steps -= 1
    if _meter.steps < 0:
        raise TooCostly("it takes too many steps to work out")


def question() -> None:
    """Spend one question to sympy. Raises TooCostly when none is left."""
    _meter.questions -= 1
    if _meter.questions < 0:
        raise TooCostly("it takes too many questions to sympy")
