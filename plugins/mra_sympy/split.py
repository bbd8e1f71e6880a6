"""Cutting an answer at its outermost commas, joining words and relation signs, brackets respected."""

from __future__ import annotations

import re

_OPEN = frozenset({*"([{", "\\langle"})
_CLOSE = frozenset({*")]}", "\\rangle"})
_STEP = re.compile(r"\\[{}]|\\[a-zA-Z]+|\\.|.", re.DOTALL)
_JOINING_TEXT = re.compile(r"\\text\s*\{[\s,;.]*(and|or)[\s,;.]*\}")
_JOIN = re.compile(r",?\s*(?<![a-zA-Z\\])(and|or)(?![a-zA-Z])\s*,?|\\(wedge|land|vee|lor)(?![a-zA-Z])|∧|∨")
_WORD_OF = {"wedge": "and", "land": "and", "vee": "or", "lor": "or", "∧": "and", "∨": "or"}
_SIGNS = ("=", "<", ">", "\\le", "\\ge", "\\ne", "\\in", "\\notin", "\\approx")
_MARK = {"and": "\x01", "or": "\x02"}
_MEANING = {",": ",", ";": ";", "\x01": "and", "\x02": "or"}


def steps(text: str) -> list[tuple[int, str, int]]:
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
    for _, token, _ in steps(text):
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
    for position, token, depth in steps(text)[1:]:
        if depth <= 0 and token in (")", "]", "}", "\\}", "\\rangle"):
            return position
    return -1


def split_list(text: str, words: bool = True) -> list[str]:
    """Parts between commas, semicolons and, with `words`, "and"/"or", all outside brackets."""
    return split_joined(text, words)[0]


def split_joined(text: str, words: bool = True) -> tuple[list[str], list[str]]:
    """The parts as `split_list` gives them, and what joins them: ",", ";", "and" or "or"."""
    if words:
        text = _JOINING_TEXT.sub(r" \1 ", text)
        text = _JOIN.sub(lambda m: _MARK[m[1] or _WORD_OF[m[2] or m.group()]], text)
    if not any(mark in text for mark in _MEANING):
        return [text.strip()], []
    parts, joins, start = [], [], 0
    for position, token, depth in steps(text):
        if depth == 0 and token in _MEANING:
            parts.append(text[start:position].strip())
            joins.append(_MEANING[token])
            start = position + 1
    parts.append(text[start:].strip())
    parts = [part.replace("\x01", " and ").replace("\x02", " or ") for part in parts]
    return ([part for part in parts if part] if words else parts), joins


def split_relation(text: str) -> list[str]:
    """[side, sign, side, ...] at the signs outside brackets; [text] when there is none."""
    return split_at(text, _SIGNS)


def split_at(text: str, signs: tuple[str, ...]) -> list[str]:
    """[part, sign, part, ...] at those of `signs` that stand outside brackets; [text] when there is none."""
    parts, start = [], 0
    for position, token, depth in steps(text):
        if depth == 0 and token in signs:
            parts += [text[start:position].strip(), token]
            start = position + len(token)
    return [*parts, text[start:].strip()]
