"""The specs of known datasets, held against their rows where these are at hand, and what their schema can say."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mra_bench.dataset_checks import check_split, unreadable_golds
from mra_bench.dataset_spec import (
    UNVERIFIED,
    DatasetSpec,
    Facts,
    Fields,
    Gold,
    Layout,
    Solution,
    Source,
    Split,
    built_in_specs,
    json_schema,
)
from mra_bench.datasets import DatasetUse, load, load_problems, verification
from mra_bench.errors import BenchError, UsageError
from mra_bench.judging import grade_here
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.problem_rows import problems_hash
from mra_bench.split_samples import built_in_samples, sample_of
from mra_bench.types import Problem

SHARED = Path(__file__).parents[2] / "shared" / "data"
FOLDERS = {
    "gaokao-2023-en": "gaokao2023en", "gaokao-cloze": "gaokao_math_cloze", "gaokao-qa": "gaokao_math_qa",
    "math-500": "math500", "minerva": "minerva_math",
}  # fmt: skip
KNOWN = [
    (name, split)
    for name, spec in built_in_specs().items()
    for split in dict.fromkeys(split for one in spec.layouts for split in one.splits)
    if spec.source and not spec.source.loader
    if any(split in one.splits and one.splits[split].checksum != UNVERIFIED for one in spec.layouts)
]
WANTED = {
    "gsm8k", "math", "math-500", "metamathqa", "mmlu-stem", "cmath", "gaokao-cloze", "gaokao-qa", "gaokao-2023-en",
    "minerva", "olympiadbench", "college-math", "svamp", "asdiv", "aqua", "amc23", "aime24", "aime25", "gsm-hard",
}  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


@functools.cache
def rows_of(name: str, split: str) -> tuple[Problem, ...]:
    """The problems of a split from its file; the test is skipped where that is not at hand."""
    file = "test" if name == "cmath" else split  # the file of the validation split is called so
    path = SHARED / FOLDERS.get(name, name.replace("-", "_")) / f"{file}.jsonl"
    if not path.is_file():
        pytest.skip(f"the rows of {name} are not beside the project")
    return tuple(load_problems(DatasetUse(name, split, str(path)), load_plugins(PluginSettings())))


def test_the_datasets_of_the_published_systems_are_there() -> None:
    assert set(built_in_specs()) >= WANTED
    assert {name for name, _ in KNOWN} >= WANTED - {"aime25", "metamathqa"}


def test_the_published_schema_is_in_step_and_every_spec_follows_it() -> None:
    published = json.loads(files("mra_bench").joinpath("schemas/dataset.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "python -m mra_bench.dataset_spec > mra_bench/schemas/dataset.schema.json"
    for file in files("datasets_spec").iterdir():
        if file.name.endswith(".yaml"):
            jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), published)


@pytest.mark.parametrize(("name", "split"), KNOWN)
def test_the_rows_are_those_of_the_spec(name: str, split: str) -> None:
    problems = rows_of(name, split)
    spec = built_in_specs()[name]
    assert verification(spec, split, problems) == "verified"
    known = [one.splits[split] for one in spec.layouts if split in one.splits]
    assert len(problems) in [facts.rows for facts in known]
    if name in built_in_samples():
        assert built_in_samples()[name][split] == sample_of(problems)
    unreadable = {name for facts in known for name in facts.unreadable}
    assert unreadable <= {problem.id for problem in problems}
    assert {problem.id for problem in problems if not problem.answer} <= unreadable


@pytest.mark.parametrize(("name", "split"), KNOWN)
def test_golds_can_be_read(registry: Registry, name: str, split: str) -> None:
    """Thirty of them, and those which the spec says cannot; `-m long` reads all."""
    problems = rows_of(name, split)
    grader = registry.resolve("graders", "sympy").build({})
    unreadable = {name for one in built_in_specs()[name].layouts for name in one.splits.get(split, Facts()).unreadable}
    for problem in [p for p in problems if p.id not in unreadable][:: max(1, len(problems) // 30)]:
        assert grade_here(grader, problem, f"So \\boxed{{{problem.answer}}}.").correct is True, problem
    for problem in (p for p in problems if p.id in unreadable):
        assert grade_here(grader, problem, f"So \\boxed{{{problem.answer}}}.").correct is not True, problem


@pytest.mark.long
@pytest.mark.parametrize(("name", "split"), KNOWN)
def test_every_gold_can_be_read_but_those_listed(name: str, split: str) -> None:
    assert not check_split(
        built_in_specs()[name], DatasetUse(name, split), rows_of(name, split), PluginSettings()
    ).failed


def test_golds_and_choices_of_known_rows_are_what_they_should_be() -> None:
    choice = rows_of("mmlu-stem", "test")[0]
    assert (choice.answer, choice.expects, len(choice.choices)) == ("C", "choice", 4)
    assert choice.question.splitlines()[-2:] == [f"({x}) {t}" for x, t in zip("CD", choice.choices[2:], strict=True)]
    assert rows_of("aqua", "test")[0].question.endswith("\n(E) None of these")
    assert rows_of("olympiadbench", "test")[0].answer == "2"
    assert {problem.answer for problem in rows_of("gaokao-qa", "test")} > {"A", "B", "C", "D", "A B D"}
    assert rows_of("asdiv", "test")[0].answer == "9"
    assert next(p for p in rows_of("math", "train") if p.id == "train/algebra/24014.json").answer == "2"
    sample = SHARED / "metamathqa_sample" / "train.jsonl"
    problems = load_problems(DatasetUse("metamathqa", "train", str(sample)), load_plugins(PluginSettings()))
    assert not [p for p in problems if "####" in (p.solution or "") or "The answer is" in (p.solution or "")]
    assert all((p.solution or "").endswith(f"\\boxed{{{p.answer}}}.") for p in problems)


# What a spec can say


def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: DatasetSpec, *rows: dict[str, Any]) -> list[Problem]:
    monkeypatch.setattr("mra_bench.datasets.built_in_specs", lambda: {spec.name: spec})
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_problems(DatasetUse(spec.name, "test", str(path)), load_plugins(PluginSettings()))


def spec_with(**said: Any) -> DatasetSpec:
    return DatasetSpec(name="known", source=Source(hub="some/where"), splits={"test": Split(source="test")}, **said)


def test_the_gold_of_a_choice_may_be_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Fields(show_choices="{letter}: {text}")
    spec = spec_with(fields=shown, gold=Gold(index=True, expects="choice"))
    (problem,) = read(tmp_path, monkeypatch, spec, {"question": "Which?", "choices": ["x", "{letter}"], "answer": 1})
    assert (problem.answer, problem.question) == ("B", "Which?\nA: x\nB: {letter}")
    with pytest.raises(UsageError, match="must be the place of the right choice, from 0; got 'B'"):
        read(tmp_path, monkeypatch, spec, {"question": "Which?", "choices": ["x", "y"], "answer": "B"})
    (problem,) = read(
        tmp_path, monkeypatch, spec_with(), {"question": "?", "choices": {"A": "x", "B": "y"}, "answer": "B"}
    )
    assert (problem.answer, problem.choices) == ("B", ("x", "y"))


def test_several_answers_several_solutions_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_with(fields=Fields(pictures=("image",)), gold=Gold(several=True))
    row = {"question": "Roots?", "answer": ["1", "-1"], "solution": ["one way", "another"], "image": None}
    problems = read(tmp_path, monkeypatch, spec, row, {**row, "image": "a.png"}, row)
    assert [(p.id, p.answer, p.solution) for p in problems] == [
        ("test-00000", "1, -1", "one way"), ("test-00002", "1, -1", "one way"),
    ]  # fmt: skip


def test_a_blank_gold_is_kept_where_the_spec_allows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ({"question": "1 + 1?", "answer": "2"}, {"question": "?", "answer": " "})
    problems = read(tmp_path, monkeypatch, spec_with(gold=Gold(may_be_blank=True)), *rows)
    assert [problem.answer for problem in problems] == ["2", ""]
    assert unreadable_golds(problems, PluginSettings()) == {"test-00001": "it has no gold answer"}
    with pytest.raises(UsageError, match="the column 'answer' is blank"):
        read(tmp_path, monkeypatch, spec_with(), *rows)


def test_a_file_is_read_by_the_layout_whose_columns_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Layout(fields=Fields(question="problem", answer="worked"), gold=Gold(boxed=True), splits={"test": Facts()})
    spec = spec_with(gold=Gold(after="####"), solution=Solution(before=["The answer", "####"]), files=(other,))
    (first,) = read(
        tmp_path, monkeypatch, spec, {"question": "q", "answer": "#### 2", "solution": "a #### 2 The answer"}
    )
    (second,) = read(tmp_path, monkeypatch, spec, {"problem": "q", "worked": "\\boxed{3}"})
    assert (first.answer, first.solution, second.answer) == ("2", "a", "3")
    with pytest.raises(UsageError, match="no column 'question' and no column 'answer'"):
        read(tmp_path, monkeypatch, spec, {"prompt": "q"})


def test_checksums_of_other_layouts_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"question": "1 + 1?", "answer": "2"}
    problems = read(tmp_path, monkeypatch, spec_with(), row)
    facts = Facts(rows=1, checksum=problems_hash(problems), read_from="here")
    spec = spec_with(files=(Layout(splits={"test": facts}),))
    assert verification(spec, "test", problems) == "verified"
    assert verification(spec, "test", problems * 2) == UNVERIFIED  # nothing is known of its source
    checks = check_split(spec, DatasetUse("known", "test"), problems, PluginSettings()).checks
    assert [check.state for check in checks] == ["passed"] * 4
    more = [*problems, Problem("x", "1 + 1?", "[1, 2")]
    changed = check_split(spec, DatasetUse("known", "test"), more, PluginSettings())
    assert [check.state for check in changed.checks] == ["failed", "failed", "failed", "noted"]
    assert changed.unreadable.keys() == {"x"}


# Files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that has `rows.jsonl`, with two problems."""
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    served = tmp_path / "served"
    served.mkdir()
    (served / "rows.jsonl").write_text('{"question": "1 + 1?", "answer": 2}\n{"question": "1 + 2?", "answer": 3}\n')

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))
    close_session()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    close_session()


