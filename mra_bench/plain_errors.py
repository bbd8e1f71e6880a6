"""What is wrong with a value, in plain words: what pydantic found, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WORDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "bool": "must be true or false",
    "string": "must be text",
    "list": "must be a list",
    "tuple": "must be a list",
    "dict": "must hold keys with values",
    "model": "must hold keys with values",
    "dataclass": "must hold keys with values",
    "none": "must be null",
}
WHOLE = {
    "finite_number": "must be a finite number",
    "literal_error": "must be {expected}",
    "too_short": "must hold {min_length} or more",
    "too_long": "must hold {max_length} or fewer",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def in_words(error: Mapping[str, Any]) -> str:
    """One of pydantic's ``errors()``, e.g. ``must be a whole number (got 'abc')``; what it does not know of in
    pydantic's own words."""
    kind, given = str(error["type"]), error["input"]
    if kind in WHOLE:
        context = {key: f"{v:g}" if isinstance(v, float) else str(v) for key, v in error.get("ctx", {}).items()}
        said = WHOLE[kind].format_map(context)
    else:
        said = WORDS.get(kind.partition("_")[0], str(error["msg"]))
    return said + _got(given) + _instead(kind, given)


def place(location: Sequence[object]) -> str:
    """Where it is, e.g. ``graders.0.name``, without the kind of value that pydantic tried there (``tuple[str]``)."""
    return ".".join(str(part) for part in location if not str(part).endswith("]"))


def _got(given: Any) -> str:
    if isinstance(given, list):
        return " (got a list)" if given else " (got an empty list)"
    return "" if isinstance(given, dict) else f" (got {given!r:.80})"


def _instead(kind: str, given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return ""
    if kind == "list_type":
        return f"; write [{given}]"
    return f'; write "{given}", with the quotes' if kind == "string_type" else ""
