"""The answer in a text's boxes: the last complete one, those joined to it, and what is written onto it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mra_sympy import box_formula, phrases

_TOKEN = re.compile(r"\\{1,2}(?:begin)?(?:boxed|fbox)\s*\{|\\[\\{}]|[{}]")
_BARE = re.compile(r"\\boxed\s+([^\s${}\\]+)")
_SPACING = re.compile(r"\\(?:quad|qquad|[,;: ()\[\]])|[\s$*]+")
_JOIN = re.compile(r"[,;、，；]*(?:\\text\{[^{}]*(?:and|or)[^{}]*\}|and|or|[,;、，；和与或])[,;、，；]*")
# A label in front of the value: "\text{Answer: }8", "\text{The answer is } 3".
_LABEL = re.compile(
    r"\s*\\(?:text|mathrm|textbf)\s*\{\s*(?:[^{}]{0,40}[:：]|[^{}]{0,30}\b[Aa]nswer(?:\s+is)?)\s*\}[ ~]*(?=\S)"
    r"|\s*(?:(?:[Ff]inal\s+)?[Aa]nswer|[Tt]otal)\s*[:：]\s*"
)
_MINUS_BEFORE = re.compile(r"(?:^|[=$(\[{:\n]|\\\(|\\\[|\bis)[ \t]*([-−–])\s*$")
_FACTOR_BEFORE = re.compile(r"(?:^|[=$(\s])((?:\d+|\\(?:pi|sqrt\{[^{}]{1,20}\})))$")
_AFTER = re.compile(
    r"(?:[ ]?\\?%|\s?\^\s*(?:\{[^{}]{1,30}\}|\\circ|\w)|\s*\\(?:pi|sqrt\{[^{}]{1,20}\}"
    r"|times\s*10\^\{?[-\d]+\}?)(?![a-zA-Z])"
    r"|!(?=[$\\])|\s*/\s*\d+|[a-z](?![a-zA-Z]))+"
)
_ATOM = re.compile(r"[\w.,]+|\\[a-z]+\{[^{}]*\}(?:\{[^{}]*\})?|\\[a-z]+")
_SPACE = re.compile(r"(?:\s|\\[,; !]|\$(?=\s?[A-Za-z\\]))*")


@dataclass(frozen=True)
class Box:
    """A closed box: text[start:end] with its command, text[inside:close] without."""

    start: int
    inside: int
    close: int
    end: int


@dataclass(frozen=True)
class Boxed:
    """The answer in boxes: its text, where it stands, and how many different answers are boxed."""

    answer: str
    span: tuple[int, int]
    different: int = 1


def boxed(text: str, start: int, end: int) -> Boxed | None:
    """The last complete box, with those joined to it by commas, "and" or "or", and a sign, factor or unit on it."""
    found = _boxes(text, start, end)
    if not found:
        bare = list(_BARE.finditer(text, start, end))
        return Boxed(bare[-1][1].rstrip(".,;"), _rtrim(text, bare[-1].span(1))) if bare else None
    while found and phrases.is_denied(text, _shell(text, found[-1])[0], _shell(text, found[-1])[1]):
        found.pop()
    if not found:
        return None
    first = last = len(found) - 1
    while first and _joined(text[found[first - 1].end : found[first].start]):
        first -= 1
    if first < last:
        answer = " , ".join(text[box.inside : box.close].strip() for box in found[first:])
        return Boxed(answer, (found[first].start, found[last].end))
    different = len({"".join(text[box.inside : box.close].split()) for box in found})
    box = found[last]
    if formula := box_formula.around(text, box.start, box.end, start, end):
        return Boxed(*formula, different)
    answer, span = _whole(text, box, start, end)
    return Boxed(answer, span, different)


def _shell(text: str, box: Box) -> tuple[int, int]:
    """The box with the formula marks right around it."""
    start, end = box.start, box.end
    while start and text[start - 1] in "$ ":
        start -= 1
    return start + (text[start : start + 1] == " "), end + (text[end : end + 1] == "$")


def _rtrim(text: str, span: tuple[int, int]) -> tuple[int, int]:
    return span[0], span[0] + len(text[slice(*span)].rstrip(".,;"))


def _whole(text: str, box: Box, start: int, end: int) -> tuple[str, tuple[int, int]]:
    """The box's content without a label, with what is glued to the box outside: a sign, a factor, a unit."""
    from mra_sympy.text_units import UNIT

    begin, stop = box.start, box.end
    before = text[max(start, begin - 60) : begin]
    bullet = re.search(r"(?:^|\n)[ \t]*[-–*+][ \t]+[$\\(\[ ]*$", before)
    if not bullet and (found := _MINUS_BEFORE.search(before) or _FACTOR_BEFORE.search(before)):
        begin -= len(before) - found.start(1)
    if after := _AFTER.match(text, stop, end):
        stop = after.end()
    gap = _SPACE.match(text, stop, end)
    if gap and (unit := UNIT.match(text, gap.end(), end)):
        stop = unit.end()
    inside = text[box.inside : box.close].strip()
    if (begin, stop) != (box.start, box.end):
        if begin != box.start or after:
            inside = inside if _ATOM.fullmatch(inside) else f"({inside})"
        return f"{text[begin : box.start]}{inside}{text[box.end : stop].replace('$', '')}", (begin, stop)
    label = _LABEL.match(text, box.inside, box.close)
    begin, stop = (label.end() if label else box.inside), box.close
    while begin < stop and text[begin].isspace():
        begin += 1
    while begin < stop and text[stop - 1].isspace():
        stop -= 1
    return text[begin:stop], (begin, stop)


def _joined(between: str) -> bool:
    return len(between) <= 60 and _JOIN.fullmatch(_SPACING.sub("", between)) is not None


def _boxes(text: str, start: int, end: int) -> list[Box]:
    """Every closed outermost non-empty box; one pass over the text."""
    stack: list[tuple[int, int] | None] = []
    found: list[Box] = []
    for token in _TOKEN.finditer(text, start, end):
        mark = token.group()
        if mark[-1] == "{" and len(mark) > 2:
            stack.append(token.span())
        elif mark == "{":
            stack.append(None)
        elif mark == "}" and stack:
            opened = stack.pop()
            if opened and text[opened[1] : token.start()].strip():
                while found and found[-1].start > opened[0]:
                    found.pop()
                found.append(Box(*opened, token.start(), token.end()))
    return found
