"""API keys: read from the environment only, refused wherever else they are given, and taken out of all that is said."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mra_bench.errors import UsageError

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HIDDEN = "***"
SHORTEST = 8
"""Shorter values, such as the "none" that some servers take, are no secrets, and part of ordinary words."""
KNOWN = re.compile(
    r"(?:sk|pk|rk|gsk|csk|xai|hf|nvapi|fw|r8|pplx|tgp|ghp|glpat|key|token|apikey|api[-_]key)[-_][\w-]{12,}|AIza[\w-]{20,}|Bearer",
    re.IGNORECASE,
)
LONG = re.compile(r"[A-Za-z0-9]{24,}")
COMMIT = re.compile(r"(?:snapshots/|@)[0-9a-f]{40}\b")


def looks_like_key(text: str) -> bool:
    """Whether a word of `text` is one that services give as keys, or a long row of letters and digits. Commits in the
    paths of the hub's cache are none."""
    words = re.split(r"[^\w-]+", COMMIT.sub(" ", text))
    return any(KNOWN.fullmatch(word) or _long(word) for word in words)


def check_no_key(options: Mapping[str, Any]) -> None:
    """Raises ValueError that names the option which holds what looks like a key, but not the value."""
    for place, text in _texts(options):
        if looks_like_key(text):
            raise ValueError(
                f"{place} holds what looks like a key, which must stand in no recipe and no command: put it in an "
                "environment variable and name that in key_env"
            )


def read_key(name: str) -> str:
    """The key in the environment variable `name`; "" where no variable is named.

    Raises UsageError for a variable that is not set, and for a value that cannot be sent.
    """
    if not name:
        return ""
    value = os.environ.get(name, "").strip()
    if not value:
        raise UsageError(f"The environment variable {name}, which key_env names, is not set: put the key in it")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError(f"The environment variable {name} does not hold a key: it has spaces or signs that none has")
    return value


def hidden(text: str, key: str) -> str:
    """`text` with `key` taken out wherever it stands."""
    return text.replace(key, HIDDEN) if len(key) >= SHORTEST else text


def _long(word: str) -> bool:
    return any(
        any(sign.isdigit() for sign in part) and any(sign.isalpha() for sign in part) for part in LONG.findall(word)
    )


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested options with where it stands."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if place:
                yield f"a key of {place}", str(key)
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, place)
