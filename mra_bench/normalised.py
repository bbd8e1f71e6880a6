"""Questions as their words, numbers and signs of mathematics, so that spelling alone does not tell two apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_SMALL_DIGITS = re.compile(r"(?P<up>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+)|(?P<down>[₀₁₂₃₄₅₆₇₈₉]+)|(?P<part>[¼-¾⅐-⅞])")
_COMMA_IN_LATEX = re.compile(r"\{,\}|,\\!|\\,(?<=\d\\,)(?=\d{3}(?!\d))")
_LATEX_NOISE = re.compile(
    r"\\\\|~|\\?\$|\\[,;:!>\s()\[\]]"
    r"|\\(?:quad|qquad|left|right|displaystyle|text|textbf|textit|mbox|mathrm)(?![a-z])"
)
_LATEX_FRACTION = re.compile(r"\\[dt]frac(?![a-z])")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!\d|,\d)")
_DASHES = str.maketrans({"−": "-", "‐": "-", "‑": "-", "–": "-", "’": "'", "‘": "'", "′": "'", "⁄": "/"})
_NO_MATHEMATICS = re.compile(  # each choice starts with its sign, which is what makes the search fast
    r"-(?:(?<=[^\W\d_]{2}-)(?=[^\W\d_])|(?<=[^\W_]-)(?=[^\W\d_]{2}))"  # hyphen of a word
    r"|\.(?:(?=\.)|(?<=\.\.)|(?!\d)|(?<=[^\W\d_]\.))"  # full stop, not a decimal point
    r"|!(?<![\d)]!)(?<!\b[a-z]!)"  # not a factorial
    r"|'(?!['(])"  # not a derivative
    r"|__+"  # a blank to fill in
)
_NUMBER = re.compile(r"[\d.]+")
_KEPT_SIGNS = frozenset("-*/%^_!'()[]")


class _Signs(dict[int, str]):
    """For str.translate: letters, marks, digits and decimal points stay; signs of mathematics stand alone; the rest
    becomes a space. Fills itself, one character at a time."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if char == "." or category[0] in "LMN":
            kept = char
        elif char in _KEPT_SIGNS or category == "Sm":
            kept = f" {char} "
        else:
            kept = " "
        self[code] = kept
        return kept


_SIGNS = _Signs()


def normalise(question: str) -> str:
    """The question as its words, numbers and signs of mathematics, one space between.

    Unicode NFKC, case folded. Gone: spacing, LaTeX spacing and dollar signs, braces, hyphens inside words, quotes,
    commas, full stops. Kept: numbers (1,234 and 1{,}234 as 1234; 0.5 as it is), operators, relations, per cent, round
    and square brackets, factorials, exponents. So questions that differ in a number or an operator stay different.
    """
    text = (question if question.isascii() else _plain_characters(question)).casefold()
    text = _COMMA_IN_LATEX.sub(",", text)
    text = _LATEX_NOISE.sub(" ", text)
    text = _LATEX_FRACTION.sub(r"\\frac", text)
    text = _THOUSANDS.sub(_without_commas, text)
    text = _NO_MATHEMATICS.sub(" ", text)
    text = _NUMBER.sub(r" \g<0> ", text.translate(_SIGNS))
    return " ".join(text.split())


def _plain_characters(question: str) -> str:
    return unicodedata.normalize("NFKC", _SMALL_DIGITS.sub(_spelt, question)).translate(_DASHES)


def _spelt(match: re.Match[str]) -> str:
    """x² as x^2, x₂ as x_2, 2½ as 2 1/2: NFKC alone would make 10² into 102."""
    plain = unicodedata.normalize("NFKC", match.group())
    return {"up": f"^{plain}", "down": f"_{plain}", "part": f" {plain}"}[match.lastgroup or "part"]


def _without_commas(match: re.Match[str]) -> str:
    return match.group().replace(",", "")


_WORDS_FOR_NUMBERS = {  # not "one": it is a pronoun as often as a number
    word: str(value)
    for value, word in enumerate(
        "zero - two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
    if word != "-"
} | dict(zip("thirty forty fifty sixty seventy eighty ninety".split(), map(str, range(30, 100, 10)), strict=True))
_UNSPACED = re.compile(
    r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])"
)  # Chinese and Japanese put no spaces between words


def words_of(normalised: str) -> list[str]:
    """The words and numbers of a normalised text, in order, without signs; of Chinese each character."""
    spaced = normalised if normalised.isascii() else _UNSPACED.sub(r" \1 ", normalised)
    return [word for word in spaced.split() if word.isalnum() or any(map(str.isalnum, word))]


def number_in(word: str) -> str | None:
    """The number that a word of `words_of` is, in digits where it is written out (up to ninety); None for others."""
    return word if any(map(str.isdigit, word)) else _WORDS_FOR_NUMBERS.get(word)


def numbers_of(words: Sequence[str]) -> tuple[str, ...]:
    """The numbers among the words, sorted, each as often as it stands there."""
    return tuple(sorted(filter(None, map(number_in, words))))


def template_of(normalised: str) -> str:
    """A normalised text with a mark in place of each number: equal for questions that differ in numbers alone."""
    return " ".join("#" if number_in(word) is not None else word for word in normalised.split())
