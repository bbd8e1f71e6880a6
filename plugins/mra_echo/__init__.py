"""Plugin: the model `echo`, which answers from a file. For tests, plugin authors, and texts one already has."""

from __future__ import annotations

from dataclasses import dataclass

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.types import Model


@dataclass(frozen=True)
class EchoOptions:
    """Options of `echo`.

    path: a JSONL file; each row has `problem` (an id) or `question` (its text), `text`, and if wanted `sample`
    (0-based; without it the rows of a problem count up) and `finish` ("stop" or "length").
    allow_missing: a problem without a row gets the empty text, which counts as no answer. Otherwise the run is refused
    before it starts.
    """

    path: str
    allow_missing: bool = False


def load(options: EchoOptions) -> Model:
    """The model that answers from ``options.path``. Raises UsageError for a missing file or a broken line."""
    from .model import EchoModel

    return EchoModel.read(options)


@hookimpl
def register_models(register: Register) -> None:
    register("echo", load, options=EchoOptions)
