"""trl's GRPOTrainer on texts drawn by our engine. Heavy: imported once training starts."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from pathlib import Path
from typing import Any

from datasets import Dataset
from mra_transformers import training
from mra_transformers.training_data import Order
from mra_transformers.training_quiet import quietly
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import add_fused_lm_head, disable_dropout_in_model

from mra_bench.errors import UsageError
from mra_bench.types import TrainedModel, TrainJob

from .options import GrpoOptions
from .order import Rounds
from .rollout import Question, Rollouts, max_new_tokens, questions
from .signal import context_of, cut_share, signal, total

COUNTS = "counts.json"
CLOCKS = ("step_time",)
OF_SIGNAL = ("reward", "reward_std", "rewards/signal/mean", "rewards/signal/std")  # ranks, where those are handed over
ENDS = ("clipped_ratio", "mean_terminated_length", "min_terminated_length", "max_terminated_length")
OF_END_TOKEN = tuple(f"completions/{name}" for name in ENDS)  # trl knows of no other end; see completions/cut


class GroupTrainer(training.Guarded, GRPOTrainer):  # type: ignore[misc]  # trl is not typed
    """GRPOTrainer that takes the probabilities of the first pass over a batch as those the texts were drawn with.

    No weight changes before that pass is done, so the ratio starts at exactly 1 and trl's own pass for them is saved.
    `counts` goes on where a checkpoint left it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.counts = {"samples": 0, "generated_tokens": 0, "reference_tokens": 0}
        self._newest: Any = None
        self.num_iterations: int
        super().__init__(*args, **kwargs)

    def hold_to(self, reference: Any, beta: float) -> None:
        """Add a penalty of `beta` times the divergence from `reference`, or from the model without its adapter (None).

        trl would load one from the parent's folder, without the tokens that were added to the vocabulary.
        """
        self.beta = beta
        if reference is not None:
            disable_dropout_in_model(reference)
            add_fused_lm_head(reference, temperature=self.temperature)
            keep_places(reference, reference)
            self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)

    def _generate_and_score_completions(self, inputs: Any) -> dict[str, Any]:
        kept = self.num_iterations
        self.num_iterations = 1  # else trl passes through the texts once more
        try:
            batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        finally:
            self.num_iterations = kept
        drawn, read = self._sum(batch["completion_mask"]), self._sum(batch["prompt_mask"])
        self.counts["samples"] += len(inputs) * self.accelerator.num_processes
        self.counts["generated_tokens"] += drawn
        self.counts["reference_tokens"] += (drawn + read) if self.beta else 0
        return batch

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        found = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        self._newest = found[0].detach()
        return found

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        if "old_per_token_logps" in inputs:  # seen before: trl has counted its tokens once
            self.state.num_input_tokens_seen += self._sum(inputs["completion_mask"]) + self._sum(inputs["prompt_mask"])
        loss = super()._compute_loss(model, inputs)
        inputs.setdefault("old_per_token_logps", self._newest)
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log, with the summed rewards in place of what trl was handed, and without clocks."""
        metrics = self._metrics["train"]
        for name in (*OF_SIGNAL, *OF_END_TOKEN, *CLOCKS):
            metrics.pop(name, None)
        if rewards := metrics.pop("rewards/total", None):
            metrics["reward"] = rewards
        super().log(logs, start_time)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            folder = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}"
            (folder / COUNTS).write_text(json.dumps(self.counts) + "\n")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self.counts = json.loads((Path(checkpoint) / COUNTS).read_text())

    def _sum(self, mask: Any) -> int:
        """Over all processes."""
        return int(self.accelerator.reduce(mask.sum(), reduction="sum"))


@quietly
def train_on_problems(job: TrainJob) -> TrainedModel:
    """Reinforcement on texts drawn for `job.problems`."""
    trainer, asked = build(job)
    data = ([q.problem.id, q.problem.question, q.problem.answer, q.prompt, q.room] for q in asked)
    ends = dataclasses.asdict(job.decoding)
    trained = training.run(trainer, job, training.digest(job, [ends, list(job.graders), *data]))
    facts = {**trained.facts, **trainer.counts, "rows": len(job.problems), "dropped": len(job.problems) - len(asked)}
    return dataclasses.replace(trained, facts=facts)


def build(job: TrainJob) -> tuple[GroupTrainer, list[Question]]:
    """The trainer, ready to start, and the questions it asks."""
    options: GrpoOptions = job.options
    parent = training.load_parent(job)
    asked = questions(job, parent)
    reference = training.load_parent(job).model if options.beta and options.lora is None else None
    longest = options.batch_size * max(len(question.prompt) + question.room for question in asked)
    rollouts = Rollouts(job, parent, asked)
    trainer = GroupTrainer(
        model=parent.model,
        reward_funcs=[reward_of(job, rollouts)],
        args=config(job, parent, longest),
        train_dataset=Dataset.from_dict({"prompt": [str(place) for place in range(len(asked))]}),
        processing_class=parent.tokenizer,
        peft_config=training.lora_config(options.lora),
        rollout_func=rollouts,
    )
    keep_places(trainer.model, parent.model)
    if options.beta:
        trainer.hold_to(reference, options.beta)
    steps = len(asked) // options.prompts * options.iterations
    order = Order(
        [len(question.prompt) for question in asked],
        options.prompts,
        seed=job.seed,
        grouped=options.group_by_length,
        epoch=lambda: trainer.state.global_step // steps,
    )
    trainer.order = Rounds(
        order,
        prompts=options.prompts,
        group=options.group_size,
        times=options.iterations * trainer.args.gradient_accumulation_steps,
    )
    return trainer, asked


def keep_places(called: Any, model: Any) -> None:
    """Tell `called`, the model or an adapter around it, the positions of the tokens, if the model can be told."""
    if "position_ids" in inspect.signature(model.forward).parameters:
        called.register_forward_pre_hook(with_places, with_kwargs=True)


def with_places(model: Any, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Tokens behind padding on the left keep the positions they were drawn at. trl lets the padding be counted, and a
    model with learnt positions, such as GPT-2, then gives other probabilities than it drew with."""
    mask = given.get("attention_mask")
    if mask is None or mask.dim() != 2 or given.get("position_ids") is not None:
        return args, given
    return args, {**given, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}


