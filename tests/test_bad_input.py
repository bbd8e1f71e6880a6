"""Mistakes on purpose: each is answered before any work starts, or stops tidily with what was finished kept."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from runs import bench, data_hashes, here

ECHO_RECIPE = {
    "name": "echo",
    "datasets": {"test": {"data": "arith", "split": "test", "limit": 6}},
    "models": {"base": {"model": "echo", "options": {"path": "answers.jsonl"}}},
    "evaluate": {"datasets": ["test"], "max_new_tokens": 64},
    "graders": ["sympy"],
    "block_size": 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recipe on the echo model and its answers."""
    answers = [{"problem": f"test-{i:05d}", "text": f"The answer is {i}."} for i in range(6)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    (tmp_path / "echo.yaml").write_text(yaml.safe_dump(ECHO_RECIPE))
    return tmp_path


def run(folder: Path, *arguments: str, recipe: str = "echo.yaml", **env: str) -> subprocess.CompletedProcess[str]:
    return here("run", "--recipe", recipe, "--out", "out", *arguments, cwd=folder, **env)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def change(folder: Path, **changes: object) -> None:
    (folder / "echo.yaml").write_text(yaml.safe_dump(ECHO_RECIPE | changes))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "graders=[simpy]"], ["'simpy'", "Did you mean 'sympy'", "mra-bench graders"]),
        (["--set", "models.base.model=ecko"], ["'ecko'", "Did you mean 'echo'", "mra-bench models"]),
        (["--set", "datasets.test.data=arit"], ["'arit'", "Did you mean 'arith'", "mra-bench datasets"]),
        (["--set", "datasets.test.split=tst"], ["'tst'", "test"]),
        (["--set", "models.base.options.pth=x"], ["'pth'", "Did you mean 'path'"]),
        (["--models", "bas"], ["'bas'", "Did you mean 'base'", "Known: base."]),
        (["--set", "evaluate.datasets=[tset]"], ["'tset'", "Did you mean 'test'", "Known: test."]),
        (["--drop-contaminated", "--allow-contamination"], ["not both"]),
        (["--set", "datasets.test.limit=9"], ["'base' cannot answer 'test'", "3 of 9 problems", "allow_missing=true"]),
        (["--set", "evaluate.sampels=2"], ["sampels", "did you mean 'samples'"]),
        (["--limit", "0"], ["--limit"]),
        (["--reuse", "nowhere"], ["--reuse nowhere"]),
        (["--plugin", "nowhere.py"], ["nowhere.py", "no such file"]),
        (["--out", ""], ['--out "" names no folder', "variable of the shell"]),
        (["--reuse", ""], ['--reuse "" names no folder']),
        (["--models", ""], ['--models "" names no model']),
        (["--models", " , "], ["names no model; leave it out for all"]),
        (["smoke"], ["Unexpected word 'smoke'", "--recipe smoke"]),
        (["other.yaml"], ["--recipe other.yaml"]),
        (["smokes"], ["Unexpected word 'smokes'. It takes options only"]),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(folder: Path, arguments: list[str], words: list[str]) -> None:
    refused(run(folder, *arguments), *words)
    assert not (folder / "out").exists()


def test_values_of_the_wrong_shape_are_refused_in_a_sentence(folder: Path) -> None:
    for setting, words in (
        ("models={a/b: {model: echo}}", "the model name 'a/b' may hold letters"),
        ("evaluate=[5]", "'evaluate': must hold keys with values (got a list)"),
        ("models.base.from=base", "'models.base': give either 'model: NAME'"),
    ):
        done = run(folder, "--set", setting)
        refused(done, words)
        assert "{" not in done.stderr


def test_an_option_that_allows_missing_rows(folder: Path) -> None:
    done = run(folder, "--set", "datasets.test.limit=8", "--set", "models.base.options.allow_missing=true")
    assert done.returncode == 0, done.stderr
    score = json.loads((folder / "out" / "results.json").read_text())["datasets"][0]["scores"][0]
    assert score["kinds"]["no-answer"] == 2
    assert "25 % of texts are empty" in done.stdout


def test_questions_that_cannot_be_asked(folder: Path) -> None:
    assert run(folder).returncode == 0
    refused(here("ask", "out", "base", "  ", cwd=folder), "question is empty")
    refused(here("ask", "out", "bsae", "1 + 1?", cwd=folder), "'bsae' in out", "Known: base.")


def test_recipe_files_in_folders_that_are_not_there(folder: Path) -> None:
    refused(here("recipes", "new", "not/there/x.yaml", cwd=folder), "There is no folder not/there")
    refused(run(folder, recipe="not/there.yaml"), "not even the folder not")
    assert not (folder / "not").exists()


