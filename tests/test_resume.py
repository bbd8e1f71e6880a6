"""``kill -9`` at random points of a real run, training and checkpoint saves included: the same bytes in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import COMMAND, bench, data_hashes

pytestmark = pytest.mark.slow


def killed_when(arguments: list[str], ready: Callable[[], bool], patience: float = 300) -> bool:
    """Start the command, kill it the moment `ready` holds. False when it ended before."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + patience
    while process.poll() is None and not ready():
        assert time.monotonic() < deadline, "the run did not get there"
        time.sleep(0.002)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return killed


def exists(run: Path, pattern: str) -> Callable[[], bool]:
    return lambda: any(run.glob(pattern))


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.long)])
def test_killed_anywhere_a_run_ends_in_the_same_bytes(smoke_run: Path, tmp_path: Path, times: int) -> None:
    run = tmp_path / "run"
    arguments = ["run", "--recipe", "smoke", "--models", "base,sft,dpo", "--out", str(run), "--quiet"]
    seed = random.SystemRandom().randrange(10**6)
    rng = random.Random(seed)
    print(f"seed of the kill points: {seed}")
    points = {
        "inside the save of a checkpoint of sft": exists(run, "models/sft-*/work/checkpoint-5"),
        "after a checkpoint of sft counts": exists(
            run, f"models/sft-*/work/checkpoint-{rng.choice((10, 15))}/complete*"
        ),
        "while sft is sampled": exists(run, f"completions/sft-train-*/block-0000{rng.randrange(3)}.jsonl"),
        "inside dpo's training": exists(run, "models/dpo-*/work/checkpoint-5"),
        "while dpo is evaluated": exists(run, "completions/dpo-test-*/block-00000.jsonl"),
    }
    chosen = rng.sample(range(len(points)), times)
    kills = 0
    for name in [name for place, name in enumerate(points) if place in chosen]:
        kills += killed_when(arguments, points[name])
        print(f"killed {name}")
    assert kills >= 1
    done = bench(*arguments)
    assert done.returncode == 0, done.stderr
    assert data_hashes(run) == data_hashes(smoke_run), f"seed {seed}"


def test_interrupt_is_tidy_and_resumable(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ["run", "--recipe", "smoke", "--models", "base", "--out", str(run)]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job inherits it ignored
    )
    deadline = time.monotonic() + 120
    while not any(run.glob("completions/base-test-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "the same command goes on" in err
    assert "Traceback" not in err
    assert bench(*arguments).returncode == 0
