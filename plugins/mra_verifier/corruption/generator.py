"""One generator of labelled errors, for measuring the profiler and for rejected sides of pairs."""

from __future__ import annotations

import contextlib
import itertools
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mra_sympy import grade
from mra_sympy.clean import closing

from mra_bench.errors import unknown
from mra_bench.types import Problem
from mra_verifier.corruption.carrying import Unsuitable
from mra_verifier.corruption.kinds import ALL, Change, case_of

KINDS = tuple(ALL)
MAX_TRIES = 24

# (kind, carried) -> dimensions that should notice it, written down before anything was measured. A wrong operation that
# is worked out correctly leaves no false equality behind: only the answer shows it.
NOTICES: Mapping[tuple[str, bool], tuple[str, ...]] = {
    ("wrong-operation", True): ("answer", "numeric"),
    ("wrong-operation", False): ("arithmetic",),
    ("carried-digit", True): ("answer", "numeric", "arithmetic"),
    ("carried-digit", False): ("arithmetic",),
    ("swapped-step", True): ("answer", "numeric", "logical"),
    ("swapped-step", False): ("logical",),
    ("dropped-step", True): ("answer", "numeric"),
    ("dropped-step", False): ("logical",),
    ("sign", True): ("answer", "numeric", "arithmetic"),
    ("sign", False): ("arithmetic",),
    ("unit", True): ("answer", "numeric", "structural"),
    ("unit", False): ("structural",),
}


@dataclass(frozen=True)
class Corruption:
    """A solution made wrong on purpose.

    kind: one of KINDS. place: [start, end) in `text` where it goes wrong (empty where something is missing). said: what
    was done there. carried: whether the consequences were worked out. answer: the final answer, in canonical form.
    rejected: whether that was graded wrong, so that the text can be a rejected side. notices: the dimensions of the
    profile that should notice it; "algebraic" in place of "arithmetic" where an equation was changed, neither
    where only the answer was, and "answer" too where a place alone made that wrong.
    """

    text: str
    kind: str
    place: tuple[int, int]
    said: str
    carried: bool
    answer: str
    rejected: bool
    notices: tuple[str, ...]


def corrupt(problem: Problem, kind: str, seed: int, *, carry: bool = True) -> Corruption | None:
    """`problem.solution` with one error of `kind`, the same for the same seed; None where it gives no handle for one.

    carry: work out the consequences of the error to the final answer, which is then wrong (checked with the answer
    checker); else change only the place itself, and the answer with it only where the place is the answer. Raises
    UsageError for an unknown kind.
    """
    if kind not in ALL:
        raise unknown("kind of error", kind, KINDS)
    text = problem.solution or ""
    before = grade(problem, text)
    if not text.strip() or not before.correct or before.span is None:
        return None
    case = case_of(problem, text, _inside(text, before.span))
    rng = random.Random(f"corruption/{seed}/{problem.id}/{kind}/{carry}")
    for attempt in itertools.islice(ALL[kind](case, rng, carry), MAX_TRIES):
        with contextlib.suppress(Unsuitable):
            if found := _labelled(problem, kind, carry, attempt()):
                return found
    return None


def _inside(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Where the bare answer stands, without its box and what is written behind that."""
    opened = re.compile(r"\\boxed\s*\{\s*").match(text, span[0])
    end = closing(text[opened.end() - 1 : span[1]], 0) if opened else -1
    return (opened.end(), opened.end() - 1 + end) if opened and end > 0 else span


def _labelled(problem: Problem, kind: str, carry: bool, change: Change) -> Corruption | None:
    """The change with its label; None where it changed nothing, or with `carry` not the answer."""
    after = grade(problem, change.text)
    if change.text == problem.solution or (carry and (after.correct is not False or not after.answer)):
        return None
    wrong = after.correct is False
    seen = [change.steps if name == "arithmetic" else name for name in NOTICES[kind, carry]]
    notices = tuple(name for name in (["answer", *seen] if wrong and not carry else seen) if name)
    return Corruption(change.text, kind, change.place, change.said, carry, after.answer, wrong, notices)
