"""The unit at the end of a text: behind a number, or behind an expression."""

from __future__ import annotations

import re

from mra_sympy import units
from mra_sympy.unit_table import lookup

# the dollar signs around a formula that words follow: $4 \frac{4}{9}$ days
MATHS = re.compile(r"(?<!\\)\$([^$]{0,200}[^$\s\\])\$(?![\d$])")
ASIDE = re.compile(r"\(([^()]*)\)|\\text\s*\{\s*\(([^(){}]*)\)\s*\}")
_GLUED_WORD = 5  # letters of an unknown word that may stand glued to its number: fewer may be a product of symbols


def unit_of_tail(tail: str, spaced: bool, plain: bool) -> str | None:
    """The unit written in `tail`, "" for none, None when the tail is no unit (then the text is no quantity)."""
    if not tail:
        return ""
    if len(tail) > units.MAX_LENGTH or tail[0] in "=<>&|!+-_,;:[(":
        return None
    if tail[0] in "'\"":
        return None
    marked = tail.startswith(("\\text", "^")) or not tail[0].isascii()
    word = re.match(r"[^\W\d_]+", tail)
    if word and not marked and not spaced and not _stands_glued(word[0], tail):
        return None
    if tail[0] == "^" and re.match(r"\^\s*\{?\s*(?:\\circ|\\prime|o(?![a-zA-Z])|')", tail) is None:
        return None
    if tail[0] in "*\\" and re.match(r"\\(?:text|mathrm|mu|Omega|AA|frac\s*\{\s*(?:\\text|[a-z]))", tail) is None:
        return None
    found = units.readings(tail)
    if not found or (found[0].open and tail[0] not in "/p\\"):
        return None
    if word and not marked and (units.may_be_symbols(tail) or (found[0].nouns and not plain)):
        return None
    return "" if all(units.is_empty(unit) for unit in found) else " ".join(tail.split())


def _stands_glued(word: str, tail: str) -> bool:
    """May this word stand right behind its number? 5cm may; 5m and 5ab are products as likely."""
    if len(word) == 1:
        return False
    return bool(lookup(word)) or (len(word) >= _GLUED_WORD and tail.isascii())


_TRIGONOMETRY = re.compile(r"sin|cos|tan|cot|sec|csc|log|exp")
_TAIL = re.compile(r"\\text\s*\{|\^\s*\{?\s*\\circ|(?<=[\d)}\s])[A-Za-zÅΩ\u4e00-\u9fff(/\\]")


def split_unit(text: str) -> tuple[str, str]:
    """(expression, unit) of cleaned `text` such as "36\\sqrt{7} cm^3"; (text, "") when no unit ends it. A single
    letter is never taken for a unit here, a name of things counted only in ``\\text{}``."""
    if text.count("$") >= 2:
        text = MATHS.sub(r"\1 ", text).strip()
    for position in [found.start() for found in _TAIL.finditer(text)][-12:]:
        tail = text[position:].strip()
        head = text[:position].rstrip()
        if (
            not head
            or head[-1] in "+-*/^_=<>,;:({[\\"
            or len(tail) > units.MAX_LENGTH
            or head.count("{") != head.count("}")
        ):
            continue
        if head.endswith(("\\cdot", "\\times", "\\frac", "\\sqrt", "\\pm")):
            continue
        if ASIDE.fullmatch(tail) and not re.search(r"[\d\\]", tail):
            tail = tail.strip("()")
            if not units.known(tail) or len(tail) < 2:
                continue
        if tail[0] == "^" and _TRIGONOMETRY.search(head):
            continue
        marked = tail.startswith(("\\text", "^")) or ("\\text" in tail and "/" in tail)
        letters = re.findall(r"[A-Za-z]+", tail)
        if not marked and (not letters or len(letters[0]) < 2 or not units.known(tail)):
            continue
        if units.readings(tail, counted=marked) and re.search(r"\d(?<!\^\d)(?<!-\d)(?<!\{\d)", tail) is None:
            return head, " ".join(tail.split())
    return text, ""
