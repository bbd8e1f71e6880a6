"""What a text takes back or never claims: answers denied, rejected, corrected, supposed; texts that give up."""

from __future__ import annotations

import re

_NEAR = 120  # characters looked at on either side of an answer
_KIND = r"(?:answer|option|choice|result|value|conclusion|solution)s?"
# In the clause in front of an answer: what follows is not claimed.
_CLAUSE = re.compile(
    r"\b(?:do|does|did|can|could|would)(?:n['’]t| not|not)\s+(?:think|believe|mean|agree|accept|say|suspect)\b"
    r"|\bdoubt\b|\b(?:not|hardly|never) (?:true|the case|correct|right|certain|sure)\b|\b(?:false|wrong|untrue) that\b"
    rf"|(?<!or )\b(?:wrong|incorrect|false|mistaken)\s+(?:{_KIND}\b|$)|\bleast likely\b"
    r"|\b(?:mistake|error)\s+(?:is|was|would be)\b|\bextraneous (?:root|solution|value)s?\b",
    re.I,
)
_NEW_CLAUSE = re.compile(r"[,;]|\b(?:so|but|hence|thus|therefore|then|because|since)\b", re.I)
# Directly in front of an answer.
_DIRECT = re.compile(
    r"\b(?:anything but|other than|except(?: for)?|reject(?:s|ed|ing)?|discard(?:s|ed|ing)?|rul(?:e|es|ed|ing) out"
    rf"|exclud(?:e|es|ed|ing)|eliminat(?:e|es|ed|ing))\s{{1,9}}(?:the\s{{1,9}})?(?:{_KIND}\s{{0,9}})?[$*(\[]{{0,3}}$",
    re.I,
)
_VERDICT = (
    r"(?:wrong|incorrect|false|invalid|impossible|extraneous|an? (?:extraneous|wrong|incorrect|false|invalid)"
    r"|(?:to be )?(?:rejected|discarded|eliminated|excluded|ruled out)"
    r"|too (?:small|large|big|high|low|few|many|much|short|long)\b(?! to\b))"
)
# Directly behind an answer.
_BEHIND = re.compile(
    r"[\s$*)\]]{0,6}(?:(?:clearly|obviously|also|certainly)\s{1,9})?(?:"
    rf"(?:is|are|was|were|would be|must be|has to be|should be|can be)\s{{1,9}}{_VERDICT}"
    r"|(?:do|does|did|can|could|will|would)(?:\s{1,9}not|n['’]t|not)\s{1,9}"
    r"(?:work|hold|satisfy|fit|count|be (?:the|a|right|correct))"
    r"|(?:is|are|was|were)(?:\s{1,9}not|n['’]t)\s{1,9}(?:the |an? )?"
    r"(?:correct|right|possible|valid|true|allowed|answer|solution|root)"
    r"|fails?\b(?! to)|(?:wrong|incorrect)\s*(?:[.!]|$))",
    re.I | re.M,
)
_HESITATION = r"(?:but|oh|hmm+|oops|wait|sorry|no|nope|hold on|actually)"
_NOT_SO = r"(?:not\s+(?:right|correct|true|possible)|wrong|incorrect|false|a mistake)(?!\s+to\b)"
_BACK = rf"(?:that|this|it)(?:['’]s|\s+is|\s+was)\s+{_NOT_SO}"
_TAIL = r"[^.!?\n]{0,60}[.!?,;]?[\s*$)}\]]{0,6}"
_TAKEN_BACK = re.compile(
    rf"{_TAIL}(?:(?:{_HESITATION}[\s,.!—…-]{{1,4}})*{_BACK}"
    r"|(?:wait|oops|sorry|hold on)[\s,.!—…-]{1,4}(?:no\b|wrong\b|not\b|actually\b|I made)"
    r"|actually,?\s+(?=it['’]s|it is|the answer|[A-J]\b|no\b)"
    r"|(?<=[?][\s*$])(?:no|nope|wrong)\b)",
    re.I,
)
_CHOICE_TAKEN_BACK = re.compile(
    rf"{_TAIL}(?:(?:{_HESITATION}[\s,.!—…-]{{1,4}})+{_BACK}"
    r"|(?:wait|oops|sorry|hold on)[\s,.!—…-]{1,4}(?:no\b|wrong\b|not\b|actually\b|I made)"
    r"|actually,?\s+(?=it['’]s|it is|the answer|[A-J]\b|no\b)"
    r"|(?<=[?][\s*$])(?:no|nope|wrong)\b)",
    re.I,
)
_MAY_TAKE_BACK = re.compile(r"\b(?:wait|oops|sorry|hold on|actually|no|nope|wrong|incorrect|not|false|mistake)\b", re.I)
_GIVES_UP = re.compile(
    r"\bI (?:do not|don['’]t) know(?:\s*[.!,;]|\s*$| the answer)|\b(?:I|we) (?:(?:am|was|are|were) (?:not able|unable)"
    r"|could not|couldn['’]t|cannot|can['’]t) (?:to )?(?:decide|determine the (?:final )?answer|find (?:the|an) answer"
    r"|solve (?:this|the problem)|answer|figure)",
    re.I,
)
_SUPPOSED = re.compile(r"\s*(?:if|suppose|assuming|unless)\b|.*\b(?:would be|would have been)\b.*\bif\b", re.I | re.S)
_NO = re.compile(r"\?[\s*]{0,4}(?:no|nope|not)\b", re.I)
_OPERAND = r"(?=[-$\\(√\d]|the (?:square|cube) root|pi\b|[a-z]\b(?! ))"
_CALCULATION = rf"(?:times|multiplied by|minus|plus|divided by|over)\s{{1,9}}{_OPERAND}"
_GOES_ON = re.compile(
    rf"\s{{1,9}}(?:{_CALCULATION}|(?:squared|cubed|factorial)\b|(?:raised )?to the (?:power|\w+ power)\b"
    r"|(?:with )?(?:a )?remainder (?:of )?\d"
    r"|if\b(?=[^.\n]{1,200}\b(?:otherwise|else|but)\b))",
    re.I,
)


