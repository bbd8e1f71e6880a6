"""Phrases that announce the answer: "the final answer is", "Answer:", 答案; neither negated nor reported ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mra_sympy import denials

MAX_TRIES = 20

_END = r"\s{0,9}(?:\*\*)?\s{0,9}"
_LINE_LABEL = re.compile(r"A(?<![^\n \t*]A)[ \t]*:[ \t]*")  # counts only where it opens a line: see _opens_line
# Weaker and weaker; a pattern is tried only where one of its needles is in the text (in lower case).
_PHRASES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        ("final", "最终答案", "故选", "【答案】", "故答案", "<answer>"),
        re.compile(
            rf"final\s{{1,9}}(?:answer|result){_END}(?:is|[:=：]|\n)\s{{0,9}}(?:\*\*)?[:：\s]*(?!the final answer)"
            r"|最终答案\**\s{0,9}(?:是|为|[:：])*\s{0,9}|(?:故|应)选(?:择|项)?\s{0,9}[:：]?\s{0,9}|【答案】\s{0,9}|故答案(?:是|为)?\s{0,9}[:：]?\s{0,9}|<answer>\s{0,9}",
            re.I,
        ),
    ),
    (
        ("answer", "option", "choice", "答案", "réponse", "solution"),
        re.compile(
            rf"\banswer{_END}is\s{{0,9}}(?:\*\*)?\s{{0,9}}:?\s{{0,9}}(?!not\b)|\b(?:correct|right|best)\s{{1,9}}(?:answer|option|choice|statement)s?"
            rf"(?:\s{{1,9}}\w+){{0,3}}?{_END}(?:is|are|:)\s{{0,9}}:?\s{{0,9}}|\banswer\s{{1,9}}choice{_END}(?:is|:)\s{{0,9}}"
            r"|(?:最终)?答案\**\s{0,9}(?:是|为|应为|[:：]|应?选)\s{0,9}[:：]?\s{0,9}|réponse\s{1,9}est\s{0,9}:?\s{0,9}|réponse\s{0,9}:\s{0,9}",
            re.I,
        ),
    ),
    (
        ("answer",),
        re.compile(
            rf"\banswer{_END}(?:[:=：]\s{{0,9}}(?:\*\*)?|(?=\\\[|\\\(|\$)|\s-\s(?=\S))\s{{0,9}}"
            rf"|^[ \t>*#]*answer[ \t*]*\n+\s{{0,9}}",
            re.I | re.M,
        ),
    ),
    (("a:", "a :", "a\t"), _LINE_LABEL),
)
# Said by somebody else, asked, or supposed: not the text's own answer.
_REPORTED = re.compile(
    r"\b(?:says|said|claims?|claimed|thinks|thought|believes|guess(?:es|ed)|suggests|argues|told|tells"
    r"|according to|if the|"
    r"suppose|assume|whether|might|would be tempted)\b",
    re.I,
)
_OWNED = re.compile(
    r"\b(?!it['’]s|let['’]s|here['’]s|that['’]s|what['’]s|today['’]s)[a-z]{2,}['’]s\s{1,9}(?:final\s{1,9})?$", re.I
)
_OWNED_ANSWER = re.compile(
    r"\b(?!it['’]s|let['’]s|here['’]s|that['’]s|what['’]s|today['’]s)[a-z]{2,}['’]s\s{1,9}(?:final\s{1,9})?answer\b",
    re.I,
)
_DENIED = re.compile(
    r"\s{0,9}(?:\*\*)?(?:(?:definitely|certainly|clearly|simply|just|probably|obviously|of course|also)\s{1,9})*"
    r"(?:not\b(?!\s{1,9}(?:defined|enough|possible|an?\b|even|odd|equal|contin|differ|converg|linear|real))|never\b|n['’]t\b|neither\b)",
    re.I,
)
_FALSE_BEHIND = re.compile(
    r"\s{0,9}(?:\*\*|\$)?\s{0,9}(?:is|are|was|would be)\s{0,9}(?:n['’]t|not|never)?\s{0,9}(?:the\s{1,9})?"
    r"(?:incorrect|wrong|false|invalid|impossible|not\b|excluded|ruled out)"
    r"|\s{0,9}(?:错误|不正确|不对|不符合|不合|不成立|排除|舍去)",
    re.I,
)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor)|n['’]t|不是|不等于)\s{0,9}(?:be|equal(?:\s{1,9}to)?|the|a|是)?\s{0,9}[$*]*$",
    re.I,
)
_NOT_BEHIND = re.compile(
    r"\s{0,9}\$?\**\s{0,9}(?:(?:is|are|was)(?:\s{1,9}(?:not|never)|n['’]t)|cannot be|can['’]t be)\s{1,9}(?:the"
    r"|our|a|an|correct"
    r"|right|possible)\b"
    r"|\s{0,9}\$?\**\s{0,9}(?:is|are|was)\s{1,9}(?:wrong|incorrect|impossible|ruled out|excluded|extraneous)\b",
    re.I,
)
COMPARED = re.compile(
    r"\s{0,9}(?:(?:greater|less|more|fewer|larger|smaller|bigger|higher|lower|other|different)\s{1,9}(?:than|from)\b"
    r"|at (?:least|most)\b|(?:below|above|under|over|beyond)\s+\d|no\s+\d|"
    r"between\b|twice\b|double\b|half of\b)",
    re.I,
)
COMPARED_BEHIND = re.compile(
    r"\s{0,9}(?:\w+\s{1,9})?(?:more|less|fewer|greater|larger|smaller|higher|lower)\s{1,9}than\b", re.I
)


_COMPARED_BEFORE = re.compile(
    r"(?:(?:greater|less|more|fewer|larger|smaller|bigger|higher|lower)\s{1,9}than|at (?:least|most)"
    r"|\b(?:below|above|beyond|exceeds?|exceeding|is (?:under|over)))\s{0,9}[$*]*$",
    re.I,
)


def cues(text: str, start: int, end: int) -> Iterator[int]:
    """Where an announced answer begins: strong phrases before weak ones, of equal ones the last first."""
    lowered = text[start:end].lower()
    for needles, pattern in _PHRASES:
        for needle in needles:  # any() with a generator takes three times as long, and every text comes by here
            if needle in lowered:
                break
        else:
            continue
        for match in reversed(list(pattern.finditer(text, start, end))[-MAX_TRIES:]):
            if pattern is _LINE_LABEL and not _opens_line(text, start, match.start()):
                continue
            if not (_DENIED.match(text, match.end(), end) or _is_reported(text, start, match.start())):
                yield match.end()


def _opens_line(text: str, start: int, at: int) -> bool:
    return not text[max(start, text.rfind("\n", start, at) + 1, at - 200) : at].strip(" \t*")


def _is_reported(text: str, start: int, at: int) -> bool:
    """Does the sentence up to `at` put what follows into somebody else's mouth?"""
    if denials.is_unclaimed(text, start, at):
        return True
    begin = max(start, at - 200)
    for mark in ("\n", ". ", "。", "! ", "? "):
        begin = max(begin, text.rfind(mark, begin, at) + 1)
    return _REPORTED.search(text, begin, at) is not None or _OWNED.search(text, begin, at) is not None


def is_reported(text: str, start: int, end: int) -> bool:
    """Is the sentence text[start:end] somebody else's?"""
    return _REPORTED.search(text, start, end) is not None or _OWNED_ANSWER.search(text, start, end) is not None


def is_denied(text: str, start: int, end: int) -> bool:
    """Is the value at text[start:end] said not to be the answer?"""
    before, behind = text[max(0, start - 40) : start], text[end : end + 40]
    if _DENIED_BEFORE.search(before) or _NOT_BEHIND.match(behind) or _FALSE_BEHIND.match(behind):
        return True
    return denials.is_rejected(text, end) or denials.is_unclaimed(text, 0, start)


def is_compared(text: str, start: int, end: int) -> bool:
    """Is the value only a bound or a difference: "greater than 12", "8 more than 20"?"""
    before = text[max(0, start - 30) : start]
    return bool(_COMPARED_BEFORE.search(before) or COMPARED_BEHIND.match(text[end : end + 40]))
