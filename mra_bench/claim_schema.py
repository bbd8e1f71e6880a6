"""What a recipe says of a published figure: who published it, of what, and what is known of how it was made."""

from __future__ import annotations

from typing import Literal, get_args

import pydantic

from mra_bench.strict import Strict

Kind = Literal["claimed", "re-graded", "official"]
KINDS: tuple[str, ...] = get_args(Kind)


class ClaimedPrompt(Strict):
    """How the published texts were asked for. What is left out is not known.

    chat: whether the model's chat template was used.
    text: the words put to the model with {question} in place of the question; of a chat those of the user.
    shots: how many worked examples stood before each question.
    """

    chat: bool | None = None
    text: str | None = None
    shots: int | None = pydantic.Field(default=None, ge=0)

    @pydantic.field_validator("text")
    @classmethod
    def _asks(cls, text: str | None) -> str | None:
        if text is not None and "{question}" not in text:
            raise ValueError("must hold {question}, where the question stood")
        return text


class ClaimedDecoding(Strict):
    """How the published texts were generated. What is left out is not known.

    temperature: 0 is greedy.
    top_p: share of the likeliest tokens that were drawn from.
    samples: texts for each problem.
    max_new_tokens: length limit of a text.
    stop_after_answer: whether texts ended behind their first boxed answer.
    """

    temperature: float | None = pydantic.Field(default=None, ge=0)
    top_p: float | None = pydantic.Field(default=None, gt=0, le=1)
    samples: int | None = pydantic.Field(default=None, ge=1)
    max_new_tokens: int | None = pydantic.Field(default=None, ge=1)
    stop_after_answer: bool | None = None


class ClaimEntry(Strict):
    """A published figure, or that there is none. What is left out is not known.

    system: who published it.
    kind: claimed (published, not checked), re-graded (computed again from outputs or logs that the system publishes) or
        official (published by the makers of the model).
    model: the model of this recipe that it is to be read beside; none where the recipe has none like it.
    named: what its publisher calls the model; needed without `model`.
    weights: the hub id of the model that was asked; none where its weights are not public.
    data: the dataset that it is about, as `mra-bench datasets` calls it; needed with a value.
    split: the split of it; needed with a value.
    value: accuracy in per cent; none where no figure was published.
    reason: why there is no value; needed without one.
    n: how many problems were asked: the first ones, where these are not all of the split.
    tokens: mean number of tokens of a text.
    prompt: how the texts were asked for.
    decoding: how they were generated.
    grader: what told right from wrong, in words, or as NAME@VERSION a grader of `mra-bench graders`.
    source: where it was published: an arXiv id, or a repository at a commit.
    doubt: why the figure cannot be relied on; such a figure is shown with it and never compared.
    note: what else to know of it.
    """

    system: str = pydantic.Field(min_length=1)
    kind: Kind
    model: str | None = None
    named: str = ""
    weights: str | None = None
    data: str | None = None
    split: str | None = None
    value: float | None = pydantic.Field(default=None, ge=0, le=100, allow_inf_nan=False)
    reason: str = ""
    n: int | None = pydantic.Field(default=None, ge=1)
    tokens: float | None = pydantic.Field(default=None, gt=0, allow_inf_nan=False)
    prompt: ClaimedPrompt = ClaimedPrompt()
    decoding: ClaimedDecoding = ClaimedDecoding()
    grader: str | None = None
    source: str = pydantic.Field(min_length=1)
    doubt: str = ""
    note: str = ""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> ClaimEntry:
        if self.model is None and not self.named:
            raise ValueError("give 'model: NAME' (of this recipe), or 'named: WORDS' for a model that it does not have")
        if self.value is None and not self.reason:
            raise ValueError("give 'value: PERCENT', or 'reason: WHY' where no figure was published")
        if self.value is not None and self.reason:
            raise ValueError("'reason' says why there is no value, but there is one; write 'note' or 'doubt'")
        if self.value is not None and (self.data is None or self.split is None):
            raise ValueError("say what the value is about: 'data: NAME' and 'split: NAME'")
        return self

    @property
    def subject(self) -> tuple[str | None, ...]:
        """What it is a figure of; there is one of each kind."""
        return (self.system, self.model, self.named, self.data, self.split)
