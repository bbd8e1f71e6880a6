"""The trainer `grpo` on a very small random model: what is drawn, from which weights, and what a training leaves."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import mra_grpo
import pytest
from grpo_kit import grpo_job, letters, problems
from mra_transformers.training_options import LoraOptions
from training_kit import Told, hashes, small_model

from mra_bench.errors import UsageError
from mra_bench.types import Decoding, Grade, Problem

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"), "gpt2", dropout=0.1)


def test_the_reward_rises(tmp_path: Path, parent: Path) -> None:
    told = Told()
    options: dict[str, Any] = {"learning_rate": 3e-2, "scheduler": "constant", "epochs": 8, "batch_size": 8}
    job = grpo_job(tmp_path, parent, told, **options, accumulation=3, save_every=0)
    trained = mra_grpo.train(job)
    rewards = [record["reward"] for record in told.records]
    assert sum(rewards[-3:]) > sum(rewards[:3]) + 0.8, rewards
    assert rewards == pytest.approx([record["rewards/correct"] for record in told.records])
    facts = trained.facts
    assert (facts["steps"], facts["samples"], facts["rows"], facts["dropped"]) == (8, 8 * 24, 6, 0)
    lengths = sum(24 * record["completions/mean_length"] for record in told.records)
    assert facts["generated_tokens"] == pytest.approx(lengths)
    prompts = sum(len(prompt) for prompt in job.prompts)
    assert facts["tokens"] == facts["generated_tokens"] + 8 * 4 * prompts
    assert facts["reference_tokens"] == 0
    assert facts["trainable_parameters"] == facts["parameters"]
    assert told.progress[-1] == (8, 8, facts["tokens"])
    assert {"entropy", "clip_ratio/region_mean", "rewards/unjudged", "completions/cut", "grad_norm"} <= set(
        told.records[0]
    )
    assert not [name for record in told.records for name in record if "time" in name or "terminated" in name]


@pytest.mark.parametrize(("top_p", "lora"), [(1.0, None), (0.8, None), (1.0, LoraOptions(rank=4))])
def test_texts_are_drawn_from_the_weights_as_they_are(
    tmp_path: Path, parent: Path, top_p: float, lora: LoraOptions | None
) -> None:
    """Each token of each step is the one that the row's own stream picks with the weights of that step."""
    import torch
    from mra_grpo.trainer import build
    from mra_transformers.streams import choose, row_key
    from mra_transformers.training_quiet import quiet

    options: dict[str, Any] = {"temperature": 0.7, "top_p": top_p, "lora": lora, "learning_rate": 3e-2}
    job = grpo_job(tmp_path, parent, max_steps=3, **options, save_every=0)
    drawn = []
    with quiet():
        trainer, asked = build(job)
        model, draw = trainer.model, trainer.rollout_func

        def watched(prompts: list[str], given: Any) -> dict[str, Any]:
            weights = {name: value.clone() for name, value in given.model.state_dict().items()}
            drawn.append((given.state.global_step, prompts, weights, found := draw(prompts, given)))
            return dict(found)

        trainer.rollout_func = watched
        trainer.train()
    assert [step for step, *_ in drawn] == [0, 1, 2]
    model.eval()
    seen = []
    for step, prompts, weights, found in drawn:
        model.load_state_dict(weights)
        for place, (prompt, ids) in enumerate(zip(found["prompt_ids"], found["completion_ids"], strict=True)):
            with torch.no_grad():
                logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
            logits[:, 1] = float("-inf")  # padding is never offered
            key = row_key(job.seed, asked[int(prompts[place])].problem.id, place % 4, step)
            picked = choose(logits, [key] * len(ids), range(len(ids)), 0.7, top_p)
            assert picked.tolist() == ids
            seen.append(tuple(ids))
    assert len(set(seen)) == len(seen) == 3 * 8, "every problem, sample and step has a stream of its own"


def test_texts_end_as_in_evaluation_and_reach_the_grader_so(tmp_path: Path, parent: Path) -> None:
    from mra_grpo.trainer import build
    from mra_transformers.training_quiet import quiet

    graded: list[tuple[Problem, str]] = []

    def grader(items: list[tuple[Problem, str]]) -> list[Grade]:
        graded.extend(items)
        return letters(items)

    stops = ("e", "n")  # a random model writes one of them soon
    job = grpo_job(
        tmp_path, parent, max_new_tokens=None, decoding=Decoding(64, stop=stops), graders={"mine": grader}, batch_size=8
    )
    with quiet():
        trainer, asked = build(job)
        batch = trainer._generate_and_score_completions(next(iter(trainer.get_train_dataloader())))
    ended = trainer.rollout_func.ended
    tokenizer = trainer.processing_class
    assert {len(one.ids) for one in ended} != {64}
    for one, ids, mask in zip(ended, batch["completion_ids"], batch["completion_mask"], strict=True):
        text = tokenizer.decode(one.ids[:-1] if one.ids[-1] == tokenizer.eos_token_id else one.ids)
        cut = min([text.find(stop) for stop in stops if stop in text], default=len(text))
        assert one.text == text[:cut].strip()
        assert ids[mask == 1].tolist() == list(one.ids), "what was drawn is what is learnt from, the stop included"
        assert one.finish == ("length" if cut == len(text) and one.ids[-1] != tokenizer.eos_token_id else "stop")
    places = [int(row["prompt"]) for row in next(iter(trainer.get_train_dataloader()))]
    assert {(problem.id, text) for problem, text in graded} == {
        (asked[place].problem.id, one.text) for place, one in zip(places, ended, strict=True)
    }
    assert len(graded) == len(set(graded)), "equal texts are judged once"


