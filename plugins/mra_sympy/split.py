"""Cutting an answer at its outermost commas and relation signs, brackets respected."""

from __future__ import annotations

import re

_OPEN = {"(": 1, "[": 1, "{": 1}
_CLOSE = {")": 1, "]": 1, "}": 1}
_STEP = re.compile(r"\\[{}]|\\[a-zA-Z]+|\\.|.", re.DOTALL)
_AND = re.compile(r"(?:\\text\s*\{[\s,;.]*(?:and|or)[\s,;.]*\}|(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z]))")
_JOINING_TEXT = re.compile(r"\\text\s*\{[^{}]*\b(?:and|or)\b[^{}]*\}")
_SIGNS = ("=", "<", ">", "\\le", "\\ge", "\\ne", "\\in", "\\approx")
RELATION = {"\\cup": re.compile(r"\\cup(?![a-zA-Z])")}


def _steps(text: str) -> list[tuple[int, str, int]]:
    """(position, token, depth before it) for every token; ``\\{`` and ``\\}`` are brackets like any other."""
    found, depth = [], 0
    for match in _STEP.finditer(text):
        token = match.group()
        bare = token[1:] if token in ("\\{", "\\}") else token
        depth -= bare in _CLOSE
        found.append((match.start(), token, depth))
        depth += bare in _OPEN
    return found


def closers_match(text: str) -> bool:
    """Are all brackets closed? ``[0,1)`` is; ``{`` must meet ``}``, ``\\{`` must meet ``\\}``."""
    stack: list[str] = []
    for _, token, _ in _steps(text):
        if token in ("(", "[", "{", "\\{"):
            stack.append(token)
        elif token in (")", "]", "}", "\\}"):
            if not stack:
                return False
            opened = stack.pop()
            if (opened in "([") != (token in ")]") or (opened == "{") != (token == "}"):
                return False
    return not stack


def matching(text: str) -> int:
    """Position of the bracket that closes the one `text` starts with, or -1."""
    for position, _token, depth in _steps(text)[1:]:
        if depth <= 0 and _token in (")", "]", "}", "\\}"):
            return position
    return -1


def split_list(text: str, words: bool = True) -> list[str]:
    """Parts between commas, semicolons and, with `words`, "and"/"or", all outside brackets."""
    if words:
        text = _AND.sub(" , ", _JOINING_TEXT.sub(" , ", text))
    if "," not in text and ";" not in text:
        return [text.strip()]
    parts, start = [], 0
    for position, token, depth in _steps(text):
        if depth == 0 and token in (",", ";"):
            parts.append(text[start:position].strip())
            start = position + 1
    parts.append(text[start:].strip())
    filled = [part for part in parts if part]
    return filled if words else parts


def split_relation(text: str) -> list[str]:
    """[side, sign, side, ...] at the signs outside brackets; [text] when there is none."""
    parts, start = [], 0
    for position, token, depth in _steps(text):
        if depth == 0 and token in _SIGNS:
            parts += [text[start:position].strip(), token]
            start = position + len(token)
    return [*parts, text[start:].strip()]
