"""REPO's reward of style and answer: as published, and ours, in which style never outweighs the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le
from mra_transformers.stops import BOXED, closed_box

from .context import Context

STEPS = ("step", "first", "second", "then", "therefore", "thus", "hence", "solution:", "solve")
MARKS = ("=", "+", "-", "*", "/", "^", "\\frac", "\\sqrt", "^{", "_{")
BOX, SHORT, FEW = 2.0, -1.0, 50  # points for a box, and for a text of fewer characters than that
STEP, MOST_STEPS, MARK, MOST_MARKS = 0.5, 2.0, 0.3, 1.5
MOST_STYLE = BOX + MOST_STEPS + MOST_MARKS
EQUAL, EQUAL_UNSPACED, PART = 5.0, 3.0, 2.0
_NUMBER = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Repo:
    """grader: whose verdicts count; none is the first one. style: what REPO's points for style are multiplied by, so
    small that no style outweighs the answer."""

    grader: str | None = None
    style: Annotated[float, Ge(0), Le(0.75)] = 0.5


def repo(context: Context, options: Repo) -> list[float | None]:
    """5 for a right answer, and `style` times REPO's points for a box, words of steps, marks of mathematics and length.

    As in REPO (section 4.4), with its faults mended: a wrong text of the best style earns 5.5 `style`, at most 4.125; a
    right one of the worst 5 - `style`, at least 4.25; a part of the gold answer earns nothing; the grader finds and
    compares the answer; a box must be closed, and words of steps stand by themselves.
    """
    return [
        None
        if grade.correct is None
        else EQUAL * grade.correct
        + options.style * _style(text, boxed=closed_box(text) is not None, steps=_steps(text))
        for grade, text in zip(context.graded(options.grader), context.texts, strict=True)
    ]


def repo_style(context: Context) -> list[float | None]:
    """The published values (section 4.4), range -1 to 10.5: 2 for a box, 0.5 for each word of steps up to 2, 0.3 for
    each mark of mathematics up to 1.5, -1 under 50 characters; 5 for an answer that is equal when normalised, else 3
    without spaces, else 2 where one is a part of the other. So style alone earns more than the answer, and wrong text
    that boxes a digit of the gold answer more yet: for comparison, not for use.

    What its normalising does is not in our reference; here it drops case, ``$``, commas and outer spaces.
    """
    return [_published(text, problem.answer) for problem, text in zip(context.problems, context.texts, strict=True)]


def _style(text: str, *, boxed: bool, steps: int) -> float:
    marks = sum(mark in text for mark in MARKS)
    points = BOX * boxed + min(MOST_STEPS, STEP * steps) + min(MOST_MARKS, MARK * marks)
    return points + (SHORT if len(text.strip()) < FEW else 0.0)


def _steps(text: str) -> int:
    """How many of the words of steps stand in a text as words."""
    words = set(re.findall(r"[a-z]+:?", text.lower()))
    return sum(step in words or f"{step}:" in words for step in STEPS)


def _published(text: str, gold: str) -> float:
    lowered = text.lower()
    style = _style(text, boxed=BOXED in text, steps=sum(step in lowered for step in STEPS))
    answer, wanted = _normal(_answer(text)), _normal(gold)
    if not answer or not wanted:
        return style
    if answer == wanted:
        return style + EQUAL
    if "".join(answer.split()) == "".join(wanted.split()):
        return style + EQUAL_UNSPACED
    return style + (PART if answer in wanted or wanted in answer else 0.0)


def _answer(text: str) -> str:
    """The first box, else the last group in parentheses, else the last number."""
    start = text.find(BOXED)
    if start >= 0:
        end = closed_box(text)
        return text[start + len(BOXED) : -1 if end is None else end - 1]
    if groups := re.findall(r"\(([^()]*)\)", text):
        return str(groups[-1])
    return str((_NUMBER.findall(text) or [""])[-1])


def _normal(answer: str) -> str:
    return answer.lower().replace("$", "").replace(",", "").strip()
