"""The checker alone gives the same verdicts wherever it runs, and one hang costs one verdict."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from mra_sympy import equivalent, symbolic

from mra_bench import killable

PAIRS = [
    (r"\frac{\sqrt2}{2}", r"\frac{1}{\sqrt2}"),
    ("(x+1)^2", "x^2+2x+1"),
    (r"\sin^2 x", r"1-\cos^2 x"),
    ("x^2", "x^3"),
    (r"x<1 \text{ or } x>3", r"(-\infty,1)\cup(3,\infty)"),
    ("1/2", "0.5"),
    (r"2k\pi, k\in\mathbb{Z}", r"2n\pi, n\in\mathbb{Z}"),
]


def verdicts(_: object = None) -> list[tuple[bool | None, str, str]]:
    return [(g.correct, g.answer, g.reason) for g in (equivalent(*pair) for pair in PAIRS)]


def test_threads_agree() -> None:
    expected, found = verdicts(), []
    threads = [threading.Thread(target=lambda: found.append(verdicts())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 6


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_agree(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {method}")
    expected = verdicts()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(verdicts, range(3)) == [expected] * 3


@pytest.mark.parametrize("settings", [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8"}])
def test_a_script_in_any_locale_and_hash_seed_agrees(settings: dict[str, str]) -> None:
    show = "g = equivalent(*p); print((g.correct, g.answer, g.reason))"
    script = f"from mra_sympy import equivalent\nfor p in {PAIRS!r}:\n    {show}"
    environment = {**os.environ, **settings}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines() == [str(row) for row in verdicts()]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform has no SIGKILL")
def test_a_killed_sympy_is_replaced() -> None:
    first = symbolic.canonical_here("x+1")
    symbolic.canonical.cache_clear()
    assert equivalent("7", "1+x").answer == first
    assert killable._current is not None
    os.kill(killable._current.child.pid, signal.SIGKILL)
    time.sleep(0.2)
    symbolic.canonical.cache_clear()
    assert equivalent("7", "x+1").answer == first


def test_sympy_that_does_not_end_costs_the_proof_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*texts: str, seconds: float) -> str:
        raise TimeoutError

    monkeypatch.setattr(symbolic, "call", endless)
    symbolic.canonical.cache_clear()
    symbolic.proves.cache_clear()
    found = equivalent("(x+3)^2", "x^2+6x+9")
    assert found.correct is True
    assert "not by proof" in found.reason
