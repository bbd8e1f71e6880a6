"""What a server has answered, read without trust: what is not as the interface says is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

FILTERED = "content_filter"
STOPS = ("stop", "eos", "eos_token", "end_turn", "stop_sequence")
LENGTHS = ("length", "max_tokens")
SHOWN = 200  # characters of what a server says that go into a message or a record


class Broken(Exception):
    """An answer that is none: what is wrong with it, as the rest of a sentence."""


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counts them; `hidden`: of those generated, the reasoning that is not in the text."""

    prompt: int
    generated: int
    hidden: int = 0


@dataclass(frozen=True)
class Reply:
    """One text. finish: the server's word, "" where it gives none. model, fingerprint: as the server reports them."""

    text: str
    finish: str
    usage: Usage | None
    model: str = ""
    fingerprint: str = ""


def read_reply(content: bytes, charset: str, chat: bool) -> Reply:
    """The text in the body of an answer; `charset`: what its headers declare. Raises Broken."""
    data = _json(content, charset)
    if not isinstance(data, Mapping):
        raise Broken(f"no JSON object but {_kind(data)}")
    if data.get("error"):
        raise Broken(f"an error under the status of success: {error_of(data)}")
    choice = _choice(data.get("choices"))
    finish = choice.get("finish_reason")
    return Reply(
        text=_text(choice, chat),
        finish=finish if isinstance(finish, str) else "" if finish is None else str(finish)[:SHOWN],
        usage=_usage(data.get("usage")),
        model=_name(data.get("model")),
        fingerprint=_name(data.get("system_fingerprint")),
    )


def listed(content: bytes) -> list[str]:
    """The ids in an answer to "which models"; none where it is not as the interface says."""
    try:
        rows = _json(content, "")["data"]
        return [name for row in rows if (name := _name(row["id"]))]
    except (Broken, KeyError, TypeError):
        return []


def error_of(data: Any) -> str:
    """The message in the body of an error, in one short line; "" where there is none."""
    found = data.get("error", data) if isinstance(data, Mapping) else data
    if isinstance(found, Mapping):
        found = next((found[key] for key in ("message", "detail", "error", "code") if found.get(key)), "")
    text = found if isinstance(found, str) else json.dumps(found)[:SHOWN] if found else ""
    return shown(text)


def shown(text: str) -> str:
    """What a server says, fit for a message: one line, printable, short."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 3]}..."


def whole(text: str) -> str:
    """`text` without lone surrogates, which no file in UTF-8 can hold: pairs become their character, others U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _json(content: bytes, charset: str) -> Any:
    try:
        text = _decoded(content, charset)
    except (UnicodeDecodeError, LookupError):
        raise Broken(f"no UTF-8{f' and no {shown(charset)}' if charset else ''}") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        start = shown(text[:40])
        raise Broken(f"no JSON; it begins with {start!r}" if start else "an empty body") from None


def _decoded(content: bytes, charset: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(charset or "utf-8")


def _choice(choices: Any) -> Mapping[str, Any]:
    if not isinstance(choices, list) or not choices:
        raise Broken("no choices")
    found = next((c for c in choices if isinstance(c, Mapping) and c.get("index", 0) == 0), choices[0])
    if not isinstance(found, Mapping):
        raise Broken(f"a choice that is {_kind(found)}")
    return found


def _text(choice: Mapping[str, Any], chat: bool) -> str:
    if chat:
        message = choice.get("message")
        if not isinstance(message, Mapping):
            raise Broken("a choice without a message")
        found = message.get("content")
        if isinstance(found, list):  # the text in parts, as some services give it
            parts = [part.get("text") for part in found if isinstance(part, Mapping)]
            found = "".join(part for part in parts if isinstance(part, str))
        if found is None:  # nothing but reasoning, or nothing at all
            found = ""
    else:
        found = choice.get("text")
    if not isinstance(found, str):
        raise Broken(f"a text that is {_kind(found)}")
    return whole(found)


def _usage(found: Any) -> Usage | None:
    """None where a count is missing or is none."""
    if not isinstance(found, Mapping):
        return None
    prompt, generated = found.get("prompt_tokens"), found.get("completion_tokens")
    details = found.get("completion_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, Mapping) else 0
    if not _is_count(prompt) or not _is_count(generated):
        return None
    return Usage(prompt, generated, hidden if _is_count(hidden) and hidden <= generated else 0)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _name(value: Any) -> str:
    return shown(whole(value)) if isinstance(value, str) else ""


def _kind(value: Any) -> str:
    return "null" if value is None else f"of the kind {type(value).__name__}"
