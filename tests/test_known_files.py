"""Files of a known dataset under another name: the errors say whose rows they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from runs import here

from mra_bench.datasets import DatasetUse, load_problems
from mra_bench.errors import UsageError
from mra_bench.known_files import held_split
from mra_bench.plugins import PluginSettings, Registry, load_plugins

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


@pytest.fixture
def hard(tmp_path: Path, registry: Registry) -> Path:
    """The split `hard` of arith, without the columns of which a file may have none."""
    rows = [{"question": p.question, "answer": p.answer} for p in load_problems(DatasetUse("arith", "hard"), registry)]
    return written(tmp_path / "hard.jsonl", rows)


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def real(name: str) -> Path:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the rows of {name} are not beside the project")
    return path


def refusal(use: DatasetUse, registry: Registry) -> str:
    with pytest.raises(UsageError) as error:
        load_problems(use, registry)
    return str(error.value)


def test_a_file_that_its_names_spec_cannot_read_is_told_by_whose_rows_it_holds(hard: Path, registry: Registry) -> None:
    assert refusal(DatasetUse("gsm8k", "test", str(hard)), registry) == (
        f"{hard} holds the rows of 'arith', split hard. Give the file of gsm8k:test, or name this one for what it is: "
        f"--data arith:hard={hard}, or data: arith in a recipe."
    )


def test_rows_of_no_known_split_keep_their_error(hard: Path, tmp_path: Path, registry: Registry) -> None:
    other = written(
        tmp_path / "other.jsonl", [{"question": f"Of what are {n} pears?", "answer": "2"} for n in range(9)]
    )
    assert "no '####' in the answer column" in refusal(DatasetUse("gsm8k", "test", str(other)), registry)
    torn = tmp_path / "torn.jsonl"
    torn.write_text(hard.read_text() + '{"question": "q"}\n')
    assert "no 'answer', which line 1 has" in refusal(DatasetUse("mine", "test", str(torn)), registry)
    assert held_split(tmp_path / "none.jsonl") is None


def test_check_says_whose_rows_stand_under_a_known_name(hard: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in hard.read_text().splitlines()]
    boxed = [{"problem": r["question"], "solution": f"\\boxed{{{r['answer']}}}", **r} for r in rows]
    file = written(tmp_path / "boxed.jsonl", boxed)
    said = here("datasets", "check", "--data", f"math={file}").stdout.splitlines()
    assert said[0] == f"failed  math test: split: {file} holds the rows of 'arith', split hard"


def test_the_dataset_of_the_recipe_that_a_file_was_given_for_is_named(hard: Path, tmp_path: Path) -> None:
    settings = ["--set", "datasets.test={data: arith, split: test}", "--data", f"test={hard}"]
    done = here("run", "--recipe", "smoke", "--dry-run", "--out", tmp_path / "run", *settings)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Usage error: Dataset 'test': The rows of {hard} are those of the split 'hard' of")


@pytest.mark.parametrize(
    ("file", "label", "held"),
    [
        ("math500/test.jsonl", "gsm8k", "'math-500', split test"),
        ("svamp/test.jsonl", "gsm8k", "'svamp', split test"),
        ("asdiv/test.jsonl", "gsm8k", "'asdiv', split test"),
        ("gsm8k/train.jsonl", "svamp", "'gsm8k', split train"),
        ("math500/test.jsonl", "mine", "'math-500', split test"),
    ],
)
def test_real_rows_under_another_datasets_name(file: str, label: str, held: str, registry: Registry) -> None:
    path = real(file)
    assert refusal(DatasetUse(label, "test", str(path)), registry).startswith(f"{path} holds the rows of {held}. ")


def test_check_tells_math_500_from_a_part_of_math() -> None:
    path = real("math500/test.jsonl")
    said = here("datasets", "check", "--data", f"math={path}").stdout
    assert f"split: {path} holds the rows of 'math-500', split test\n" in said


@pytest.mark.parametrize(
    ("file", "held"),
    [
        ("math500/test.jsonl", ("math-500", "test")),
        ("math/test.jsonl", ("math", "test")),
        ("gsm8k/train.jsonl", ("gsm8k", "train")),
        ("gsm_hard/test.jsonl", ("gsm-hard", "test")),
        ("minerva_math/test.jsonl", ("minerva", "test")),
        ("simple_arith/test.jsonl", None),
        ("llm_adapters_math/sft_data.jsonl", None),
    ],
)
def test_real_files_are_told_apart(file: str, held: tuple[str, str] | None) -> None:
    assert held_split(real(file)) == held
