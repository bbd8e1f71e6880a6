"""Chains of equalities in a text, "a = b = c", wherever they stand: in sentences, in formulas, in ``<<a=b>>``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mra_sympy.numbers_in_text import stretches

from mra_verifier.formulas import formula_chains
from mra_verifier.sentences import CALCULATOR, calculator_chain, sentence_chains
from mra_verifier.sides import Chain

MAX_CHAINS = 300
MAX_FORMULAS = 100_000  # characters of a text that are searched for formulas
# Rows of an aligned display that stands between no dollar signs.
_DISPLAY = re.compile(r"\\begin\{(align|eqnarray|gather|equation|aligned)\*?\}(.{1,4000}?)\\end\{\1\*?\}", re.DOTALL)


@dataclass(frozen=True)
class _Region:
    """text[start:end], written as text[outer[0]:outer[1]], is one formula."""

    start: int
    end: int
    outer: tuple[int, int]


def chains(text: str, start: int = 0, end: int | None = None) -> list[Chain]:
    """Every chain of equalities in text[start:end], in the order of the text, at most MAX_CHAINS."""
    end = len(text) if end is None else end
    if text.find("=", start, end) < 0:
        return []
    found: list[Chain] = []
    here = start
    for region in _formulas(text, start, end) if "\\" in text or "$" in text else ():
        found += _plain(text, here, region.outer[0])
        found += formula_chains(text, region.start, region.end)
        here = region.outer[1]
        if len(found) > MAX_CHAINS:
            break
    else:
        found += _plain(text, here, end)
    return sorted(found, key=lambda chain: chain.start)[:MAX_CHAINS]


def _plain(text: str, start: int, end: int) -> list[Chain]:
    """Chains in sentences and in the calculator's marks between them."""
    if text.find("=", start, end) < 0:
        return []
    found = list(sentence_chains(text, start, end))
    if text.find("<<", start, end) >= 0:
        for mark in CALCULATOR.finditer(text, start, end):
            found += calculator_chain(text, mark.start() + 2, mark.end() - 2)
    return found


def _formulas(text: str, start: int, end: int) -> Iterator[_Region]:
    """Formulas in order, none inside another."""
    displays = (
        [_Region(*found.span(2), found.span()) for found in _DISPLAY.finditer(text, start, end)]
        if "\\begin" in text
        else []
    )
    if "\\" not in text and not _DOLLARS.search(text, start, end):
        return
    marked = [
        _Region(*_inside(text, item.start, item.end), (item.outer_start, item.outer_end))
        for item in stretches(text, start, min(end, start + MAX_FORMULAS))
        if not item.plain and text[item.outer_start] in "$\\"
    ]
    last = start
    for region in sorted([*displays, *marked], key=lambda region: region.outer):
        if region.outer[0] >= last:
            last = region.outer[1]
            yield region


_MARKS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))


def _inside(text: str, start: int, end: int) -> tuple[int, int]:
    """The formula without its marks, which a stretch keeps where a unit stands behind them."""
    for left, right in _MARKS:
        if text.startswith(left, start) and (close := text.rfind(right, start + len(left), end)) > 0:
            return start + len(left), close
    return start, end


# A formula of a text without a single command: "$x = 5$"; money never has a letter right behind the dollar sign.
_DOLLARS = re.compile(r"\$[a-zA-Z(][^$\n]{0,200}\$")

__all__ = ["MAX_CHAINS", "Chain", "chains"]