def is_unclaimed(text: str, start: int, at: int) -> bool:
    """Does the clause in front of `at`, not before `start`, deny or doubt what follows?"""
    before = text[max(start, at - _NEAR) : at]
    for mark in ("\n", ". ", "! ", "? "):
        before = before.rpartition(mark)[2]
    if _DIRECT.search(before):
        return True
    found = _CLAUSE.search(before)
    return found is not None and _NEW_CLAUSE.search(before, found.end()) is None


def is_rejected(text: str, end: int) -> bool:
    """Does the text say right behind a value, up to `end`, that it is wrong?"""
    return _BEHIND.match(text, end, end + _NEAR) is not None


def taken_back(text: str, begin: int, end: int, choice: bool) -> int | None:
    """Where the text goes on after it took back the answer that ends at `begin`: "Wait, that's wrong." """
    if not _MAY_TAKE_BACK.search(text, begin, min(end, begin + _NEAR)):
        return None
    pattern = _CHOICE_TAKEN_BACK if choice else _TAKEN_BACK
    found = pattern.match(text, begin, min(end, begin + _NEAR))
    return found.end() if found else None


def gives_up(text: str, start: int, end: int) -> bool:
    """Does a sentence say that the text has no answer?"""
    return _GIVES_UP.search(text, start, end) is not None


def is_supposed(text: str, start: int, end: int) -> bool:
    """Does a sentence only suppose what it says: "If x = 3, there is no solution"?"""
    return _SUPPOSED.match(text, start, end) is not None


def is_question(text: str, stop: int) -> bool:
    """Is the sentence that ends at `stop` a question that the text answers with no?"""
    return _NO.match(text, stop) is not None


def goes_on(text: str, begin: int, end: int) -> bool:
    """Does what stands behind a number belong to it: "times 6", "squared", "if x > 0 and 6 otherwise"?"""
    return _GOES_ON.match(text, begin, end) is not None
