"""Problems for a verifier: is this solution of that problem CORRECT, INCORRECT or UNCLEAR?

The three words are those of SLM-Math; how they are asked for is ours. Whoever makes such problems (from graded samples,
from corrupted solutions) asks in the same words, so that what they were made from can be read back.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator

from mra_bench.builders import PairSet
from mra_bench.types import LENGTH, Problem

CORRECT, INCORRECT, UNCLEAR = WORDS = ("CORRECT", "INCORRECT", "UNCLEAR")
ASKED = """Problem:
{question}

Proposed solution:
{text}

Is the proposed solution correct? Answer with one word: CORRECT, INCORRECT or UNCLEAR."""
_PARTS = re.compile(re.escape(ASKED).replace(r"\{question\}", "(.*?)").replace(r"\{text\}", "(.*)"), re.DOTALL)


def decision_problem(problem: Problem, text: str, word: str) -> Problem:
    """Whether `text` solves `problem`; `word` is the right decision. Its id is that of the problem with a mark of the
    question behind it, so that no two of different texts share one."""
    question = ASKED.format(question=problem.question.strip(), text=text.strip())
    mark = hashlib.sha256(question.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return Problem(
        f"{problem.id}/{mark}", question, word, solution=word, subject=word, level=problem.level, expects="text"
    )


def word_of(correct: bool | None, finish: str) -> str:
    """What a verifier should say of a text with this verdict: UNCLEAR where it could not be judged or was cut."""
    if correct is None or finish == LENGTH:
        return UNCLEAR
    return CORRECT if correct else INCORRECT


def parts_of(text: str) -> tuple[str, str] | None:
    """The problem and the proposed solution that a question, or a prompt with one in it, asks about; None where it asks
    for no decision."""
    found = _PARTS.search(text)
    return (found[1], found[2]) if found else None


def asked_about(question: str) -> str:
    """The question of the problem that a decision is about; any other question as it is."""
    parts = parts_of(question)
    return parts[0] if parts else question


def from_pairs(problems: Iterable[Problem], pairs: PairSet) -> Iterator[Problem]:
    """For each problem with a pair one decision, drawn by its id alone: the chosen text, which is CORRECT, or the
    rejected one, which is INCORRECT. One of the two only, so that every problem counts once."""
    by_id = {pair.problem_id: pair for pair in reversed(pairs.pairs)}
    for problem in problems:
        if pair := by_id.get(problem.id):
            right = random.Random(f"decision/{problem.id}").random() < 0.5
            yield decision_problem(problem, pair.chosen if right else pair.rejected, CORRECT if right else INCORRECT)
