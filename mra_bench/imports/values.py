"""Values of other tools' rows: found by a path, and read as text, gold answer or verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.dataset_rows import last_boxed
from mra_bench.errors import UsageError
from mra_bench.samples import RIGHT, WRONG

MISSING: Any = object()
SHOWN = 60  # characters of a value in a message
_RIGHT = (*RIGHT, "c")  # inspect writes C, I, P (partly) and N (no answer)
_WRONG = (*WRONG, "i", "n")
_UNSAID = ("", "none", "null", "nan", "p", "unscored")


def at(row: Any, path: str) -> Any:
    """What stands at `path` in nested mappings and lists, such as ``output.choices.0.message.content``; MISSING where
    nothing does. A column whose own name holds dots comes first."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    for part in path.split("."):
        if isinstance(row, Mapping) and part in row:
            row = row[part]
        elif isinstance(row, list) and part.isdigit() and int(part) < len(row):
            row = row[int(part)]
        else:
            return MISSING
    return row


def text_of(value: Any, what: str, where: str) -> str:
    """A text, a number, or the content of chat messages (of several the last one that a user or the model wrote).
    Raises UsageError naming `where` for anything else, and for text that UTF-8 cannot hold."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{where}: the {what} holds half a surrogate pair, which is no text") from None
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(int(value) if isinstance(value, float) and value.is_integer() else value)
    if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        if all("role" in part for part in value):
            return text_of(_last_said(value).get("content", ""), what, where)
        parts = [part.get("text") for part in value if part.get("type") == "text"]
        return "\n".join(text_of(part, what, where) for part in parts)
    raise UsageError(f"{where}: the {what} must be text, a number or chat messages, got {_said(value)}")


def whole_text(value: Any, what: str, where: str) -> str:
    """As `text_of`, but of chat messages all of them, one after the other."""
    if isinstance(value, list) and value and all(isinstance(part, Mapping) and "role" in part for part in value):
        return "\n\n".join(text_of(part.get("content", ""), what, where) for part in value)
    return text_of(value, what, where)


def gold_of(value: Any, where: str) -> str | None:
    """The gold answer: of a worked solution what stands behind its last ``####`` or in its last box, of a list all of
    it with commas between; None where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list) and value and not isinstance(value[0], Mapping):
        return ", ".join(filter(None, (gold_of(item, where) for item in value))) or None
    text = text_of(value, "gold answer", where)
    _, marker, behind = text.rpartition("####")
    found = behind if marker else last_boxed(text) or text
    return found.strip() or None


def verdict_of(value: Any, where: str) -> bool | None:
    """Whether a text is right by another tool's score: 1, 0, true, false, "C", "I", "correct", ...; None where it says
    nothing or something between. Raises UsageError for what is no verdict."""
    if value is None or value is MISSING or isinstance(value, bool):
        return value if isinstance(value, bool) else None
    if isinstance(value, int | float):
        return {1.0: True, 0.0: False}.get(float(value))
    word = str(value).strip().lower().removesuffix(".0") if isinstance(value, str) else None
    if word in _RIGHT or word in _WRONG:
        return word in _RIGHT
    if word in _UNSAID:
        return None
    raise UsageError(f"{where}: the verdict must be 1 or 0, true or false, right or wrong; got {_said(value)}")


def same_gold(one: str, other: str) -> bool:
    """Whether two gold answers are the same but for spaces, dollar signs, commas between digits and a final ``.0``."""
    return _plain(one) == _plain(other)


def is_cut(one: str, other: str) -> bool:
    """Whether one of two different golds is a piece from the start or the end of the other."""
    short, long = sorted((_plain(one), _plain(other)), key=len)
    return bool(short) and short != long and (long.startswith(short) or long.endswith(short))


def _plain(gold: str) -> str:
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", re.sub(r"[\s$]", "", gold)).removesuffix(".")
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def _last_said(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((one for one in reversed(messages) if one.get("role") in ("user", "assistant")), messages[-1])


def _said(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text[:SHOWN]}{'...' if len(text) > SHOWN else ''}"
