"""What results.json says of decisions: how often a verifier is right, and how it is wrong where it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mra_bench import statistics
from mra_bench.decisions import CORRECT, INCORRECT, UNCLEAR, WORDS
from mra_bench.scored import Judged, Scored

NO_WORD = "none"  # the rule of a verdict on a text in which no decision was found


def decision_results(scored: Sequence[Scored], level: float = statistics.LEVEL) -> dict[str, Any] | None:
    """Of a dataset whose answers are decisions: how many problems have each answer ("golds"), and for each model five
    rates, each with count, of how many texts, and interval; None for any other dataset.

    "accuracy" and the shares "unclear" (it says UNCLEAR) and "unreadable" (it says none of the words, or could not be
    judged) are of all texts; "false_positives" are the wrong solutions called CORRECT, of those that are INCORRECT;
    "false_negatives" the right ones called INCORRECT, of those that are CORRECT.
    """
    problems = scored[0].problems if scored else ()
    if not problems or any(p.answer not in WORDS for p in problems):
        return None
    golds = Counter(p.answer for p in problems)
    return {"golds": {word: golds[word] for word in WORDS}, "models": [_rates(one, level) for one in scored]}


def constant(golds: Mapping[str, int]) -> tuple[str, float]:
    """The word that is right most often, and how often: what a verifier must do better than."""
    word = max(golds, key=lambda one: golds[one])
    return word, golds[word] / sum(golds.values())


def no_better_than_constant(dataset: Mapping[str, Any]) -> Iterator[str]:
    """Of each model that decides at all, where it is not better than one word said every time: that, in words."""
    decisions = dataset.get("decisions") or {"models": ()}
    for rates in decisions["models"]:
        word, share = constant(decisions["golds"])
        right = rates["accuracy"]
        if right["low"] <= share and 2 * rates["unreadable"]["count"] < right["texts"]:
            yield (
                f"{rates['model']} on {dataset['name']}: right in {100 * right['share']:.1f} % of decisions; saying "
                f"{word} every time would be right in {100 * share:.1f} %, and it is not told apart from that."
            )


def _rates(scored: Scored, level: float) -> dict[str, Any]:
    def rate(counts: Callable[[Judged], bool], gold: str | None = None) -> dict[str, Any]:
        asked = [scored.samples[p.id] for p in scored.problems if gold in (None, p.answer)]
        return _rate([[counts(sample) for sample in samples] for samples in asked], level)

    return {
        "model": scored.model,
        "accuracy": rate(lambda sample: sample.correct is True),
        "false_positives": rate(lambda sample: said(sample) == CORRECT, INCORRECT),
        "false_negatives": rate(lambda sample: said(sample) == INCORRECT, CORRECT),
        "unclear": rate(lambda sample: said(sample) == UNCLEAR),
        "unreadable": rate(lambda sample: said(sample) == ""),
    }


def said(sample: Judged) -> str:
    """The decision that was read from a text, "" where there is none."""
    word = sample.answer.upper()
    return word if word in WORDS and sample.rule != NO_WORD else ""


def _rate(counted: Sequence[Sequence[bool]], level: float) -> dict[str, Any]:
    """Of the samples of each problem how many count, and the interval over problems (Wilson's; see
    `statistics.clustered` for several samples a problem)."""
    count, texts = sum(map(sum, counted)), sum(map(len, counted))
    if not texts:
        return {"count": 0, "texts": 0, "share": None, "low": 0.0, "high": 1.0}
    interval = statistics.clustered([sum(one) / len(one) for one in counted], len(counted[0]), level)
    return {"count": count, "texts": texts, "share": count / texts, "low": interval.low, "high": interval.high}
