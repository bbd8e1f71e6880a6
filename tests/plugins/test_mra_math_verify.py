"""math-verify as a grader: what its answers become, and what is said where the library is missing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading

import mra_math_verify
import pytest
from mra_math_verify import Options, equivalent, grade
from mra_math_verify.grader import wrapped

from mra_bench.cli import call
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.types import Grade, Problem
from mra_bench.workers import GraderSpec, Limits, grade_all

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("math_verify") is None, reason="math-verify is not installed: mra-bench[math-verify]"
)


def graded(gold: str, text: str) -> Grade:
    return grade(Problem("p", "?", gold), text)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1/2", "$1/2$"),
        (r"\frac{1}{2}", r"$\frac{1}{2}$"),
        (r"\$5", r"$\$5$"),
        ("$1/2$", "$1/2$"),
        ("$x$ and $y$", "$x$ and $y$"),
        (r"\(x\)", r"\(x\)"),
        (r"\[x\]", r"\[x\]"),
    ],
)
def test_a_bare_answer_is_wrapped_once(answer: str, expected: str) -> None:
    assert wrapped(answer) == expected


@needs_library
def test_a_text_is_searched_and_compared() -> None:
    right = graded("1/2", r"Half of it, so \boxed{\frac{2}{4}}.")
    assert (right.correct, right.kind, right.answer, right.extracted) == (True, "correct", "1/2", r"\frac{2}{4}")
    assert right.reason == r"math-verify: '\\frac{2}{4}' equals '1/2'."
    wrong = graded("1/2", r"\boxed{\frac{1}{3}}")
    assert (wrong.correct, wrong.kind, wrong.answer, wrong.extracted) == (False, "wrong", "1/3", r"\frac{1}{3}")


@needs_library
def test_bare_answers_are_compared() -> None:
    assert equivalent(r"\sqrt{8}", r"2\sqrt{2}").correct is True
    assert equivalent("x+1", "x+2").correct is False


@needs_library
def test_what_it_cannot_read_is_not_called_wrong() -> None:
    unread = graded("", r"\boxed{5}")
    assert (unread.correct, unread.kind) == (None, "unparseable")
    silent = graded("5", "I do not know.")
    assert (silent.correct, silent.kind, silent.answer) == (False, "no-answer", "")


@needs_library
def test_the_librarys_options_reach_it() -> None:
    assert equivalent("x+1", "y+1").correct is False
    assert equivalent("x+1", "y+1", Options(strict=False)).correct is True


@needs_library
def test_a_large_power_is_kept_as_a_power() -> None:
    found = equivalent("10^{5000}", "10^{5000}")
    assert found.correct is True
    assert len(found.answer) < 5000


@needs_library
def test_it_works_in_a_thread() -> None:
    found: list[bool | None] = []
    thread = threading.Thread(target=lambda: found.append(equivalent("3", "3").correct))
    thread.start()
    thread.join()
    assert found == [True]


@needs_library
def test_it_grades_in_the_pool() -> None:
    items = [(Problem("a", "?", "3"), r"\boxed{3}"), (Problem("b", "?", "3"), r"\boxed{4}")]
    grades = grade_all(GraderSpec("math-verify"), items, limits=Limits(seconds=60, workers=1))
    assert [found.correct for found in grades] == [True, False]


def test_its_module_imports_nothing_heavy() -> None:
    code = "import sys, mra_math_verify; print(*({'sympy', 'math_verify', 'latex2sympy2_extended'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_without_the_library_it_is_refused_and_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mra_math_verify, "NEEDS", {"there_is_no_such_module": "mra-bench[math-verify]"})
    registered = load_plugins(PluginSettings()).resolve("graders", "math-verify")
    with pytest.raises(UsageError, match=r"The grader 'math-verify' needs what is not installed: pip install 'mra-b"):
        registered.build({})
    assert call(["graders"]) == 0
    assert "not installed: pip install 'mra-bench[math-verify]'" in capsys.readouterr().out
    assert call(["plugins"]) == 0
    assert "grader math-verify (not installed: pip install 'mra-bench[math-verify]')" in capsys.readouterr().out
    assert call(["run", "--recipe", "smoke", "--grader", "math-verify", "--dry-run"]) == 2
    assert "'mra-bench[math-verify]'" in capsys.readouterr().err
