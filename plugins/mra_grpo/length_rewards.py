"""Rewards of how long a text is, and of how often it repeats itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from .context import Context


@dataclass(frozen=True)
class Length:
    """grader: whose verdicts count; none is the first one."""

    grader: str | None = None


@dataclass(frozen=True)
class Cosine(Length):
    """longest: length from which on it does not matter, in tokens; none is max_new_tokens."""

    longest: Annotated[int, Ge(1)] | None = None


@dataclass(frozen=True)
class FastMathCosine(Length):
    """longest: length from which on it does not matter, in characters."""

    longest: Annotated[int, Ge(1)] = 30_000


@dataclass(frozen=True)
class Repetition:
    """ngram: words of what must not come again."""

    ngram: Annotated[int, Ge(1)] = 3


def cosine(context: Context, options: Cosine) -> list[float | None]:
    """0.1 + 0.45 (1 + c) for a right text, the negative of it for a wrong one, c = cos(pi min(1, L / longest)): from 1
    down to 0.1 and from -1 up to -0.1 as it gets longer.

    As in the two-stage recipe (section 5.2), with its fault mended: L is tokens, there characters.
    """
    return _cosine(context, options.grader, context.tokens, options.longest or context.longest)


def fast_math_cosine(context: Context, options: FastMathCosine) -> list[float | None]:
    """The same with L in characters and longest 30,000, as the two-stage recipe has it (section 5.2)."""
    return _cosine(context, options.grader, [len(text) for text in context.texts], options.longest)


def length(context: Context, options: Length) -> list[float | None]:
    """0.5 - (L - min) / (max - min) for a right text, and no more than 0 for a wrong one; L is tokens, min and max are
    of the texts of the problem; all equal gives 0.

    As in the two-stage recipe (section 5.2), with its fault mended: there min and max are of all problems of a step.
    """
    return _length(context, options.grader, context.groups)


def fast_math_length(context: Context, options: Length) -> list[float | None]:
    """The same with min and max of all texts of the step, which mixes problems, as the two-stage recipe has it
    (section 5.2); the unit of L is not said there, here it is tokens."""
    return _length(context, options.grader, [range(len(context.tokens))])


def repetition(context: Context, options: Repetition) -> list[float | None]:
    """-(1 - different n-grams / n-grams) of the text's words: 0 where none comes twice, towards -1 where all are the
    same. As in the two-stage recipe (section 5.2), where it is present but unused; n is our default."""
    return [-_repeated(text.lower().split(), options.ngram) for text in context.texts]


def _cosine(context: Context, grader: str | None, lengths: Sequence[int], longest: int) -> list[float | None]:
    found: list[float | None] = []
    for grade, size in zip(context.graded(grader), lengths, strict=True):
        value = 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, size / longest)))
        found.append(None if grade.correct is None else value if grade.correct else -value)
    return found


def _length(context: Context, grader: str | None, groups: Sequence[range]) -> list[float | None]:
    found: list[float | None] = [None] * len(context.tokens)
    grades = context.graded(grader)
    for group in groups:
        sizes = [context.tokens[place] for place in group]
        least, most = min(sizes), max(sizes)
        for place, size in zip(group, sizes, strict=True):
            value = 0.5 - (size - least) / (most - least) if most > least else 0.0
            correct = grades[place].correct
            found[place] = None if correct is None else value if correct else min(0.0, value)
    return found


def _repeated(words: Sequence[str], size: int) -> float:
    ngrams = [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0
