"""Options of the model `echo`."""

from __future__ import annotations

from dataclasses import dataclass


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
