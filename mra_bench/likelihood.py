"""Whether training made a model's chosen answers less likely, from facts that any trainer may give of its model.

Preference training asks that chosen answers gain on rejected ones. It can do that by making both less likely, and then
the model writes something else: a reader must know before believing the figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CHOSEN, REJECTED = "chosen_log_prob", "rejected_log_prob"
FALL = math.log(2)
"""Nats a text from which a fall is told: the typical chosen answer (the geometric mean) became half as likely."""
ERRORS = 2
"""Standard errors that a fall must exceed, too, so that it is not due to which texts were measured."""


@dataclass(frozen=True)
class Change:
    """Mean log-probability (nats, summed over a text's tokens) of `texts` texts before (`first`) and after (`last`)
    training; `error`: the standard error of the difference, paired by text."""

    first: float
    last: float
    error: float
    texts: int

    @property
    def times(self) -> str:
        """How likely the typical text is now, beside before: the geometric mean in words."""
        ratio = math.exp(min(self.last - self.first, 100.0))
        return f"{ratio:.2f} times as likely" if ratio >= 0.01 else "less than a hundredth as likely"

    @property
    def fell(self) -> bool:
        """Whether texts became less likely by more than `FALL` and more than chance."""
        return self.first - self.last > max(FALL, ERRORS * self.error)


def change_of(facts: Mapping[str, Any], name: str) -> Change | None:
    """The fact `name` of a trained model, or None where its trainer gives none of the documented shape."""
    found = facts.get(name)
    if not isinstance(found, Mapping):
        return None
    numbers = [found.get(key) for key in ("first", "last", "error", "texts")]
    if not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        return None
    return Change(found["first"], found["last"], found["error"], int(found["texts"]))


def likelihood_warnings(models: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A warning for each model whose chosen answers became less likely: its kind and its words."""
    return [
        ("chosen-less-likely", _warning(model["name"], chosen, change_of(model["facts"], REJECTED)))
        for model in models
        if (chosen := change_of(model["facts"], CHOSEN)) is not None and chosen.fell
    ]


def likelihood_sentences(facts: Mapping[str, Any]) -> list[str]:
    """For the report's training section: where chosen and rejected answers went."""
    kinds = (("chosen", change_of(facts, CHOSEN)), ("rejected", change_of(facts, REJECTED)))
    return [
        f"Mean log-probability of {what} answers ({change.texts:,} texts): {change.first:.1f} under the parent, "
        f"{change.last:.1f} after training; the typical one is {change.times}."
        for what, change in kinds
        if change is not None
    ]


def _warning(name: str, chosen: Change, rejected: Change | None) -> str:
    beside = f" Rejected ones went from {rejected.first:.1f} to {rejected.last:.1f}." if rejected else ""
    return (
        f"{name} finds the answers it was to prefer less likely than its parent did: their mean log-probability went "
        f"from {chosen.first:.1f} to {chosen.last:.1f} ({chosen.texts:,} texts; the typical one is now {chosen.times})."
        f"{beside} Training then favours what is in no pair. A smaller learning rate, fewer steps or a likelihood loss "
        "on chosen answers beside the preference loss keeps them up."
    )
