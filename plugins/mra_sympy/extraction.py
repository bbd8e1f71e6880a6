"""Finds the final answer in a model's text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mra_sympy import denials, phrases, turns
from mra_sympy.boxes import boxed
from mra_sympy.choice_places import first_letter
from mra_sympy.closing import announced, closing
from mra_sympy.places import Found

# a last sentence in brackets
_REMARK = re.compile(r"(?<=[.!?。*$\n])\s{0,9}\((?:[A-Z][a-z]*|If) [^()]{10,400}\.?\)\s{0,20}$")
_UNCLOSED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LOOSE_MINUS = re.compile(r"(?:^|[^\w\s)}\]]|[a-z:=])\s((?:[-−–])\s?)$")
LONG = 2000  # characters from which on endless white space costs time
GULF = 60
_GULF = re.compile(rf"(\s{{{GULF}}})\s*(\s{{{GULF}}})")
MAX_ANSWER = 1000
KINDS = ("", "number", "expression", "choice", "set", "tuple", "interval", "matrix", "text", "list", "equation")

_DOUBT = re.compile(r"\b(?:wait|hmm|correction|oops|sorry|mistake|re-?check|double-check|let me check)\b", re.I)
_CORRECTED = re.compile(
    r"\b(?:(?:is|was|be|=)\s+actually|actually\s*,?\s*(?:it\s+)?(?:is|equals|should be)"
    r"|it should (?:really )?be|correction\s*:|"
    r"correct(?:ed)? (?:answer|value|result) (?:is|should be))\s*",
    re.I,
)


@dataclass(frozen=True)
class Extraction:
    """An answer as it stands in the text: text[span[0]:span[1]] holds it. rule: "boxed", "hash", "phrase",
    "correction", "last-number", "last-formula", "last-words" or "choice". ran_on: the text went on with a question of
    its own. boxes: how many different boxed answers there were."""

    answer: str
    span: tuple[int, int]
    rule: str
    ran_on: bool = False
    boxes: int = 0


def extract(text: str, expects: str = "", *, thoughts: bool = False, corrections: bool = True) -> Extraction | None:
    """The final answer, by the first rule that finds one: box, ``####``, phrase, closing sentence. What the text says
    after the answer and a new question of its own making is not searched. `expects`, one of KINDS, decides ties.

    thoughts: search a thought that is never closed. corrections: a value that the text corrects its answer to counts.
    """
    text = _without_gulfs(text)
    start, end = turns.region(text, thoughts)
    end, ran_on = turns.cut(text, start, end)
    remark = (
        _REMARK.search(text, max(start, end - 600), end)
        if text[max(start, end - 30) : end].rstrip()[-1:] == ")"
        else None
    )
    found = _search(text, start, remark.start(), expects) if remark and remark.start() > start else None
    found = found or _search(text, start, end, expects)
    if (
        found is None and start and "</think>" in text[:start] and "\\boxed" not in text[start:end]
    ):  # nothing to be found behind the thoughts
        found = _search(text, 0, start, expects)
    if found and corrections and found.rule in ("boxed", "phrase", "hash"):
        found = _corrected(text, found, end, expects) or _kept(text, found, end, expects)
    found = _whole(text, found, start) if found else None
    return replace(found, ran_on=ran_on) if found and ran_on else found


def _whole(text: str, found: Extraction, start: int) -> Extraction | None:
    """The extraction with a minus before bare LaTeX, and out of a box that was never closed. A piece of a formula,
    whose brackets do not match, is no answer."""
    answer, (first, last) = found.answer, found.span
    if (frame := _UNCLOSED.match(answer)) and "}" not in answer:
        answer, first = answer[frame.end() :].strip(), first + frame.end()
    minus = _LOOSE_MINUS.search(text[max(start, first - 4) : first]) if answer.startswith("\\") else None
    if minus and found.rule.startswith("last"):
        answer, first = f"-{answer}", first - len(minus[1])
    if not answer.strip("\0 ") or (found.rule.startswith("last") and not _matched(answer)):
        return None
    return found if answer == found.answer else replace(found, answer=answer, span=(first, last))


def _matched(answer: str) -> bool:
    """Are there as many closing brackets as opening ones?"""
    rounds = sum(answer.count(mark) for mark in "([") == sum(answer.count(mark) for mark in ")]")
    return rounds and answer.count("{") == answer.count("}")


def ran_on(text: str) -> bool:
    """Did the text go on with a question of its own after an answer?"""
    text = _without_gulfs(text)
    return turns.cut(text, *turns.region(text))[1]


def _without_gulfs(text: str) -> str:
    """The text with endless white space broken up, at the same length: patterns stay linear, spans stay right."""
    if len(text) < LONG:
        return text
    return _GULF.sub(lambda gulf: gulf[1] + "\0" * (len(gulf[0]) - 2 * GULF) + gulf[2], text)


def _search(text: str, start: int, end: int, expects: str) -> Extraction | None:
    if "\\" in text and (box := boxed(text, start, end)) and box.answer.strip():
        return Extraction(box.answer[:MAX_ANSWER], _capped(box.span), "boxed", boxes=box.different)
    if "####" in text and (found := _hash(text, start, end, expects)):
        return _made(found, "hash")
    for place in phrases.cues(text, start, end):
        if (found := announced(text, place, end, expects)) and not denials.is_rejected(text, found.span[1]):
            return _made(found, "phrase")
    if expects == "choice" and (found := _first_choice(text, start, end)):
        return _made(found, "choice")
    if found := closing(text, start, end, expects):
        return _made(found, _closing_rule(found, expects))
    return None


def _hash(text: str, start: int, end: int, expects: str) -> Found | None:
    for match in turns.HASH.finditer(text, start, end):
        if turns.is_hash_answer(match[1]):
            found = announced(text, match.start(1), match.end(1), expects)
            return found if found and not denials.is_rejected(text, found.span[1]) else None
    return None


def _first_choice(text: str, start: int, end: int) -> Found | None:
    """A text that begins with its choice and explains it: "D. it can't be A"."""
    begin = start + len(text[start : start + 200]) - len(text[start : start + 200].lstrip())
    return first_letter(text, begin, end)


def _corrected(text: str, found: Extraction, end: int, expects: str) -> Extraction | None:
    """What the text says behind its answer that the answer really is: "Wait, ... it is actually 6"."""
    if not (doubt := _DOUBT.search(text, found.span[1], end)):
        return None
    said = None
    for said in _CORRECTED.finditer(text, doubt.start(), end):  # noqa: B007 - the last one is wanted
        pass
    other = announced(text, said.end(), end, expects) if said else None
    return _made(other, "correction") if other and other.maths else None


def _kept(text: str, found: Extraction, end: int, expects: str) -> Extraction | None:
    """The answer, unless the text takes it back: then what it says behind that, if anything."""
    for _ in range(3):
        behind = denials.taken_back(text, found.span[1], end, expects == "choice")
        if behind is None:
            return found
        other = _search(text, behind, end, expects)
        if other is None:
            return None
        found = replace(other, rule="correction")
    return found


def _closing_rule(found: Found, expects: str) -> str:
    if expects == "choice":
        return "choice"
    if not found.maths:
        return "last-words"
    return (
        "last-number"
        if re.search(r"\d", found.answer) and not re.search(r"[=\\^√<>(\[]", found.answer)
        else "last-formula"
    )


def _made(found: Found, rule: str) -> Extraction:
    return Extraction(found.answer[:MAX_ANSWER], _capped(found.span), rule)


def _capped(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], min(span[1], span[0] + MAX_ANSWER)
