"""From answers to figures: one row for each set and grader, and tables of these rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, quantiles
from typing import Any

from cases import GOLDS, Case
from children import Answer

Asked = dict[str, list[tuple[Case, list[Answer]]]]  # grader -> its cases with one answer for each repetition

Table = list[list[str]]


@dataclass(frozen=True)
class Score:
    """Figures of one grader on some cases; times in milliseconds, of each case the median over the repetitions.

    false_negatives: right answers not accepted, and golds nobody can read where the verdict is "wrong".
    unjudged: cases without a verdict that are neither hang nor crash. swapped: the share of pairs of unlike bare
    answers of which one order is accepted and the other is not; None where there are none.
    """

    data: str
    grader: str
    cases: int
    right: int
    false_positives: int
    false_negatives: int
    unjudged: int
    hangs: int
    crashes: int
    per_second: float
    mean: float
    p50: float
    p99: float
    max: float
    swapped: float | None = None


def score(data: str, grader: str, asked: Sequence[tuple[Case, list[Answer]]], swapped: float | None = None) -> Score:
    """The figures of one grader on one set (at least one case). The verdict is that of the first repetition."""
    first = [(case, answers[0]) for case, answers in asked]
    times = [1000 * median(answer.seconds for answer in answers) for _, answers in asked]
    positives = sum(1 for case, answer in first if answer.correct is True and case.expected is not True)
    right = sum(1 for case, answer in first if met(case, answer))
    return Score(
        data=data,
        grader=grader,
        cases=len(first),
        right=right,
        false_positives=positives,
        false_negatives=len(first) - right - positives,
        unjudged=sum(1 for _, answer in first if answer.outcome == "judged" and answer.correct is None),
        hangs=sum(1 for _, answers in asked if any(answer.outcome == "hang" for answer in answers)),
        crashes=sum(1 for _, answers in asked if any(answer.outcome == "crash" for answer in answers)),
        per_second=1000 * len(times) / sum(times),
        mean=fmean(times),
        p50=median(times),
        p99=quantiles(times, n=100, method="inclusive")[98] if len(times) > 1 else times[0],
        max=max(times),
        swapped=swapped,
    )


def met(case: Case, answer: Answer) -> bool:
    """Is the verdict the expected one? Without a verdict a wrong answer is not accepted, so that is right too."""
    if case.expected is None:
        return answer.outcome == "judged" and answer.correct is None
    return (answer.correct is True) == case.expected


def verdicts(scores: Iterable[Score]) -> Table:
    head = ["data", "grader", "cases", "right", "false positives", "false negatives", "could not judge"]
    rows = [[*head, "hangs", "crashes"]]
    for s in scores:
        counts = (s.false_positives, s.false_negatives, s.unjudged, s.hangs, s.crashes)
        rows.append([s.data, s.grader, f"{s.cases:,}", f"{100 * s.right / s.cases:.1f} %", *map(str, counts)])
    return rows


def speeds(scores: Iterable[Score]) -> Table:
    rows = [["data", "grader", "cases/s", "mean ms", "p50 ms", "p99 ms", "max ms"]]
    for s in scores:
        times = (s.mean, s.p50, s.p99, s.max)
        rows.append([s.data, s.grader, f"{s.per_second:,.0f}", *(f"{time:.3g}" for time in times)])
    return rows


def ratios(scores: Sequence[Score], ours: str, peer: str) -> Table:
    """Ours against the peer, a row for each set that both judged."""
    found = {(s.data, s.grader): s for s in scores}
    rows = [["data", "errors, ours / peer", "throughput, ours / peer", "p99, peer / ours"]]
    for data in dict.fromkeys(s.data for s in scores):
        if (a := found.get((data, ours))) and (b := found.get((data, peer))):
            errors = f"{a.cases - a.right} / {b.cases - b.right}"
            rows.append([data, errors, f"{a.per_second / b.per_second:.1f}", f"{b.p99 / a.p99:.1f}"])
    return rows


def kinds(asked: Asked, data: str) -> Table:
    """Right answers by kind of case, a column for each grader; behind them false positives and false negatives."""
    names = list(asked)
    rows = [["kind", "cases", *(f"{name}: right (fp, fn)" for name in names)]]
    for kind in sorted({case.kind for case, _ in asked[names[0]]}):
        line, count = [], 0
        for name in names:
            s = score(data, name, [pair for pair in asked[name] if pair[0].kind == kind])
            line.append(f"{100 * s.right / s.cases:.0f} % ({s.false_positives}, {s.false_negatives})")
            count = s.cases
        rows.append([kind, str(count), *line])
    return rows


def swaps(scores: Iterable[Score]) -> Table:
    rows = [["data", "grader", "accepted one way round only"]]
    return rows + [[s.data, s.grader, f"{100 * s.swapped:.1f} %"] for s in scores if s.swapped is not None]


def as_data(scores: Iterable[Score], asked: dict[str, Asked]) -> dict[str, Any]:
    """Everything as JSON-safe data: the figures, and each case with its answers."""
    rows = [
        {**asdict(case), "grader": grader, "met": met(case, answers[0]), "answers": [asdict(a) for a in answers]}
        for graders in asked.values()
        for grader, pairs in graders.items()
        for case, answers in pairs
    ]
    return {"scores": [asdict(s) for s in scores], "cases": rows}


def labelled(data: str) -> bool:
    """Does the set have labels, so that kinds are worth a table?"""
    return data not in GOLDS
