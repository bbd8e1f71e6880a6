"""`mra_openai` against `transformers serve` with the embedded weights: the texts of our own engine."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from mra_tiny import weights_folder
from runs import here

NEEDED = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(NEEDED), reason=f"transformers serve needs {', '.join(NEEDED)}"),
]
PROBLEMS = 16
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The template by which `transformers serve` reads answers of Qwen's models; others would come with their prompt."""


@dataclass(frozen=True)
class Served:
    """A folder of weights, and where it is served."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`transformers serve` in a process of its own, on the CPU in fp32."""
    folder = tmp_path_factory.mktemp("served") / "tiny-instruct"
    shutil.copytree(weights_folder("qwen2"), folder)
    (folder / "chat_template.jinja").write_text(CHATML)
    settings = json.loads((folder / "generation_config.json").read_text())  # without do_sample it never draws
    (folder / "generation_config.json").write_text(json.dumps({**settings, "do_sample": True}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from transformers.cli.transformers import main; main()"
    how = ["--device", "cpu", "--dtype", "float32", "--host", "127.0.0.1", "--port", str(port)]
    with (folder.parent / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", start, "serve", str(folder), *how],
            stdout=log,
            stderr=log,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}/health", folder.parent / "log.txt")
            yield Served(folder, f"http://127.0.0.1:{port}/v1")
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        assert process.poll() is None, log.read_text()[-2000:]
        time.sleep(0.2)
    raise AssertionError(f"transformers serve did not start: {log.read_text()[-2000:]}")


def run(served: Served, out: Path, *settings: str, code: int = 0, **options: Any) -> str:
    """Ask the endpoint and our own engine the same; what the command says."""
    given = {"base_url": served.url, "model": served.folder, "timeout": 120, "retries": 1, **options}
    prompt = "chat" if given.get("api", "chat") == "chat" else "plain"
    sets = [f"models.api.options.{name}={value}" for name, value in given.items()]
    sets += [f"models.own.options.{name}={value}" for name, value in {"prompt": prompt, "dtype": "fp32"}.items()]
    sets += ["evaluate.max_new_tokens=48", *settings]
    words = ["run", "--model", "api=openai", "--model", f"own=transformers@{served.folder}", "--data", "arith"]
    words += ["--limit", str(PROBLEMS), "--out", str(out), *(word for one in sets for word in ("--set", one))]
    done = here(*words, NO_PROXY="127.0.0.1")
    assert done.returncode == code, done.stderr
    return done.stderr


def rows(out: Path, model: str) -> dict[tuple[str, int], dict[str, Any]]:
    (folder,) = (out / "completions").glob(f"{model}-arith-*")
    read = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return {(row["problem"], row["sample"]): row for row in read}


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_greedy_texts_are_those_of_our_own_engine(served: Served, tmp_path: Path, api: str) -> None:
    run(served, tmp_path / "run", api=api)
    theirs, ours = rows(tmp_path / "run", "api"), rows(tmp_path / "run", "own")
    assert len(theirs) == len(ours) == PROBLEMS
    assert {key: row["text"] for key, row in theirs.items()} == {key: row["text"] for key, row in ours.items()}
    assert len({row["text"] for row in ours.values()}) > PROBLEMS // 4
    for key, row in theirs.items():
        assert row["prompt_tokens"] == ours[key]["prompt_tokens"]
        assert row["finish"] == ours[key]["finish"]
        assert row["notes"]["reported_model"] == f"{served.folder}@main"


def test_samples_of_a_problem_differ(served: Served, tmp_path: Path) -> None:
    run(
        served,
        tmp_path / "run",
        "evaluate.samples=4",
        "evaluate.temperature=1.0",
        "datasets.arith.limit=4",
        api="completions",
    )
    by_problem: dict[str, set[str]] = {}
    for (problem, _), row in rows(tmp_path / "run", "api").items():
        by_problem.setdefault(problem, set()).add(row["text"])
    assert any(len(texts) > 1 for texts in by_problem.values())


def test_a_model_that_is_not_served_is_refused_before_any_work(served: Served, tmp_path: Path) -> None:
    said = run(served, tmp_path / "run", code=2, model="another")
    assert f"Server is pinned to '{served.folder}'; requested 'another'" in said
    assert not (tmp_path / "run" / "run.json").exists()
