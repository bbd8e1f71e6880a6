"""Builds rows for a verifier from a model's graded samples: the decision that each text's grade means."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from mra_bench.builders import REFERENCE, BuildJob, RowRule, RowSet, Sampled, usable
from mra_bench.decisions import CORRECT, INCORRECT, UNCLEAR, WORDS, decision_problem, word_of
from mra_bench.types import Completion, Problem, Row

_COUNTS = ("problems", "problems_with_rows", "samples", "rows", "from_reference", "left_out", *WORDS)


@dataclass(frozen=True)
class DecisionOptions:
    """What a verifier is trained on.

    wrong_share: the share of INCORRECT among CORRECT and INCORRECT rows; rows of the word there is too much of are left
        out, drawn by the seed. None keeps all.
    unclear_share: at most this share of all rows are UNCLEAR, texts that were cut or could not be judged; 0 leaves them
        out.
    """

    wrong_share: Annotated[float, Gt(0), Lt(1)] | None = 0.5
    unclear_share: Annotated[float, Ge(0), Le(1)] = 0.05


def build_decisions(job: BuildJob, options: DecisionOptions) -> RowSet:
    """Rows that ask of distinct samples whether they are right, at most `rows_per_problem` of a problem, drawn by the
    seed; with `reference_when_unsolved` also of the reference solution where no sample is right.

    Counts: "problems", "problems_with_rows", "samples", "rows", "from_reference", "left_out" (by the shares), and how
    many rows there are of each word.
    """
    assert isinstance(job.rule, RowRule)
    asked: list[Problem] = []
    references: set[str] = set()
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
    no_row: Counter[str] = Counter()
    for one in job.sampled:
        found = _asked(one, job.rule, job.seed)
        counts.update(problems=1, samples=len(one.samples))
        if job.rule.reference_when_unsolved and not any(p.answer == CORRECT for p in found):
            reference = _reference(one, job.rule)
            references |= {p.id for p in reference}
            found += reference
        if not found:
            no_row["no text that is long enough" if one.samples else "no samples"] += 1
        asked += found
    kept = _in_shares(asked, options, job.seed)
    of_problems = {p.id.rpartition("/")[0] for p in asked}
    with_rows = {p.id.rpartition("/")[0] for p in kept}
    if of_problems - with_rows:
        no_row["left out for the shares of the words"] = len(of_problems - with_rows)
    counts.update(Counter(p.answer for p in kept))
    counts["from_reference"] = sum(p.id in references for p in kept)
    counts.update(rows=len(kept), left_out=len(asked) - len(kept), problems_with_rows=len(with_rows))
    rows = tuple(Row(p.id, job.render(p), p.answer) for p in kept)
    return RowSet(rows, dict(counts), dict(no_row))


def _asked(one: Sampled, rule: RowRule, seed: int) -> list[Problem]:
    """A decision for each of the problem's distinct texts, or for so many of them as the rule allows."""
    judged = {completion.sample: (completion, grade) for completion, grade in one.samples}
    texts = usable([judged[sample][0] for sample in sorted(judged)], rule)
    places = random.Random(f"decisions/{seed}/{one.problem.id}").sample(
        range(len(texts)), min(len(texts), rule.rows_per_problem)
    )
    return [_decision(one.problem, texts[place], judged[texts[place].sample][1].correct) for place in sorted(places)]


def _decision(problem: Problem, text: Completion, correct: bool | None) -> Problem:
    return decision_problem(problem, text.text, word_of(correct, text.finish))


def _reference(one: Sampled, rule: RowRule) -> list[Problem]:
    whole = Completion(one.problem.id, -1, one.problem.solution or "", 0, 0, REFERENCE)
    return [decision_problem(one.problem, text.text, CORRECT) for text in usable([whole], rule)]


def _in_shares(asked: Sequence[Problem], options: DecisionOptions, seed: int) -> list[Problem]:
    """The decisions that are left once each word has its share, in their order."""
    right, wrong, unclear = ([p.id for p in asked if p.answer == word] for word in (CORRECT, INCORRECT, UNCLEAR))
    if (share := options.wrong_share) is not None:
        whole = min(len(wrong) / share, len(right) / (1 - share))
        right, wrong = _drawn(right, whole * (1 - share), seed), _drawn(wrong, whole * share, seed)
    if options.unclear_share < 1:
        decided = len(right) + len(wrong)
        unclear = _drawn(unclear, decided * options.unclear_share / (1 - options.unclear_share), seed)
    kept = {*right, *wrong, *unclear}
    return [p for p in asked if p.id in kept]


def _drawn(ids: Sequence[str], most: float, seed: int) -> list[str]:
    """At most so many of them, rounded down but for what is left of a product that should be whole."""
    return random.Random(f"shares/{seed}").sample(ids, min(len(ids), int(most + 1e-9)))
