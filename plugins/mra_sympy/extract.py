"""Finds the final answer in a model's text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mra_sympy.clean import clean
from mra_sympy.errors import Unreadable

MAX_TEXT = 200_000
MAX_ANSWER = 1000
MAX_TRIES = 20

_THINK = "</think>"
_TURN = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|end|user|assistant)\|>|</s>"
    r"|^[ \t>*#]*(?:Question|Q|Problem|Exercise|Human|User|Instruction)[ \t]*\d{0,4}[ \t*]*[:.：]",
    re.MULTILINE,
)
_SIGN_OF_ANSWER = re.compile(r"\d|\\boxed|[Aa]nswer")
_BOX_TOKEN = re.compile(r"\\(?:begin)?(?:boxed|fbox)\s*\{|\\[\\{}]|[{}]")
_BARE_BOX = re.compile(r"\\boxed\s+([^\s${}\\]+)")
_SPACING = re.compile(r"\\(?:quad|qquad|[,;: ()\[\]])|[\s$]+")
_JOIN = re.compile(r"[,;]*(?:\\text\{[^{}]*(?:and|or)[^{}]*\}|and|or|[,;])[,;]*")
_HASH = re.compile(r"####[ \t]*([^\n]*)")
_HEADING = re.compile(r"\d+[.)]\s+\S|(?:step|part|case|final answer|answer|solution|conclusion|explanation)\b", re.I)
# Weaker and weaker; a pattern is tried only where one of its needles is in the text (in lower case).
_PHRASES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        ("final",),
        re.compile(r"final\s+answer\s*(?:\*\*)?\s*(?:is|[:=：])\s*(?:\*\*)?[:\s]*(?!the final answer)", re.I),
    ),
    (
        ("answer", "答案"),
        re.compile(r"answer\s+is\s*(?:\*\*)?\s*:?\s*|(?:最终)?答案\s*(?:是|为|[:：])\s*", re.I),
    ),
    (
        ("answer", "réponse"),
        re.compile(r"\banswer\s*(?:\*\*)?\s*(?:[:=：]\s*(?:\*\*)?|(?=\\\[|\\\(|\$))\s*|réponse\s+est\s*:?\s*", re.I),
    ),
    (("a:", "a :"), re.compile(r"^[ \t*]*A[ \t]*:[ \t]*", re.M)),
)
_SENTENCE = re.compile(r"(?:[^\n.。!]|\.(?=\S)(?!\$?\s|$)|!(?=\S)){1,600}")
_LEAD = re.compile(
    r"(?:(?:approximately|about|roughly|equal to|equals|exactly|simply|therefore|thus|just|only|option|choice|indeed|"
    r"given by|the|is|be|=|:|≈|\*\*|\")\s*)+",
    re.I,
)
_INT = r"\d{1,3}(?:(?:,|\{,\}|\\?,\\!)\d{3})+(?!\d)|\d+"
_NUMBER = re.compile(
    rf"""(?:(?<![\w)\]}}.])(?P<sign>[-−–]\s?))?(?P<mark>\\?[$€£¥₹]\s?)?(?<!\d)(?<!\d\.)
    (?:\\[dt]?frac\s*\{{\s*-?\d+\s*\}}\s*\{{\s*\d+\s*\}}
      |(?:(?:{_INT})(?:\.\d+)?|\.\d+)(?:\s*/\s*\d+(?:\.\d+)?(?![\d/]))?(?:[eE][+-]?\d{{1,3}}(?![\w]))?)
    (?P<percent>\s?\\?%)?""",
    re.VERBOSE,
)
_EXPLAINED = re.compile(r",?\s+(?:because|since|as|for|which|where|when|so|after)\b")
_FORMULA = re.compile(r"\$\$([^$]+)\$\$|\$([^$\n]+)\$|\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.DOTALL)
_LETTER = re.compile(r"\(?([A-J])\)?(?=[\s.,:;。，：)]|$)")


@dataclass(frozen=True)
class Extraction:
    """An answer as it stands in the text: text[span[0]:span[1]] holds it. rule: "boxed", "hash", "phrase",
    "last-number" (or "last-formula", where something else than a number is expected). ran_on: the text went on with a
    question of its own. boxes: how many different boxed answers there were."""

    answer: str
    span: tuple[int, int]
    rule: str
    ran_on: bool = False
    boxes: int = 0


def extract(text: str, *, wants_number: bool = True) -> Extraction | None:
    """The final answer, by the first rule that finds one: box, ``####``, phrase, last number. What the text says after
    the answer and a new question of its own making is not searched."""
    start, end = _region(text)
    end, ran_on = _cut(text, start, end)
    found = _search(text, start, end, wants_number)
    if found is None and start:  # nothing after the thoughts
        found = _search(text, 0, start, wants_number)
    return replace(found, ran_on=ran_on) if found and ran_on else found


def ran_on(text: str) -> bool:
    """Did the text go on with a question of its own after an answer?"""
    start, end = _region(text)
    return _cut(text, start, end)[1]


def _region(text: str) -> tuple[int, int]:
    """Behind the thoughts; of a text too long to search, its end."""
    thought = text.rfind(_THINK)
    start = max(0, thought + len(_THINK) if thought >= 0 else 0, len(text) - MAX_TEXT)
    return (start, len(text)) if text[start:].strip() else (max(0, len(text) - MAX_TEXT), len(text))


def _cut(text: str, start: int, end: int) -> tuple[int, bool]:
    """Where a new turn or question begins behind something that holds an answer, and whether one does."""
    sign = _SIGN_OF_ANSWER.search(text, start, end)
    turn = _TURN.search(text, sign.start(), end) if sign else None
    if turn:
        return turn.start(), True
    hashes = [m for m in _HASH.finditer(text, start, end) if _is_hash_answer(m[1])]
    if len(hashes) > 1 and hashes[0][1].strip() != hashes[1][1].strip():
        return hashes[0].end(), True
    return end, False


def _search(text: str, start: int, end: int, wants_number: bool) -> Extraction | None:
    return (
        (_boxed(text, start, end) if "\\" in text else None)
        or (_hash(text, start, end) if "####" in text else None)
        or _phrase(text, start, end)
        or (None if wants_number else _last_formula(text, start, end))
        or (None if wants_number else _leading_letter(text, start, end))
        or _last_number(text, start, end)
    )


def _boxed(text: str, start: int, end: int) -> Extraction | None:
    """The last complete box, with those joined to it by commas, "and" or "or"."""
    spans = _boxes(text, start, end)
    if not spans:
        bare = list(_BARE_BOX.finditer(text, start, end))
        return _made(text, bare[-1].span(1), "boxed") if bare else None
    first = last = len(spans) - 1
    while first and _joined(text[spans[first - 1][2] : spans[first][0]]):
        first -= 1
    different = len({"".join(text[inside:close].split()) for _, inside, close, _ in _with_inside(spans)})
    if first < last:
        answer = " , ".join(text[s[1] : s[2] - 1] for s in spans[first:])
        return Extraction(answer[:MAX_ANSWER], (spans[first][0], spans[last][2]), "boxed", boxes=1)
    found = _made(text, (spans[last][1], spans[last][2] - 1), "boxed")
    return replace(found, boxes=different) if found else None


def _with_inside(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    return [(begin, inside, close - 1, close) for begin, inside, close in spans]


def _joined(between: str) -> bool:
    return len(between) <= 60 and _JOIN.fullmatch(_SPACING.sub("", between)) is not None


def _boxes(text: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """(start of command, start of content, end) of every closed outermost non-empty box; one pass over the text."""
    stack: list[tuple[int, int] | None] = []
    found: list[tuple[int, int, int]] = []
    for token in _BOX_TOKEN.finditer(text, start, end):
        mark = token.group()
        if mark[-1] == "{" and len(mark) > 2:
            stack.append(token.span())
        elif mark == "{":
            stack.append(None)
        elif mark == "}" and stack:
            opened = stack.pop()
            if opened and text[opened[1] : token.start()].strip():
                while found and found[-1][0] > opened[0]:
                    found.pop()
                found.append((*opened, token.end()))
    return found


def _hash(text: str, start: int, end: int) -> Extraction | None:
    for match in _HASH.finditer(text, start, end):
        if _is_hash_answer(match[1]):
            return _made(text, match.span(1), "hash", sentence=True)
    return None


def _is_hash_answer(content: str) -> bool:
    """A Markdown heading is not an answer."""
    content = content.strip().strip("*")
    if not content or _HEADING.match(content):
        return False
    return any(c.isdigit() or c in "\\$" for c in content) or len(content.split()) <= 3


def _phrase(text: str, start: int, end: int) -> Extraction | None:
    lowered = text.lower()
    for needles, pattern in _PHRASES:
        if not any(needle in lowered for needle in needles):
            continue
        for match in reversed(list(pattern.finditer(text, start, end))[-MAX_TRIES:]):
            if found := _after_phrase(text, match.end(), end):
                return found
    return None


def _after_phrase(text: str, begin: int, end: int) -> Extraction | None:
    """The answer in the sentence that begins at `begin`."""
    while begin < end and text[begin] in " \t\r\n*\"'“":
        begin += 1
    formula = _FORMULA.match(text, begin, end)
    if formula and not re.match(r"\s*(?:,|or\b|and\b)", text[formula.end() : end]):
        group = next(k for k in range(1, 5) if formula[k] is not None)
        return _made(text, formula.span(group), "phrase")
    sentence = _SENTENCE.match(text, begin, end)
    if sentence is None or not sentence.group().strip():
        return None
    return _made(text, sentence.span(), "phrase", sentence=True)


def _last_number(text: str, start: int, end: int) -> Extraction | None:
    found = None
    for found in _NUMBER.finditer(text, start, end):  # noqa: B007 - the last one is wanted
        pass
    return _made(text, found.span(), "last-number") if found else None


def _last_formula(text: str, start: int, end: int) -> Extraction | None:
    found = None
    for found in _FORMULA.finditer(text, start, end):  # noqa: B007 - the last one is wanted
        pass
    if found is None:
        return None
    group = next(k for k in range(1, 5) if found[k] is not None)
    return _made(text, found.span(group), "last-formula")


def _leading_letter(text: str, start: int, end: int) -> Extraction | None:
    """A text that begins with a choice letter: "D. it can't be A"."""
    begin = start + len(text[start:end]) - len(text[start:end].lstrip())
    letter = _LETTER.match(text, begin, end)
    return _made(text, letter.span(1), "phrase") if letter else None


def _made(text: str, span: tuple[int, int], rule: str, *, sentence: bool = False) -> Extraction | None:
    """The extraction at `span`, trimmed; of a sentence only its answer, when it says more than that."""
    first, last = _trimmed(text, *span)
    if sentence:
        first, last = _trimmed(text, *_answer_in_sentence(text, first, last))
    if first >= last:
        return None
    return Extraction(text[first : min(last, first + MAX_ANSWER)], (first, min(last, first + MAX_ANSWER)), rule)


def _trimmed(text: str, first: int, last: int) -> tuple[int, int]:
    while first < last and text[first] in ' \t\r\n*`"':
        first += 1
    while first < last and text[last - 1] in ' \t\r\n*`"':
        last -= 1
    if first < last and text[last - 1] in ".,;。" and text[first:last].count("$") % 2 == 0:
        last -= 1
    return first, last


def _answer_in_sentence(text: str, first: int, last: int) -> tuple[int, int]:
    """The span of the answer in a sentence that may say more than the answer."""
    lead = _LEAD.match(text, first, last)
    if lead and lead.end() < last:
        first = lead.end()
    number = _NUMBER.match(text, first, last)
    if number and _EXPLAINED.match(text, number.end(), last):
        return number.span()
    if _is_value(text[first:last]):
        return first, last
    if (choice := _LETTER.match(text, first, last)) and not re.match(r"\s*[=+\-*/^]", text[choice.end() : last]):
        return choice.span(1)
    for word in (" is ", " are ", "=", "是", "为"):
        at = text.rfind(word, first, last)
        if at >= 0 and _is_value(text[at + len(word) : last]):
            return at + len(word), last
    formulas = list(_FORMULA.finditer(text, first, last))
    if formulas:
        group = next(k for k in range(1, 5) if formulas[-1][k] is not None)
        return formulas[-1].span(group)
    if number is None:
        for number in _NUMBER.finditer(text, first, last):  # noqa: B007 - the last one is wanted
            pass
    return number.span() if number else (first, last)


def _is_value(text: str) -> bool:
    """Does the text as a whole read as mathematics (not merely as words)?"""
    from mra_sympy.quantities import quick
    from mra_sympy.reading import read
    from mra_sympy.values import Text

    if quick(text) is not None:
        return True
    if not text.strip() or len(text) > 300:
        return False
    try:
        value = read(text)
    except (Unreadable, RecursionError):
        return False
    return not isinstance(value, Text) or (len(clean(text).split()) == 1 and not value.opaque)
