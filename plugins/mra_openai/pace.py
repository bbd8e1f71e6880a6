"""How fast requests go out, and how long one waits before it is sent again. No clock of its own: it is given one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
LONGEST_ASKED = 600.0
"""Seconds: a server that asks for a longer wait is not waited for."""


@dataclass
class Spread:
    """A limit of so much a minute, kept by spreading it evenly: `reserve` says when the next amount may go.

    Nothing is saved up in idle time, so no minute ever has more than the limit and one amount.
    """

    per_minute: float | None
    free_at: float = 0.0

    def reserve(self, amount: float, now: float) -> float:
        """Seconds to wait before `amount` may go; what comes later waits behind it."""
        if self.per_minute is None:
            return 0.0
        start = max(now, self.free_at)
        self.free_at = start + 60 * amount / self.per_minute
        return start - now

    def correct(self, more: float) -> None:
        """What was reserved came out `more` (or less, below 0)."""
        if self.per_minute is not None:
            self.free_at += 60 * more / self.per_minute


class Pace:
    """Both limits together, and the waits that the server asks for, which hold for all requests."""

    def __init__(self, requests: float | None, tokens: float | None, clock: Callable[[], float]) -> None:
        self.requests, self.tokens, self.clock = Spread(requests), Spread(tokens), clock
        self.held_until = 0.0

    def wait(self, tokens: float) -> float:
        """Seconds before a request of about so many tokens may go; its place is reserved."""
        now = self.clock()
        return max(self.requests.reserve(1, now), self.tokens.reserve(tokens, now), self.held_until - now)

    def correct(self, more_tokens: float) -> None:
        """A request took so many more tokens (or less) than it was let through with."""
        self.tokens.correct(more_tokens)

    def hold(self, seconds: float) -> None:
        """Let nothing go for a while."""
        self.held_until = max(self.held_until, self.clock() + seconds)


def backoff(failures: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: doubling, at most `LONGEST_WAIT`, of which the last half is
    drawn, so that requests which failed together do not come again together."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 30))
    return longest * (0.5 + 0.5 * draw())
