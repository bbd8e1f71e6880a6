"""Calls with a hard limit, from wherever a grader may be used."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mra_bench import killable
from mra_bench.judging import OUT_OF_MEMORY

HERE = "test_killable"
LONG = 60.0


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child imports this very module; it inherits our sys.path, so a fresh one is needed for each test."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    killable._close()


def shout(text: str) -> str:
    return text.upper() + "!"


def process_number(text: str) -> str:
    return str(os.getpid())


def fail(text: str) -> str:
    raise ValueError(text)


def hang(text: str) -> str:
    while True:
        time.sleep(1)


def die(text: str) -> str:
    os._exit(3)


def hoard(text: str) -> str:
    return str(len(bytearray(64 << 30)))


def speak(text: str) -> str:
    print("this must not get into the answers")
    return text


def call(name: str, text: str = "a", seconds: float = LONG) -> str:
    return killable.call(f"{HERE}:{name}", text, seconds=seconds)


def test_a_call_runs_in_one_other_process() -> None:
    assert call("shout", "é\x00\ud800\n") == "É\x00\ud800\n!"
    assert call("process_number") == call("process_number") != str(os.getpid())
    assert call("speak", "only this") == "only this"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_child_ends_with_its_parent_in_the_middle_of_a_call() -> None:
    script = (
        "import os, signal, threading, time\nfrom mra_bench import killable\n"
        "threading.Thread(target=lambda: killable.call('test_killable:hang', 'a', seconds=60), daemon=True).start()\n"
        "while killable._current is None or not killable._current.prepared: time.sleep(0.05)\n"
        "time.sleep(0.5)\nprint(killable._current.child.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    child = int(done.stdout)
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline and _alive(child):
        time.sleep(0.1)
    assert not _alive(child)


def _alive(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().split()[2] != "Z"


def test_an_exception_is_told_by_name() -> None:
    with pytest.raises(killable.CallFailed, match="no good") as caught:
        call("fail", "no good")
    assert caught.value.name == "ValueError"


def test_a_hang_is_killed_and_the_next_call_served() -> None:
    before = call("process_number")
    with pytest.raises(TimeoutError):
        call("hang", seconds=0.2)
    assert call("process_number") != before
    assert not Path(f"/proc/{before}").exists() or sys.platform != "linux"


def test_a_death_costs_one_call() -> None:
    with pytest.raises(ChildProcessError):
        call("die")
    assert call("shout") == "A!"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of the address space is Linux's")
def test_memory_is_limited() -> None:
    with pytest.raises(killable.CallFailed) as caught:
        call("hoard")
    assert caught.value.name == "MemoryError"


def test_where_there_are_no_limits_memory_is_watched() -> None:
    script = (
        "import threading, time\nfrom mra_bench.judging import watch_memory\n"
        "threading.Thread(target=watch_memory, args=(50, 0.01), daemon=True).start()\n"
        "time.sleep(0.5)\nkept = [bytearray(b'x' * (1 << 20)) for _ in range(200)]\ntime.sleep(60)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == OUT_OF_MEMORY


def test_it_works_from_threads() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda k=k: found.append(call("shout", str(k)))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"{k}!" for k in range(8)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_it_works_from_a_process_started_by(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this platform has no {method}")
    call("shout")  # the parent has a child of its own, with a reading thread
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert sorted(pool.map(_shouted, ["a", "b", "c"])) == ["A!", "B!", "C!"]
    assert call("shout") == "A!"


def _shouted(text: str) -> str:
    return call("shout", text)


def test_a_script_without_a_main_guard_may_call_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from mra_bench.killable import call\nprint(call('os.path:basename', '/a/b', seconds=60))\n", encoding="utf-8"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("b\n", "")
