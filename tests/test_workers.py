"""The pool of killable grader processes, on real processes: hangs, deaths, odd graders, odd texts, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import PluginSettings
from mra_bench.types import Grade, Problem
from mra_bench.workers import GraderSpec, Limits, complete_grade, grade_all, grade_here, usable_cores

PLUGIN = """
import os, sys, time
from dataclasses import dataclass
from mra_bench import Grade, hookimpl

@dataclass
class Options:
    suffix: str = ""

def behave(problem, text):
    if text == "hang":
        time.sleep(3600)
    if text == "spin":
        9 ** 9 ** 9 ** 9
    if text == "exit":
        os._exit(3)
    if text == "sys.exit":
        sys.exit(4)
    if text == "interrupt":
        raise KeyboardInterrupt
    if text == "raise":
        raise ValueError("no good: " + problem.id)
    if text == "memory":
        return Grade(False, answer=str(len(bytearray(1 << 40))))
    if text == "none":
        return None
    if text == "number":
        return Grade(correct=True, answer=42)
    if text == "flag":
        return Grade(correct=1)
    if text == "span":
        return Grade(correct=True, answer="4", span=(0, 99))
    if text == "print":
        print("NOISE", flush=True)
        print("NOISE", file=sys.stderr, flush=True)
        os.write(1, b"NOISE")
    if text == "stdin":
        return Grade(True, answer=repr(sys.stdin.read()))
    if text == "pid":
        return Grade(True, answer=str(os.getpid()))
    return Grade(text == problem.answer, answer=text)

def slow(problem, text):
    time.sleep(0.2)
    return Grade(True, answer=text)

def make(options):
    return lambda problem, text: Grade(True, answer=text + options.suffix)

@hookimpl
def register_graders(register):
    register("behave", behave)
    register("slow", slow)
    register("suffix", make, options=Options)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> PluginSettings:
    path = tmp_path_factory.mktemp("plugin") / "odd_graders.py"
    path.write_text(PLUGIN)
    return PluginSettings(named=(str(path),))


@pytest.fixture(scope="module")
def spec(settings: PluginSettings) -> GraderSpec:
    return GraderSpec("behave", {}, settings)


def items(*texts: str, answer: str = "4") -> list[tuple[Problem, str]]:
    return [(Problem(f"p{k}", "2 + 2?", answer), text) for k, text in enumerate(texts)]


ONE = Limits(seconds=1.5, workers=1)


def test_grades_come_in_order_and_are_completed(spec: GraderSpec) -> None:
    texts = [str(k % 7) for k in range(300)]
    seen: list[int] = []
    grades = list(grade_all(spec, items(*texts), limits=Limits(workers=2), on_done=seen.append))
    assert [grade.answer for grade in grades] == texts
    assert [grade.kind for grade in grades] == ["correct" if text == "4" else "wrong" for text in texts]
    assert seen == list(range(1, 301))


def test_a_hang_costs_one_sample(spec: GraderSpec) -> None:
    texts = ["4"] * 20 + ["hang"] + ["4"] * 20 + ["spin"] + ["4"] * 5
    grades = list(grade_all(spec, items(*texts), limits=ONE))
    assert {k: grade.kind for k, grade in enumerate(grades) if grade.kind != "correct"} == {
        20: "timeout",
        41: "timeout",
    }
    assert grades[20].correct is None
    assert "odd_graders" in grades[20].reason
    assert "1.5 seconds" in grades[20].reason


def test_a_death_costs_one_sample_and_the_worker_is_replaced(spec: GraderSpec) -> None:
    texts = ["4", "4", "exit", "exit", "4"]
    grades = list(grade_all(spec, items(*texts), limits=Limits(seconds=20, workers=2)))
    assert [grade.kind for grade in grades] == ["correct", "correct", "crashed", "crashed", "correct"]
    assert "exit code 3" in grades[2].reason
    assert "odd_graders" in grades[2].reason


def test_what_a_grader_raises_is_recorded_with_its_name(spec: GraderSpec) -> None:
    raised, left, interrupted, fine = grade_all(spec, items("raise", "sys.exit", "interrupt", "4"), limits=ONE)
    assert (raised.correct, raised.kind) == (None, "crashed")
    assert "odd_graders" in raised.reason
    assert "ValueError: no good: p0" in raised.reason
    assert (left.kind, interrupted.kind, fine.kind) == ("crashed", "crashed", "correct")
    assert "SystemExit: 4" in left.reason


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("none", "returned NoneType, not a Grade"),
        ("number", "Grade.answer must be a str, not int"),
        ("flag", "Grade.correct must be True, False or None, not int"),
        ("span", "outside the text"),
    ],
)
def test_what_is_no_grade_is_crashed(spec: GraderSpec, text: str, complaint: str) -> None:
    (grade,) = grade_all(spec, items(text), limits=ONE)
    assert (grade.correct, grade.kind) == (None, "crashed")
    assert complaint in grade.reason


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited through RLIMIT_AS")
def test_memory_is_limited(spec: GraderSpec) -> None:
    big, fine = grade_all(spec, items("memory", "4"), limits=Limits(seconds=20, memory_mb=256, workers=1))
    assert (big.kind, fine.kind) == ("crashed", "correct")
    assert "memory" in big.reason


