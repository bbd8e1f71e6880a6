"""The executor ray: on a real cluster of two nodes, one of which dies, and what it says when it cannot work."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mra_tiny
import psutil
import pytest
from runs import COMMAND, bench, data_hashes, here

from mra_bench.context import ref_of
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.store import finish_stage, stage_record
from mra_bench.types import Block, Decoding, ModelRef, Problem, PromptStyle, Request

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'mra-bench[ray]'")

HELD = """
import os, time
from dataclasses import dataclass
from pathlib import Path
import mra_tiny
from mra_bench import hookimpl

HERE = Path({folder!r})

def load(options):
    from mra_transformers import Options
    from mra_transformers.model import TransformersModel

    class Held(TransformersModel):
        def generate(self, block):
            with open(HERE / "asked", "a") as file:
                print(block.requests[0].problem.id, file=file)
            for number, completion in enumerate(super().generate(block)):
                yield completion
                if number == 3 and (HERE / "hold").exists():
                    import ray
                    name = f"{{ray.get_runtime_context().get_node_id()}}-{{os.getpid()}}"
                    (HERE / "begun" / name).touch()
                    while (HERE / "hold").exists():
                        time.sleep(0.05)

    return Held(Options(path=str(Path(mra_tiny.__file__).parent / "weights" / "qwen2")))

@hookimpl
def register_models(register):
    register("held", load)
"""
RECIPE = """
name: nodes
datasets:
  test: {data: arith, limit: 60}
models:
  base: {model: held}
evaluate: {datasets: [test], max_new_tokens: 20}
block_size: 12
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one CPU each; a run joins the first."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    made.second = made.add_node(**node)
    yield made
    made.shutdown()