def test_a_grader_that_always_raises_is_said_last_with_its_error(folder: Path) -> None:
    (folder / "boom.py").write_text(
        "from mra_bench import hookimpl\n"
        "def grade(problem, text):\n"
        "    raise ValueError('boom \\x1b[2J at ' + problem.id)\n"
        "@hookimpl\n"
        "def register_graders(register):\n"
        "    register('boom', grade)\n"
    )
    done = run(folder, "--plugin", "boom.py", "--grader", "boom")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (folder / "out" / "report.html").is_file()
    assert "Verdict: Nothing was judged: the grader could not judge a single text on test." in done.stdout
    assert "Warning: base on test: all 6 texts made the grader fail" in done.stdout
    assert "ValueError: boom \\x1b[2J at test-00000" in done.stdout
    results = json.loads((folder / "out" / "results.json").read_text())
    assert [warning["kind"] for warning in results["warnings"]] == ["crashed"]


def test_nothing_heavy_is_imported_to_find_a_mistake(folder: Path) -> None:
    code = (
        "import sys; from mra_bench.cli import call\n"
        "code = call(['run', '--recipe', 'echo.yaml', '--set', 'graders=[simpy]', '--out', 'out'])\n"
        "heavy = {'torch', 'transformers', 'trl', 'datasets', 'pandas', 'sympy', 'scipy'} & set(sys.modules)\n"
        "print(code, sorted(heavy))"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 []"


@pytest.mark.parametrize("text", ["models: [1, {", "", "just words", "a: 1\n\tb: 2"])
def test_recipe_file_that_is_no_yaml_mapping(folder: Path, text: str) -> None:
    (folder / "broken.yaml").write_text(text)
    refused(run(folder, recipe="broken.yaml"), "broken.yaml")


def test_a_grader_that_never_judges_leaves_a_report_that_says_so(folder: Path) -> None:
    (folder / "mute.py").write_text(
        "from mra_bench import Grade, hookimpl\n"
        "@hookimpl\n"
        "def register_graders(register):\n"
        "    register('mute', lambda problem, text: Grade(None, kind='unparseable'))\n"
    )
    models = {name: {"model": "echo", "options": {"path": "answers.jsonl"}} for name in ("one", "two")}
    change(folder, models=models)
    done = run(folder, "--plugin", "mute.py", "--grader", "mute")
    assert done.returncode == 0, done.stderr
    assert "no problem is left that the grader could judge" in done.stdout


def test_a_key_that_is_there_twice_is_refused_with_both_lines(folder: Path) -> None:
    text = (folder / "echo.yaml").read_text()
    (folder / "echo.yaml").write_text(text + "models:\n  base: {model: echo}\n")
    (first,) = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith("models:")]
    there = len(text.splitlines()) + 1
    words = f"echo.yaml, line {there}: the key 'models' is there twice, first in line {first}; keep one of them"
    refused(run(folder), words)
    assert not (folder / "out").exists()


def test_recipe_with_a_cycle(folder: Path) -> None:
    models = {
        "a": {"from": "b", "trainer": "sft", "data": "test"},
        "b": {"from": "a", "trainer": "sft", "data": "test"},
    }
    change(folder, models=models)
    refused(run(folder), "cycle", "a <- b")


def test_output_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / "file").write_text("")
    done = here("run", "--recipe", "echo.yaml", "--out", "file/out", cwd=folder)
    refused(done, "Cannot write to the run folder", "--out")


def test_output_that_is_a_file(folder: Path) -> None:
    refused(here("run", "--recipe", "echo.yaml", "--out", "echo.yaml", "--dry-run", cwd=folder), "echo.yaml is a file")


def test_recipe_that_is_not_text(folder: Path) -> None:
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    refused(here("recipes", "show", "binary.yaml", cwd=folder), "binary.yaml is not a text file")
    refused(run(folder, recipe="binary.yaml"), "binary.yaml is not a text file")


def test_model_folder_without_weights(folder: Path) -> None:
    (folder / "empty-model").mkdir()
    (folder / "empty-model" / "config.json").write_text('{"model_type": "qwen2"}')
    change(folder, models={"base": {"model": "transformers", "options": {"path": "empty-model"}}})
    refused(run(folder), "empty-model", "safetensors")


