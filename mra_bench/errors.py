"""Errors a user can act on: each names the bad value, the nearest right one and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

USAGE = 2
INTERRUPTED = 130


class BenchError(Exception):
    """Something the user can put right. The CLI prints the message without a traceback and exits with `code`."""

    code = 1


class UsageError(BenchError):
    """A bad name, option, recipe or file, found before any work starts."""

    code = USAGE


class TrainingFailed(BenchError):
    """Training could not go on (a loss that is not a number, say). Earlier stages are kept."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name closest to `name`, or "" when none is close."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), "")


def unknown(what: str, name: str, known: Iterable[str], command: str) -> UsageError:
    """The error for a name that does not exist, e.g. ``unknown grader 'simpy'; did you mean 'sympy'?``."""
    names = sorted(known)
    close = nearest(name, names)
    hint = f" Did you mean '{close}'?" if close else f" Known: {', '.join(names) or 'none'}."
    return UsageError(f"Unknown {what} '{name}'.{hint} List them with: {command}")
