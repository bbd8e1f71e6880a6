"""What texts have cost, by the prices of the options, and the budget they have to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.errors import BenchError
from mra_bench.types import Completion

from .options import Options
from .reply import Usage


def cost(options: Options, usage: Usage) -> float:
    """Of one text, in the currency of the prices."""
    return round(options.price_at_most(usage.prompt, usage.generated), 12)


class Ledger:
    """Sums over the texts of a run."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.texts = self.prompt = self.generated = 0
        self.spent = 0.0

    def begin(self, spent: Mapping[str, Any]) -> None:
        """What the texts that the run has already have cost, by the prices of their time."""
        self.spent = float(spent.get("cost", 0.0))

    def add(self, completion: Completion) -> None:
        """One text more."""
        self.texts += 1
        self.prompt += completion.prompt_tokens
        self.generated += completion.tokens
        self.spent += float(completion.notes.get("cost", 0.0))

    def check(self) -> None:
        """Raises BenchError once the budget is spent."""
        budget = self.options.budget
        if budget is not None and self.spent >= budget:
            raise BenchError(
                f"The budget of {budget:g} for '{self.options.model}' is spent: its texts cost about {self.spent:.4g}. "
                "They are kept; set its option budget higher, and the same command goes on from there."
            )

    def line(self) -> str:
        """For the progress: tokens in and out, and what they cost."""
        priced = self.options.input_price or self.options.output_price
        return f"{self.prompt:,} + {self.generated:,} tokens" + (f", cost {self.spent:.4g}" if priced else "")
