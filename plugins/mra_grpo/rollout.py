"""Texts drawn by the generation engine from the weights that are being trained. Heavy: imported once training
starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mra_transformers import training
from mra_transformers.batching import RowSpec
from mra_transformers.endings import Ended
from mra_transformers.live import LiveEngine
from mra_transformers.streams import row_key

from mra_bench.errors import UsageError
from mra_bench.types import Problem, TrainJob

from .options import GrpoOptions


@dataclass(frozen=True)
class Question:
    """A problem with the token ids of its prompt, and how many tokens its texts may have."""

    problem: Problem
    prompt: tuple[int, ...]
    room: int


def questions(job: TrainJob, parent: training.Parent) -> list[Question]:
    """The problems whose prompt leaves room for a text. Raises UsageError when there are too few for one step."""
    options: GrpoOptions = job.options
    limit, longest = parent.limit(options.max_length), max_new_tokens(job)
    encoded = parent.tokenizer(list(job.prompts), add_special_tokens=parent.prompt.special_tokens)["input_ids"]
    asked = [
        Question(problem, tuple(ids), min(longest, limit - len(ids)))
        for problem, ids in zip(job.problems, encoded, strict=True)
    ]
    kept = [question for question in asked if question.room > 0]
    if len(kept) < options.prompts:
        raise UsageError(
            f"A step asks batch_size x accumulation / group_size = {options.prompts} problems, but of {len(asked)} "
            f"only {len(kept)} have a prompt shorter than {limit} tokens. Lower accumulation or batch_size, or raise "
            "max_length."
        )
    return kept


def max_new_tokens(job: TrainJob) -> int:
    """The length limit of a text: the option's, else that of evaluation."""
    limit: int | None = job.options.max_new_tokens
    return limit or job.decoding.max_new_tokens


class Rollouts:
    """Called by trl with the prompts of a step, each of them the place of a question; `ended` holds the texts drawn
    last, in that order.

    A row's random stream is made from (seed, problem, sample, step), so a resumed training draws the same texts again.
    """

    def __init__(self, job: TrainJob, parent: training.Parent, asked: Sequence[Question]) -> None:
        options: GrpoOptions = job.options
        decoding = dataclasses.replace(
            job.decoding,
            max_new_tokens=max_new_tokens(job),
            temperature=options.temperature,
            top_p=options.top_p,
        )
        self.job, self.asked = job, asked
        self.engine = LiveEngine(job, parent, decoding)
        self.ended: list[Ended] = []

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, Any]:
        """Draw a text for each prompt, from the trainer's model as it is now. Token ids, as trl wants them."""
        rows = self._rows([int(prompt) for prompt in prompts], trainer.state.global_step)
        state = trainer.state
        self.job.progress.update(
            state.global_step, state.max_steps, tokens=state.num_input_tokens_seen, note=f"drawing {len(rows)} texts"
        )
        self.ended = self.engine.run(rows, trainer)
        return {
            "prompt_ids": [list(row.prompt) for row in rows],
            "completion_ids": [list(one.ids) for one in self.ended],
            "logprobs": None,
        }

    def _rows(self, places: Sequence[int], step: int) -> list[RowSpec]:
        rows = []
        for position, place in enumerate(places):
            question = self.asked[place]
            sample = position % self.job.options.group_size
            key = row_key(self.job.seed, question.problem.id, sample, step)
            rows.append(RowSpec(position, question.prompt, key, question.room))
        return rows
