"""How a problem is put to a model: the plain format of base models, or the tokenizer's chat template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.prompts import PLAIN_FORMAT, chat_messages
from mra_bench.types import Problem, PromptStyle

from .families import PLAIN_STOPS, Family, family_of, tuned_to_chat
from .source import Source, config_of, has_chat_template

PLAIN = "plain"
CHAT = "chat"


@dataclass(frozen=True)
class PromptFormat:
    """The format settled for one model: `kind` is "plain" or "chat"."""

    kind: str
    family: Family

    @property
    def stops(self) -> tuple[str, ...]:
        """Strings that end a text in this format: a base model that goes on to invent the next question."""
        return PLAIN_STOPS if self.kind == PLAIN else ()

    @property
    def special_tokens(self) -> bool:
        """Whether the tokenizer adds its own begin token; a chat template writes it itself."""
        return self.kind == PLAIN

    def describe(self) -> dict[str, Any]:
        """The JSON-safe record for a model's identity."""
        record: dict[str, Any] = {"kind": self.kind, "stops": list(self.stops)}
        if self.kind == PLAIN:
            return {**record, "format": PLAIN_FORMAT}
        return {**record, "template_arguments": dict(self.family.template)}


def settle(wanted: str, source: Source) -> PromptFormat:
    """The prompt format for an option value ("auto", "plain", "chat"). Raises UsageError for "chat" without a template.

    "auto" is chat where the tokenizer has a template and family and name say that the model was tuned to chat.
    """
    family = family_of(str(config_of(source).get("model_type", "")), source.name)
    template = has_chat_template(source)
    if wanted == CHAT and not template and not source.gguf:
        raise UsageError(f"The model {source.name} has no chat template. Set prompt: plain (or auto).")
    if wanted == "auto":
        wanted = CHAT if template and tuned_to_chat(family, source.name) else PLAIN
    return PromptFormat(wanted, family)


def chat(problem: Problem, style: PromptStyle, family: Family, tokenizer: Any) -> str:
    """The prompt as a chat in the tokenizer's template, ready for the reply."""
    text: str = tokenizer.apply_chat_template(
        chat_messages(problem, style), tokenize=False, add_generation_prompt=True, **dict(family.template)
    )
    return text


def join(prompt: str, completion: str) -> str:
    """A completion as it would have been generated behind `prompt`: parted by a space unless whitespace is there.

    Completions are stored stripped; training joins them again with this.
    """
    apart = not prompt or prompt[-1].isspace() or not completion or completion[0].isspace()
    return prompt + completion if apart else f"{prompt} {completion}"
