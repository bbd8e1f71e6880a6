"""Choice answers: letters in every writing, several letters, circled and Roman numbers, letters with their text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mra_sympy import denials

_CIRCLED = {chr(0x2460 + k): str(k + 1) for k in range(20)}
_WIDE = {0xFF21 + k: chr(0x41 + k) for k in range(26)}
_ROMAN = ("I", "II", "III", "IV", "V", "VI")
_STYLE = re.compile(r"\\(?:text(?:bf|rm|it|sf|tt)?|math(?:rm|bf|sf)|boxed|fbox|bf|rm)\s*(?=\{)")
_LEAD = re.compile(
    r"[\s*$]*(?:(?:so|thus|therefore|hence)\b,?\s*)?(?:(?:the|my|it['’]?s|it is)\s+)?(?:(?:final|correct|right"
    r"|best)\s+)*"
    r"(?:(?:answer|option|choice|statement)(?:\s+(?:choice|option))?s?\b\s*(?:is|are|[:：-])?\s*\**\s*(?:option|choice)?\b"
    r"|(?:最终)?答案(?:是|为|选)?|[故应]?选(?:项|择)?)?(?:it['’]s\s)?\s*[:：]?\s*",
    re.I,
)
_OPENING = re.compile(r"(?:[\s*\"'“‘$(\[{<（]|\\[ ,;!]|\\[(\[])*")
_CLOSING = re.compile(r"(?:[\s*)\]}>）.:：、，,。\"'”’]|\\[ ,;!]|\\[)\]])*")
_RIGHT = re.compile(
    r"(?:(?:is|are)\s+(?:the\s+)?(?:correct|right|true|best)(?:\s+(?:answer|option|choice|one)s?)?|正确)[\s.。!*]*",
    re.I,
)
_REASON = re.compile(r"(?:because|since|as it|as the)\b")
_NOT_ANOTHER = re.compile(r"(?:and\s+|而)?(?:not|non|不是)\s*[(（]?[A-J][)）]?[\s.]*")
_OTHER = re.compile(
    r"[(（]\s*[A-Ja-j]\s*[)）]|\b[A-J]\s*[).:]|\b[A-J]\s+(?:is|are)\b|\b(?:or|nor)\s+[(（]?[A-J]\b|\b(?:and|not)\s+[A-J]\b"
)
_JOIN = r"(?:\s*(?:[,、，;；&]|\\&|\band\b|和|与|及)\s*)+"
_SEVERAL = re.compile(rf"([A-H])(?:{_JOIN}[A-H])+(?:\s+only)?")
_TOGETHER = re.compile(r"[A-H]{2,8}(?:\s+only)?")
_RINGS = re.compile(rf"[①-⑳](?:(?:{_JOIN}|\s*)[①-⑳])*")
_ROMANS = re.compile(rf"(?:IV|VI|V|I{{1,3}})(?:(?:{_JOIN}(?:IV|VI|V|I{{1,3}}))+(?:\s+only)?|\s+only)")
_FRAMES = re.compile(r"[\s$(){}\[\]*.\"'“”]+")
_NUMBER = re.compile(r"\s*[-+]?\\?\$?\d[\d,]*(?:\.\d+)?%?\s*\Z")
MAX_CHOICE = 400


@dataclass(frozen=True)
class Choice:
    """A choice answer: its letters (or numbers) in order, and the text written beside a single letter."""

    letters: tuple[str, ...]
    value: str = ""

    @property
    def name(self) -> str:
        """Its canonical string: "B", "ACD", "I, III"."""
        plain = all(len(letter) == 1 and letter.isalpha() for letter in self.letters)
        return ("" if plain else ", ").join(self.letters)


Equal = Callable[[str, str], bool]


def read(text: str) -> Choice | None:
    """The choice that the whole of `text` names, or None. "A = 3", "A or B" and "C is incorrect" name none."""
    if not text or len(text) > MAX_CHOICE or _NUMBER.match(text):
        return None
    return _read(text)


@functools.lru_cache(maxsize=4096)  # a gold answer is read for each of its texts
def _read(text: str) -> Choice | None:
    text = text if text.isascii() else text.translate(_WIDE)
    return _several(text) or _single(text)


def _single(text: str) -> Choice | None:
    text = _STYLE.sub("", text).strip()
    lead = _LEAD.match(text)
    start = lead.end() if lead else 0
    if lead and start and text[start - 1 : start].isalpha() and text[start - 1].isascii():
        start = 0
    opening = _OPENING.match(text, start)
    place = opening.end() if opening else start
    letter = text[place : place + 1]
    if not re.fullmatch(r"[A-Ja-j]", letter):
        return None
    before = text[start:place]
    closing = _CLOSING.match(text, place + 1)
    after = closing.group() if closing else ""
    rest = text[place + 1 + len(after) :]
    if re.search(r"[\"'”’]", after) and not re.search(r"[\"'“‘]", before):
        return None  # D' is not D
    if "$" in before and rest.startswith("$"):
        rest = rest[1:].lstrip(" .")
    rest = rest.rstrip("$ ") if "$" in before and rest.count("$") % 2 else rest
    beside = _dashed(after, rest)
    if (
        beside is None
        or denials.is_rejected(" " + beside, 0)
        or not _marked(letter, before, after, beside)
        or _names_another(beside)
    ):
        return None
    said = _RIGHT.fullmatch(beside) or _REASON.match(beside) or _NOT_ANOTHER.fullmatch(beside)
    return Choice((letter.upper(),), "" if said else _value(beside))


def _names_another(rest: str) -> bool:
    return _OTHER.search(rest) is not None and _NOT_ANOTHER.fullmatch(rest) is None


def _value(rest: str) -> str:
    """The text beside a letter, without what closes the frame around both."""
    rest = rest.strip(" *\"'”.")
    while rest.endswith("}") and rest.count("{") < rest.count("}"):
        rest = rest[:-1].rstrip()
    return rest


def _dashed(after: str, rest: str) -> str | None:
    """ "B - the second": what stands behind the dash; None where the rest goes on with the letter as a variable."""
    if not rest:
        return rest
    if after[-1:].isspace() and (dash := re.match(r"[-–—]\s+(?=[^\W\d])", rest)):
        return rest[dash.end() :]
    if re.match(r"(?:and|or)\b", rest) and _NOT_ANOTHER.fullmatch(rest) is None:
        return None
    if rest[0] in "=+*/^_<>|'" or rest.startswith(("\\times", "\\cdot", "\\cup", "\\cap", "\\in", "\\le", "\\ge")):
        return None
    if rest[0] in "-−–" and not (after[-1:].isspace() and rest[1:2].strip()):
        return None
    return rest


def _marked(letter: str, before: str, after: str, rest: str) -> bool:
    """Is the letter marked as a choice, or alone?"""
    opened = any(mark in before for mark in "([（<{")
    if opened and not any(mark in after for mark in ")]）>}"):
        return False
    ringed = any(mark in after for mark in ")）]")
    if rest == "" or _RIGHT.fullmatch(rest) or (_REASON.match(rest) and letter.isupper()):
        return letter.isupper() or ringed or not rest
    if letter.islower():
        return ringed and (opened or after[:1] == ")")
    if ringed or any(mark in after for mark in ".:：、。"):
        return rest[0] not in "(" or after[-1:].isspace() or not opened
    if after == "" or after.strip():
        return False
    named = letter not in "AI" and re.match(r"[A-Z][a-z]", rest)  # "C Cecile"
    return bool(named or re.match(r"the\s", rest) or _NOT_ANOTHER.fullmatch(rest))


def _several(text: str) -> Choice | None:
    """ "ACD", "A, C and D", "①③", "I and III only"."""
    plain = _STYLE.sub("", text)
    plain = re.sub(r"\\textcircled\s*\{?\s*(\d{1,2})\s*\}?", lambda m: chr(0x245F + min(20, max(1, int(m[1])))), plain)
    plain = re.sub(r"\\[ ,;!()\[\]]", " ", plain)
    plain = " ".join(_FRAMES.sub(" ", plain).split())
    if len(plain) > 1:
        lead = _LEAD.match(plain)
        plain = plain[lead.end() :] if lead and (not plain[: lead.end()].isalpha() or not plain.isupper()) else plain
    if _RINGS.fullmatch(plain):
        return Choice(tuple(sorted({_CIRCLED[c] for c in plain if c in _CIRCLED}, key=int)))
    if _ROMANS.fullmatch(plain):
        return Choice(tuple(sorted(set(re.findall(r"[IV]+", plain)), key=_ROMAN.index)))
    if _TOGETHER.fullmatch(plain):
        letters = plain.split()[0]
        return Choice(tuple(letters)) if list(letters) == sorted(set(letters)) else None
    if _SEVERAL.fullmatch(plain):
        return Choice(tuple(sorted(set(re.findall(r"[A-H]", plain)))))
    return None


def is_gold_choice(text: str) -> bool:
    """Does a gold answer look like a choice by itself: capital letters, alone or marked, or several of them?"""
    found = read(text)
    if found is None:
        return False
    return len(found.letters) > 1 or bool(found.value) or re.search(r"[A-J]", _STYLE.sub("", text)) is not None


def same(gold: str, prediction: str, equal: Equal, choices: Sequence[str] = ()) -> bool | None:
    """Do two answers name the same choice? None where that is no question of choices. A letter with a text equals the
    letter and the text; the right letter with another text is wrong. `equal` compares texts. Symmetric."""
    one, other = read(gold), read(prediction)
    if one and other:
        if one.letters != other.letters:
            return False
        return equal(one.value, other.value) if one.value and other.value else True
    if one is None and other is None:
        return None
    choice, text = (one, prediction) if one else (other, gold)
    assert choice is not None
    if len(choice.letters) > 1:
        return True if _same_loosely(choice, text) else None
    if choice.value and equal(choice.value, text):
        return True
    return _stands_for(choice, text, equal, choices)


def _same_loosely(choice: Choice, text: str) -> bool:
    """Several letters in small letters, circled numbers as plain ones."""
    squeezed = re.sub(r"[\s,、，;$()]|and", "", text)
    return squeezed.isalnum() and squeezed.upper() == "".join(choice.letters) and len(squeezed) < 20


def _stands_for(choice: Choice, text: str, equal: Equal, choices: Sequence[str]) -> bool | None:
    """Is `text` what the letter stands for among `choices`, and no other letter?"""
    place = ord(choice.letters[0]) - ord("A")
    if not 0 <= place < len(choices):
        return None
    meant = [k for k, stands in enumerate(choices) if equal(bare(stands), text)]
    return meant == [place]


def bare(choice: str) -> str:
    """The text of a choice without the letter it may be listed with."""
    found = read(choice)
    return found.value if found and found.value else choice
