"""Why a tool's verdict on a text is not ours, as far as what both took for its answer tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.imports.values import same_gold

REASONS: Mapping[str, str] = {
    "gold": "the file's gold answer is another",
    "not-judged": "our grader could not judge",
    "not-found-there": "the tool found no answer where its format has one, ours found one",
    "not-found-here": "our grader found no answer, the tool did",
    "same-answer": "both took the same answer, and hold it against the gold answer differently",
    "later": "the tool took what stands behind the answer that ours took",
    "earlier": "the tool took what stands before the answer that ours took",
    "other-answer": "the tool took another answer than ours",
    "not-said": "the file does not say which answer the tool took",
}


def reason(theirs: Mapping[str, Any], ours: Mapping[str, Any], text: str, other_gold: bool) -> str:
    """One of `REASONS` for a stored verdict of a tool and the grade on the same text that differs from it."""
    answer = theirs["answer"]
    if other_gold:
        return "gold"
    if ours["correct"] is None:
        return "not-judged"
    if answer is None:
        return "not-said"
    if not answer.strip():
        return "not-found-there"
    if not ours["answer"]:
        return "not-found-here"
    if same_gold(answer, ours["answer"]) or same_gold(answer, ours.get("extracted", "")):
        return "same-answer"
    return _place(answer.strip(), ours["span"], text)


def _place(answer: str, span: tuple[int, int] | None, text: str) -> str:
    """Where another answer stands, beside the one at `span`."""
    if span is None:
        return "other-answer"
    if answer in text[span[1] :]:
        return "later"
    return "earlier" if answer in text[: span[0]] else "other-answer"
