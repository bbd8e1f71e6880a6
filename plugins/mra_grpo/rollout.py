"""Texts drawn by the generation engine from the weights that are being trained. Heavy: imports torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mra_transformers import budget, training
from mra_transformers.batching import ALONE, Limits, RowSpec
from mra_transformers.generate import Ended, Engine
from mra_transformers.hardware import choose_device, device_kind, memory
from mra_transformers.model import end_ids
from mra_transformers.network import Network
from mra_transformers.source import Source, config_of
from mra_transformers.stops import StopRule
from mra_transformers.streams import row_key

from mra_bench.errors import UsageError
from mra_bench.types import Decoding, Problem, TrainJob

from .options import GrpoOptions

DTYPES = {"": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


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

    Texts end as in evaluation. A row's random stream is made from (seed, problem, sample, step), so a resumed training
    draws the same texts again. What was generated together is not recorded: after a lack of memory on one attempt only,
    last bits may differ.
    """

    def __init__(self, job: TrainJob, parent: training.Parent, asked: Sequence[Question]) -> None:
        options: GrpoOptions = job.options
        self.job, self.asked, self.parent = job, asked, parent
        self.rule = StopRule((*parent.prompt.stops, *job.decoding.stop), job.decoding.stop_after_answer)
        self.decoding = Decoding(max_new_tokens(job), options.temperature, options.top_p)
        self.ended: list[Ended] = []
        self._engine: Engine | None = None

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, Any]:
        """Draw a text for each prompt, from the trainer's model as it is now. Token ids, as trl wants them."""
        rows = self._rows([int(prompt) for prompt in prompts], trainer.state.global_step)
        state = trainer.state
        self.job.progress.update(
            state.global_step, state.max_steps, tokens=state.num_input_tokens_seen, note=f"drawing {len(rows)} texts"
        )
        engine = self._loaded(trainer)
        with _asking(engine.network.model), trainer.accelerator.autocast():
            ended = {one.position: one for one in engine.run(rows, self.rule, self.decoding)}
        self.ended = [ended[place] for place in range(len(rows))]
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

    def _loaded(self, trainer: Any) -> Engine:
        """An engine around the very model that is trained; an adapter's layers are in it."""
        if self._engine is None:
            model = trainer.model.get_base_model() if hasattr(trainer.model, "get_base_model") else trainer.model
            half = "bf16" if trainer.args.bf16 else "fp16" if trainer.args.fp16 else ""
            ends = end_ids(model, self.parent.tokenizer, self.parent.prompt.family)
            network = Network(model, self.parent.tokenizer, ends, DTYPES[half])
            self._engine = Engine(network, self._limits(half or "fp32"))
        return self._engine

    def _limits(self, dtype: str) -> Limits:
        if self.job.options.strict_determinism:
            return ALONE
        device = choose_device("auto")
        config = config_of(Source(self.job.parent, self.job.parent.name))
        return budget.limits(config, self.parent.parameters, dtype, device_kind(device), memory(device))


@contextlib.contextmanager
def _asking(model: Any) -> Iterator[None]:
    """Out of training's mode: with its memory of earlier tokens, without checkpointing."""
    training_mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training_mode)
