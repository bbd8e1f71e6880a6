"""Fixtures that several tests share; the costly ones are made once a session."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from mra_bench.runtime import prepare_threads

prepare_threads()  # before any test imports torch
os.environ.setdefault("HF_HUB_OFFLINE", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background of a shell, which its children inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same code is tried on the same cases wherever it is tested; `--hypothesis-profile explore` looks for new ones.
settings.register_profile("same-cases", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("same-cases")


LONGEST = (
    "test_wheel.py", "test_resume.py", "test_strictness.py", "test_ranks.py", "test_training.py", "test_docs_pages.py",
    "test_benchmarks.py", "test_audit.py", "test_looks.py", "test_mra_transformers_generate.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that processes that share the tests end together."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe smoke, run once through the command line without interruption; processes that share the tests share
    it, so no test changes it."""
    from filelock import FileLock
    from runs import bench

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    with FileLock(f"{folder}.lock"):
        if not (folder / "stderr.txt").exists():
            done = bench("run", "--recipe", "smoke", "--models", "base,sft,dpo", "--out", folder / "run")
            assert done.returncode == 0, done.stderr
            (folder / "stdout.txt").write_text(done.stdout)
            (folder / "stderr.txt").write_text(done.stderr)
    return folder / "run"
