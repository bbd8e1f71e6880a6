"""The loader vllm: what can be told without the engine, and the real engine where vLLM is installed and computes.

`pip install vllm`, on a machine without a GPU vLLM's build for CPUs, then
``pytest tests/plugins/test_mra_vllm.py`` shows all of it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mra_tiny
import psutil
import pytest
from mra_transformers.model import TransformersModel
from mra_transformers.options import Options as TransformersOptions
from mra_vllm import LOADER, NEEDS, Options, load
from mra_vllm.model import VllmModel
from mra_vllm.process import Engine
from mra_vllm.settings import BATCHED_TOKENS, EngineSettings, engine_device
from runs import COMMAND, bench, data_hashes, here
from transformers_kit import block, by_request, problems, save

from mra_bench.errors import UsageError
from mra_bench.store import read_rows
from mra_bench.types import Decoding, Problem

TINY = Path(mra_tiny.__file__).parent / "weights" / "qwen2"
INSTALLED = importlib.util.find_spec("vllm") is not None
QUICK = {"enforce_eager": True, "kv_cache_gib": 0.25}
QUESTIONS = tuple(
    Problem(
        f"a{n}", f"Mia has {n} apples. Mia buys {2 * n + 3} more. How many apples does Mia have now?", str(3 * n + 3)
    )
    for n in range(11, 43)
)


def opened(path: Path = TINY, **options: object) -> VllmModel:
    return load(Options(**{"path": str(path), **QUICK, **options}))  # type: ignore[arg-type]


def ours(path: Path = TINY) -> TransformersModel:
    return TransformersModel(TransformersOptions(path=str(path), dtype="fp32"))


@pytest.fixture(scope="module")
def engine() -> None:
    """Skips where the engine cannot compute."""
    if not INSTALLED:
        pytest.skip("vllm is not installed: pip install 'mra-bench[vllm]'")
    try:
        engine_device()
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tiny(engine: None) -> Iterator[VllmModel]:
    model = opened()
    yield model
    model.release()


# Without the engine


@pytest.mark.skipif(INSTALLED, reason="vllm is installed")
def test_without_vllm_nothing_starts_and_the_extra_is_named(tmp_path: Path) -> None:
    done = here("run", "--model", f"m=vllm@{TINY}", "--data", "arith", "--limit", 2, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert f"pip install '{NEEDS['vllm']}'" in done.stderr
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="pip install 'mra-bench\\[vllm\\]'"):
        opened().identity()


@pytest.mark.skipif(INSTALLED, reason="vllm is installed")
def test_what_the_engine_raises_is_said_by_who_asks() -> None:
    model = opened()
    settings = EngineSettings(
        str(TINY), model.format.family, False, "fp32", "cpu", 0.9, 1, 0.25, None, 4, BATCHED_TOKENS, True, False
    )
    with pytest.raises(UsageError, match="vLLM failed on .*qwen2: ModuleNotFoundError: No module named 'vllm'"):
        Engine(settings)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="strict_determinism computes in fp32, not in bf16"):
        opened(dtype="bf16", strict_determinism=True)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(UsageError, match="takes folders with safetensors"):
        opened(tmp_path / "model.gguf")
    for name, value in {
        "WORLD_SIZE": "2",
        "RANK": "1",
        "LOCAL_RANK": "1",
        "MASTER_ADDR": "a",
        "MASTER_PORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="tensor_parallel_size 2: a launcher gives each of its 2 processes one GPU"):
        opened(tensor_parallel_size=2)


def test_a_child_is_computed_like_its_parent(tmp_path: Path) -> None:
    ref = opened(max_num_seqs=32, dtype="bf16").child(tmp_path)
    assert ref.loader == LOADER
    assert ref.options["path"] == str(tmp_path)
    assert (ref.options["prompt"], ref.options["max_num_seqs"], ref.options["dtype"]) == ("plain", 32, "bf16")
    assert "revision" not in ref.options


def test_prompts_are_those_of_the_loader_transformers() -> None:
    whole = block(QUESTIONS, Decoding(), instruction="Put the answer in a box.")
    assert [opened().render(p, whole.style) for p in QUESTIONS] == [ours().render(p, whole.style) for p in QUESTIONS]
    assert opened().continuation("x") == ours().continuation("x")
    assert opened().checkpoint() == TINY


def test_importing_the_plugin_imports_neither_vllm_nor_torch() -> None:
    code = "import sys, mra_vllm, mra_vllm.options; print(sorted({'vllm', 'torch', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# With the engine


def test_greedy_texts_are_those_of_our_engine(tiny: VllmModel) -> None:
    """But for last bits of the logits, where two tokens are as good as equally likely."""
    asked = block(QUESTIONS, Decoding(max_new_tokens=60))
    found, expected = by_request(tiny.generate(asked)), by_request(ours().generate(asked))
    assert found.keys() == expected.keys()
    same = sum(found[key] == expected[key] for key in expected)
    assert same >= 0.9 * len(expected)
    assert {key: c.prompt_tokens for key, c in found.items()} == {key: c.prompt_tokens for key, c in expected.items()}


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(max_new_tokens=40, stop=("3", " so")),
        Decoding(max_new_tokens=60, stop_after_answer=True),
        Decoding(max_new_tokens=9),
        Decoding(max_new_tokens=200),
    ],
    ids=["stop strings", "behind the answer", "length", "context"],
)
def test_texts_end_where_our_engine_ends_them(
    engine: None, ends: tuple[VllmModel, TransformersModel], decoding: Decoding
) -> None:
    """A model of random weights, whose texts end in every way there is."""
    asked = block(problems(24, words=20), decoding)
    found, expected = (by_request(model.generate(asked)) for model in ends)
    same = [key for key in expected if found[key] == expected[key]]
    assert len(same) >= 0.9 * len(expected)
    assert {found[key].finish for key in same} == {completion.finish for completion in expected.values()}


@pytest.fixture(scope="module")
def ends(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VllmModel, TransformersModel]]:
    folder = save("qwen2-wide", tmp_path_factory.mktemp("random") / "model")
    model = opened(folder)
    yield model, ours(folder)
    model.release()


def test_a_sample_has_its_own_stream_whatever_else_is_in_the_block(tiny: VllmModel) -> None:
    decoding = Decoding(max_new_tokens=40, temperature=1.0)
    whole = by_request(tiny.generate(block(QUESTIONS[:8], decoding, samples=3, seed=5)))
    part = by_request(tiny.generate(block(QUESTIONS[5:7], decoding, samples=3, seed=5)))
    other = by_request(tiny.generate(block(QUESTIONS[5:7], decoding, samples=3, seed=6)))
    assert sum(whole[key] == part[key] for key in part) >= len(part) - 1, "a draw can lie on the border of two tokens"
    assert part != other
    assert len({whole[QUESTIONS[0].id, sample].text for sample in range(3)}) > 1


def test_the_same_block_gives_the_same_texts_again(tiny: VllmModel) -> None:
    asked = block(QUESTIONS, Decoding(max_new_tokens=40, temperature=1.0), samples=2)
    first = list(tiny.generate(asked))
    list(tiny.generate(block(QUESTIONS[:3], Decoding(max_new_tokens=8))))
    assert list(tiny.generate(asked)) == first


def test_strict_determinism_gives_a_text_whatever_else_is_in_the_block(engine: None) -> None:
    model = opened(strict_determinism=True)
    decoding = Decoding(max_new_tokens=40, temperature=1.0)
    whole = by_request(model.generate(block(QUESTIONS[:8], decoding)))
    part = by_request(model.generate(block(QUESTIONS[7:4:-1], decoding)))
    model.release()
    assert {key: whole[key] for key in part} == part
    assert model.identity()["engine"]["max_num_seqs"] == 1


def test_texts_left_untaken_do_not_come_with_the_next_block(engine: None) -> None:
    model = opened()
    asked = block(QUESTIONS, Decoding(max_new_tokens=40))
    taken = model.generate(asked)
    next(taken)
    taken.close()  # type: ignore[attr-defined]
    assert len(by_request(model.generate(asked))) == len(QUESTIONS)
    model.release()


def test_what_vllm_refuses_is_one_sentence(engine: None) -> None:
    with pytest.raises(UsageError, match="vLLM failed on .*qwen2: "):
        list(opened(max_model_len=100_000).generate(block(QUESTIONS[:1], Decoding())))


def test_a_killed_run_goes_on_and_leaves_no_process(engine: None, tmp_path: Path) -> None:
    asked = ["run", "--model", f"m=vllm@{TINY}", "--data", "arith", "--limit", "400", "--set", "block_size=10"]
    asked += [
        part for name, value in QUICK.items() for part in ("--set", f"models.m.options.{name}={json.dumps(value)}")
    ]
    whole = bench(*asked, "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    run = subprocess.Popen([*COMMAND, *asked, "--out", tmp_path / "killed"], stdout=subprocess.DEVNULL)
    while not list((tmp_path / "killed").glob("completions/*/block-*")) and run.poll() is None:
        time.sleep(0.05)
    children = psutil.Process(run.pid).children(recursive=True)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    again = bench(*asked, "--out", tmp_path / "killed")
    assert again.returncode == 0, again.stderr
    assert data_hashes(tmp_path / "killed") == data_hashes(tmp_path / "whole")
    assert not [child for child in children if child.is_running() and "mra_vllm.child" in child.cmdline()]


def test_a_trained_child_is_computed_by_vllm_too(engine: None, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "name: children\n"
        "datasets:\n  train: {data: arith, split: train, limit: 16}\n  test: {data: arith, limit: 8}\n"
        "models:\n"
        f"  base: {{model: vllm, options: {json.dumps({'path': str(TINY), **QUICK})}}}\n"
        "  sft: {from: base, trainer: sft, data: train, options: {max_steps: 2}}\n"
        "evaluate: {datasets: [test], max_new_tokens: 20}\n"
    )
    done = bench("run", "--recipe", tmp_path / "recipe.yaml", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "run" / "models").glob("sft-*")
    assert json.loads((folder / "stage.json").read_text())["facts"]["ref"]["loader"] == LOADER
    (texts,) = (tmp_path / "run" / "completions").glob("sft-*")
    assert len(list(read_rows(texts))) == 8