def test_dataset_file_with_a_broken_line(folder: Path) -> None:
    (folder / "mine.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n{"question": "2 +\n')
    change(folder, datasets={"test": {"data": "mine", "path": "mine.jsonl", "split": "test"}})
    refused(run(folder), "mine.jsonl", "line 2")


def test_empty_split(folder: Path) -> None:
    (folder / "mine.jsonl").write_text("")
    change(folder, datasets={"test": {"data": "mine", "path": "mine.jsonl", "split": "test"}})
    refused(run(folder), "empty")


def test_echo_file_with_a_broken_line(folder: Path) -> None:
    (folder / "answers.jsonl").write_text('{"problem": "test-00000", "text": "1"}\nnot json\n')
    refused(run(folder), "answers.jsonl", "line 2")


GRADERS = """
import os, time
from mra_bench import Grade, hookimpl

def grade(problem, text):
    if problem.id == "test-00001":
        raise ValueError("boom at one")
    if problem.id == "test-00003":
        time.sleep(600)
    if problem.id == "test-00004":
        os._exit(3)
    return Grade(correct=True, answer=problem.answer, reason="always right")

@hookimpl
def register_graders(register):
    register("fragile", grade)
"""


def test_a_grader_that_raises_hangs_or_dies_costs_its_own_samples(folder: Path) -> None:
    (folder / "fragile.py").write_text(GRADERS)
    done = run(folder, "--plugin", "fragile.py", "--grader", "fragile", "--grader-seconds", "2")
    assert done.returncode == 0, done.stderr
    grades = next((folder / "out" / "grades").iterdir())
    rows = [json.loads(line) for p in sorted(grades.glob("*.jsonl")) for line in p.read_text().splitlines()]
    assert {r["problem"]: r["kind"] for r in rows} == {
        "test-00000": "correct",
        "test-00001": "crashed",
        "test-00002": "correct",
        "test-00003": "timeout",
        "test-00004": "crashed",
        "test-00005": "correct",
    }
    crashed = next(r for r in rows if r["problem"] == "test-00001")
    assert "ValueError" in crashed["reason"]
    assert "boom at one" in crashed["reason"]
    score = json.loads((folder / "out" / "results.json").read_text())["datasets"][0]["scores"][0]
    assert score["correct"] == 3
    assert (score["worst"], score["best"]) == (0.5, 1.0)
    assert "made the grader fail" in done.stdout


SLOW = """
import time
from mra_bench import Grade, hookimpl

def grade(problem, text):
    if problem.id == "test-00003":
        time.sleep(4)
    return Grade(correct=True, answer=problem.answer, reason="always right")

@hookimpl
def register_graders(register):
    register("slow", grade)
"""


def test_more_time_for_the_grader_judges_again_what_timed_out(folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    asked = ("--plugin", "slow.py", "--grader", "slow")

    def judged(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
        assert done.returncode == 0, done.stderr
        used = json.loads((folder / "out" / "results.json").read_text())["stages"][0]["grades"]
        paths = sorted((folder / "out" / used).glob("block-*.jsonl"))
        return {r["problem"]: r["kind"] for p in paths for r in map(json.loads, p.read_text().splitlines())}

    assert judged(run(folder, *asked, "--grader-seconds", "2"))["test-00003"] == "timeout"
    kept = {p: p.stat().st_mtime_ns for p in (folder / "out" / "completions").rglob("*")}
    assert judged(run(folder, *asked, "--grader-seconds", "600"))["test-00003"] == "correct"
    assert kept == {p: p.stat().st_mtime_ns for p in (folder / "out" / "completions").rglob("*")}
    assert yaml.safe_load((folder / "out" / "recipe.yaml").read_text())["grading"]["seconds"] == 600
    again = run(folder, "--plugin", "slow.py", recipe="out/recipe.yaml")
    assert "Nothing to do" in again.stdout


SPOILT: dict[int, Callable[[str], str]] = {  # block -> what became of its two rows
    1: lambda text: text[:-20],
    2: lambda text: "",
    3: lambda text: text + text,
    4: lambda text: text + "{",
    5: lambda text: "".join(reversed(text.splitlines(keepends=True))),
    6: lambda text: text.replace("test-00012", "test-00000"),
    7: lambda text: text.replace('"sample": 0', '"sample": 1'),
    8: lambda text: text.replace('"finish"', '"end"').replace('"kind"', '"sort"'),
    9: lambda text: "[1]\n[2]\n",
}


@pytest.mark.parametrize("stage", ["completions", "grades"])
def test_a_block_that_does_not_hold_its_rows_is_made_again(folder: Path, stage: str) -> None:
    answers = [{"problem": f"test-{i:05d}", "text": f"The answer is {i}."} for i in range(20)]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    change(folder, datasets={"test": {"data": "arith", "split": "test", "limit": 20}})
    assert run(folder).returncode == 0
    out = folder / "out"
    before = data_hashes(out)
    (made,) = (out / stage).iterdir()
    for number, spoil in SPOILT.items():
        block = made / f"block-{number:05d}.jsonl"
        good = block.read_text()
        assert spoil(good) != good
        block.write_text(spoil(good))
    (made / "stage.json").unlink()  # as after a kill
    kept = (made / "block-00000.jsonl").stat().st_mtime_ns
    done = run(folder)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "does not hold the rows of its block" in line]
    assert [line.split()[0] for line in said] == [f"{stage}/{made.name}/block-{n:05d}.jsonl" for n in SPOILT]
    assert (made / "block-00000.jsonl").stat().st_mtime_ns == kept
    assert data_hashes(out) == before


def test_a_limit_that_is_none_is_refused(folder: Path) -> None:
    refused(run(folder, "--grader-seconds", "0"), "--grader-seconds")
    refused(run(folder, "--grader-seconds", "nan"), "--grader-seconds", "'nan' is not a finite number")
    refused(run(folder, "--set", "grading.seconds=.nan"), "grading.seconds", "nan")
    refused(run(folder, "--set", "grading.second=3"), "grading.second", "did you mean 'seconds'")


def test_strict_makes_a_plugins_exception_fatal(folder: Path) -> None:
    (folder / "fragile.py").write_text(GRADERS)
    done = run(folder, "--plugin", "fragile.py", "--grader", "fragile", "--grader-seconds", "2", "--strict")
    assert done.returncode == 1
    assert "fragile" in done.stderr
    assert "test-00001" in done.stderr
    assert "Traceback" not in done.stderr


def test_contamination_is_refused_dropped_or_stamped(folder: Path) -> None:
    """The test split as training data: refused with the flags named; the other two ways say what they did."""
    models = {"base": {"model": "tiny-qwen2"}, "sft": {"from": "base", "trainer": "sft", "data": "train"}}
    train = {"data": "arith", "split": "test", "limit": 8}
    test = {"data": "arith", "split": "test", "limit": 4}
    change(folder, datasets={"train": train, "test": test}, models=models)
    refused(run(folder, "--dry-run"), "4", "--drop-contaminated", "--allow-contamination")
    dropped = run(folder, "--dry-run", "--drop-contaminated")
    assert dropped.returncode == 0, dropped.stderr
    assert "train sft" in dropped.stdout
    assert "4 training rows hold test questions: dropped, not trained on. The report lists them" in dropped.stderr
    allowed = run(folder, "--dry-run", "--allow-contamination")
    assert allowed.returncode == 0
    assert "4 training rows hold test questions: trained on all the same." in allowed.stderr


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_stops_with_step_and_advice(folder: Path) -> None:
    done = bench(
        "run", "--recipe", "smoke", "--models", "sft", "--limit", "4", "--out", "out",
        "--set", "models.sft.options.learning_rate=1e30", "--set", "models.sft.options.max_steps=6", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "step" in done.stderr
    assert "learning rate" in done.stderr
    assert list((folder / "out" / "grades").glob("sympy-base-test-*/stage.json"))


def test_disk_that_is_too_small_is_refused_before_work(folder: Path) -> None:
    shutil_usage = (
        "import shutil, sys\n"
        "from collections import namedtuple\n"
        "Usage = namedtuple('Usage', 'total used free')\n"
        "shutil.disk_usage = lambda path: Usage(10**6, 10**6 - 10, 10)\n"
        "from mra_bench.cli import call\n"
        "sys.exit(call(['run', '--recipe', 'echo.yaml', '--out', 'out', '--dry-run']))"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", shutil_usage], cwd=folder, capture_output=True, text=True, check=False)
    refused(done, "10 B free", "--out")
    assert "grade" in done.stdout


def test_disk_that_fills_up_half_way_keeps_what_was_finished(folder: Path) -> None:
    """A real file system of 256 KiB, where the system lets us mount one."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        long = [{"problem": f"test-{i:05d}", "text": "x" * 60_000} for i in range(6)]
        (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in long))
        code = (
            "import mra_bench.costs as c, sys; c.FREE_MARGIN = 0; "
            "from mra_bench.cli import call; sys.exit(call(sys.argv[1:]))"
        )
        import sys

        arguments = [sys.executable, "-c", code, "run", "--recipe", "echo.yaml", "--out", "disk/out"]
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert "is full" in done.stderr
        assert "the same command again" in done.stderr.replace("\n", " ")
        assert "Traceback" not in done.stderr
        finished = disk / "out" / "problems"
        assert list(finished.glob("*/stage.json"))
        assert shutil.disk_usage(disk).total < 300_000
    finally:
        subprocess.run(["umount", disk], check=True)
