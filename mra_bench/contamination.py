"""Train/test overlap, looked for before anything is trained.

A rule gives each question one or more keys; a training question that shares a key with a test question overlaps it. The
one rule so far: the questions are the same once spacing, case and punctuation that carry no mathematics are taken away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mra_bench.errors import UsageError
from mra_bench.types import Problem

Policy = Literal["refuse", "allow", "drop"]
NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class Overlap:
    """A training question that is, by `rule`, the test question `problem_id` of `dataset`."""

    train_id: str
    dataset: str
    problem_id: str
    rule: str


@dataclass(frozen=True)
class Rule:
    """A name for the record, and the keys of a question; two questions that share a key overlap."""

    name: str
    keys: Callable[[str], Iterable[str]]


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


def _same_question(question: str) -> Iterable[str]:
    return filter(None, (normalise(question),))


SAME_QUESTION = Rule("same question", _same_question)


def find_overlaps(
    training: Iterable[tuple[str, str]],
    evaluations: Mapping[str, Iterable[Problem]],
    rules: Sequence[Rule] = (SAME_QUESTION,),
) -> list[Overlap]:
    """Every overlap of training questions, given as (id, question), with the problems of each evaluation dataset.

    In order of training, then of evaluation; each once for each rule. Reads each question once for each rule, so the
    time is linear in the text; only the keys of the evaluations are held in memory.
    """
    index: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for dataset, problems in evaluations.items():
        for problem in problems:
            for rule in rules:
                for key in rule.keys(problem.question):
                    index.setdefault((rule.name, key), []).append((dataset, problem.id))
    return [
        Overlap(train_id, dataset, problem_id, rule.name)
        for train_id, question in training
        for rule in rules
        for dataset, problem_id in dict.fromkeys(
            place for key in rule.keys(question) for place in index.get((rule.name, key), ())
        )
    ]


def find_duplicates(problems: Iterable[Problem]) -> list[list[str]]:
    """Ids of the problems that ask the same question once normalised, a list for each such question, in file order."""
    places: dict[str, list[str]] = {}
    for problem in problems:
        for key in _same_question(problem.question):
            places.setdefault(key, []).append(problem.id)
    return [ids for ids in places.values() if len(ids) > 1]


def guard(overlaps: Sequence[Overlap], policy: Policy) -> frozenset[str]:
    """What to do about overlaps: the ids of the training rows to drop, empty for "allow". For "refuse" raises
    UsageError with the count, the first pairs and both ways on."""
    if policy == "drop":
        return frozenset(overlap.train_id for overlap in overlaps)
    if policy == "allow" or not overlaps:
        return frozenset()
    count = len({overlap.train_id for overlap in overlaps})
    named = "; ".join(_in_words(overlap) for overlap in overlaps[:NAMED_IN_ERRORS])
    more = "; ..." if len(overlaps) > NAMED_IN_ERRORS else ""
    raise UsageError(
        f"{count} training question{' is' if count == 1 else 's are'} also in the evaluation: {named}{more}. "
        "Use --drop-contaminated to train without them, or --allow-contamination to go on with results marked as such."
    )


def _in_words(overlap: Overlap) -> str:
    return f"training {overlap.train_id} = {overlap.dataset} {overlap.problem_id} ({overlap.rule})"
