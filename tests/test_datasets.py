"""Dataset specs and everything that is read through them."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench import datasets
from mra_bench.dataset_rows import last_boxed, read_gold, write_solution
from mra_bench.dataset_spec import Gold, Solution, built_in_specs, parse_spec
from mra_bench.datasets import (
    DatasetUse,
    dataset_names,
    dataset_spec,
    load_problems,
    spec_of,
    style,
    verification,
)
from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.problem_rows import problems_hash
from mra_bench.types import Problem, PromptStyle

SHARED = Path(__file__).parents[2] / "shared" / "data"
ROWS = [
    {"id": "x", "question": "1 + 1?", "answer": "2", "solution": "1 + 1 = 2", "subject": "add", "level": "1"},
    {"id": "y", "question": "2 * 3?", "answer": "6", "solution": "2 * 3 = 6", "subject": "mul", "level": "1"},
]
PROBLEMS = [Problem(**row) for row in ROWS]

WriteRows = Callable[..., str]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


@pytest.fixture
def jsonl(tmp_path: Path) -> WriteRows:
    """Writes rows (objects, or raw text or bytes of a line) to a JSONL file and gives its path."""

    def write(*rows: Any, name: str = "mine.jsonl") -> str:
        lines = [row if isinstance(row, (bytes, str)) else json.dumps(row) for row in rows]
        data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return write


@pytest.fixture
def with_plugin(tmp_path: Path) -> Callable[[str], Registry]:
    """A registry with one more dataset called `mine`, loaded by the given body of ``load(split, options)``."""

    def build(body: str, name: str = "mine") -> Registry:
        path = tmp_path / "stranger.py"
        path.write_text(
            "from mra_bench import Problem, hookimpl\n"
            f"def load(split, options):\n    {body}\n"
            f"@hookimpl\ndef register_datasets(register):\n    register({name!r}, load)\n"
        )
        return load_plugins(PluginSettings(named=(str(path),)))

    return build


def refusal(use: DatasetUse, registry: Registry) -> str:
    with pytest.raises(UsageError) as error:
        load_problems(use, registry)
    return str(error.value)


# Specs


def test_every_spec_is_valid_and_complete(registry: Registry) -> None:
    assert {"arith", "gsm8k", "svamp"} <= set(built_in_specs())
    assert set(built_in_specs()) <= set(dataset_names(registry))
    for spec in built_in_specs().values():
        assert spec.title
        assert spec.licence
        assert spec.answer_type
        assert "test" in spec.splits or set(spec.splits) == {"train"}  # a set to train on


def test_the_styles_of_the_built_in_specs(registry: Registry) -> None:
    assert style(dataset_spec("arith", registry)) == PromptStyle("", "boxed")
    gsm8k = style(dataset_spec("gsm8k", registry))
    assert gsm8k.answer_format == "boxed"
    assert "step by step" in gsm8k.instruction
    assert "\\boxed{}" in gsm8k.instruction


GOOD = "name: mine\nsource: {hub: me/mine}\nsplits: {test: {source: test}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "licences: MIT\n", "has an unknown key 'licences'; did you mean 'licence'?"),
        (GOOD + "prompt: {answer_format: box}\n", "wrong at prompt.answer_format"),
        (GOOD + "gold: {after: '####', boxed: true}\n", "at most one of: after, boxed, index"),
        (GOOD.replace("hub: me/mine", "hub: me/mine, loader: mine"), "exactly one of: loader, hub, file"),
        (
            GOOD.replace("hub: me/mine", "loader: mine, config: main"),
            "config, revision and only belong to a hub",
        ),
        (GOOD.replace("{hub: me/mine}", "{}"), "exactly one of: loader, hub, file"),
        (GOOD.replace("source: test", "source: test, checksum: abc"), "wrong at splits.test.checksum"),
        (GOOD.replace("source: test", "source: test, rows: 0"), "wrong at splits.test.rows"),
        (GOOD.replace("name: mine", "name: yours"), "calls itself 'yours'"),
        ("name: mine\n", "needs a source and at least one split"),
        ("name: [", "not valid YAML"),
        ("", "wrong at the whole file"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(text: str, message: str) -> None:
    assert parse_spec(GOOD, "mine.yaml").name == "mine"
    with pytest.raises(UsageError) as error:
        parse_spec(text, "mine.yaml")
    assert "mine.yaml" in str(error.value)
    assert message in str(error.value)


# Names


def test_an_unknown_dataset_is_answered_with_the_nearest_and_the_command(registry: Registry) -> None:
    message = refusal(DatasetUse("gsm8", "test"), registry)
    assert "Unknown dataset 'gsm8'. Did you mean 'gsm8k'?" in message
    assert "mra-bench datasets" in message


def test_an_unknown_split_is_answered_with_the_nearest_and_the_list(registry: Registry) -> None:
    message = refusal(DatasetUse("arith", "tests"), registry)
    assert message == "The dataset 'arith' has no split 'tests'. Did you mean 'test'? It has: hard, test, train."


def test_a_full_name_means_the_same_dataset(registry: Registry) -> None:
    assert dataset_spec("mra_arith:arith", registry) == dataset_spec("arith", registry)
    assert dataset_spec("datasets_spec:gsm8k", registry) == dataset_spec("gsm8k", registry)


def test_a_plugins_dataset_needs_no_spec(with_plugin) -> None:
    registry = with_plugin('return [Problem(split, "1 + 1?", "2")]')
    assert "mine" in dataset_names(registry)
    assert style(dataset_spec("mine", registry)) == PromptStyle("", "")
    expected = [Problem("any", "1 + 1?", "2")]
    assert load_problems(DatasetUse("mine", "any"), registry) == expected
    assert load_problems(DatasetUse("stranger:mine", "any"), registry) == expected


@pytest.mark.parametrize(("name", "own"), [("arith", "mra_arith:arith"), ("gsm8k", "datasets_spec:gsm8k")])
def test_a_plugin_that_takes_a_specs_name_is_a_clash(with_plugin, name: str, own: str) -> None:
    registry = with_plugin('return [Problem("p", "1 + 1?", "2")]', name)
    assert {own, f"stranger:{name}"} < set(dataset_names(registry))
    assert f"'{name}' is offered more than once. Say which: {own} or stranger:{name}" in refusal(
        DatasetUse(name, "test"), registry
    )
    assert len(load_problems(DatasetUse(f"stranger:{name}", "test"), registry)) == 1
    assert dataset_spec(own, registry).prompt == built_in_specs()[name].prompt


def test_without_its_plugin_a_dataset_is_unknown() -> None:
    registry = load_plugins(PluginSettings(blocked=("arith",)))
    assert "arith" not in dataset_names(registry)
    assert "Unknown dataset 'arith'" in refusal(DatasetUse("arith", "test"), registry)


# What plugins yield


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('return [{"question": "1 + 1?"}]', "a Problem is needed, got dict"),
        ('return [Problem(1, "1 + 1?", "2")]', "id must be text, got 1"),
        ('return [Problem("p", "1 + 1?", 2)]', "answer must be text, got 2"),
        ('return [Problem("p", "1 + 1?", None)]', "answer must be text, got None"),
        ('return [Problem("p", "1 + 1?", " ")]', "answer is empty"),
        ('return [Problem("p", "1 + 1?", "2", level=3)]', "level must be text or None, got 3"),
        ('return [Problem("p", "\\ud800", "2")]', "question holds half of a character"),
        ('return [Problem("p", "1 + 1?", "2"), Problem("p", "1 + 2?", "3")]', "has the id 'p' twice: problems 1 and 2"),
        ("return []", "The split 'test' of the dataset 'mine' is empty"),
        ("raise KeyError(split)", "The dataset 'mine' has no split 'test'"),
    ],
)
def test_what_a_plugin_yields_is_checked(with_plugin, body: str, message: str) -> None:
    assert message in refusal(DatasetUse("mine", "test"), with_plugin(body))


@pytest.mark.parametrize("body", ["return {}['gone']", "yield Problem('p', 'q', 'a'); 1 / 0"])
def test_an_exception_in_a_plugin_is_put_down_to_it(with_plugin, body: str) -> None:
    with pytest.raises(
        BenchError, match=r"The dataset plugin stranger:mine raised (KeyError: 'gone'|ZeroDivisionError)"
    ):
        load_problems(DatasetUse("mine", "test"), with_plugin(body))


# Files


def test_a_file_can_be_the_dataset_or_stand_for_one(jsonl: WriteRows, registry: Registry) -> None:
    path = jsonl(*ROWS)
    assert load_problems(DatasetUse(path, "test"), registry) == PROBLEMS
    named = DatasetUse("my own", "test", path)
    assert load_problems(named, registry) == PROBLEMS
    assert spec_of(named, registry).name == "my own"
    assert style(spec_of(DatasetUse(path, "test"), registry)) == PromptStyle("", "")


def test_all_formats_give_the_same_problems(jsonl: WriteRows, tmp_path: Path, registry: Registry) -> None:
    import pyarrow
    from pyarrow import parquet

    with (tmp_path / "mine.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "mine.parquet")
    for path in (jsonl(*ROWS), str(tmp_path / "mine.csv"), str(tmp_path / "mine.parquet")):
        assert load_problems(DatasetUse(path, "test"), registry) == PROBLEMS


def test_missing_ids_are_made_and_other_columns_may_be_missing(jsonl: WriteRows, registry: Registry) -> None:
    path = jsonl({"question": " 1 + 1? ", "answer": 2, "level": 3.0}, "", {"question": "q", "answer": "x", "id": None})
    assert load_problems(DatasetUse(path, "dev"), registry) == [
        Problem("dev-00000", "1 + 1?", "2", level="3"),
        Problem("dev-00001", "q", "x"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "q", "answer": ', "not valid JSON (Expecting value at column 29, the end of the line)"),
        (
            '{"question": "q", "answer": "2"',
            "(Expecting ',' delimiter at column 32, the end of the line)",
        ),
        ('{"question": "q" "answer": "2"}', "not valid JSON (Expecting ',' delimiter at column 18)"),
        ('["q", "a"]', "a JSON object with columns is needed, got list"),
        ('{"question": "q", "answer": NaN}', "NaN is not a JSON value"),
        (b'{"question": "\xff", "answer": "a"}', "not UTF-8 text"),
        (
            {"question": "q", "anwser": "a"},
            "no 'answer', which line 1 has. Is 'anwser' meant for 'answer'? Its columns: question, anwser.",
        ),
        (
            {"prompt": "q", "gold": "a"},
            "no 'question', which line 1 has and no 'answer', which line 1 has. Its columns: prompt, gold.",
        ),
        ({"question": "q", "answer": "  "}, "the column 'answer' is blank"),
        ({"question": "", "answer": "a"}, "the column 'question' is blank"),
        ({"question": "q", "answer": None}, "the column 'answer' is blank"),
        ({"question": "q", "answer": ["a"]}, "the column 'answer' must be text or a number, got list"),
        ({"question": "q", "answer": True}, "the column 'answer' must be text or a number, got bool"),
        ('{"question": "q", "answer": 1e999}', "the column 'answer' is not a finite number"),
        ('{"question": "\\ud800", "answer": "a"}', "question holds half of a character"),
    ],
)
def test_a_broken_line_is_named(jsonl: WriteRows, registry: Registry, line: Any, message: str) -> None:
    path = jsonl({"question": "fine", "answer": "1"}, "", line)
    told = refusal(DatasetUse(path, "test"), registry)
    assert told.startswith(f"{path}, line 3: ")
    assert message in told
    assert "datasets new" not in told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"question": "q", "anwser": "a"}, "no column 'answer'. Is 'anwser' meant for 'answer'?"),
        ({"question": "q", "gold": "a"}, "no column 'answer'. Its columns: question, gold."),
        ({"prompt": "q", "gold": "a"}, "no column 'question' and no column 'answer'. Its columns: prompt, gold."),
    ],
)
def test_a_file_of_other_columns_is_shown_the_way_to_a_spec(
    jsonl: WriteRows, registry: Registry, line: Any, message: str
) -> None:
    path = jsonl(line, {"question": "fine", "answer": "1"})
    told = refusal(DatasetUse(path, "test"), registry)
    assert told.startswith(f"{path}, line 1: {message}")
    assert told.endswith(f"mra-bench datasets new {path}")


def test_a_file_as_a_whole_can_be_wrong(jsonl: WriteRows, tmp_path: Path, registry: Registry) -> None:
    path = jsonl(*ROWS, ROWS[0])
    twice = refusal(DatasetUse(path, "test"), registry)
    assert twice.startswith(f"{path}, line 3: the id 'x' is there twice; {path}, line 1 has it too.")
    assert "is empty" in refusal(DatasetUse(jsonl(name="none.jsonl"), "test"), registry)
    missing = refusal(DatasetUse(str(tmp_path / "main.jsonl"), "test"), registry)
    assert f"Did you mean '{tmp_path / 'mine.jsonl'}'?" in missing
    text = jsonl(*ROWS, name="mine.txt")
    assert "must end in .jsonl, .csv, .parquet" in refusal(DatasetUse(text, "test"), registry)
    (tmp_path / "mine.parquet").write_text("no such thing")
    assert "cannot be read as Parquet" in refusal(DatasetUse(str(tmp_path / "mine.parquet"), "test"), registry)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("question,answer\n1 + 1?,2\nq\n", 3),
        ("question,answer\n1 + 1?,2\nq,a,b\n", 3),
        ('question,answer\n1 + 1?,"2\n', 2),
        ("question,gold\nq,a\n", 1),  # the header's fault
        ("question,answer\n1 + 1?,2\ncaf\udce9,2\n", 3),
    ],
)
def test_a_broken_csv_line_is_named(tmp_path: Path, registry: Registry, text: str, line: int) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text, errors="surrogateescape")
    assert refusal(DatasetUse(str(path), "test"), registry).startswith(f"{path}, line {line}: ")


# Gold answers and solutions


@pytest.mark.parametrize(
    ("text", "gold", "expected"),
    [
        (" 72 ", Gold(), "72"),
        ("48 + 24 = 72\n#### 1,072", Gold(after="####"), "1,072"),
        ("#### no\n#### 5", Gold(after="####"), "5"),
        (r"so \boxed{1} or \boxed{\frac{1}{2}} it is", Gold(boxed=True), r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", Gold(boxed=True), r"\{1, 2\}"),
        (r"it is $\boxed 2$.", Gold(boxed=True), "2"),
        (r"it is $\boxed\pi$.", Gold(boxed=True), r"\pi"),
        ("9 (apples)", Gold(before=" ("), "9"),
        ("#### 9 (or 8)", Gold(after="####", before="("), "9"),
    ],
)
def test_gold_is_read_as_the_spec_says(text: str, gold: Gold, expected: str) -> None:
    assert read_gold(text, gold, "here") == expected


@pytest.mark.parametrize(
    ("text", "gold", "message"),
    [
        ("72", Gold(after="####"), "no '####' in the answer column"),
        ("72 #### ", Gold(after="####"), "the gold answer is blank"),
        ("72", Gold(boxed=True), r"no closed \boxed{...} in the answer column"),
        (r"\boxed{\frac{1}{2}", Gold(boxed=True), r"no closed \boxed{...} in the answer column"),
        (r"\boxed{}", Gold(boxed=True), "the gold answer is blank"),
    ],
)
def test_a_gold_that_cannot_be_read_is_an_error(text: str, gold: Gold, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_gold(text, gold, "here")
    assert str(error.value).startswith("here: ")
    assert message in str(error.value)


@given(st.text(alphabet="ab{} ", max_size=12), st.text(alphabet="ab ", max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_box_is_balanced_whatever_stands_around_it(inner: str, around: str) -> None:
    depth, balanced = 0, True
    for letter in inner:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        balanced = balanced and depth >= 0
    found = last_boxed(f"{around}\\boxed{{{inner}}}{around}")
    if balanced and depth == 0:
        assert found == inner
    else:
        assert found is None or found.count("{") == found.count("}")


def test_a_solution_is_cut_cleaned_and_put_into_the_template() -> None:
    rule = Solution(before="####", remove=("<<", ">>"), template="{solution}\nSo \\boxed{{answer}}.")
    assert write_solution("48/2 = <<48/2=24>>24\n#### 24", "24", rule) == "48/2 = 24\nSo \\boxed{24}."
    assert write_solution("{answer} is {x}", "24", Solution()) == "{answer} is {x}"


# Checksums


def test_the_hash_depends_on_every_field_and_on_the_order() -> None:
    changed = [dataclasses.replace(PROBLEMS[0], **{field: "other"}) for field in ROWS[0]]
    variants = [PROBLEMS, PROBLEMS[::-1], PROBLEMS[:1], [], *([problem, PROBLEMS[1]] for problem in changed)]
    variants.append([dataclasses.replace(PROBLEMS[0], level=None), PROBLEMS[1]])
    assert len({problems_hash(variant) for variant in variants}) == len(variants)
    assert problems_hash(iter(PROBLEMS)) == problems_hash(PROBLEMS)


def test_the_hash_is_sha256_over_lines_of_json() -> None:
    import hashlib

    line = '{"answer":"\u00e9","id":"1","level":null,"question":"q","solution":null,"subject":null}\n'
    assert problems_hash([Problem("1", "q", "\u00e9")]) == hashlib.sha256(line.encode()).hexdigest()


def test_arith_is_verified_and_other_rows_are_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    hard = load_problems(DatasetUse("arith", "hard"), registry)
    spec = dataset_spec("arith", registry)
    assert len(hard) == spec.splits["hard"].rows
    assert verification(spec, "hard", hard) == "verified"
    assert verification(spec, "hard", hard[1:]) == "different"
    for changes, message in (({"checksum": "0" * 64}, "checksum differs"), ({"rows": 499}, "has 500 rows, not 499")):
        split = spec.splits["hard"].model_copy(update=changes)
        raw = built_in_specs()["arith"].model_copy(update={"splits": {"hard": split}})
        monkeypatch.setattr(datasets, "built_in_specs", lambda raw=raw: {"arith": raw})
        assert message in refusal(DatasetUse("arith", "hard"), registry)


def test_a_split_under_another_splits_name_is_refused(tmp_path: Path, registry: Registry) -> None:
    hard = load_problems(DatasetUse("arith", "hard"), registry)
    path = tmp_path / "hard.jsonl"
    path.write_text("".join(json.dumps(vars(problem)) + "\n" for problem in hard))
    assert load_problems(DatasetUse("arith", "hard", str(path)), registry) == hard
    message = refusal(DatasetUse("arith", "test", str(path)), registry)
    assert message == f"{path} holds the split 'hard' of 'arith', not 'test'."


# Real data, where it is at hand


@pytest.mark.parametrize("split", ["train", "test"])
def test_gsm8k_is_the_data_its_spec_was_verified_against(registry: Registry, split: str) -> None:
    path = SHARED / "gsm8k" / f"{split}.jsonl"
    if not path.is_file():
        pytest.skip("the GSM8K files are not beside the project")
    problems = load_problems(DatasetUse("gsm8k", split, str(path)), registry)
    spec = dataset_spec("gsm8k", registry)
    assert len(problems) == spec.splits[split].rows
    assert verification(spec, split, problems) == "verified"
    assert not [p.id for p in problems if "<<" in (p.solution or "") or "####" in (p.solution or "")]
    assert all((p.solution or "").endswith(f"\\boxed{{{p.answer}}}.") for p in problems)
    other = "test" if split == "train" else "train"
    assert f"holds the split '{split}'" in refusal(DatasetUse("gsm8k", other, str(path)), registry)


def test_svamp_rows_are_read_through_its_spec(registry: Registry) -> None:
    path = SHARED / "svamp" / "test.jsonl"
    if not path.is_file():
        pytest.skip("the SVAMP file is not beside the project")
    problems = load_problems(DatasetUse("svamp", "test", str(path)), registry)
    assert len(problems) == 1000
    assert problems[0].id == "chal-777"
    assert problems[0].question.endswith("organized into 93 groups. How big is each group of bananas?")
    assert problems[0].answer == "145"
    assert problems[0].subject == "Common-Division"


def test_choices_lose_the_letters_they_are_labelled_with(jsonl: WriteRows, registry: Registry) -> None:
    labelled = {"question": "?", "answer": "B", "choices": ["A) 12", "B) 13"]}
    plain = {"question": "?", "answer": "A", "choices": ["12", "A) 13"]}
    problems = load_problems(DatasetUse(jsonl(labelled, plain), "test"), registry)
    assert [problem.choices for problem in problems] == [("12", "13"), ("12", "A) 13")]


@pytest.mark.parametrize("choices", ["A) 12", {"first": "12"}, ["12", ""], [1, None]])
def test_choices_must_be_a_list_of_texts(jsonl: WriteRows, registry: Registry, choices: object) -> None:
    with pytest.raises(UsageError, match="'choices' must be a list"):
        load_problems(DatasetUse(jsonl({"question": "?", "answer": "B", "choices": choices}), "test"), registry)


def test_the_fields_that_came_later_leave_checksums_alone() -> None:
    older = Problem("1", "?", "4")
    assert problems_hash([older]) == problems_hash([dataclasses.replace(older, expects="", choices=())])
    assert problems_hash([older]) != problems_hash([dataclasses.replace(older, expects="choice")])
