"""Numbers in words: English ("one hundred and twenty-one", "two thirds") and Chinese (二十五, 三分之二)."""

from __future__ import annotations

import re
from fractions import Fraction

_ONES = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
    "万": 10**4, "亿": 10**8, "百万": 10**6, "千万": 10**7,
}  # fmt: skip
_PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "fifteenth": 15, "sixteenth": 16, "twentieth": 20, "hundredth": 100,
    "thousandth": 1000,
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")
_GAP = re.compile(r"[ -]?")
_MAX_WORDS = 24
_CHINESE = dict(zip("零一二三四五六七八九两〇", [*range(10), 2, 0], strict=True))
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_CHINESE_RUN = re.compile(r"[零〇一二两三四五六七八九十百千万亿]{1,20}")
_CHINESE_PART = re.compile(
    r"([零〇一二两三四五六七八九十百千万亿\d]{1,20})分之([零〇一二两三四五六七八九十百千万亿\d]{1,20})"
)


def leading_words(text: str) -> tuple[Fraction, str] | None:
    """(value, rest of the text) when `text` starts with a number in words, else None."""
    if text[:1].isascii():
        return _english(text)
    if text[0] == "半" and len(text) > 1:
        return Fraction(1, 2), text[1:].removeprefix("个")
    if part := _CHINESE_PART.match(text):
        bottom, top = _CHINESE_UNITS.get(part[1]) or _chinese(part[1]), _chinese(part[2])
        return (Fraction(top) / bottom, text[part.end() :]) if bottom and top is not None else None
    run = _CHINESE_RUN.match(text)
    value = _chinese(run[0]) if run else None
    return (Fraction(value), text[run.end() :]) if run and value is not None else None


def scale(text: str) -> tuple[int, str]:
    """(factor, rest) for a scale word at the start of `text`: million, thousand, dozen, 万; (1, text) without one."""
    factor, rest = 1, text
    while found := re.match(
        r"\s*(?:\\text\s*\{\s*)?(hundred|thousand|[mbtr]+illion|dozen|百万|千万|万|亿)s?(?![a-z])", rest, re.I
    ):
        word = found[1].lower()
        if word not in SCALES or factor > 10**18:
            break
        opened = "\\text" in found[0]
        factor, rest = factor * SCALES[word], rest[found.end() :]
        rest = ("\\text{" + rest) if opened else rest
        rest = rest.removeprefix("\\text{}")
    return factor, rest


def ends_in_part(text: str) -> tuple[Fraction, str] | None:
    """The share that " and a half", "and three quarters" adds at the start of `text`, and the rest."""
    joined = re.match(r"\s*and\s+", text)
    found = _english(text[joined.end() :], part_only=True) if joined else None
    return found if found and 0 < found[0] < 1 else None


def part_word(text: str) -> tuple[int, str] | None:
    """(10, rest) for " tenths" at the start of `text`."""
    found = re.match(r"\s*-?\s*([a-z]+?)s?(?![a-zA-Z])", text)
    word = "half" if found and found[1] in ("halve", "half") else found[1] if found else ""
    if not found or word not in _PARTS:
        return None
    return _PARTS[word], text[found.end() :]


def _english(text: str, part_only: bool = False) -> tuple[Fraction, str] | None:
    words, ends = _words(text)
    for count in range(len(words), 0, -1):
        value = _share(words[:count]) if part_only else _value(words[:count])
        if value is not None and not (count < len(words) and text[ends[count - 1] : ends[count - 1] + 1] == "-"):
            rest = text[ends[count - 1] :]
            if count == 1 and words[0] in _PARTS and re.match(r"\s+an?\s", rest):
                rest = " " + rest.split(maxsplit=1)[1]
            return value, rest
    return None


def _words(text: str) -> tuple[list[str], list[int]]:
    """The words at the start, joined by single spaces or hyphens, and where each ends."""
    words: list[str] = []
    ends: list[int] = []
    here = 0
    while len(words) < _MAX_WORDS and (found := _WORD.match(text, here)):
        words.append(found[0].lower())
        ends.append(found.end())
        gap = _GAP.match(text, found.end())
        here = gap.end() if gap else found.end()
        if (
            words[-1] not in _ONES
            and words[-1] not in _TENS
            and words[-1] not in SCALES
            and words[-1] not in ("and", "a", "an")
            and _part(words[-1]) is None
        ):
            break
    return words, ends


def _part(word: str) -> int | None:
    singular = "half" if word == "halves" else word.removesuffix("s")
    return _PARTS.get(word) or _PARTS.get(singular)


def _value(words: list[str]) -> Fraction | None:
    if "and" in words[1:-1]:
        cut = len(words) - 1 - words[::-1].index("and")
        share = _share(words[cut + 1 :])
        whole = _whole(words[:cut])
        if share is not None and share < 1 and whole is not None:
            return whole + share
    share = _share(words)
    if share is not None:
        return share
    if words[0] == "half" and len(words) > 1 and words[-1] in SCALES:
        factor = _whole(["a", *[word for word in words[1:] if word not in ("a", "an")]])
        return factor / 2 if factor else None
    return _whole(words)


def _share(words: list[str]) -> Fraction | None:
    """two thirds, a half, half, three quarters."""
    bottom = _part(words[-1]) if words else None
    if bottom is None:
        return None
    top: Fraction | None
    if len(words) == 1:
        top = Fraction(1) if words[0] == "half" else None
    else:
        top = Fraction(1) if words[:-1] in (["a"], ["an"]) else _whole(words[:-1])
    return top / bottom if top is not None else None


def _whole(words: list[str]) -> Fraction | None:
    """A whole number: groups of below a thousand, each with its scale."""
    total, group, last, seen = 0, 0, "", False
    limit = 10**15
    if not words:
        return None
    if words[0] in ("a", "an"):
        if len(words) < 2 or words[1] not in SCALES:
            return None
        words = ["one", *words[1:]]
    for position, word in enumerate(words):
        if word == "and":
            if not seen or last not in ("hundred", "thousand", "million", "billion") or position == len(words) - 1:
                return None
        elif word in _ONES:
            if last in _ONES or (last in _TENS and _ONES[word] not in range(1, 10)) or (seen and not _ONES[word]):
                return None
            group += _ONES[word]
        elif word in _TENS:
            if last in _ONES or last in _TENS:
                return None
            group += _TENS[word]
        elif word in ("hundred", "dozen"):
            if not 0 < group < 100:
                return None
            group *= SCALES[word]
        elif word in SCALES:
            if not group or SCALES[word] >= limit:
                return None
            total, group, limit = total + group * SCALES[word], 0, SCALES[word]
        else:
            return None
        last, seen = word, True
    return Fraction(total + group)


def _chinese(text: str) -> int | None:
    if text.isdigit() and text.isascii():
        return int(text)
    if text[0] in "百千万亿":
        return None
    if len(text) > 1 and text.strip("".join(_CHINESE)) == "" and ("〇" in text or "零" in text):
        return int("".join(str(_CHINESE[character]) for character in text))  # place by place: 二〇二四
    total = section = digit = 0
    fresh = False
    for character in text:
        if character in _CHINESE:
            if fresh and _CHINESE[character] and digit:
                return None
            digit, fresh = _CHINESE[character], True
            continue
        unit = _CHINESE_UNITS.get(character)
        if unit is None:
            return None
        if unit >= 10**4:
            total, section = (total + section + digit) * unit, 0
        else:
            section += (digit if fresh and digit else 1) * unit
        digit, fresh = 0, False
    return total + section + digit
