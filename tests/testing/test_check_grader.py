"""check_grader: passes sound graders, and says of each unsound one what is wrong, all of it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import strange_graders as strange

from mra_bench import Grade, Problem
from mra_bench.errors import UsageError
from mra_bench.testing import check_grader, problem
from mra_bench.testing.evidence import make_cases
from mra_bench.testing.garbage import GARBAGE
from mra_bench.testing.grader_checks import CHECKS, GENERAL_CHECKS, WORKER, run_checks
from mra_bench.testing.probe import spec_of_object

FOUR = problem(answer="4")
RIGHT = [(FOUR, "so it is 4"), (problem(answer="-3"), "2 - 5 = -3")]
WRONG = [(FOUR, "so it is 5"), (FOUR, "4, no, 5")]

FACTORY = """
from dataclasses import dataclass
from mra_bench import Grade, hookimpl

@dataclass(frozen=True)
class Options:
    word: str = ""

def make(options):
    def grade(problem, text):
        last = text.removesuffix(options.word).split()[-1:] or [""]
        return Grade(last[0] == problem.answer, last[0])
    return grade

@hookimpl
def register_graders(register):
    register("before-a-word", make, options=Options)
"""


def faults(grade: Any, **given: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        check_grader(grade, **{"right": RIGHT, "wrong": WRONG, **given})
    return str(raised.value)


@pytest.mark.parametrize("grade", [strange.sound, strange.Tolerant(0), "sympy"])
def test_a_sound_grader_passes(grade: Any) -> None:
    check_grader(grade, right=RIGHT, wrong=WRONG)


def test_options_and_plugin_of_a_registered_grader(tmp_path: Path) -> None:
    file = tmp_path / "words.py"
    file.write_text(FACTORY)
    right = [(FOUR, "it is 4 indeed")]
    check_grader("before-a-word", plugin=str(file), options={"word": "indeed"}, right=right, wrong=WRONG)
    said = faults("words:before-a-word", plugin=str(file), right=right)
    assert "The grader 'words:before-a-word' fails 1 of 11 checks." in said
    assert "'it is 4 indeed' for the gold answer '4' must be correct, but is graded wrong" in said
    with pytest.raises(UsageError, match="Did you mean 'word'"):
        check_grader("before-a-word", plugin=str(file), options={"wrod": "indeed"})


@pytest.mark.parametrize(
    ("grade", "check", "said"),
    [
        (strange.always_wrong, "right texts are graded correct", "must be correct, but is graded wrong (by principle)"),
        (strange.always_wrong, "the gold answer alone is correct", "the gold answer '-3' alone must be correct"),
        (strange.never_judges, "wrong texts are graded wrong", "must be wrong, but is graded None (could not be judg"),
        (strange.raises_without_a_word, "every text gets a Grade", "on the empty text: failed: IndexError: list index"),
        (strange.gives_a_bool, "every text gets a Grade", "it returned bool, not a Grade"),
        (strange.answers_with_a_number, "the fields are plain data", "Grade.answer must be a str, not int"),
        (strange.span_behind_the_end, "the span lies within the text", "lies outside the text of 10 characters"),
        (strange.changes_the_problem, "the problem is left as it was", "it changed the problem's answer"),
        (strange.counts_its_calls, "the same input gives the same Grade", "but a second time"),
        (strange.depends_on_the_process, "the same input gives the same Grade", "but in another process and order"),
        (strange.takes_unreadable_gold, "a gold answer that cannot be read is never correct", "kind='unparseable'"),
        (strange.kills_its_process, "every text gets a Grade", "on Python that must not be run: ended its worker proc"),
    ],
)
def test_what_is_wrong_is_said(grade: Any, check: str, said: str) -> None:
    told = faults(grade)
    assert told.startswith(f"The grader strange_graders.{grade.__name__} fails ")
    section = told.partition(f"- {check}:\n")[2].partition("\n- ")[0]
    assert said in section


def test_every_check_has_a_grader_that_fails_it() -> None:
    """The table above, and the two tests on time below, leave no check out."""
    marks = [mark for mark in test_what_is_wrong_is_said.pytestmark if mark.name == "parametrize"]
    assert {row[1] for row in marks[0].args[1]} | {"every Grade comes in time"} == set(CHECKS)


def test_all_faults_are_told_at_once() -> None:
    told = faults(strange.raises_without_a_word, right=[(FOUR, "so it is 5")])
    assert "fails 2 of 11 checks" in told
    assert "- right texts are graded correct:" in told
    assert "- every text gets a Grade:" in told


def test_a_text_that_hangs_is_stopped_and_the_others_are_judged() -> None:
    told = faults(strange.hangs_on_braces, seconds=2)
    assert "fails 1 of 11 checks" in told
    assert "- every Grade comes in time:\n    on opening braces that are never closed: stopped after 2 seconds" in told


def test_a_grader_that_hangs_on_all_texts_is_given_up_soon() -> None:
    told = faults(strange.hangs, seconds=0.5)
    assert "fails 1 of 11 checks" in told
    assert told.count("stopped after 0.5 seconds") == 3


def test_a_grader_that_ends_every_process_is_given_up_soon() -> None:
    told = faults(strange.always_ends_its_process)
    assert "fails 1 of 11 checks (9 skipped)" in told
    assert "    3 worker processes were lost to it, so " in told
    assert told.count("ended its worker process (exit code 3)") == 3


@pytest.mark.parametrize("grade", [strange.always_raises, strange.gives_a_word])
def test_what_could_not_be_checked_has_not_passed(grade: Any) -> None:
    cases = make_cases(RIGHT, WRONG, ["4"])
    outcomes = {o.check: o for o in run_checks(spec_of_object(grade), cases, 60, {**CHECKS, **GENERAL_CHECKS})}
    assert outcomes.pop(WORKER).outcome == "passed"
    assert outcomes.pop("every text gets a Grade").outcome == "failed"
    assert {(o.outcome, o.said) for o in outcomes.values()} == {("skipped", "no text for this check got a Grade")}
    assert f"fails 1 of {len(CHECKS) + 1} checks ({len(CHECKS) - 1} skipped)" in faults(grade)


UNGUARDED = """
from strange_graders import sound
from mra_bench.testing import check_grader, problem

