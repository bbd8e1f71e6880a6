"""A model in a folder of the transformers format: how it is asked, and how its texts become completions, whoever
computes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from mra_bench.prompts import plain_prompt, plain_stops
from mra_bench.types import Block, Completion, Decoding, Halving, Problem, PromptStyle

from . import prompts
from .batching import RowSpec
from .endings import Ended
from .loading import load_tokenizer
from .source import Source, check_pinned, is_hub_id, locate
from .stops import StopRule
from .streams import row_key


class Named(Protocol):
    """Options that say which model it is and how it is asked."""

    @property
    def path(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def prompt(self) -> str: ...
    @property
    def trust_remote_code(self) -> bool: ...


class Computes(Protocol):
    """A loaded model. `context`: the longest sequence in tokens."""

    @property
    def context(self) -> int: ...

    def run(
        self, rows: Sequence[RowSpec], rule: StopRule, decoding: Decoding, again: Sequence[Halving] = ()
    ) -> Iterator[Ended]: ...


class FolderModel:
    """Files, prompts and stops of a model; who inherits computes.

    Raises UsageError at once for a folder that cannot be used; a hub id is only looked up when it is needed.
    """

    def __init__(self, named: Named) -> None:
        self.named = named
        self._tokenizer: Any = None
        self._source: Source | None = None
        self._format: prompts.PromptFormat | None = None
        check_pinned(named.path, named.revision, named.trust_remote_code)
        if not is_hub_id(named.path):
            self._source = locate(named.path, own_code=named.trust_remote_code)
            self._format = prompts.settle(named.prompt, self._source)

    @property
    def source(self) -> Source:
        """The model's files. Downloads a hub id on first use."""
        if self._source is None:
            self._source = locate(self.named.path, self.named.revision, own_code=self.named.trust_remote_code)
        return self._source

    @property
    def format(self) -> prompts.PromptFormat:
        """The prompt format settled for this model."""
        if self._format is None:
            self._format = prompts.settle(self.named.prompt, self.source)
        return self._format

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, loaded on first use."""
        if self._tokenizer is None:
            own_code = self.named.trust_remote_code
            self._tokenizer = load_tokenizer(self.named.path, self.named.revision, own_code=own_code)
        return self._tokenizer

    def checkpoint(self) -> Path | None:
        """The folder of weights, which a trainer can start from; None for a GGUF file, and for a model that is run by
        code of its own."""
        return None if self.source.gguf or self.source.own_code else self.source.folder

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The exact prompt text for a problem."""
        if self.format.kind == prompts.PLAIN:
            return plain_prompt(problem, style)
        return prompts.chat(problem, style, self.format.family, self.tokenizer)

    def continuation(self, text: str) -> str:
        """`text` as it follows the prompt: behind a space in the plain format, as it is in a chat."""
        return f" {text}" if self.format.kind == prompts.PLAIN else text

    def generate(self, block: Block) -> Iterator[Completion]:
        """One completion for each request, as each text ends.

        The text is the decoded continuation, stripped of whitespace at both ends. A prompt that fills the model's
        context leaves no room: its completion is empty, with finish "length".
        """
        engine = self._loaded()
        rows = self._rows(block, engine.context)
        own = plain_stops(block.style) if self.format.kind == prompts.PLAIN else ()
        rule = StopRule((*self.format.stops, *own, *block.decoding.stop), block.decoding.stop_after_answer)
        for ended in engine.run(rows, rule, block.decoding, block.halvings):
            request = block.requests[ended.position]
            yield Completion(
                problem_id=request.problem.id,
                sample=request.sample,
                text=ended.text,
                prompt_tokens=len(rows[ended.position].prompt),
                tokens=ended.tokens,
                finish=ended.finish,
            )

    def _rows(self, block: Block, context: int) -> list[RowSpec]:
        texts = [self.render(request.problem, block.style) for request in block.requests]
        encoded = self.tokenizer(texts, add_special_tokens=self.format.special_tokens).input_ids if texts else []
        return [
            RowSpec(
                position,
                tuple(ids),
                row_key(block.seed, request.problem.id, request.sample),
                min(
                    request.max_new_tokens or block.decoding.max_new_tokens,
                    block.decoding.max_new_tokens,
                    context - len(ids),
                ),
            )
            for position, (request, ids) in enumerate(zip(block.requests, encoded, strict=True))
        ]

    def _loaded(self) -> Computes:
        """The model, ready to compute; loaded on first use."""
        raise NotImplementedError
