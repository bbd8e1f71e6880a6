"""The model that answers from a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mra_echo import EchoOptions, load

from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.types import Block, Completion, Decoding, Model, Problem, PromptStyle, Request

FIRST = Problem("a", "How many apples?", "3")
SECOND = Problem("b", "How many pears?", "4")


@pytest.fixture
def answers(tmp_path: Path):
    def write(*rows: dict[str, Any] | str) -> str:
        path = tmp_path / "answers.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


def ask(path: str, requests: Sequence[Request], *, allow_missing: bool = False) -> list[Completion]:
    model = load(EchoOptions(path, allow_missing))
    block = Block(tuple(requests), PromptStyle("Be brief."), Decoding(), seed=0)
    return list(model.generate(block))


def texts(path: str, requests: Sequence[Request]) -> list[str]:
    return [completion.text for completion in ask(path, requests)]


def test_a_text_is_found_by_problem_id(answers) -> None:
    path = answers({"problem": "a", "text": "so it is  3"}, {"problem": "b", "text": "4", "finish": "length"})
    assert ask(path, [Request(SECOND), Request(FIRST)]) == [
        Completion("b", 0, "4", prompt_tokens=5, tokens=1, finish="length"),
        Completion("a", 0, "so it is  3", prompt_tokens=5, tokens=4, finish="stop"),
    ]


def test_a_text_is_found_by_question_and_the_id_goes_first(answers) -> None:
    path = answers({"question": FIRST.question, "text": "by text"}, {"question": SECOND.question, "text": "no"})
    assert texts(path, [Request(FIRST)]) == ["by text"]
    path = answers({"question": FIRST.question, "text": "by text"}, {"problem": "a", "text": "by id"})
    assert texts(path, [Request(FIRST)]) == ["by id"]


def test_samples_are_numbered_as_written_or_by_order_and_are_gone_through_again(answers) -> None:
    requests = [Request(FIRST, sample) for sample in range(5)]
    path = answers({"problem": "a", "text": "zero"}, {"problem": "a", "text": "one"})
    assert texts(path, requests) == ["zero", "one", "zero", "one", "zero"]
    path = answers({"problem": "a", "sample": 1, "text": "one"}, {"problem": "a", "sample": 0, "text": "zero"})
    assert texts(path, requests) == ["zero", "one", "zero", "one", "zero"]
    path = answers({"problem": "a", "sample": 3, "text": "three"})
    assert texts(path, requests[2:4]) == ["three", "three"]


def test_a_problem_without_a_row_is_an_error_or_if_allowed_an_empty_text(answers) -> None:
    path = answers({"problem": "a", "text": "3"})
    with pytest.raises(BenchError, match="no row for the problem 'b'"):
        ask(path, [Request(SECOND)])
    empty = ask(path, [Request(SECOND)], allow_missing=True)
    assert empty == [Completion("b", 0, "", prompt_tokens=5, tokens=0, finish="stop")]


def test_problems_without_rows_are_named_before_any_work_with_the_nearest_row(answers) -> None:
    many = [Problem(f"test-{i}", f"{i}?", "1") for i in range(20)]
    path = answers(
        {"problem": "tset-0", "text": "1"}, {"question": "1?", "text": "1"}, {"problem": "test-2", "text": "1"}
    )
    with pytest.raises(UsageError) as error:
        load(EchoOptions(path)).check_problems(many)
    text = str(error.value)
    assert "no row for 18 of 20 problems: 'test-0', 'test-3', 'test-4', 'test-5', 'test-6', ..." in text
    assert "The row nearest to 'test-0' is 'test-2'" in text or "is 'tset-0'" in text
    assert "allow_missing=true" in text
    load(EchoOptions(path)).check_problems([many[1], many[2]])
    load(EchoOptions(path, allow_missing=True)).check_problems(many)


def test_it_is_a_model_without_weights_that_says_what_shapes_its_texts(answers) -> None:
    model = load(EchoOptions(answers({"problem": "a", "text": "3"})))
    assert isinstance(model, Model)
    assert model.reproducible
    assert model.checkpoint() is None
    assert model.render(FIRST, PromptStyle("Be brief.")) == "Be brief.\n\nHow many apples?"
    assert model.render(FIRST, PromptStyle()) == "How many apples?"
    assert model.continuation(" so 3") == " so 3"
    before = json.loads(json.dumps(model.identity()))
    assert load(EchoOptions(answers({"problem": "a", "text": "3"}))).identity() == before
    assert load(EchoOptions(answers({"problem": "a", "text": "4"}))).identity() != before


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"problem": "a", "text": ', "not valid JSON"),
        ('["a", "b"]', "a JSON object with columns is needed, got list"),
        ({"text": "3"}, "needs the text 'problem'"),
        ({"problems": "a", "text": "3"}, "Is it 'problems'?"),
        ({"problem": 7, "text": "3"}, "needs the text 'problem'"),
        ({"problem": "a", "texts": "3"}, "Is it 'texts'?"),
        ({"problem": "a", "text": None}, "needs the text 'text'"),
        ({"problem": "a", "text": "3", "sample": -1}, "whole number from 0 up, got -1"),
        ({"problem": "a", "text": "3", "sample": True}, "whole number from 0 up, got True"),
        ({"problem": "a", "text": "3", "finish": "end"}, "'finish' must be 'stop' or 'length', got 'end'"),
        ({"problem": "fine", "sample": 0, "text": "3"}, "sample 0 of this problem is already in"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(answers, row: Any, message: str) -> None:
    path = answers({"problem": "fine", "text": "1"}, "", row)
    with pytest.raises(UsageError) as error:
        load(EchoOptions(path))
    assert str(error.value).startswith(f"{path}, line 3: ")
    assert message in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.jsonl' does not exist"):
        load(EchoOptions(str(tmp_path / "none.jsonl")))


def test_it_is_registered_and_built_from_plain_options(answers) -> None:
    registered = load_plugins(PluginSettings()).resolve("models", "echo")
    assert registered.full_name == "mra_echo:echo"
    model = registered.build({"path": answers({"problem": "a", "text": "3"})})
    assert isinstance(model, Model)
    with pytest.raises(UsageError, match="needs the option 'path'"):
        registered.build({})
