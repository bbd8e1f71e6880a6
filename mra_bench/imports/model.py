"""The model behind imported texts: it has them all and can write no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench import __version__
from mra_bench.imports.layouts import ImportedText
from mra_bench.plugins import Plugin, Registered
from mra_bench.recipe_schema import IMPORTED
from mra_bench.types import Block, Completion, Problem, PromptStyle


@dataclass(frozen=True)
class ImportedOptions:
    """Where the texts come from, for the record. path: the file as it was named then; format: what wrote it."""

    path: str
    format: str


@dataclass
class ImportedModel:
    """A model in the sense of `mra_bench.types.Model`. Tokens are words between white space: nobody knows the others.
    Not reproducible: what wrote the texts is not here."""

    texts: Mapping[str, Sequence[ImportedText]]
    facts: Mapping[str, Any]
    reproducible: bool = False

    def as_loader(self) -> Registered:
        """The loader that gives this model. No plugin offers it: a recipe alone cannot make the texts."""

        def load(options: ImportedOptions) -> ImportedModel:
            return self

        return Registered(
            "models", IMPORTED, Plugin(IMPORTED, "built-in", "mra_bench", __version__), load, ImportedOptions
        )

    def identity(self) -> Mapping[str, Any]:
        """From which file the texts come, and that nothing was generated."""
        return {"model": IMPORTED, "generated": False, **self.facts}

    def checkpoint(self) -> Path | None:
        """None: there are no weights."""
        return None

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The prompt that the file says the text was written for, else the question alone."""
        texts = self.texts.get(problem.id)
        return (texts[0].prompt if texts else "") or problem.question

    def continuation(self, text: str) -> str:
        """The text itself: nothing is trained on it."""
        return text

    def generate(self, block: Block) -> Iterator[Completion]:
        """The file's text for each request, as it stands there."""
        for request in block.requests:
            text = self.texts[request.problem.id][request.sample]
            yield Completion(
                request.problem.id,
                request.sample,
                text.text,
                len(self.render(request.problem, block.style).split()),
                len(text.text.split()),
                text.finish,
            )
