"""Where a text names the choice it makes."""

from __future__ import annotations

import re

from mra_sympy import choices, denials
from mra_sympy.phrases import is_denied
from mra_sympy.places import Found, trimmed

_LETTERED = re.compile(
    r"\s*\**\s*(?:\\(?:text(?:bf|rm)?|math(?:rm|bf))\s*\{\s*)*(?:\(?([A-J])(?:\)|\}|\*\*)+|([A-J])(?=\s*(?:[.,:;。，：、)]|$|\s-\s|\n|和|与)))"
)
_IN_SENTENCE = (
    re.compile(r"[①-⑳](?:(?:\s*(?:[,，、和与]|and)*\s*)[①-⑳])*|(?:\\textcircled\s*\{?\d\}?\s*[,、]?\s*)+"),
    re.compile(r"正确的?(?:选项|答案)?(?:是|为|[:：])\s*\**\s*[(（]?(?:[A-J](?![a-z])[、,，]?)+[)）]?"),
    re.compile(r"(?:选(?:项|择)?|答案)(?:是|为)?\s*[:：]?\s*\**\s*[(（]?(?:[A-J](?![a-z])[、,，]?)+[)）]?"),
    re.compile(
        r"\b(?:options?|choices?|statements?|answers?)\**\s*(?:is|are|:)?\s*\**\s*[(\[]?[A-J](?![A-Za-z'’])[)\]]?(?:(?:,\s*(?:and\s+)?|\s+and\s+)\(?[A-J](?![A-Za-z'’])\)?)*",
        re.I,
    ),
    re.compile(r"\b(?:choose|chose|pick|select)\s+\**[(\[]?[A-J](?![A-Za-z'’])[)\]]?", re.I),
    re.compile(
        r"(?:(?<=^)|(?<=[\s*:]))\(?[A-J]\)?(?=\s+(?:is|are)\s+(?:the\s+)?(?:correct|right|true|best|answer))", re.M
    ),
    re.compile(r"\*\*\s*\(?[A-J]\)?(?:[.):][^*\n]{0,120})?\s*\*\*"),
    re.compile(r"(?<![\w(])[(（\[][A-J][)）\]](?!\s*[=+*/^(-])"),
    re.compile(
        r"\b[A-J](?:,\s*[A-J])*,?\s+and\s+[A-J](?=\s*$|\s+only)|\b(?:I{1,3}|IV|V)(?:,\s*(?:I{1,3}|IV|V))*,?\s+and\s+(?:I{1,3}|IV|V)(?:\s+only)?"
    ),
    re.compile(r"(?:\bis|\bare|:|为|是)\s*\(?[A-J]\)?(?=\s*$|\s*[.,;])"),
)
_VERB_BEFORE = re.compile(r"(?:is|are|:|为|是|choose|chose|pick|select)\s*", re.I)
_PREFERRED = re.compile(r"\s+(?:over|rather than|instead of|not|and not|but not)\b")


def leading_choice(text: str, begin: int, stop: int, *, firm: bool = False) -> Found | None:
    """A choice that the sentence begins with: all of it when it reads as one choice, else the letter."""
    whole = trimmed(text, begin, stop)
    shown = text[slice(*whole)]
    read = choices.read(shown)
    if read and (not firm or not read.value) and not firm:
        return Found(shown, whole, maths=False)
    return None if firm else first_letter(text, begin, stop)


def first_letter(text: str, begin: int, stop: int) -> Found | None:
    """The choice letter that text[begin:stop] begins with, when no variable, no "A or B" and not denied."""
    letter = _LETTERED.match(text, begin, min(stop, begin + 60))
    if letter is None or re.match(
        r"\s*(?:[=+*/^<>]|(?:or|and)\b|(?:is|are)\s+(?:in|not|wrong|false|incorrect|eliminated|ruled out))",
        text[letter.end() : stop].lstrip("*) "),
    ):
        return None
    span = letter.span(1 if letter[1] else 2)
    return Found(text[slice(*span)], span, maths=False)


def choice_in(text: str, begin: int, stop: int) -> Found | None:
    """The choice that a sentence names, the last one unless it is preferred to others."""
    whole = trimmed(text, begin, stop)
    if choices.read(text[slice(*whole)]):
        return Found(text[slice(*whole)], whole, maths=False)
    preferred = _PREFERRED.search(text, begin, stop)
    limit = preferred.start() if preferred else stop
    for pattern in _IN_SENTENCE:
        for match in reversed(list(pattern.finditer(text, begin, limit))):
            behind = text[match.end() : stop]
            if (
                is_denied(text, match.start(), match.end())
                or denials.is_rejected(text, match.end())
                or re.match(r"\s*(?:or|nor)\s", behind)
            ):
                continue
            if re.match(r"\s+(?:gives|is\s+\d|has|would|equals)", behind):
                continue
            first, last = trimmed(text, *match.span())
            if verb := _VERB_BEFORE.match(text, first, last):
                first = verb.end()
            if choices.read(text[first:last]):
                return Found(text[first:last], (first, last), maths=False)
    return None
