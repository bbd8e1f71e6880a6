"""The best epoch of a training, chosen by problems held out for that: the trainer `sft` on a very small model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import mra_sft
import pytest
from mra_sft.options import SftOptions
from mra_transformers.training_options import LoraOptions
from test_mra_sft import FAST
from training_kit import Told, hashes, make_job, rows, small_model

from mra_bench.choosing import Chooser, epochs_in
from mra_bench.ranks import Ranks
from mra_bench.store import read_rows
from mra_bench.types import (
    Block,
    Completion,
    Decoding,
    Dev,
    Grade,
    Problem,
    PromptStyle,
    Request,
    TrainedModel,
)

PROBLEMS = [Problem(f"d{n}", f"{n} + {n * n}?", str(n + n * n)) for n in (2, 30, 50, 400)]
STEPS = 3  # of an epoch: twelve rows, four in a batch


class Judge:
    """Grades by a list: how many answers of the first, second, ... epoch are right; may stop at an epoch."""

    def __init__(self, right: Sequence[int], stop_at: int = 0) -> None:
        self.right, self.stop_at, self.asked = right, stop_at, 0
        self.texts: list[list[str]] = []

    def __call__(self, items: Sequence[tuple[Problem, str]]) -> list[Grade]:
        self.asked += 1
        if self.asked == self.stop_at:
            raise KeyboardInterrupt
        self.texts.append([text for _, text in items])
        return [Grade(place < self.right[self.asked - 1]) for place in range(len(items))]


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("gpt2"), "gpt2", dropout=0.1)


def run(
    folder: Path, parent: Path, judge: Judge, told: Told | None = None, keep_all: bool = False, **options: Any
) -> tuple[TrainedModel, Chooser]:
    told = told or Told()
    chooser = Chooser(folder / "work" / "dev", PROBLEMS, judge, told.log, Ranks())
    dev = Dev(PROBLEMS, [f"Question: {p.question}\nAnswer:" for p in PROBLEMS], Decoding(8), chooser.score, keep_all)
    options = {"save_every": 0, **FAST, **options}
    job = make_job(folder, parent, SftOptions(**options), told, rows=rows(), dev=dev)
    return mra_sft.train(job), chooser


def plain(folder: Path, parent: Path, **options: Any) -> dict[str, str]:
    job = make_job(folder, parent, SftOptions(**{**FAST, "save_every": 0, **options}), Told(), rows=rows())
    return hashes(mra_sft.train(job).checkpoint)


def test_the_first_of_equally_good_epochs_is_kept(tmp_path: Path, parent: Path) -> None:
    """A constant rate makes the first epochs of a longer training a shorter one, to hold the weights against."""
    judge, told = Judge([1, 3, 3, 2]), Told()
    trained, chooser = run(tmp_path / "all", parent, judge, told, epochs=4, scheduler="constant")
    assert hashes(trained.checkpoint) == plain(tmp_path / "two", parent, epochs=2, scheduler="constant")
    assert trained.facts["steps"] == 4 * STEPS
    tokens = sum(len((row.prompt + row.completion).encode()) + 1 for row in rows())
    assert trained.facts["tokens"] == 4 * tokens, "all epochs count, not those up to the kept one"
    facts = chooser.facts({"generated_tokens": 5})
    assert facts["epoch_kept"] == 2
    assert [found["accuracy"] for found in facts["dev_epochs"]] == [0.25, 0.75, 0.75, 0.5]
    generated = sum(row["tokens"] for row in read_rows(chooser.folder / "completions"))
    assert facts["dev_generated_tokens"] == generated > 0
    assert facts["generated_tokens"] == generated + 5
    events = [record for record in told.records if "event" in record]
    assert [(event["step"], event["epoch"], event["dev_accuracy"]) for event in events] == [
        (3, 1, 0.25), (6, 2, 0.75), (9, 3, 0.75), (12, 4, 0.5)
    ]  # fmt: skip
    assert [path.name for path in (tmp_path / "all" / "work" / "epochs").glob("*.safetensors")] == [
        "epoch-002.safetensors"
    ]


@pytest.mark.parametrize("arch", ["qwen2", "gpt2"])
def test_answers_are_those_of_the_saved_weights_asked_as_in_evaluation(tmp_path: Path, arch: str) -> None:
    """Prompts of different lengths, so that some are padded; weights so large that texts differ."""
    from mra_transformers.model import TransformersModel
    from mra_transformers.options import Options
    from transformers import AutoModelForCausalLM

    parent = small_model(tmp_path / "parent", arch)
    model = AutoModelForCausalLM.from_pretrained(parent)
    for weight in model.parameters():
        weight.data *= 8 if weight.dim() > 1 else 1
    model.save_pretrained(parent)
    judge = Judge([1, 2])
    trained, _ = run(tmp_path, parent, judge, epochs=2, learning_rate=1e-4)
    loaded = TransformersModel(Options(str(trained.checkpoint), prompt="plain", dtype="fp32"))
    block = Block(tuple(map(Request, PROBLEMS)), PromptStyle(), Decoding(8), 0)
    found = {completion.problem_id: completion.text for completion in loaded.generate(block)}
    assert judge.texts[-1] == [found[problem.id] for problem in PROBLEMS]
    assert len(set(judge.texts[-1])) == len(PROBLEMS)


def test_stopped_while_the_second_epoch_is_graded_and_resumed(tmp_path: Path, parent: Path) -> None:
    options: dict[str, Any] = {"epochs": 3, "lora": LoraOptions(rank=4, dropout=0.1)}
    whole = Told()
    expected, chooser = run(tmp_path / "whole", parent, Judge([2, 1, 1]), whole, **options)
    parts = Told()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", parent, Judge([2, 1], stop_at=2), parts, **options)
    assert epochs_in(tmp_path / "parts" / "work" / "dev") == [1]
    answered = tmp_path / "parts" / "work" / "dev" / "completions" / "epoch-002.jsonl"
    before = answered.stat().st_mtime_ns
    judge = Judge([1, 1])
    resumed, again = run(tmp_path / "parts", parent, judge, parts, **options)
    assert judge.asked == 2, "the first epoch is not graded again"
    assert answered.stat().st_mtime_ns == before, "nor is the second one answered again"
    assert hashes(resumed.checkpoint) == hashes(expected.checkpoint)
    assert resumed.facts == expected.facts
    for kind in ("completions", "grades"):
        assert hashes(again.folder / kind) == hashes(chooser.folder / kind)
    assert again.facts({}) == chooser.facts({})
    assert _last(parts) == _last(whole)


def _last(told: Told) -> dict[tuple[int, bool], dict[str, Any]]:
    return {(record["step"], "event" in record): record for record in told.records}


def test_all_epochs_are_left_as_models_if_asked(tmp_path: Path, parent: Path) -> None:
    """The end of the training counts as that of its last epoch."""
    same: dict[str, Any] = {"scheduler": "constant", "lora": LoraOptions(rank=4)}
    trained, _ = run(tmp_path / "a", parent, Judge([2, 3]), keep_all=True, epochs=1.5, **same)
    work = tmp_path / "a" / "work"
    assert sorted(path.name for path in work.glob("epoch-*")) == ["epoch-001", "epoch-002"]
    assert hashes(work / "epoch-002") == hashes(trained.checkpoint)
    assert hashes(work / "epoch-001") == plain(tmp_path / "b", parent, epochs=1, **same)


def test_an_epoch_needs_an_answer_to_each_problem(tmp_path: Path) -> None:
    def grade(items: Sequence[tuple[Problem, str]]) -> Sequence[Grade]:
        raise AssertionError

    def answer() -> Iterable[Completion]:
        yield Completion("d2", 0, "6", 3, 2, "stop")

    chooser = Chooser(tmp_path, PROBLEMS, grade, lambda record: None, Ranks())
    score: Callable[..., bool] = chooser.score
    with pytest.raises(Exception, match="no answer to problem d30 at the end of epoch 1"):
        score(1, 3, answer)