check_grader(sound, right=[(problem("4"), "it is 4")])
print("sound")
"""


def run_script(file: Path, text: str) -> subprocess.CompletedProcess[str]:
    file.write_text(text)
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, str(file)], capture_output=True, text=True, env=environment, check=False)


def test_a_script_without_its_guard_is_told_so_once(tmp_path: Path) -> None:
    done = run_script(tmp_path / "unguarded.py", UNGUARDED)
    assert done.returncode == 1
    assert done.stderr.count("must do so under `if __name__ == '__main__':`") == 1
    assert done.stderr.count("Traceback") == 1
    assert "bootstrapping" not in done.stderr
    assert len(done.stderr.splitlines()) < 20


def test_a_script_with_its_guard_runs(tmp_path: Path) -> None:
    guarded = UNGUARDED.replace("\ncheck_grader(", "\nif __name__ == '__main__':\n    check_grader(")
    done = run_script(tmp_path / "guarded.py", guarded.replace("print(", "    print("))
    assert (done.returncode, done.stdout) == (0, "sound\n"), done.stderr


@pytest.mark.parametrize("pair", [("4", "4"), (FOUR, 4), "4"])
def test_texts_without_a_problem_are_refused(pair: Any) -> None:
    how = r"\(problem\(answer=\.\.\.\), text\)" if pair == ("4", "4") else r"must be a pair \(problem, text\)"
    for name in ("right", "wrong"):
        with pytest.raises(UsageError, match=rf"`{name}\[0\]` .*{how}"):
            check_grader(strange.sound, **{name: [pair]})


def test_a_grader_that_no_other_process_can_have() -> None:
    def local(problem: Problem, text: str) -> Grade:
        return strange.sound(problem, text)

    told = faults(local)
    assert "fails 1 of 1 check" in told
    assert "it runs in a worker process" in told
    assert "Give check_grader the name it is registered by" in told


def test_a_grader_that_a_worker_cannot_build(tmp_path: Path) -> None:
    file = tmp_path / "once.py"
    here = "import multiprocessing\n    assert multiprocessing.parent_process() is None, 'not here'\n    "
    file.write_text(FACTORY.replace("def make(options):\n    ", f"def make(options):\n    {here}"))
    told = faults("before-a-word", plugin=str(file))
    assert "fails 1 of 1 check" in told
    assert "AssertionError: not here" in told


def test_options_of_a_function_are_refused() -> None:
    with pytest.raises(UsageError, match="go with the name of a registered grader"):
        check_grader(strange.sound, options={"word": "x"})


def test_what_is_said_of_a_text_cannot_reach_the_terminal() -> None:
    told = faults(strange.sound, right=[(FOUR, "\x1b[31m5\x1b[0m")])
    assert "\x1b" not in told


def test_garbage_is_what_it_says() -> None:
    assert max(map(len, GARBAGE.values())) >= 100_000
    assert "" in GARBAGE.values()
    joined = "".join(GARBAGE.values())
    assert all(c in joined for c in "\x00\x1b\u202e\ud83d{}<")
    assert "9" * 5_000 in GARBAGE["a number of 5,000 digits"]


def test_the_kit_is_light_and_loads_into_no_pytest_by_itself() -> None:
    heavy = "torch transformers trl datasets pandas sympy scipy statsmodels pyarrow pytest".split()
    code = f"import sys, mra_bench.testing; print(sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = "import sys, mra_bench.cli; print('mra_bench.testing' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_problem_in_a_few_letters() -> None:
    assert problem("4", level="5") == Problem("problem-0", "What is asked?", "4", level="5")
