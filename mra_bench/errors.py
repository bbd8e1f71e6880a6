"""Errors a user can act on: each names the bad value, the nearest right one and what to do next."""

from __future__ import annotations

import errno
from collections.abc import Iterable

USAGE = 2
INTERRUPTED = 130
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BenchError(Exception):
    """Something the user can put right. The CLI prints the message without a traceback and exits with `code`."""

    code = 1


class UsageError(BenchError):
    """A bad name, option, recipe or file, found before any work starts."""

    code = USAGE


class Interrupted(BenchError):
    """Ctrl-C in work that is not kept: the message says what became of it."""

    code = INTERRUPTED


class TrainingFailed(BenchError):
    """Training could not go on (a loss that is not a number, say). Earlier stages are kept."""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """The known name closest to `name`, or "" when none is close (1: equal, 0: nothing in common)."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def meant(name: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """The hint at the nearest known name, " Did you mean 'NAME'?", or "" when none is close."""
    close = nearest(name, known, cutoff)
    return f" Did you mean '{close}'?" if close else ""


def unknown(what: str, name: str, known: Iterable[str], command: str = "", *, where: str = "") -> UsageError:
    """The error for a name that does not exist, e.g. ``Unknown grader 'simpy'. Did you mean 'sympy'?``.

    `command` lists all names; without one (names of one recipe, of one run) the message lists them itself. `where` says
    in which part of a recipe or folder, e.g. "in 'evaluate'".
    """
    names = sorted(set(known))
    hint = meant(name, names)
    if not hint or not command:
        hint += f" Known: {', '.join(names) or 'none'}."
    return UsageError(
        f"Unknown {what} '{name}'{where and ' '}{where}.{hint}" + (f" List them with: {command}" if command else "")
    )


def ambiguous(what: str, name: str, full_names: Iterable[str]) -> UsageError:
    """The error for a bare name that several plugins offer."""
    return UsageError(f"The {what} '{name}' is offered more than once. Say which: {' or '.join(full_names)}")
