"""Model families and how each is asked: a table, and one function that looks a model up in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PLAIN_STOPS = ("\nQuestion:", "\nQ:", "\nProblem:")
PAD = "<|pad|>"


@dataclass(frozen=True)
class Family:
    """A family of models.

    model_type: of the config; "" fits any. named: pattern that the model's name must hold ("" fits any).
    chat: pattern of names tuned to chat; a model with a chat template whose name does not fit is asked plainly, because
    the base models of Qwen carry a template too. end_tokens: end a text wherever the vocabulary has them.
    own_pad: give the tokenizer a pad token of its own even if it uses its end token for padding (GPT-2), so that
    training never hides the end of a text from the model. template: extra arguments of the chat template.
    """

    name: str
    model_type: str = ""
    named: str = ""
    chat: str = r"^(?!.*\bbase\b)"
    end_tokens: tuple[str, ...] = ()
    own_pad: bool = False
    template: Mapping[str, object] = field(default_factory=dict)

    def describe(self) -> dict[str, object]:
        """The JSON-safe record for a model's identity."""
        return {"name": self.name, "end_tokens": list(self.end_tokens)}


INSTRUCT = r"instruct|chat"
QWEN_END = ("<|im_end|>", "<|endoftext|>")

FAMILIES = (
    Family("qwen2.5", "qwen2", named=r"qwen-?2\.5", chat=INSTRUCT, end_tokens=QWEN_END),
    Family("qwen2", "qwen2", chat=INSTRUCT, end_tokens=QWEN_END),
    # Thinking texts of Qwen3 are thousands of tokens long, so thinking is off; the setting is part of the identity.
    Family("qwen3", "qwen3", end_tokens=QWEN_END, template={"enable_thinking": False}),
    Family("gpt2", "gpt2", chat=INSTRUCT, end_tokens=("<|endoftext|>",), own_pad=True),
    Family("default"),
)


def family_of(model_type: str, name: str) -> Family:
    """The family of a model: `model_type` as in its config, `name` the last part of its path or hub id."""
    lowered = name.lower().replace("_", "-")
    for family in FAMILIES:
        if family.model_type in ("", model_type) and re.search(family.named, lowered):
            return family
    raise AssertionError("the last family fits every model")


def tuned_to_chat(family: Family, name: str) -> bool:
    """Whether the name says that a model of this family, with a chat template, expects chat."""
    return re.search(family.chat, name.lower().replace("_", "-")) is not None
