"""Datasets of the hub, fetched for real from a hub on this machine."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, Repository, hub
from runs import bench

from mra_bench import datasets
from mra_bench.dataset_hub import Unavailable
from mra_bench.dataset_spec import UNVERIFIED, DatasetSpec, Source, Split, built_in_specs
from mra_bench.datasets import DatasetUse, Loaded, dataset_spec, load, verification
from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.problem_sets import read_datasets
from mra_bench.recipe import validate_recipe
from mra_bench.recipe_schema import Recipe
from mra_bench.types import Problem

SHARED = Path(__file__).parents[2] / "shared" / "data"
ROWS = [
    {"question": "1 + 1?", "answer": "1+1 = <<1+1=2>>2\n#### 2"},
    {"question": "1 + 2?", "answer": "#### 3"},
]
PROBLEMS = [
    Problem("test-00000", "1 + 1?", "2", "1+1 = 2\nThe final answer is \\boxed{2}."),
    Problem("test-00001", "1 + 2?", "3", "The final answer is \\boxed{3}."),
]
CARD = """---
configs:
- config_name: main
  data_files:
  - {split: train, path: main/train-*}
  - {split: test, path: main/test-*}
- config_name: socratic
  data_files:
  - {split: test, path: socratic/test-*}
---
"""
SPEC = """
name: two
title: Two sums
licence: MIT
source: {hub: someone/two-sums}
splits: {test: {source: train, rows: 2}}
gold: {after: "####"}
"""


def gsm8k(test: list[dict[str, str]], **more: bytes) -> Repository:
    """Rows in the folders, format and with the card that GSM8K has on the hub."""
    files = {
        "README.md": CARD.encode(),
        "main/train-00000-of-00001.parquet": parquet([{"question": "9?", "answer": "#### 9"}]),
        "main/test-00000-of-00001.parquet": parquet(test),
        "socratic/test-00000-of-00001.parquet": parquet([{"question": "Why?", "answer": "#### 8"}]),
    }
    return Repository(files | more)


def parquet(rows: list[dict[str, str]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    written = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), written)
    return written.getvalue()


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has GSM8K with two rows, in use by this process."""
    with hub() as running:
        running.repositories["datasets", "openai/gsm8k"] = gsm8k(ROWS)
        running.use_here(monkeypatch, tmp_path)
        yield running


def loaded(registry: Registry, monkeypatch: pytest.MonkeyPatch, revision: str | None = None, **split: Any) -> Loaded:
    """GSM8K's test split by its own spec, with other facts on the split and another revision."""
    spec = built_in_specs()["gsm8k"]
    facts = {"rows": UNVERIFIED, "checksum": UNVERIFIED, **split}
    assert spec.source is not None
    source = spec.source.model_copy(update={"revision": revision})
    splits = {"test": spec.splits["test"].model_copy(update=facts)}
    changed: DatasetSpec = spec.model_copy(update={"source": source, "splits": splits})
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "built_in_specs", lambda: {"gsm8k": changed})
        return load(DatasetUse("gsm8k", "test"), registry)


def test_rows_are_read_through_the_spec_and_the_commit_is_told(served: Hub, registry: Registry, monkeypatch) -> None:
    assert loaded(registry, monkeypatch) == Loaded(PROBLEMS, served.repositories["datasets", "openai/gsm8k"].commit)
    with pytest.raises(UsageError, match="has 2 rows, not 1319"):
        loaded(registry, monkeypatch, rows=1319)
    checksum = built_in_specs()["gsm8k"].splits["test"].checksum
    with pytest.warns(UserWarning, match="checksum differs"):
        assert loaded(registry, monkeypatch, checksum=checksum).problems == PROBLEMS


def test_the_configs_of_a_source_follow_one_another(served: Hub, registry: Registry, monkeypatch) -> None:
    spec = built_in_specs()["gsm8k"]
    source = Source(hub="openai/gsm8k", config=("socratic", "main"))
    changed = spec.model_copy(update={"source": source, "splits": {"test": Split(source="test")}})
    monkeypatch.setattr(datasets, "built_in_specs", lambda: {"gsm8k": changed})
    socratic, *main = load(DatasetUse("gsm8k", "test"), registry).problems
    assert (socratic.id, socratic.question, socratic.answer) == ("test-00000", "Why?", "8")
    assert [problem.question for problem in main] == [problem.question for problem in PROBLEMS]
    assert [problem.id for problem in main] == ["test-00001", "test-00002"]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    served.down = 503
    with pytest.raises(BenchError, match=r"\(openai/gsm8k, configs socratic, main, split test\)"):
        load(DatasetUse("gsm8k", "test"), registry)


