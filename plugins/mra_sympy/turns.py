"""Which part of a text is the model's answer: behind its thoughts, and before a next question of its own making."""

from __future__ import annotations

import re

MAX_TEXT = 200_000

_THINK_OPEN, _THINK = "<think>", "</think>"
_NAMED = (
    r"Question|Q|Problem|Exercise|Human|User|Instruction|问题|题目|习题|例题?"
    r"|(?:Example|Task|Follow-up Question|New Question|Next Question)(?=[ \t]*\d)"
)
# Marks that no solution holds of itself: what stands behind them is another turn once there was anything to answer.
_TURN_MARK = re.compile(r"<\|[a-z_]{2,20}\|>|</s>|<(?:start|end)_of_turn>|\[/?INST\]")
_TURN_LINE = re.compile(
    rf"[ \t>*#]*(?:{_NAMED})[ \t]*\d{{0,4}}[ \t*]*[:.：]|#{{1,4}} ?(?:Instruction|Question|Problem|Input|Human|User)\b"
)
# Marks that count only behind a stated answer: a solution may well ask itself a question on the way.
_NEXT = re.compile(
    r"^[ \t>*#]*(?:(?:Problem|Question|Exercise|Example)[ \t]+\d{1,4}[ \t*]*$"
    r"|(?:Now|Next|Okay|OK)?,?[ \t]*(?:let'?s |let us )?(?:try|consider|solve|do|look at|here is|here's)[ \t]+"
    r"(?:this|another|a|the|one)[ \t]+(?:\w+[ \t]+)?(?:one|problem|question|example|exercise)\b"
    r"|(?:Here is|Here's|Now)[ \t]+another\b|Next (?:question|problem)\b|Another (?:question|problem|example)\b"
    r"|(?:下一题|接下来|再来一题|另一道题))",
    re.MULTILINE | re.IGNORECASE,
)
_NEXT_WORDS = (
    "problem",
    "question",
    "exercise",
    "example",
    "another",
    " one",
    "下一题",
    "接下来",
    "再来一题",
    "另一道题",
)
_ASKED = re.compile(
    r"\n[ \t]*\n[ \t]*(?:What|How|Which|Who|When|Where|If|Find|Is|Are|Can|Does|Do)\b[^\n]{0,400}\?[ \t*]*(?=\n|\Z)"
)
_SIGN_OF_ANSWER = re.compile(r"\d|\\boxed|[Aa]nswer|答案|选\s*[A-J]|\b[A-J]\b")
_STATED = re.compile(
    r"\\boxed|####[ \t]*\S|\b[Aa]nswer(?:\s{1,9}is|\s{0,9}\*{0,2}\s{0,9}[:：])|答案|故选|^[ \t*]*A[ \t]*:"
    r"|\A\s*[$\\(]*[-\d][-\d.,/ ]{0,30}[$\\)]*[ \t]*$",
    re.MULTILINE,
)
HASH = re.compile(r"####[ \t]*([^\n]*)")
_HEADING = re.compile(r"\d+[.)]\s+\S|(?:step|part|case|final answer|answer|solution|conclusion|explanation)\b", re.I)


def region(text: str, thoughts: bool = False) -> tuple[int, int]:
    """Where to look: behind the last closed thought; of a text too long to search, its end. A thought that is never
    closed holds no answer unless `thoughts`: the model had not finished. One followed by nothing is searched."""
    closed = text.rfind(_THINK)
    opened = text.rfind(_THINK_OPEN)
    low = max(0, len(text) - MAX_TEXT)
    if opened > closed and not thoughts:
        begin = closed + len(_THINK) if closed >= 0 else 0
        return min(max(low, begin), opened), opened
    begin = max(low, closed + len(_THINK) if closed >= 0 else 0)
    return (begin, len(text)) if text[begin:].strip() else (low, len(text))


def cut(text: str, start: int, end: int) -> tuple[int, bool]:
    """Where a new turn or question begins behind something that holds an answer, and whether one does."""
    ends = []
    if sign := _SIGN_OF_ANSWER.search(text, start, end):
        ends += _turn(text, sign.start(), end)
    if _may_ask(text[start:end]) and (stated := _STATED.search(text, start, end)):
        ends += [found.start() for mark in (_NEXT, _ASKED) if (found := mark.search(text, stated.end(), end))]
    if (second := _second_hash(text, start, end)) is not None:
        ends.append(second)
    return (min(ends), True) if ends else (end, False)


def _turn(text: str, start: int, end: int) -> list[int]:
    """Where another turn begins: at a mark, or at a line that names a speaker. Lines are looked at one by one, since a
    pattern that begins with ^ is tried at every character."""
    found = [mark.start()] if (mark := _TURN_MARK.search(text, start, end)) else []
    line = start if not start or text[start - 1] == "\n" else text.find("\n", start, end) + 1 or end + 1
    while line <= end:
        if _TURN_LINE.match(text, line, end):
            return [*found, line]
        line = text.find("\n", line, end) + 1 or end + 1
    return found


def _may_ask(part: str) -> bool:
    """Could _NEXT or _ASKED match? Cheaper than the patterns, and most texts ask nothing."""
    if "\n" not in part:
        return False
    if "?" in part:
        return True
    lowered = part.lower()
    return any(word in lowered for word in _NEXT_WORDS)


def is_hash_answer(content: str) -> bool:
    """A Markdown heading is not an answer."""
    content = content.strip().strip("*")
    if not content or _HEADING.match(content):
        return False
    return any(c.isdigit() or c in "\\$" for c in content) or len(content.split()) <= 3


def _second_hash(text: str, start: int, end: int) -> int | None:
    """The end of the first ``####`` answer when another, different one follows."""
    if "####" not in text:
        return None
    hashes = [m for m in HASH.finditer(text, start, end) if is_hash_answer(m[1])]
    if len(hashes) > 1 and hashes[0][1].strip() != hashes[1][1].strip():
        return hashes[0].end()
    return None
