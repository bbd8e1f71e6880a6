"""The model of `mra_bench.types` behind an endpoint: a block of problems in, texts out in the order they come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.errors import BenchError, UsageError
from mra_bench.types import Block, Completion, Decoding, Problem, PromptStyle, Request

from . import prompts
from .background import Crew, in_background
from .client import Again, Endpoint, EndpointError, RequestRefused
from .completion import Reader, estimated_tokens
from .keys import read_key
from .ledger import Ledger
from .options import Options
from .pace import LONGEST_ASKED, Pace, backoff
from .reply import Reply

GRACE = 30.0
"""Seconds that requests under way still get once one has failed for good: what was sent is paid for."""
CHECK = Request(Problem("check", "Count from 1 to 100.", ""))
CHECK_TOKENS = 16


class EndpointModel:
    """A model that is asked over the network. Nothing is sent before a run starts."""

    reproducible = False

    def __init__(self, options: Options) -> None:
        self.options = options
        self.format = prompts.Format(options)
        self.ledger = Ledger(options)
        self._pace = Pace(options.requests_per_minute, options.tokens_per_minute, time.monotonic)

    def identity(self) -> Mapping[str, Any]:
        """`served`: where the model is and what it is called there. It has no `weights`, as nobody can look inside. The
        rest is how it is asked. What the server reports of itself is among the notes of its texts."""
        return {
            "served": {"endpoint": self.options.url, "model": self.options.model},
            "prompt": self.format.describe(),
            "request": {"length_field": self.options.length_field, "body": dict(self.options.body)},
        }

    def checkpoint(self) -> Path | None:
        """None: there are no weights to train."""
        return None

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The prompt as text: the plain prompt, or the messages of the chat, which the server puts in its template."""
        return self.format.render(problem, style)

    def continuation(self, text: str) -> str:
        """`text` as it follows the prompt: behind a space in the plain format, as it is in a chat."""
        return self.format.continuation(text)

    @property
    def note(self) -> str:
        """Tokens and cost so far."""
        return self.ledger.line()

    def begin(self, spent: Mapping[str, Any]) -> None:
        """What the run has cost before."""
        self.ledger.begin(spent)

    def check_ready(self) -> None:
        """Ask for a few tokens, so that what is wrong with the address, the key, the model's name or a field is known
        before any work. Raises UsageError."""
        block = Block((CHECK,), PromptStyle(), Decoding(max_new_tokens=CHECK_TOKENS), 0)
        try:
            for _ in self._ask_all(block, checking=True):
                pass
        except UsageError:
            raise
        except BenchError as error:
            raise UsageError(str(error)) from None

    def generate(self, block: Block) -> Iterator[Completion]:
        """One completion for each request, as they come. Raises EndpointError; what has come is not lost by it."""
        yield from self._ask_all(block)

    def _ask_all(self, block: Block, *, checking: bool = False) -> Iterator[Completion]:
        options = self.options
        key = read_key(options.key_env)
        reader = Reader(options, self.format, block)

        async def work(put: Callable[[Completion], None]) -> None:
            crew = Crew(min(options.max_concurrency, len(block.requests)), GRACE)
            async with Endpoint(options, key, checking=checking) as endpoint:

                async def one(request: Request) -> None:
                    self.ledger.check()
                    fields = self.format.fields(request, block)
                    try:
                        reply, retries = await self._patiently(endpoint, fields, crew)
                    except RequestRefused as error:
                        raise EndpointError(f"{error} The problem was '{request.problem.id}'. {KEPT}") from None
                    completion = reader.completion(request, fields, reply, retries)
                    self.ledger.add(completion)
                    put(completion)

                await crew.do(block.requests, one)

        return in_background(work)

    async def _patiently(self, endpoint: Endpoint, fields: Mapping[str, Any], crew: Crew) -> tuple[Reply, int]:
        """The answer to a request and how often it was sent again. Raises EndpointError when patience has ended."""
        reserved = estimated_tokens(self.format.text_of(fields)) + (fields.get(self.options.length_field) or 0)
        failures = 0
        while True:
            await crew.sleep(self._pace.wait(reserved))
            try:
                reply = await endpoint.ask(fields)
            except Again as error:
                failures += 1
                most = 1 + self.options.retries
                self._give_up(error, failures, most if error.most is None else min(most, error.most))
                if error.after is not None:
                    self._pace.hold(error.after)
                await crew.sleep(backoff(failures) if error.after is None else error.after)
                continue
            if reply.usage is not None:
                self._pace.correct(reply.usage.prompt + reply.usage.generated - reserved)
            return reply, failures

    def _give_up(self, error: Again, failures: int, most: int) -> None:
        """Raises EndpointError where another try is not due."""
        if error.after is not None and error.after > LONGEST_ASKED:
            wait = f"{math.ceil(error.after / 60):,} minutes"
            raise EndpointError(f"{error}. It asks to wait {wait}. {KEPT}")
        if failures >= most:
            tries = "" if failures == 1 else f", {failures} times in a row"
            raise EndpointError(f"{error}{tries}. {KEPT}")


KEPT = "Texts that have come are kept; the same command goes on from there."
