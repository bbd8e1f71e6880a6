"""From what a server has answered to a Completion: cut, finish and tokens as for models that are run here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mra_transformers.stops import StopRule

from mra_bench.types import LENGTH, STOP, Block, Completion, Request

from .client import EndpointError
from .ledger import cost
from .names import same_model
from .options import Options
from .prompts import Format, limit_of
from .reply import FILTERED, LENGTHS, STOPS, Reply, Usage

CHARACTERS = 3
"""Characters of a token, where the server counts none: a guess for English with numbers."""
MOST_CHARACTERS = 12
"""A text with more characters for each token of its limit has not been held to it."""
SLACK = 8
"""Tokens over the limit that are let pass: servers count the end token, or a stop string, in different ways."""


class Reader:
    """Makes completions of what the server answers. Raises EndpointError where it did not do what it was asked."""

    def __init__(self, options: Options, form: Format, block: Block) -> None:
        self.options, self.decoding = options, block.decoding
        self.rule = StopRule((*form.stops(block.style), *block.decoding.stop), block.decoding.stop_after_answer)
        self.text_of = form.text_of

    def completion(self, request: Request, fields: Mapping[str, Any], reply: Reply, retries: int) -> Completion:
        """The completion of `request`. Stop strings are cut here, whatever the server did about them."""
        self._check_model(reply)
        self._check_echo(reply, str(fields["prompt"] if "prompt" in fields else fields["messages"][-1]["content"]))
        limit = limit_of(request, self.decoding)
        usage = reply.usage or Usage(estimated_tokens(self.text_of(fields)), estimated_tokens(reply.text))
        self._check_limit(reply, limit)
        cut = self.rule.cut(reply.text)
        finish = STOP if cut is not None else self._finish(reply, usage.generated >= limit, request.problem.id)
        spent = cost(self.options, usage)
        notes: dict[str, int | float | str] = {
            **({"cost": spent} if spent else {}),
            **({"reported_model": reply.model} if reply.model else {}),
            **({"system_fingerprint": reply.fingerprint} if reply.fingerprint else {}),
            **({"sent_again": retries} if retries else {}),
            **({"reasoning_tokens": usage.hidden} if usage.hidden else {}),
            **({} if reply.usage else {"tokens_guessed": 1}),
            **({} if reply.finish else {"finish_guessed": 1}),
            **({"filtered": 1} if reply.finish == FILTERED else {}),
        }
        text = (reply.text if cut is None else cut).strip()
        return Completion(request.problem.id, request.sample, text, usage.prompt, usage.generated, finish, notes)

    def _check_model(self, reply: Reply) -> None:
        wanted = self.options.reports or self.options.model
        if not same_model(wanted, reply.model):
            raise EndpointError(
                f"{self.options.url} was asked for the model '{wanted}' and reports '{reply.model}'. If these are the "
                f"same, set the option reports to that name."
            )

    def _check_echo(self, reply: Reply, asked: str) -> None:
        """A server may put the prompt before the text: the plain one as it stands, that of a chat within its template,
        and then the text is longer than the tokens generated can be."""
        most = MOST_CHARACTERS * reply.usage.generated if reply.usage else math.inf
        repeated = reply.text.startswith(asked) if self.options.api == "completions" else False
        if repeated or (asked in reply.text and len(reply.text) > most):
            raise EndpointError(
                f"{self.options.url} repeats the prompt before its text. If it reads answers by a template that is not "
                "the model's, set that right there; else leave 'echo' out of its settings."
            )

    def _check_limit(self, reply: Reply, limit: int) -> None:
        """A text much longer than it may be was made under other conditions than those of other models."""
        if reply.usage is None:
            over = len(reply.text) > MOST_CHARACTERS * (limit + SLACK)
            wrote = f"{len(reply.text):,} characters"
        else:
            shown = reply.usage.generated - reply.usage.hidden
            over, wrote = shown > limit + SLACK, f"{shown:,} tokens"
        if over:
            other = "max_tokens" if self.options.length_field != "max_tokens" else "max_completion_tokens"
            raise EndpointError(
                f"{self.options.url} wrote {wrote} where {limit:,} tokens were the limit: it does not keep to "
                f"{self.options.length_field}. Try the option length_field: {other}."
            )

    def _finish(self, reply: Reply, full: bool, problem: str) -> str:
        if reply.finish in LENGTHS or (not reply.finish and full):
            return LENGTH
        if reply.finish in STOPS or not reply.finish:
            return STOP
        if reply.finish == FILTERED:
            if self.options.allow_filtered:
                return STOP
            raise EndpointError(
                f"The content filter of {self.options.url} has cut the text for the problem '{problem}'. Set the "
                "option allow_filtered: true to count such texts as they stand."
            )
        raise EndpointError(
            f"{self.options.url} ended the text for the problem '{problem}' by '{reply.finish}', which is no end "
            f"that a text has: {STOPS[0]} or {LENGTHS[0]}"
        )


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text) / CHARACTERS)
