"""One dimension of the profile: how wrong, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_EVIDENCE = 5
_SHOWN = 80


@dataclass(frozen=True)
class Dimension:
    """error: from 0 (none) to 1, None where the dimension does not apply. evidence: sentences for a person."""

    error: float | None
    evidence: tuple[str, ...] = ()


NOT_APPLICABLE = Dimension(None)


def share(wrong: Sequence[str], checked: int) -> Dimension:
    """The dimension of `checked` places of which those in `wrong`, a sentence each, are errors."""
    if not checked:
        return NOT_APPLICABLE
    return Dimension(len(wrong) / checked, tuple(wrong[:MAX_EVIDENCE]))


def quote(text: str) -> str:
    """A place of the text as evidence quotes it: on one line, cut when long."""
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "...")
