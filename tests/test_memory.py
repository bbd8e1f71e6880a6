"""Peak memory of a piece of work."""

from __future__ import annotations

import sys

import pytest

from mra_bench.memory import PeakMemory
from mra_bench.runtime import keep_freed_memory

MIB = 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process reset its peak")
def test_a_peak_is_that_of_the_work_alone() -> None:
    keep_freed_memory()  # as where a model is loaded
    first = PeakMemory()
    large = bytearray(200 * MIB)
    large[::4096] = b"x" * len(large[::4096])  # so that it is resident
    during = first.measured()["memory"]
    del large
    after = PeakMemory().measured()["memory"]
    assert during is not None
    assert after is not None
    assert during - after > 100 * MIB


def test_without_an_accelerator_there_is_no_figure_of_it() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        pytest.skip("torch uses an accelerator here")
    assert PeakMemory().measured()["accelerator_memory"] is None
