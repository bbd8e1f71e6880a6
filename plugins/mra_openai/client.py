"""One request through the openai client: an answer, a reason to ask again, or an error that names what is wrong."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from collections.abc import Mapping
from typing import Any

from mra_bench.errors import BenchError, nearest

from .keys import hidden
from .options import Options
from .reply import Broken, Reply, Usage, error_of, listed, read_reply, shown

CONNECT = 10.0
"""Seconds to reach the server at all."""
BROKEN_TRIES = 3
CHECK_TRIES = 2
FOR_NOW = (408, 409, 425, 429)
USED_UP = ("insufficient_quota", "billing_hard_limit_reached")
NO_ROOM = "output limit was reached"  # what a reasoning model says that has used up its limit before it wrote anything
LISTED = 5
TOO_LONG = ("context length", "context window", "context size", "context_length")
LEFT_OUT = ("temperature", "top_p", "stop", "seed")
"""Fields that some servers do not take, and that a text can do without."""


class Again(Exception):
    """A request that failed for now: why, as a sentence. after: seconds that the server asks to wait. most: it is asked
    so many times at most, None for as often as the options say."""

    def __init__(self, why: str, after: float | None = None, most: int | None = None) -> None:
        super().__init__(why)
        self.after, self.most = after, most


class EndpointError(BenchError):
    """The endpoint cannot be used as it is."""


class RequestRefused(EndpointError):
    """One request is not taken as it is; others may be."""


class Endpoint:
    """The open connection to an endpoint; used within one event loop, by ``async with``. checking: it is only asked
    whether it is there, and not for long where it is not."""

    def __init__(self, options: Options, key: str, *, checking: bool = False) -> None:
        self.options, self.key, self.checking = options, key, checking
        self.client: Any = None
        self.headers: dict[str, Any] = {}

    async def __aenter__(self) -> Endpoint:
        import openai

        none = openai.Omit()  # the client takes these from the environment, for hosts they are not meant for
        bearer = f"Bearer {self.key}" if self.key else none
        self.headers = {"Authorization": bearer, "OpenAI-Organization": none, "OpenAI-Project": none}
        self.client = openai.AsyncOpenAI(
            base_url=self.options.url,
            api_key=self.key or "none",
            max_retries=0,
            timeout=openai.Timeout(self.options.timeout, connect=min(CONNECT, self.options.timeout)),
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.close()

    async def ask(self, fields: Mapping[str, Any]) -> Reply:
        """The answer to one request. Raises Again, or EndpointError for what another try would not change."""
        import openai

        chat = self.options.api == "chat"
        create = self.client.chat.completions if chat else self.client.completions
        own = {name: fields[name] for name in ("model", "messages" if chat else "prompt")}
        rest = {name: value for name, value in fields.items() if name not in own}
        try:
            async with asyncio.timeout(self.options.timeout):
                raw = await create.with_raw_response.create(**own, extra_body=rest, extra_headers=self.headers)
            headers = raw.http_response.headers
            charset = headers.get("content-type", "").lower().partition("charset=")[2].partition(";")[0].strip(' "')
            return self._clean(read_reply(raw.http_response.content, charset, chat))
        except (TimeoutError, openai.APITimeoutError):
            why = f"{self} did not answer within {self.options.timeout:g} seconds"
            raise Again(why, most=self._tries(CHECK_TRIES)) from None
        except openai.APIStatusError as error:
            if error.status_code == 400 and NO_ROOM in str(error):
                return Reply("", "length", Usage(0, int(fields.get(self.options.length_field, 0))))
            raise await self._refusal(error) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            what = shown(hidden(str(cause), self.key)) or type(cause).__name__
            raise Again(f"{self} cannot be reached or broke off ({what})", most=self._tries(CHECK_TRIES)) from None
        except Broken as error:
            raise Again(f"{self} answered with {hidden(str(error), self.key)}", most=BROKEN_TRIES) from None

    def __str__(self) -> str:
        return f"The endpoint {self.options.url}"

    def _tries(self, most: int) -> int | None:
        return most if self.checking else None

    def _clean(self, reply: Reply) -> Reply:
        """The same without the key, should a server have put it anywhere."""
        parts = {name: hidden(getattr(reply, name), self.key) for name in ("text", "finish", "model", "fingerprint")}
        return Reply(**parts, usage=reply.usage)

    async def _refusal(self, error: Any) -> Exception:
        """What follows from an answer with an error's status."""
        status, headers = error.status_code, error.response.headers
        said = hidden(error_of(error.body), self.key)
        told = f"{self} answered with the error {status}{f': {said}' if said else ''}"
        if 300 <= status < 400:
            where = shown(hidden(headers.get("location", "nowhere"), self.key)).partition("?")[0]
            return EndpointError(
                f"{self} sends requests elsewhere, to {where}, and they do not follow: a key must not reach another "
                "host. Give that address as base_url if it is the right one."
            )
        if status == 401:
            return EndpointError(f"{told}. {self._about_key()}")
        if status == 403:
            return EndpointError(f"{told}. The key may not ask for '{self.options.model}'.")
        if status == 404 or "model_not_found" in (error.code or ""):
            return EndpointError(f"{told}. {await self._about_model()}")
        if error.code not in USED_UP and (status in FOR_NOW or status >= 500):
            return Again(told, after=_after(headers), most=self._tries(BROKEN_TRIES) if status >= 500 else None)
        return RequestRefused(f"{told}.{self._about_fields(said)}")

    def _about_key(self) -> str:
        if self.options.key_env:
            return f"The key in {self.options.key_env} is not one that it takes."
        return "It wants a key: put it in an environment variable and name that in the option key_env."

    async def _about_model(self) -> str:
        """Which models there are, as far as the endpoint tells."""
        try:
            async with asyncio.timeout(CONNECT):
                raw = await self.client.models.with_raw_response.list(extra_headers=self.headers)
                names = listed(raw.http_response.content)
        except Exception:  # whatever it is: the list only makes a message better
            names = []
        names = [hidden(name, self.key) for name in names]
        if self.options.model in names:
            return f"It lists the model, so it may not offer api: {self.options.api}."
        if not names:
            return f"There is no model '{self.options.model}', or base_url is wrong (most end in /v1)."
        close = nearest(self.options.model, names) or names[0]
        more = f", ... ({len(names)} in all)" if len(names) > LISTED else ""
        return f"Its models: {', '.join(names[:LISTED])}{more}. Did you mean '{close}'?"

    def _about_fields(self, said: str) -> str:
        if self.options.length_field in said:
            other = {"max_tokens": "max_completion_tokens"}.get(self.options.length_field, "max_tokens")
            return f" Set the option length_field: {other}, or lower max_new_tokens."
        if any(words in said.lower() for words in TOO_LONG):
            return " Lower max_new_tokens, show fewer examples, or give the server a longer context."
        named = next((name for name in LEFT_OUT if name in said), None)
        return f" The option body: {{{named}: null}} leaves that field out." if named else ""


def _after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: a number, or a date. None where it does not say so."""
    given = headers.get("retry-after", "").strip()
    try:
        seconds = float(given)
    except ValueError:
        date = email.utils.parsedate_tz(given)
        if date is None:
            return None
        seconds = email.utils.mktime_tz(date) - time.time()
    return max(0.0, seconds) if math.isfinite(seconds) else None
