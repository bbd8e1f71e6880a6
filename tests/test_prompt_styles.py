"""Ways to ask: named styles, worked examples, and what they do to prompts, stops and reference solutions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import here

from mra_bench.asking import style_of
from mra_bench.dataset_spec import built_in_specs
from mra_bench.datasets import style
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.problem_sets import ProblemSet, read_datasets
from mra_bench.prompt_styles import STYLES, in_format, named_style, with_examples
from mra_bench.prompts import chat_messages, plain_prompt, plain_stops
from mra_bench.recipe import validate_recipe
from mra_bench.types import Example, Problem, PromptStyle

SHARED = Path(__file__).parents[2] / "shared" / "data"
ONE = Problem("p", "How many is 2 + 3?", "5")
SHOWN = PromptStyle("Box it.", "boxed", (Example("t", "How many is 1 + 1?", "It is \\boxed{2}."),))
ROWS = [
    {"id": f"t{n}", "question": f"Ann has {n} red apples and buys 4 green ones in the shop. How many has she now?",
     "answer": str(n + 4), "solution": f"{n} + 4 is\n\\boxed{{{n + 4}}}."}
    for n in range(6)
]  # fmt: skip
Sets = Callable[..., dict[str, ProblemSet]]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


@pytest.fixture
def sets(tmp_path: Path, registry: Registry) -> Sets:
    """The datasets of a recipe: `test` of two rows, asked with `prompt`, `train` of six others."""

    def build(prompt: dict[str, Any] | None = None, train: dict[str, Any] | None = None) -> dict[str, ProblemSet]:
        others = [{**ROWS[0], "id": f"e{n}", "question": f"What is {n} times 7?"} for n in range(2)]
        for name, rows in (("train", ROWS), ("test", others)):
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        entries: dict[str, dict[str, Any]] = {
            name: {"data": "own", "split": name, "path": str(tmp_path / f"{name}.jsonl")} for name in ("train", "test")
        }
        entries["train"] |= {"prompt": train} if train else {}
        entries["test"] |= {"prompt": prompt} if prompt else {}
        models = {"base": {"model": "tiny-qwen2"}}
        recipe = {"name": "r", "datasets": entries, "models": models, "evaluate": {"datasets": ["test"]}}
        return read_datasets(validate_recipe(recipe, "r"), registry, ["train", "test"])

    return build


# Prompts


def test_without_examples_a_prompt_is_what_it_always_was() -> None:
    assert plain_prompt(ONE, PromptStyle()) == "Question: How many is 2 + 3?\nAnswer:"
    assert plain_prompt(ONE, PromptStyle("Box it.")) == "Box it.\nQuestion: How many is 2 + 3?\nAnswer:"
    assert chat_messages(ONE, PromptStyle("Box it.")) == [{"role": "user", "content": "How many is 2 + 3?\nBox it."}]
    assert PromptStyle("Box it.", "boxed").record() == {"instruction": "Box it.", "answer_format": "boxed"}
    assert plain_stops(PromptStyle()) == ()


def test_examples_stand_before_the_question() -> None:
    assert plain_prompt(ONE, SHOWN) == (
        "Box it.\n\nQuestion: How many is 1 + 1?\nAnswer: It is \\boxed{2}.\n\nQuestion: How many is 2 + 3?\nAnswer:"
    )
    assert [(m["role"], m["content"]) for m in chat_messages(ONE, SHOWN)] == [
        ("user", "How many is 1 + 1?\nBox it."),
        ("assistant", "It is \\boxed{2}."),
        ("user", "How many is 2 + 3?\nBox it."),
    ]
    assert SHOWN.record()["examples"] == [vars(SHOWN.examples[0])]


def test_a_chinese_prompt_is_chinese_and_ends_where_the_next_question_begins() -> None:
    asked = style(built_in_specs()["cmath"])
    prompt = plain_prompt(Problem("p", "1加2等于几？{question}", "3"), asked)
    assert prompt.endswith("\n问题：1加2等于几？{question}\n解答：")
    assert plain_stops(asked) == ("\n问题：",)
    assert asked.record()["plain"] == asked.plain


def test_a_run_asks_as_it_was_evaluated() -> None:
    for asked in (SHOWN, STYLES["chinese"], PromptStyle()):
        assert style_of({"name": "test", **asked.record()}) == asked


# Styles


def test_every_spec_names_a_style() -> None:
    for spec in built_in_specs().values():
        assert style(spec).answer_format in ("boxed", "hash", "")
    assert style(built_in_specs()["gsm8k"]) == STYLES["boxed"]
    with pytest.raises(UsageError, match="Unknown prompt style 'box'.* Did you mean 'boxed'"):
        named_style("box")


@pytest.mark.parametrize(
    ("solution", "answer_format", "expected"),
    [
        ("So \\boxed{5}.", "boxed", "So \\boxed{5}."),
        ("So 5.", "boxed", "So 5.\nThe final answer is \\boxed{5}."),
        ("So $\\boxed{\\frac{1}{2}}$.", "hash", "So $\\frac{1}{2}$.\n#### 5"),
        ("So 5.", "hash", "So 5.\n#### 5"),
        ("So 5.", "", "So 5."),
    ],
)
def test_a_solution_ends_as_it_is_asked_to(solution: str, answer_format: str, expected: str) -> None:
    assert in_format(solution, "5", answer_format) == expected


# In a recipe


def test_a_recipe_chooses_style_and_examples(sets: Sets) -> None:
    asked = sets({"style": "hash", "examples": ["t3", "t1"], "examples_from": "train"})["test"].style
    assert asked.instruction == STYLES["hash"].instruction
    assert [example.id for example in asked.examples] == ["t3", "t1"]
    assert asked.examples[0].answer == "3 + 4 is\n7.\n#### 7"
    fewer = sets({"style": "hash", "examples": ["t3", "t1"], "examples_from": "train", "shots": 1})["test"].style
    assert fewer.examples == asked.examples[:1]
    assert sets({"style": "hash", "shots": 0})["test"].style == STYLES["hash"]
    assert sets({"style": "hash", "instruction": "Go."})["test"].style == PromptStyle("Go.", "hash")


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({"shots": 2}, "prompt.shots is 2, but 'own' names no examples. Name rows with prompt.examples: [ID, ...]"),
        (
            {"examples": ["t9"], "examples_from": "train"},
            "'train' of 'own' has no row 't9' to show as an example",
        ),
        ({"examples": ["t1"], "examples_from": "trains"}, "Unknown dataset 'trains' in prompt.examples_from"),
        ({"style": "boxes"}, "Unknown prompt style 'boxes'"),
        ({"examples": ["t1"], "shots": 2}, "shots is 2, but examples names 1 rows"),
        ({"examples": ["e1"], "examples_from": "test"}, "A prompt must not show what it asks: example e1 and test e1"),
    ],
)
def test_what_cannot_be_shown_is_refused(sets: Sets, prompt: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        sets(prompt)
    assert message in str(error.value)


def test_training_problems_lose_those_that_their_prompt_shows(sets: Sets) -> None:
    prompt = {"style": "boxed", "examples": ["t2"], "examples_from": "train"}
    assert [problem.id for problem in sets(prompt, prompt)["train"].problems] == ["t0", "t1", "t3", "t4", "t5"]


def test_reference_solutions_end_as_the_recipe_asks(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps({"question": "1 + 1?", "answer": "1 + 1 = <<1+1=2>>2\n#### 2"}) + "\n")

    def solution(**prompt: str) -> str | None:
        entry = {"data": "gsm8k", "split": "train", "path": str(path), "prompt": prompt}
        recipe = {"name": "r", "datasets": {"d": entry}, "models": {"base": {"model": "tiny-qwen2"}}}
        read = read_datasets(validate_recipe({**recipe, "evaluate": {"datasets": ["d"]}}, "r"), registry, ["d"])
        return read["d"].problems[0].solution

    assert solution() == "1 + 1 = 2\nThe final answer is \\boxed{2}."
    assert solution(style="hash") == "1 + 1 = 2\n#### 2"
    assert solution(style="bare") == solution()


def test_examples_come_from_the_split_as_the_recipe_reads_it(sets: Sets) -> None:
    """`train` is a file here; without it the dataset would be asked for the split at its source."""
    assert sets({"style": "boxed", "examples": ["t4"]})["test"].style.examples[0].id == "t4"


def test_a_run_with_examples_is_recorded_and_audited(tmp_path: Path) -> None:
    rows = [{**row, "id": f"e{n}", "question": f"What is {n} times 7?"} for n, row in enumerate(ROWS[:2])]
    for name, written in (("train", ROWS), ("test", rows)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    (tmp_path / "said.jsonl").write_text(
        "".join(json.dumps({"problem": f"e{n}", "text": "#### 4"}) + "\n" for n in (0, 1))
    )
    options = ("--set", "datasets.own.prompt={style: hash, examples: [t1, t2]}", "--set", "datasets.own.limit=2")
    given = ("--model", "a=echo@said.jsonl", "--data", "own=test.jsonl", "--data", "own:train=train.jsonl")
    more = ("--set", "evaluate.datasets=[own]", "--out", "out")
    done = here("run", *given, *options, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    (asked,) = record["plan"]["datasets"]
    assert [example["id"] for example in asked["examples"]] == ["t1", "t2"]
    assert here("audit", "out", cwd=tmp_path).returncode == 0
    asked["examples"][0]["answer"] = "#### 6"
    (tmp_path / "out" / "run.json").write_text(json.dumps(record))
    assert here("audit", "out", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("name", ["gsm8k", "math"])
def test_the_examples_of_specs_are_training_rows(registry: Registry, name: str) -> None:
    path = SHARED / name / "train.jsonl"
    if not path.is_file():
        pytest.skip(f"the training rows of {name} are not beside the project")
    from mra_bench.datasets import DatasetUse, load_problems

    problems = load_problems(DatasetUse(name, "train", str(path)), registry)
    named = {one.data or spec.name: one.ids for spec in built_in_specs().values() if (one := spec.prompt.examples)}
    assert set(named) == {"gsm8k", "math"}
    asked = with_examples(STYLES["boxed"], problems, named[name], name)
    assert len(asked.examples) == len(named[name]) >= 5
    assert all("\\boxed{" in example.answer for example in asked.examples)
