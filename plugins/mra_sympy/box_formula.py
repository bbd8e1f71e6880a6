"""Boxes inside a formula: with an operator at or around the box, the formula without its frames is the answer."""

from __future__ import annotations

import re

_NEAR = 80
_WIDE = 300
_FRAME = re.compile(r"\\{1,2}(?:begin)?(?:boxed|fbox)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
# The argument of a command or an exponent in which the box stands.
_ARGUMENT = re.compile(
    r"(?:\\[dtc]?(?:frac|binom)\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}\s*)?|\\sqrt\s*(?:\[[^\[\]]*\]\s*)?|[\^_]\s*)\{\s*$"
)
_OPERATOR_BEFORE = re.compile(
    r"(?:\d|(?<![A-Za-z\\])[A-Za-z]|[)}!])\s*(?:[-+−/]|(?<!\*)\*(?!\*)|\\(?:cdot|times|div|pm)\s*)\s*$"
)
_FRACTION_BEFORE = re.compile(r"\\[dt]?frac\s*(?:\d\s*\d|\{[^{}]*\}\s*\{[^{}]*\})\s*$|(?:^|[=$(\s])\d+\.$|\^\s*$")
_NEGATED_NAME = re.compile(r"(?:^|[\n$(\[])\s*[-−–]\s*[A-Za-z]\s*=\s*\$?\s*$")
_SCALED = r"\\(?:pi(?![a-zA-Z])|sqrt\{[^{}]{1,20}\}|times\s*10\^\{?[-\d]+\}?)"  # read with the box as it stands
_OPERATOR_BEHIND = re.compile(
    r"\s*(?:[+*/](?!\*)\s*(?=[\d\\(A-Za-z])|[-−]\s*(?=[\d\\(]|[A-Za-z]\b)"
    rf"|(?!{_SCALED}\s*(?:$|[^+\-*/\\\s\d]))\\(?:cdot|times|div|sqrt|ln|log|frac|dfrac|tfrac|sin|cos|tan|pm)(?![a-zA-Z]))"
    r"|(?:,|\{,\})\d{3}(?!\d)"
)
_FACTORIAL = re.compile(r"!(?=\s*(?:ways|permutations|arrangements|orders)\b)")
_SYMBOL = re.compile(r"\s*[a-zA-Z]\s*(?=\$|\\\)|\\\])")
_OR = re.compile(
    r"\$?\s*(?:\\text\s*\{\s*or\s*\}|\bor\b)\s*\$?\s*(-?\d[\d,]*(?:\.\d+)?(?:/\d+)?)(?![\d%]|\.\d|\s?\\?%)\$?"
)
_UNITS = frozenset("m g s h L l J N W V A K C F T")
_OPENERS = re.compile(r"\$\$|(?<!\\)\$|\\\[|\\\(|\\\\|\n|\\begin\{[a-z]+\*?\}")
_CLOSERS = re.compile(r"\$\$|(?<!\\)\$|\\\]|\\\)|\\\\|\n|\\end\{|[.,;]?\s*$|[.,;](?=\s)")


def around(text: str, begin: int, stop: int, start: int, end: int) -> tuple[str, tuple[int, int]] | None:
    """The formula around the box text[begin:stop] and its span, or None where the box stands for itself."""
    before = text[max(start, begin - _NEAR) : begin]
    behind = text[stop : min(end, stop + _NEAR)]
    if other := _OR.match(behind):
        return _with_other(text, begin, stop, other)
    opened, left, closed = _formula(text, begin, stop, start, end)
    if "=" in text[stop:closed] or not _is_part(before, behind, text[left:begin], opened):
        return None
    inside = _FRAME.sub(_unframed, text[left:closed])
    if not _NEGATED_NAME.search(before):
        inside = inside[_last_equals(inside) :]
    inside = inside.replace("&", "").strip(" $.,;")
    return (inside, (begin, stop)) if inside else None


def _is_part(before: str, behind: str, formula: str, opened: bool) -> bool:
    """Is the box a part of a formula? A dash between words and a box is no minus."""
    if _ARGUMENT.search(before) or _NEGATED_NAME.search(before):
        return True
    if _FRACTION_BEFORE.search(before) and (opened or "=" in formula):
        return True
    if _OPERATOR_BEFORE.search(before) and (opened or "=" in formula):
        return True
    symbol = _SYMBOL.match(behind) if opened else None
    if symbol and symbol.group()[0].isspace() and symbol.group().strip() not in _UNITS:
        return True
    return _OPERATOR_BEHIND.match(behind) is not None or _FACTORIAL.match(behind) is not None


def _formula(text: str, begin: int, stop: int, start: int, end: int) -> tuple[bool, int, int]:
    """Is the box between formula marks, and where does the formula around it begin and end?"""
    low = max(start, begin - _WIDE)
    marks = list(_OPENERS.finditer(text, low, begin))
    left = marks[-1].end() if marks else low
    opened = bool(marks) and marks[-1].group() != "\n" and not marks[-1].group().startswith("\\\\")
    if marks and marks[-1].group() in ("$", "$$"):
        line = text.rfind("\n\n", start, begin) + 1
        opened = len(re.findall(r"(?<!\\)\$\$?", text[max(start, line) : begin])) % 2 == 1
    closer = _CLOSERS.search(text, stop, min(end, stop + _WIDE))
    closed = closer.start() if closer else min(end, stop + _WIDE)
    if glued := re.match(r"(?:(?:,|\{,\})\d{3})+!?|!", text[stop : stop + 40]):
        closed = max(closed, stop + glued.end())
    return opened, left, closed


def _unframed(frame: re.Match[str]) -> str:
    inside = frame[1].strip()
    return inside if re.fullmatch(r"[\w.,]+|\\[a-z]+\{[^{}]*\}(?:\{[^{}]*\})?", inside) else f"({inside})"


def _last_equals(formula: str) -> int:
    """Behind the last "=" outside braces."""
    depth, place = 0, 0
    for k, mark in enumerate(formula):
        depth += (mark == "{") - (mark == "}")
        if mark == "=" and depth == 0:
            place = k + 1
    return place


def _with_other(text: str, begin: int, stop: int, other: re.Match[str]) -> tuple[str, tuple[int, int]] | None:
    """The box and a value behind "or", unless both are the same number."""
    from mra_sympy.quantities import quick

    inside = _FRAME.sub(lambda frame: frame[1].strip(), text[begin:stop])
    one, two = quick(inside), quick(other[1])
    if one is None or two is None or one == two:
        return None
    return f"{inside} , {other[1]}", (begin, stop + other.end())