def test_only_what_the_source_names_is_fetched(served: Hub, registry: Registry, monkeypatch) -> None:
    spec = built_in_specs()["gsm8k"]
    source = Source(hub="openai/gsm8k", config="main", only=("README.md", "main/*"))
    changed = spec.model_copy(update={"source": source, "splits": {"test": Split(source="test")}})
    monkeypatch.setattr(datasets, "built_in_specs", lambda: {"gsm8k": changed})
    assert load(DatasetUse("gsm8k", "test"), registry).problems == PROBLEMS
    fetched = [request for request in served.requests if "/resolve/" in request]
    assert any("main/test-" in request for request in fetched)
    assert not any("socratic" in request for request in fetched)


def test_a_new_commit_is_noticed_and_an_old_one_stays_to_be_had(served: Hub, registry: Registry, monkeypatch) -> None:
    first = loaded(registry, monkeypatch)
    served.repositories["datasets", "openai/gsm8k"] = gsm8k(ROWS[:1])
    second = loaded(registry, monkeypatch)
    assert second.problems == PROBLEMS[:1]
    assert second.commit != first.commit
    assert loaded(registry, monkeypatch, revision=first.commit) == first


def test_without_the_hub_the_cache_answers(served: Hub, registry: Registry, monkeypatch) -> None:
    first = loaded(registry, monkeypatch)
    served.down = 503
    assert loaded(registry, monkeypatch) == first
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert loaded(registry, monkeypatch) == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.repositories.clear(), "there is none that you may read. Check the spelling"),
        (lambda h: setattr(h, "down", 503), "answered with the error 503"),
        (
            lambda h: h.repositories.update({("datasets", "openai/gsm8k"): Repository({"README.md": b""}, gated=401)}),
            "it is gated",
        ),
    ],
)
def test_a_refusal_names_the_dataset_why_and_what_does_instead(
    served: Hub, registry: Registry, monkeypatch, change: Any, message: str
) -> None:
    change(served)
    with pytest.raises(BenchError) as error:
        loaded(registry, monkeypatch)
    told = str(error.value)
    assert told.startswith(
        "The dataset 'gsm8k' could not be loaded from the hub (openai/gsm8k, config main, split test)"
    )
    assert message in told
    assert "--data gsm8k:test=FILE" in told


def test_files_that_cannot_be_read_are_put_down_to_the_commit(served: Hub, registry: Registry, monkeypatch) -> None:
    broken = gsm8k(ROWS, **{"main/test-00000-of-00001.parquet": b"no such thing"})
    served.repositories["datasets", "openai/gsm8k"] = broken
    with pytest.raises(UsageError, match=f"gsm8k.* at commit {broken.commit}: .*--data gsm8k:test=FILE"):
        loaded(registry, monkeypatch)


def test_a_row_that_cannot_be_decoded_is_put_down_to_the_commit(served: Hub, registry: Registry, monkeypatch) -> None:
    """Pictures are decoded row by row, after the file was opened without complaint."""
    import pyarrow
    from datasets import Features, Image, Value
    from pyarrow import parquet

    features = Features({"question": Value("string"), "answer": Value("string"), "picture": Image()})
    rows = [{**row, "picture": {"bytes": b"no picture", "path": None}} for row in ROWS]
    written = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=features.arrow_schema), written)
    names = [f"main/{split}-00000-of-00001.parquet" for split in ("train", "test")]
    broken = gsm8k(ROWS, **dict.fromkeys(names, written.getvalue()))
    served.repositories["datasets", "openai/gsm8k"] = broken
    with pytest.raises(UsageError, match=f"gsm8k.* at commit {broken.commit}: .*--data gsm8k:test=FILE"):
        loaded(registry, monkeypatch)


def test_an_unknown_revision_is_named(served: Hub, registry: Registry, monkeypatch) -> None:
    with pytest.raises(
        BenchError, match="it has no revision 'v9'. Its branches, tags and commits are listed at .*gsm8k"
    ):
        loaded(registry, monkeypatch, revision="v9")