def until(holds: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_driver_and_a_node_are_killed_and_the_bytes_are_those_of_a_local_run(cluster: Any, tmp_path: Path) -> None:
    begun, hold = tmp_path / "begun", tmp_path / "hold"
    begun.mkdir()
    (tmp_path / "held.py").write_text(HELD.format(folder=str(tmp_path)))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    asked = ["run", "--plugin", tmp_path / "held.py", "--recipe", tmp_path / "recipe.yaml"]
    local = bench(*asked, "--out", tmp_path / "local", OMP_NUM_THREADS="1")
    assert local.returncode == 0, local.stderr
    hold.touch()
    far = [*asked, "--out", tmp_path / "far", "--executor", "ray", "--ray-address", cluster.address]

    def started() -> subprocess.Popen[str]:
        words = [*COMMAND, *map(str, far)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        driver = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        until(lambda: len(list(begun.iterdir())) == 2, driver)  # a block is half done on each node
        return driver

    for how, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        driver = started()
        actors = [int(path.name.rpartition("-")[2]) for path in begun.iterdir()]
        driver.send_signal(how)
        driver.communicate()
        assert driver.returncode == code
        until(lambda there=actors: not any(map(psutil.pid_exists, there)))  # type: ignore[misc]
        for path in begun.iterdir():
            path.unlink()

    (tmp_path / "asked").unlink()
    driver = started()
    there = {node: int(pid) for node, _, pid in (path.name.partition("-") for path in begun.iterdir())}
    cluster.remove_node(cluster.second, allow_graceful=False)
    until(lambda: not psutil.pid_exists(there[cluster.second.node_id]))
    hold.unlink()
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 0, err
    assert "Verdict:" in out
    assert "Token" not in err
    asked_for = (tmp_path / "asked").read_text().split()
    assert len(asked_for) == len(set(asked_for)) + 1, "the block of the node that died was not done again"
    assert data_hashes(tmp_path / "far") == data_hashes(tmp_path / "local")


@pytest.mark.slow
def test_trained_weights_are_sent_to_a_node_that_does_not_see_them(cluster: Any, tmp_path: Path) -> None:
    """The folder is moved away, so that actors cannot read it."""
    from mra_ray.crew import Crew, Task
    from mra_ray.parcels import Plugins, Trained
    from mra_ray.size import Size
    from mra_ray.worker import Setup, ToGenerate

    folder, moved = tmp_path / "model", tmp_path / "moved"
    shutil.copytree(Path(mra_tiny.__file__).parent / "weights" / "qwen2", folder / "weights")
    (folder / "training.jsonl").touch()
    ref = {"loader": "mra_transformers:transformers", "options": {}}
    finish_stage(folder, {"fingerprint": "", "facts": {"ref": ref}})
    record = stage_record(folder)
    assert record is not None
    trained, model = Trained(folder, record), ref_of(folder, record)
    assert trained.is_here()
    folder.rename(moved)
    problem = Problem("a", "What is 14 + 23?", "37")
    block = Block((Request(problem),), PromptStyle(), Decoding(max_new_tokens=12), 0)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        crew = Crew(Size(1), 1, Setup(str(tmp_path), Plugins.packed(PluginSettings()), {}))
        parts = [ray.put((moved / name).read_bytes()) for name in trained.files]
        job = ToGenerate("sft", model, {}, trained)
        *texts, end = crew.run(job, "generate", [Task(0, block)], lambda: parts, lambda found: None)
        crew.close()
    finally:
        ray.shutdown()
    assert end[1] is None
    here_too = load_plugins().resolve("models", "transformers").build({"path": str(moved / "weights")})
    assert [one for _, part in texts for one in part.completions] == list(here_too.generate(block))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"versions": {"sympy": "9"}}, "the plugin sympy is .*; the run is planned with 9"),
        ({"versions": {"other": "9"}}, "the plugin other is not there"),
        ({"models": {"path": "/nowhere/weights"}}, "the model 'mine' cannot be loaded there. No such model"),
        ({"models": {}}, "the model 'mine' has other weights there"),
        (
            {"models": {"dtype": "fp32"}, "weights": True},
            "the model 'mine' .* dtype fp32 there; .*, or set it: ",
        ),
    ],
)
def test_a_node_that_would_not_do_the_same_is_named(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    from mra_ray.parcels import Plugins
    from mra_ray.worker import Expected, Setup, Worker

    path = str(Path(mra_tiny.__file__).parent / "weights" / "qwen2")
    models: tuple[Expected, ...] = ()
    if "models" in change:
        ref = ModelRef("transformers", {"path": path, **change["models"]})
        identity: dict[str, Any] = {}
        if "weights" in change:
            identity = {
                **load_plugins().resolve("models", "transformers").build(ref.options).identity(),
                "dtype": "bf16",
            }
        models = (Expected("mine", ref, {"weights": {}, **identity}),)
    with pytest.raises(UsageError, match=f"^Node {socket.gethostname()}: {said}"):
        Worker(Setup(os.getcwd(), Plugins.packed(PluginSettings()), change.get("versions", {}), models)).begin()


def test_a_port_at_which_something_else_answers_is_refused_at_once() -> None:
    """ray.init would ask it again and again, for minutes."""
    from mra_ray.executor import connect

    for answer, said in ((b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no Ray cluster"), (b"", "is no Ray cluster")):
        with socket.create_server(("127.0.0.1", 0)) as other, ThreadPoolExecutor(1) as pool:
            pool.submit(_answer_once, other, answer)
            with pytest.raises(UsageError, match=said):
                connect("{}:{}".format(*other.getsockname()))


def _answer_once(server: socket.socket, answer: bytes) -> None:
    line, _ = server.accept()
    with line:
        line.recv(64)
        line.sendall(answer)


def test_a_cluster_that_has_died_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is what "auto" still stands for."""
    from mra_ray.executor import connect

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match="No Ray cluster answers at .*:1 .*ray start --head"):
        connect("auto")


def test_more_gpus_than_there_are_is_said_before_any_work(cluster: Any, tmp_path: Path) -> None:
    asked = ["run", "--model", "base=tiny-qwen2", "--data", "arith", "--out", tmp_path / "run", "--executor", "ray"]
    done = here(*asked, "--ray-address", cluster.address, "--ray-cpus", 1, "--ray-gpus", 1)
    assert done.returncode == 2
    assert "No node of the Ray cluster has 1 CPU and 1 GPU for an actor: the largest of " in done.stderr
    assert not (tmp_path / "run").exists()


def test_what_cannot_work_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["run", "--model", "base=tiny-qwen2", "--data", "arith", "--out", tmp_path / "run"]
    for words, said in {
        ("--executor", "ray", "--ray-address", "127.0.0.1:1"): "No Ray cluster answers at 127.0.0.1:1",
        ("--executor", "ray", "--ray-address", "nowhere"): "give HOST:PORT",
        ("--executor", "ray", "--ray-address", "ray://127.0.0.1:10001"): "on a node of the cluster",
        ("--ray-cpus", "2"): "--ray-cpus goes with --executor ray",
    }.items():
        done = here(*asked, *words)
        assert done.returncode == 2
        assert said in done.stderr
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    assert "does not go with a launcher" in here(*asked, "--executor", "ray").stderr
    assert not (tmp_path / "run").exists()