def test_a_file_source_is_fetched_once_and_then_answers_offline(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    splits = {"test": Split(source="rows.jsonl"), "train": Split(source="none.jsonl")}
    spec = DatasetSpec(name="known", source=Source(file=folder), splits=splits)
    monkeypatch.setattr("mra_bench.datasets.built_in_specs", lambda: {"known": spec})
    with pytest.raises(
        BenchError,
        match=r"could not be loaded from .*/none.jsonl: it cannot be reached .*404.* curl -LO .*/none.jsonl;",
    ) as error:
        load(DatasetUse("known", "train"), registry)
    assert "--data known:train=FILE" in str(error.value)
    first = load(DatasetUse("known", "test"), registry)
    assert [problem.answer for problem in first.problems] == ["2", "3"]
    (tmp_path / "served" / "rows.jsonl").unlink()
    assert load(DatasetUse("known", "test"), registry) == first
    wrong = spec.model_copy(update={"splits": {"test": Split(source="rows.jsonl", rows=2, checksum="0" * 64)}})
    monkeypatch.setattr("mra_bench.datasets.built_in_specs", lambda: {"known": wrong})
    with pytest.warns(UserWarning, match="checksum differs"):
        load(DatasetUse("known", "test"), registry)


def test_the_spec_of_the_docs_is_one(tmp_path: Path, registry: Registry) -> None:
    page = (Path(__file__).parents[1] / "docs" / "datasets.md").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(page.split("```yaml spec\n")[1].split("```")[0])
    row = {"body": "Ann has 2.", "question": "How many?", "worked": "2\n#### 2", "topic": "sums"}
    (tmp_path / "problems.jsonl").write_text(json.dumps(row) + "\n")
    (problem,) = load_problems(DatasetUse(str(tmp_path / "mine.yaml"), "test"), registry)
    assert (problem.question, problem.answer) == ("Ann has 2. How many?", "2")
    assert problem.solution == "2\nThe final answer is \\boxed{2}."
    for name in built_in_specs():
        assert f"`{name}`" in page