def test_the_real_gsm8k_from_a_hub_is_verified(served: Hub, registry: Registry) -> None:
    path = SHARED / "gsm8k" / "test.jsonl"
    if not path.is_file():
        pytest.skip("the GSM8K files are not beside the project")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    columns = [{name: row[name] for name in ("question", "answer")} for row in rows]
    served.repositories["datasets", "openai/gsm8k"] = gsm8k(columns)
    problems = load(DatasetUse("gsm8k", "test"), registry).problems
    assert verification(dataset_spec("gsm8k", registry), "test", problems) == "verified"


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder to run in, whose own specs, the built-in ones and `two`, come before those of the package."""
    place = tmp_path / "work"
    with resources.as_file(resources.files("datasets_spec")) as folder:
        shutil.copytree(folder, place / "datasets_spec")
    (place / "datasets_spec" / "two.yaml").write_text(SPEC)
    (place / "said.jsonl").write_text(
        "".join(
            json.dumps({"problem": f"test-0000{n}", "text": f"The answer is \\boxed{{{n}}}."}) + "\n" for n in (0, 1)
        )
    )
    return place


def run(place: Path, environment: dict[str, str], out: str, *more: str) -> Any:
    arguments = ("run", "--model", "a=echo@said.jsonl", "--data", "two", "--out", out, *more)
    return bench(*arguments, cwd=place, timeout=1800, **environment)


def test_a_run_records_the_commit_and_goes_again_without_the_hub(workplace: Path, tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    with hub() as served:
        repository = Repository({"train.jsonl": lines.encode()})
        served.repositories["datasets", "someone/two-sums"] = repository
        done = run(workplace, served.environment(tmp_path), "one")
        assert done.returncode == 0, done.stderr
    again = run(workplace, served.environment(tmp_path, offline=True), "two")
    assert again.returncode == 0, again.stderr
    records = [json.loads((workplace / out / "run.json").read_text()) for out in ("one", "two")]
    assert records[0]["datasets"] == records[1]["datasets"]
    (facts,) = records[0]["datasets"].values()
    assert facts["commit"] == repository.commit
    assert facts["problems"] == 2
    for output in (done, again):
        assert not [
            line for line in output.stderr.splitlines() if "http" in line or "it/s" in line or "examples" in line
        ]


def test_out_of_reach_is_one_line_on_the_terminal(workplace: Path, tmp_path: Path) -> None:
    with hub() as served:
        pass
    for environment, why in (
        (served.environment(tmp_path), f"{served.url} cannot be reached"),
        (served.environment(tmp_path, offline=True), "HF_HUB_OFFLINE is set"),
    ):
        done = run(workplace, environment, "one")
        assert done.returncode == 1  # as for a model of the hub
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: The dataset 'two' could not be loaded from the hub (someone/two-sums, split")
        assert why in line
        assert "hf download someone/two-sums --repo-type dataset --local-dir FOLDER" in line
        assert "--data two:test=FILE" in line
        assert not (workplace / "one").exists()


def recipe_on(**datasets: dict[str, Any]) -> Recipe:
    return validate_recipe({"name": "r", "datasets": datasets, "models": {}, "evaluate": {"datasets": ["test"]}}, "r")


def test_all_that_is_out_of_reach_is_told_at_once(served: Hub, registry: Registry) -> None:
    """Each split once, below the reason that it shares with others; nothing is asked for twice."""
    served.repositories["datasets", "openai/gsm8k"] = Repository({"README.md": b""}, gated=401)
    recipe = recipe_on(
        test={"data": "gsm8k", "prompt": {"shots": 2}},
        train={"data": "gsm8k", "split": "train"},
        transfer={"data": "svamp", "prompt": {"shots": 2}},
    )
    with pytest.raises(Unavailable) as error:
        read_datasets(recipe, registry, recipe.datasets)
    fetch = "hf download openai/gsm8k --repo-type dataset --local-dir FOLDER"
    head, gated, *each, svamp, why, last = str(error.value).splitlines()
    assert head == "3 splits of datasets could not be loaded: gsm8k:test, gsm8k:train, svamp:test."
    assert gated.startswith("gsm8k:test, gsm8k:train: it is gated, so its owners must let you have it.")
    assert each == [f"  gsm8k:{split}: {fetch}; then --data gsm8k:{split}=FILE" for split in ("test", "train")]
    assert "svamp:test: there is none that you may read" in svamp
    assert why == "  svamp:test: --data svamp:test=FILE"
    assert "(.jsonl, .csv or .parquet)" in last


def test_examples_that_the_recipe_does_not_read_are_among_what_is_lacking(served: Hub, registry: Registry) -> None:
    served.down = 503
    recipe = recipe_on(test={"data": "svamp", "prompt": {"shots": 2}})
    with pytest.raises(Unavailable) as error:
        read_datasets(recipe, registry, ["test"])
    (line,) = [line for line in str(error.value).splitlines() if line.startswith("  gsm8k:train: ")]
    assert line.endswith("; then name the dataset of the recipe that holds them: prompt.examples_from")
