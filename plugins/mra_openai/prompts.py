"""How an endpoint is asked: the prompt of a problem, and the fields of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_transformers.families import PLAIN_STOPS

from mra_bench.errors import UsageError
from mra_bench.prompts import PLAIN_FORMAT, chat_messages, plain_prompt, plain_stops
from mra_bench.seeds import derived_seed
from mra_bench.types import Block, Decoding, Problem, PromptStyle, Request

from .options import Options

MOST_STOPS = 4
"""Stop strings that the interface takes; texts are cut at the others when they have come."""


class Format:
    """The prompt format and the fields that the options ask for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.chat = options.api == "chat"

    def describe(self) -> dict[str, Any]:
        """The JSON-safe record for the model's identity."""
        if self.chat:
            return {"kind": "chat", "stops": [], "system": self.options.system, "template": "the server's"}
        return {"kind": "plain", "stops": list(PLAIN_STOPS), "format": PLAIN_FORMAT}

    def stops(self, style: PromptStyle) -> tuple[str, ...]:
        """Strings that end a text in this format: a base model that goes on to invent the next question."""
        return () if self.chat else (*PLAIN_STOPS, *plain_stops(style))

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The prompt as text."""
        return self.text_of(self._asked(problem, style))

    def continuation(self, text: str) -> str:
        """`text` as it follows the prompt."""
        return text if self.chat else f" {text}"

    def text_of(self, fields: Mapping[str, Any]) -> str:
        """The prompt in the fields of a request, messages under each other."""
        if not self.chat:
            return str(fields["prompt"])
        return "\n\n".join(one["content"] for one in fields["messages"])

    def fields(self, request: Request, block: Block) -> dict[str, Any]:
        """The fields of a request. Each sample of a problem has a seed of its own where texts are drawn.

        Raises UsageError where a seed among the options would make all samples of a problem one.
        """
        how, body = block.decoding, self.options.body
        drawn = how.temperature > 0
        if drawn and request.sample > 0 and body.get("seed") is not None:
            raise UsageError("A seed in 'body' would make all samples of a problem the same text: leave it out")
        fields: dict[str, Any] = {
            "model": self.options.model,
            **self._asked(request.problem, block.style),
            self.options.length_field: limit_of(request, how),
            "temperature": how.temperature,
        }
        if stops := list(dict.fromkeys((*how.stop, *self.stops(block.style))))[:MOST_STOPS]:
            fields["stop"] = stops
        if drawn and how.top_p < 1:
            fields["top_p"] = how.top_p
        if drawn:
            fields["seed"] = derived_seed(block.seed, f"{request.problem.id}/{request.sample}")
        return {name: value for name, value in {**fields, **body}.items() if value is not None}

    def _asked(self, problem: Problem, style: PromptStyle) -> dict[str, Any]:
        if not self.chat:
            return {"prompt": plain_prompt(problem, style)}
        system = [{"role": "system", "content": self.options.system}] if self.options.system else []
        return {"messages": [*system, *chat_messages(problem, style)]}


def limit_of(request: Request, decoding: Decoding) -> int:
    """So many tokens at most."""
    return min(request.max_new_tokens or decoding.max_new_tokens, decoding.max_new_tokens)
