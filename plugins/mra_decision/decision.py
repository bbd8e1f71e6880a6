"""What a verifier decided, read from its text: CORRECT, INCORRECT or UNCLEAR."""

from __future__ import annotations

import re

RIGHT, WRONG, UNCLEAR = WORDS = ("CORRECT", "INCORRECT", "UNCLEAR")
NEAR = 40  # characters before a word among which its denial is looked for
_WORD = re.compile(r"\b(?:in)?correct\b|\bunclear\b", re.IGNORECASE)
_DENIED = re.compile(r"(?:\b(?:not|never|cannot|hardly|neither|nor)|n['’]t)(?:\s+\w+){0,2}\s+$", re.IGNORECASE)


def decided(text: str) -> str:
    """The decision of a text: INCORRECT where that word stands anywhere, else UNCLEAR, else CORRECT; without any of
    them UNCLEAR. Words count whole and in any case; "not correct" is INCORRECT, another word that is denied is UNCLEAR.

    As workflow B of SLM-Math parses it, mended: there "This is not correct" is CORRECT.
    """
    found = {
        _meant(match[0].upper(), text[max(0, match.start() - NEAR) : match.start()]) for match in _WORD.finditer(text)
    }
    return next((word for word in (WRONG, UNCLEAR, RIGHT) if word in found), UNCLEAR)


def decided_as_published(text: str) -> str:
    """The rule as SLM-Math has it: INCORRECT anywhere wins, then CORRECT anywhere, else UNCLEAR."""
    said = text.upper()
    return WRONG if WRONG in said else RIGHT if RIGHT in said else UNCLEAR


def _meant(word: str, before: str) -> str:
    if _DENIED.search(before) is None:
        return word
    return WRONG if word == RIGHT else UNCLEAR
