"""Parts of a known split under another label are refused by name; the samples that tell are those of the data."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from mra_bench.datasets import DatasetUse, load_problems
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.split_samples import SIZE, built_in_samples, question_hash, sample_of, split_of
from mra_bench.types import Problem

GSM8K = Path(__file__).parents[2] / "shared" / "data" / "gsm8k"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def gsm8k(split: str) -> list[str]:
    path = GSM8K / f"{split}.jsonl"
    if not path.is_file():
        pytest.skip(f"gsm8k/{split}.jsonl is not beside the project (../shared/data)")
    return path.read_text(encoding="utf-8").splitlines()


def write(path: Path, lines: Iterable[str]) -> str:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def problems(lines: Iterable[str]) -> list[Problem]:
    return [Problem(str(number), json.loads(line)["question"], "1") for number, line in enumerate(lines)]


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_samples_of_gsm8k_are_those_of_its_questions(split: str) -> None:
    assert built_in_samples()["gsm8k"][split] == sample_of(problems(gsm8k(split)))


def test_the_samples_of_arith_are_those_of_its_questions(registry: Registry) -> None:
    known = built_in_samples()["arith"]
    assert set(known) == {"train", "test", "hard"}
    for split, sample in known.items():
        assert sample == sample_of(load_problems(DatasetUse("arith", split), registry))


def test_the_first_500_rows_of_train_labelled_test_are_refused(registry: Registry, tmp_path: Path) -> None:
    """What SLM-Math evaluated on."""
    path = write(tmp_path / "test.jsonl", gsm8k("train")[:500])
    with pytest.raises(
        UsageError, match=r"of .*test\.jsonl are those of the split 'train' of 'gsm8k', though the label says 'test'"
    ):
        load_problems(DatasetUse("gsm8k", "test", path), registry)
    assert len(load_problems(DatasetUse("gsm8k", "train", path), registry)) == 500
    assert len(load_problems(DatasetUse("gsm8k", "dev", path), registry)) == 500  # a label that no split has


def test_test_rows_labelled_train_are_refused(registry: Registry, tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", random.Random(0).sample(gsm8k("test"), 100))
    with pytest.raises(UsageError, match=r"split 'test' of 'gsm8k', though the label says 'train'"):
        load_problems(DatasetUse("gsm8k", "train", path), registry)


def test_a_file_under_a_name_of_ones_own_is_warned_about(registry: Registry, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in gsm8k("train")[:500]]
    path = write(tmp_path / "mine.jsonl", (json.dumps(row) for row in rows))
    with pytest.warns(UserWarning, match="file for 'mine' are those of the split 'train' of 'gsm8k'"):
        assert len(load_problems(DatasetUse("mine", "test", path), registry)) == 500


def test_rows_of_the_right_split_and_other_rows_pass(registry: Registry, tmp_path: Path) -> None:
    part = write(tmp_path / "part.jsonl", gsm8k("test")[700:900])
    assert len(load_problems(DatasetUse("gsm8k", "test", part), registry)) == 200
    other = [json.dumps({"question": f"What is {n} and {n}?", "answer": f"#### {2 * n}"}) for n in range(300)]
    mixed = write(tmp_path / "mixed.jsonl", [*other, *gsm8k("train")[:100]])
    assert len(load_problems(DatasetUse("gsm8k", "test", mixed), registry)) == 400


def test_how_much_of_a_split_must_be_shown() -> None:
    """Of a split of 7,473 rows: 200 rows are told in nearly all draws, and foreign rows in none."""
    questions = [Problem(str(n), f"Question number {n} of a split", "1") for n in range(7473)]
    foreign = [Problem(str(n), f"Question number {n} of another", "1") for n in range(20000)]
    samples = {"train": sample_of(questions)}
    draws = [random.Random(seed).sample(questions, 200) for seed in range(60)]
    assert sum(split_of(draw, samples) == "train" for draw in draws) >= 58
    assert split_of(foreign, samples) is None
    assert split_of([*foreign, *questions[:40]], samples) is None


def test_one_question_that_two_splits_share_is_no_sign() -> None:
    split = [Problem(str(n), f"What is {n}?", "1") for n in range(50)]
    samples = {"train": sample_of(split)}
    assert len(samples["train"]) == 50 < SIZE
    assert split_of(split[:1], samples) is None
    assert split_of(split[:2], samples) == "train"
    assert question_hash("What  is 2") == question_hash("what is 2 ?")
