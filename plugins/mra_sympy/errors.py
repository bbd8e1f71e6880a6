"""Why an answer could not be read or compared."""

from __future__ import annotations


class Unreadable(Exception):
    """The text is not an answer this checker can read; the message says why."""


class TooCostly(Unreadable):
    """Readable, but its value is too large or too deep to work out."""
