"""Several processes on one run, started by torchrun or accelerate launch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mra_transformers.training import shares
from mra_transformers.training_options import TrainingOptions
from runs import bench, data_hashes

from mra_bench import ranks, runtime
from mra_bench.errors import UsageError
from mra_bench.store import read_rows

TORCHRUN = ("torch.distributed.run", "--nproc_per_node", "2", "-m")
ACCELERATE = (
    "accelerate.commands.launch",
    "--multi_gpu",
    "--num_processes",
    "2",
    "--mixed_precision",
    "no",
    "--module",
)
LAUNCHED = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


def together(*arguments: Any, launcher: tuple[str, ...] = TORCHRUN) -> subprocess.CompletedProcess[str]:
    """``mra-bench ARGUMENTS`` in two processes of one thread each."""
    command = [sys.executable, "-m", *launcher, "mra_bench", *map(str, arguments)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_PORT": "0"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)


COPYING = """
import shutil
from mra_bench import hookimpl
from mra_bench.types import ModelRef, TrainedModel

def train(job):
    assert (job.rank, job.ranks) == (0, 1)
    with open(job.workdir.parents[2] / "called", "a") as file:
        file.write("x")
    shutil.copytree(job.parent, job.output)
    ref = ModelRef("mra_transformers:transformers", {"path": str(job.output)})
    return TrainedModel(job.output, ref, {"steps": 0, "tokens": 0})

@hookimpl
def register_trainers(register):
    register("copying", train, consumes="rows")
"""
COPIED = """
name: copied
datasets:
  train: {data: arith, split: train, limit: 20}
  test: {data: arith, limit: 24}
models:
  base: {model: tiny-qwen2}
  child: {from: base, trainer: copying, data: train}
evaluate: {datasets: [test], max_new_tokens: 20}
block_size: 5
"""


def test_two_processes_write_the_same_files_as_one(tmp_path: Path) -> None:
    """Also where a trainer does not say that processes may train together: it is given to one only."""
    (tmp_path / "copying.py").write_text(COPYING)
    (tmp_path / "recipe.yaml").write_text(COPIED)
    asked = ["run", "--plugin", tmp_path / "copying.py", "--recipe", tmp_path / "recipe.yaml"]
    one = bench(*asked, "--out", tmp_path / "one", OMP_NUM_THREADS="1")
    assert one.returncode == 0, one.stderr
    two = together(*asked, "--out", tmp_path / "two")
    assert two.returncode == 0, two.stderr
    assert data_hashes(tmp_path / "one") == data_hashes(tmp_path / "two")
    assert two.stdout.count("Verdict:") == one.stdout.count("Verdict:") == 1, "only one process should speak"
    assert (tmp_path / "two" / "called").read_text() == "x"


@pytest.mark.long
def test_two_processes_train_together(tmp_path: Path) -> None:
    asked = [
        "run",
        "--recipe",
        "smoke",
        "--limit",
        8,
        "--set",
        "models.sft.options.max_steps=6",
        "--set",
        "models.dpo.options.max_steps=3",
        "--set",
        "models.dpo.pairs.problems=12",
    ]
    two = together(*asked, "--out", tmp_path / "two", launcher=ACCELERATE)
    assert two.returncode == 0, two.stderr
    again = together(*asked, "--out", tmp_path / "two", launcher=ACCELERATE)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("Nothing to do") == 1
    one = bench(*asked, "--out", tmp_path / "one", OMP_NUM_THREADS="1")
    assert one.returncode == 0, one.stderr
    for model, steps in (("sft", 6), ("dpo", 3)):
        logs = []
        for run in ("one", "two"):
            (folder,) = (tmp_path / run / "models").glob(f"{model}-*")
            assert (folder / "weights" / "model.safetensors").is_file()
            record = json.loads((folder / "stage.json").read_text())
            assert (record["facts"]["steps"], record["facts"].get("processes", 1)) == (steps, 2 if run == "two" else 1)
            logs.append([row for row in read_rows(folder / "training.jsonl") if "loss" in row])
        alone, shared = logs
        assert [row["step"] for row in shared] == [row["step"] for row in alone]
        if model == "sft":  # what follows it differs in the last digits already
            assert [row["loss"] for row in shared] == pytest.approx([row["loss"] for row in alone], rel=1e-3)


def test_a_process_that_dies_ends_the_run(tmp_path: Path) -> None:
    plugin = tmp_path / "dying.py"
    plugin.write_text(
        "import os\nfrom mra_bench.hookspecs import hookimpl\nfrom mra_bench.types import Completion\n"
        "class Dying:\n"
        "    reproducible = True\n"
        "    def identity(self): return {'weights': 'none'}\n"
        "    def checkpoint(self): return None\n"
        "    def render(self, problem, style): return problem.question\n"
        "    def continuation(self, text): return text\n"
        "    def generate(self, block):\n"
        "        if os.environ['RANK'] == '1': os._exit(7)\n"
        "        for r in block.requests: yield Completion(r.problem.id, r.sample, '1', 1, 1, 'stop')\n"
        "@hookimpl\ndef register_models(register): register('dying', lambda options: Dying())\n"
    )
    asked = ["run", "--plugin", plugin, "--model", "d=dying", "--data", "arith", "--limit", 20]
    done = together(*asked, "--set", "block_size=5", "--out", tmp_path / "run")
    assert done.returncode != 0
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_launcher_is_told_by_all_it_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)
    assert (ranks.launched(), ranks.is_follower()) == (1, False)
    monkeypatch.setenv("WORLD_SIZE", "4")  # alone it says nothing: some clusters set it for every program
    assert (ranks.launched(), ranks.is_follower()) == (1, False)
    for name, value in LAUNCHED.items():
        monkeypatch.setenv(name, value)
    assert (ranks.launched(), ranks.is_follower()) == (2, True)
    monkeypatch.setenv("RANK", "0")
    assert (ranks.launched(), ranks.is_follower()) == (2, False)


def test_a_process_of_its_own_waits_for_nobody() -> None:
    alone = ranks.Ranks()
    alone.wait()
    assert alone.leads
    assert alone.tell("something") == "something"


def test_processes_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime, "usable_cores", lambda: 8)
    for beside, threads in (("", 8), ("1", 8), ("2", 4), ("3", 2), ("16", 1), ("0", 8), ("x", 8)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", beside)
        assert runtime.threads() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert runtime.threads() == 5


def test_a_step_is_shared_evenly_or_refused() -> None:
    def share(batch: int, accumulation: int, processes: int) -> tuple[int, int]:
        found = shares(TrainingOptions(batch_size=batch, accumulation=accumulation), processes)
        return found["per_device_train_batch_size"], found["gradient_accumulation_steps"]

    assert share(8, 4, 1) == (8, 4)
    assert share(8, 4, 2) == (8, 2)
    assert share(8, 4, 4) == (8, 1)
    assert share(8, 3, 2) == (4, 3)
    with pytest.raises(UsageError, match="3 processes cannot share a step of accumulation 4 x batch_size 8. Make one"):
        share(8, 4, 3)
