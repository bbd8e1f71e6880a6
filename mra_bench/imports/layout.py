"""What is known of one tool's files: how their rows are read, and where in a row each thing stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located
from mra_bench.errors import UsageError
from mra_bench.imports.values import text_of

SCORE = " score"  # no tool has such a column
FAILED = " failed"
ENDED = {"length", "max_tokens", "model_length"}  # what tools call a text that was cut at its length limit


def no_files(folder: Path) -> list[Path]:
    """For a tool that keeps its results in no folder of its own."""
    return []


@dataclass(frozen=True)
class Layout:
    """How a tool lays its results out.

    rows: the rows of a file, told which score counts ("" for the first); under `SCORE` they say which that is, under
    `FAILED` why the tool has no text. fields: for each of `layouts.FIELDS` the paths at which it may stand, the first
    that is there counts. model: what the model is called, by where its file lies, "" where that does not tell. files:
    the files of results in a folder; together: they belong to one result, and are not several of which one is meant.
    """

    rows: Callable[[Path, str], Iterator[Located]]
    fields: Mapping[str, tuple[str, ...]]
    model: Callable[[Path], str] = lambda path: ""
    files: Callable[[Path], list[Path]] = no_files
    together: bool = False


def no_score(score: str) -> None:
    """Raises UsageError where a score is named though rows have one verdict."""
    if score:
        raise UsageError(
            f"--score {score}: this format has one verdict in a row; name its column: --field verdict=PATH"
        )


def asked(messages: Any) -> list[Mapping[str, Any]] | None:
    """Of a conversation what stands before the model's last message; None where it is no list of messages."""
    if not isinstance(messages, list) or not all(isinstance(one, dict) and "role" in one for one in messages):
        return None
    last = max((place for place, one in enumerate(messages) if one["role"] == "assistant"), default=len(messages))
    return messages[:last] or None


def last_question(messages: list[Mapping[str, Any]] | None, where: str) -> str | None:
    """The last message that a user wrote, which holds the question; None where there is none."""
    said = [one.get("content", "") for one in messages or () if one.get("role") == "user"]
    return text_of(said[-1], "question", where) if said else None
