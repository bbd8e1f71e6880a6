"""A worked solution as its steps and calculations, with the places of every number in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from mra_verifier.sides import value

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_TIMES = {"x": "*", "×": "*", "÷": "/", "−": "-", "–": "-"}
_LATEX_TIMES = re.compile(r"\\(?:times|cdot)(?![a-z])")
_OPERATOR = r"[-+*/x×÷−–]|\\times(?![a-z])|\\cdot(?![a-z])"
# `<<48/2=24>>24`, "48 / 2 = 24", or a number by itself.
PIECE = re.compile(
    rf"<<(?P<marked>[-+*/().\d]+)=(?P<written>{NUMBER})>>(?P<said>(?:{NUMBER})?)"
    rf"|(?<![\w.,)%/*+=-])(?<![-+*/x=]\s)(?P<plain>\$?(?:{NUMBER})(?:\s?(?:{_OPERATOR})\s?\$?(?:{NUMBER}))+)(?P<equals>\s?=\s?\$?)"
    rf"(?P<result>{NUMBER})(?!\s?(?:{_OPERATOR})\s?[\d$(])(?![\d,.]*\d|\s?[%(/])"
    rf"|(?<![\w.])(?P<number>{NUMBER})"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9$\\])")
_DIGITS = re.compile(NUMBER)


@dataclass(frozen=True)
class Calculation:
    """text[start:end] calculates `source`, text[result[0]:result[1]] is what it gives; `marked` as ``<<...>>``."""

    start: int
    end: int
    source: str
    result: tuple[int, int]
    marked: bool

    @property
    def value(self) -> Fraction | None:
        """What it comes to; None where it cannot be worked out."""
        return value(self.source)


@dataclass(frozen=True)
class Step:
    """text[start:end] is a line or a sentence; what it calculates."""

    start: int
    end: int
    calculations: tuple[Calculation, ...]


def calculations(text: str, start: int = 0, end: int | None = None) -> list[Calculation]:
    """Every true calculation with a plain number as its result."""
    found = []
    for piece in PIECE.finditer(text, start, len(text) if end is None else end):
        if piece["number"]:
            continue
        marked = piece["marked"] is not None
        place = piece.span("written" if marked else "result")
        calculation = Calculation(*piece.span(), plain(piece["marked"] or piece["plain"]), place, marked)
        if re.search(r"\d\D+\d", calculation.source) and calculation.value == number(text[slice(*place)]):
            found.append(calculation)
    return found


def steps(text: str) -> list[Step]:
    """The lines of a solution, or its sentences where it is one line."""
    cuts = [found.span() for found in re.finditer(r"\n+" if "\n" in text.strip() else _SENTENCE, text)]
    bounds = zip([0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)], strict=True)
    return [Step(start, end, tuple(calculations(text, start, end))) for start, end in bounds if text[start:end].strip()]


def plain(expression: str) -> str:
    """An expression as the grammar of the answer checker reads it."""
    bare = _LATEX_TIMES.sub("*", expression).replace("$", "").replace(",", "").replace(" ", "")
    return "".join(_TIMES.get(character, character) for character in bare)


def number(written: str) -> Fraction:
    """The value of a numeral."""
    return Fraction(written.replace(",", ""))


def numbers(expression: str) -> list[Fraction]:
    """The numbers of an expression, in order."""
    return [number(found) for found in _DIGITS.findall(expression)]


def written(number: Fraction, like: str) -> str | None:
    """A number in figures, in the style of another; None where it would be no number that a solution writes."""
    if abs(number) >= 10**9:
        return None
    if number.denominator == 1:
        return f"{int(number):,}" if "," in like else str(int(number))
    if number.denominator in (2, 4, 5, 8, 10, 20, 25, 40, 50, 100):
        return f"{float(number):.2f}" if re.search(r"\.\d\d\Z", like) else f"{float(number):g}"
    return None