@pytest.mark.parametrize("text", ["raise", "exit", "none"])
def test_strict_makes_a_failure_fatal(spec: GraderSpec, text: str) -> None:
    with pytest.raises(BenchError, match=r"problem 'p1'.*odd_graders"):
        list(grade_all(spec, items("4", text), limits=ONE, strict=True))


def test_odd_texts_survive_the_trip(settings: PluginSettings) -> None:
    texts = ["\ud800 lone", "nul \x00 inside", "", "x" * 100_000, "\u202eright to left ٣"]
    spec = GraderSpec("suffix", {"suffix": "!"}, settings)
    assert [grade.answer for grade in grade_all(spec, items(*texts), limits=ONE)] == [text + "!" for text in texts]


def test_slow_but_fair_texts_are_not_charged(settings: PluginSettings) -> None:
    """Sixteen in a chunk take longer together than one may take alone."""
    grades = list(grade_all(GraderSpec("slow", {}, settings), items(*["4"] * 12), limits=ONE))
    assert [grade.kind for grade in grades] == ["correct"] * 12


def test_nothing_to_grade_starts_no_worker(spec: GraderSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    import pebble

    monkeypatch.setattr(pebble, "ProcessPool", None)
    assert list(grade_all(spec, [])) == []


def test_items_are_read_as_they_are_needed(spec: GraderSpec) -> None:
    read = 0

    def endless() -> Iterator[tuple[Problem, str]]:
        nonlocal read
        while True:
            read += 1
            yield items("4")[0]

    stream = grade_all(spec, endless(), limits=ONE)
    assert next(iter(stream)).kind == "correct"
    stream.close()  # type: ignore[attr-defined]
    assert read < 10_000


def test_unknown_grader_and_option(settings: PluginSettings) -> None:
    with pytest.raises(UsageError, match="Did you mean 'behave'"):
        grade_all(GraderSpec("behav", {}, settings), items("4"))
    with pytest.raises(UsageError, match="suffix"):
        grade_all(GraderSpec("suffix", {"sufix": "!"}, settings), items("4"))


def test_workers_are_silent_and_have_no_input(spec: GraderSpec, capfd: pytest.CaptureFixture[str]) -> None:
    printed, read = grade_all(spec, items("print", "stdin"), limits=ONE)
    assert (printed.answer, read.answer) == ("print", "''")
    assert capfd.readouterr() == ("", "")


def test_no_worker_is_left(spec: GraderSpec) -> None:
    (grade,) = grade_all(spec, items("pid"), limits=ONE)
    with pytest.raises(ProcessLookupError):
        os.kill(int(grade.answer), 0)


SCRIPT = """
import sys
from mra_bench.plugins import PluginSettings
from mra_bench.types import Problem
from mra_bench.workers import GraderSpec, Limits, grade_all

if __name__ == "__main__":
    spec = GraderSpec("behave", {}, PluginSettings(named=(sys.argv[1],)))
    items = [(Problem("p", "?", "4"), text) for text in ["pid"] * 16 + ["hang"]]
    for grade in grade_all(spec, items, limits=Limits(seconds=60, workers=1)):
        print(grade.answer, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path: Path, settings: PluginSettings, number: signal.Signals) -> None:
    """Ctrl-C, which a terminal sends to the whole group, and kill -9 of the parent alone."""
    script = tmp_path / "main.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), settings.named[0]]
    parent = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job inherits it ignored
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)
    else:
        parent.send_signal(number)
    _, errors = parent.communicate(timeout=30)
    assert parent.returncode != 0
    assert errors.count("Traceback") <= 1, errors  # the parent's own KeyboardInterrupt, and no other
    assert "spawn" not in errors
    assert number == signal.SIGKILL or "resource_tracker" not in errors
    assert _gone(worker)


def _gone(process: int) -> bool:
    """Whether the process ends within 20 seconds (no test waits that long unless it fails)."""
    for _ in range(200):
        state = Path(f"/proc/{process}/stat")
        try:
            os.kill(process, 0)
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_complete_grade_fills_the_kind() -> None:
    assert complete_grade(Grade(True, "4")).kind == "correct"
    assert complete_grade(Grade(False, "5")).kind == "wrong"
    assert complete_grade(Grade(False)).kind == "no-answer"
    assert complete_grade(Grade(None)).kind == "unjudged"
    assert complete_grade(Grade(False, "5", kind="ran-on")).kind == "ran-on"
    assert complete_grade(Grade(True, "4", span=[0, 1]), "4").span == (0, 1)  # type: ignore[arg-type]


def test_a_wrong_type_is_named_with_its_module() -> None:
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match=r"must be True, False or None, not numpy\.bool"):
        complete_grade(Grade(numpy.bool_(True), "4"))
    with pytest.raises(TypeError, match=r"Grade\.answer must be a str, not int$"):
        complete_grade(Grade(True, 4))  # type: ignore[arg-type]


def test_complete_grade_makes_plain_strings() -> None:
    class Loud(str):
        def __str__(self) -> str:
            return "loud"

    plain = complete_grade(Grade(True, Loud("4"))).answer
    assert (type(plain), plain) == (str, "4")


def test_grade_here_records_a_failure() -> None:
    problem = Problem("p", "?", "4")
    assert grade_here(lambda p, text: Grade(text == p.answer, text), problem, "4").kind == "correct"
    assert grade_here(lambda p, text: Grade(1 / 0 > 0), problem, "4").kind == "crashed"


def test_usable_cores() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
