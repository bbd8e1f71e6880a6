"""Options of the loader ``openai``. Light: read when a recipe is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le, MinLen

from .keys import ENV_NAME, check_no_key

Api = Literal["chat", "completions"]
MILLION = 1_000_000
Positive = Annotated[float, Gt(0)]
OWN_FIELDS = ("model", "messages", "prompt", "stream", "n")
"""Fields of a request that are this loader's alone."""


@dataclass(frozen=True)
class Options:
    """Which endpoint, and how it is asked. No option holds a key: that stands in an environment variable.

    base_url: such as ``http://localhost:8000/v1``, the part before ``/chat/completions``.
    model: what the endpoint calls the model.
    api: ``chat`` (a chat of one user message, rendered by the server's template) or ``completions`` (the plain prompt
        Question: ... Answer:, for base models).
    system: a system message before the user's, for ``chat``; "" for none.
    key_env: name of the environment variable that holds the key; "" sends none.
    max_concurrency: so many requests at once.
    timeout: seconds that one request may take in all.
    retries: how often a request is sent again that failed for now (rate limit, server error, timeout), after waits that
        double, or as long as the server asks for.
    requests_per_minute: at most so many, evenly spread; none is as many as the server takes.
    tokens_per_minute: at most so many of prompt and text together, evenly spread.
    input_price: for a million prompt tokens, in whatever currency; gives an estimate of the cost.
    output_price: for a million generated tokens.
    budget: stop once the texts of this endpoint and model in one run folder cost so much by these prices. Texts then
        under way still come, and what is there is kept: raise it to go on.
    length_field: the field that carries the length limit; hosted reasoning models want ``max_completion_tokens``.
    body: more fields of each request, such as ``{reasoning_effort: low}``; null leaves a field out that would be sent,
        such as ``{temperature: null}``.
    reports: the name by which the server reports the model, where it is not like ``model``.
    allow_filtered: a text that the server's content filter has cut counts as it stands. Otherwise it is an error.
    """

    base_url: Annotated[str, MinLen(1)]
    model: Annotated[str, MinLen(1)]
    api: Api = "chat"
    system: str = ""
    key_env: str = ""
    max_concurrency: Annotated[int, Ge(1), Le(1024)] = 8
    timeout: Positive = 300.0
    retries: Annotated[int, Ge(0), Le(100)] = 6
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    input_price: Annotated[float, Ge(0)] = 0.0
    output_price: Annotated[float, Ge(0)] = 0.0
    budget: Positive | None = None
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    body: Mapping[str, Any] = field(default_factory=dict)
    reports: str = ""
    allow_filtered: bool = False

    def __post_init__(self) -> None:
        check_no_key(vars(self))
        if self.key_env and not ENV_NAME.fullmatch(self.key_env):
            raise ValueError("key_env must be the name of an environment variable, such as OPENAI_API_KEY")
        _check_url(self.base_url)
        if taken := [name for name in OWN_FIELDS if name in self.body]:
            raise ValueError(f"body must not hold {', '.join(taken)}: mra-bench fills that in itself")
        if self.system and self.api == "completions":
            raise ValueError("a system message needs api: chat")
        if self.budget is not None and not (self.input_price or self.output_price):
            raise ValueError("a budget needs prices to count by: set input_price and output_price")

    @property
    def url(self) -> str:
        """The base URL without a slash at its end."""
        return self.base_url.rstrip("/")

    def price_at_most(self, prompt_tokens: int, tokens: int) -> float:
        """What so many tokens of prompts and of texts cost by the prices; plans say it."""
        return (prompt_tokens * self.input_price + tokens * self.output_price) / MILLION


def _check_url(url: str) -> None:
    """Raises ValueError for what is no base URL, without saying what credentials stand in it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or port == 0:
        raise ValueError("base_url must be an address such as http://localhost:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url must hold no name and password: put the key in a variable and name it in key_env")
    if parts.query or parts.fragment:
        raise ValueError("base_url must end with its path: leave out what begins with ? or #")
    for tail in ("/chat/completions", "/completions", "/models"):
        if parts.path.rstrip("/").endswith(tail):
            raise ValueError(f"base_url is the part before {tail}")