@pytest.mark.parametrize(
    "more",
    [
        {"iterations": 2, "beta": 0.05, "save_every": 3},
        {"lora": LoraOptions(rank=4), "beta": 0.05, "advantage": "rank", "save_every": 4},
    ],
)
def test_interrupted_and_resumed_gives_the_same_bytes(tmp_path: Path, parent: Path, more: dict[str, Any]) -> None:
    options: dict[str, Any] = {"epochs": 2, "logging_every": 5, **more}
    whole = Told()
    expected = mra_grpo.train(grpo_job(tmp_path / "whole", parent, whole, **options))

    def interrupt(record: Any) -> None:
        if record["step"] == 5:
            raise KeyboardInterrupt

    parts = Told(interrupt)
    with pytest.raises(KeyboardInterrupt):
        mra_grpo.train(grpo_job(tmp_path / "parts", parent, parts, **options))
    kept = [path.name for path in (tmp_path / "parts" / "work").iterdir() if (path / "complete.json").exists()]
    assert kept == ["checkpoint-4"], "between two updates from the same texts there is no checkpoint"
    parts.then = None
    trained = mra_grpo.train(grpo_job(tmp_path / "parts", parent, parts, **options))
    assert [record["step"] for record in parts.records].count(5) == 2
    assert hashes(trained.checkpoint) == hashes(expected.checkpoint)
    assert {record["step"]: record for record in parts.records} == {record["step"]: record for record in whole.records}
    assert trained.facts == expected.facts
    assert trained.facts["reference_tokens"] == trained.facts["tokens"] // more.get("iterations", 1)


def test_each_round_asks_the_next_problems_as_often_as_trl_reads_them() -> None:
    from mra_grpo.order import Rounds

    rounds = Rounds([5, 3, 8, 1, 7], prompts=2, group=3, times=2)
    first, second = [5] * 3 + [3] * 3, [8] * 3 + [1] * 3
    assert list(rounds) == first * 2 + second * 2
    assert len(rounds) == len(list(rounds))


def test_problems_without_room_are_dropped_and_counted(tmp_path: Path, parent: Path) -> None:
    asked = [*problems(2), Problem("long", "x" * 120, "1"), Problem("tight", "x" * 100, "1")]
    trained = mra_grpo.train(grpo_job(tmp_path, parent, problems=asked, max_steps=1, batch_size=6, accumulation=2))
    assert (trained.facts["rows"], trained.facts["dropped"]) == (4, 1)
    with pytest.raises(UsageError, match=r"group_size = 4 problems, but of 4 only 3 have a prompt shorter than 128"):
        mra_grpo.train(grpo_job(tmp_path, parent, problems=asked, batch_size=8))


def test_what_does_not_fit_is_refused_before_anything_heavy_loads() -> None:
    code = """
import sys
import mra_grpo
from mra_bench.errors import UsageError
from mra_bench.types import Problem, TrainJob
from mra_grpo.options import GrpoOptions
fields = dict(name="c", parent=None, parent_ref=None, output=None, workdir=None, seed=0, progress=None, log=print)
options = GrpoOptions(rewards={"decision": 1})
try:
    mra_grpo.train(TrainJob(**fields, options=options, problems=[Problem("p1", "?", "42")]))
except UsageError as error:
    print(error)
print(sorted({"torch", "transformers", "trl", "datasets", "sympy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    message, heavy = done.stdout.splitlines()
    assert "that of 'p1' is '42'" in message
    assert heavy == "[]"


def test_a_process_draws_whole_groups(tmp_path: Path, parent: Path) -> None:
    from mra_grpo.trainer import config
    from mra_transformers import training

    job = dataclasses.replace(grpo_job(tmp_path, parent, group_size=8, batch_size=8, accumulation=1), ranks=2)
    with pytest.raises(UsageError, match="Each of 2 processes would draw 4 texts of a step, which is no multiple"):
        config(job, training.load_parent(job), 100)


def test_nothing_set_works_and_prints_nothing(tmp_path: Path, parent: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from mra_grpo.options import GrpoOptions

    job = dataclasses.replace(grpo_job(tmp_path, parent), options=GrpoOptions())
    assert mra_grpo.train(job).facts["steps"] == 1
    assert capfd.readouterr() == ("", "")