def config(job: TrainJob, parent: training.Parent, batch_tokens: int) -> GRPOConfig:
    """trl's configuration. One reward, of which trl takes the mean of the group and, unless they are ranks, divides by
    its deviation; the reference is added later (`hold_to`). A checkpoint inside the updates from the same texts would
    have to hold them, so there is none."""
    options: GrpoOptions = job.options
    given = training.arguments(job, options, options.rate, parent, batch_tokens)
    del given["max_length"]
    given["save_steps"] = math.ceil(given["save_steps"] / options.iterations) * options.iterations
    each = given["per_device_train_batch_size"] * given["gradient_accumulation_steps"]
    if each % options.group_size:
        raise UsageError(
            f"Each of {job.ranks} processes would draw {each} texts of a step, which is no multiple of group_size "
            f"{options.group_size}. Raise accumulation or batch_size, or start fewer processes."
        )
    return GRPOConfig(
        **given,
        num_generations=options.group_size,
        max_completion_length=max_new_tokens(job),
        temperature=options.temperature,
        top_p=options.top_p,
        num_iterations=options.iterations,
        epsilon=options.epsilon_low,
        epsilon_high=options.epsilon_high,
        beta=0.0,
        loss_type=options.loss_type,
        scale_rewards="none" if options.advantage == "rank" else "group",
        disable_dropout=True,
    )


def reward_of(job: TrainJob, rollouts: Rollouts) -> Any:
    """The one reward function that trl is given: what the texts drawn last have earned."""
    options: GrpoOptions = job.options
    rewards = options.wanted()
    used = {reward.options.grader or next(iter(job.graders)) for reward in rewards if reward.needs_grades}
    graders = {name: grader for name, grader in job.graders.items() if name in used}

    def earned(prompts: list[str], log_metric: Any, **others: Any) -> list[float | None]:
        problems = [rollouts.asked[int(prompt)].problem for prompt in prompts]
        context = context_of(problems, rollouts.ended, options.group_size, max_new_tokens(job), graders)
        log_metric("completions/cut", cut_share(rollouts.ended))
        return signal(context, total(context, rewards, log_metric), options.advantage)

    earned.__name__ = "signal"
    return earned
