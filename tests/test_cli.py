"""The command line: help with examples, light start-up, what listings say, runs without a recipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from runs import bench, here

from mra_bench.cli import COMMANDS, call, cli

ROOT = Path(__file__).resolve().parent.parent
HEAVY = "torch transformers trl datasets pandas sympy scipy statsmodels pyarrow".split()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["report", "--help"],
        *([n] for n in "plugins recipes models trainers graders".split()),
    ],
)
def test_start_up_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from mra_bench.cli import call; code = call({arguments!r})\n"
        f"print(code, sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "0 []"


OURS = "types option_help plugins hookspecs builders recipe".split()
LIBRARIES = "pydantic annotated_types pluggy yaml statistics difflib".split()


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["recipes"], {"yaml"}),
        (["plugins"], {"mra_bench.plugins", "mra_bench.hookspecs", "pluggy"}),
    ],
)
def test_what_must_start_at_once_imports_only_what_it_needs(arguments: list[str], needed: set[str]) -> None:
    """Of a plugin, too, no more than the module that registers: the classes of its options cost more than all else."""
    late = {*LIBRARIES, *(f"mra_bench.{name}" for name in OURS)}
    code = (
        f"import sys; from mra_bench.cli import call; code = call({arguments!r})\n"
        "parts = {m for m in sys.modules if m.startswith('mra_') and '.' in m and not m.startswith('mra_bench.')}\n"
        f"print(code, sorted({late!r} & set(sys.modules) | parts), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == f"0 {sorted(needed)}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"mra-bench {name}" in text.replace("\n", " ")
    assert "Example" in text


def test_the_readme_names_every_command_and_no_other() -> None:
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"mra-bench {name}" in text, name


def test_every_option_of_run_has_help() -> None:
    command = cli.get_command(click.Context(cli), "run")
    assert command is not None
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert len(options) > 10
    assert all(option.help for option in options)


def test_a_misspelt_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["rnu"]) == 2
    assert "Did you mean 'run'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ["import", "a", "--from", "inspct"],
            "'inspct' is not known. Did you mean 'inspect'? It takes: lm-eval, inspect",
        ),
        (["run", "--executor", "rya"], "Did you mean 'ray'? It takes: local, ray."),
        (["compare", "--format", "zzz", "a", "b"], "'zzz' is not known. It takes: text, html, markdown, json."),
    ],
)
def test_a_value_that_is_no_choice_is_told_with_the_nearest(
    line: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(line) == 2
    assert said in capsys.readouterr().err


def test_version_and_module_entry_point() -> None:
    done = bench("--version")
    assert done.stdout.startswith("mra-bench, version 0.")


def test_listings_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["graders", "--json"]) == 0
    assert {"math-verify", "sympy"} <= {grader["name"] for grader in json.loads(capsys.readouterr().out)}
    assert call(["datasets", "--json"]) == 0
    assert {"arith", "gsm8k"} <= {row["dataset"] for row in json.loads(capsys.readouterr().out)}


def test_a_new_recipe_is_ready_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.yaml"
    assert call(["recipes", "new", str(path)]) == 0
    text = path.read_text()
    assert text.startswith("# Written by `mra-bench recipes new` from smoke")
    assert "description: A recipe of my own, begun from smoke.\n" in text
    assert "Too small to conclude anything" not in text
    assert "name: mine" in path.read_text()
    assert call(["run", "--recipe", str(path), "--dry-run", "--out", str(tmp_path / "out")]) == 0
    assert "train sft" in capsys.readouterr().out
    assert call(["recipes", "new", str(path)]) == 2


def test_dry_run_shows_counts_disk_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert call(["run", "--recipe", "smoke", "--models", "dpo", "--limit", "7", "--dry-run", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert "Added because others are trained from it: base, sft" in captured.err
    assert "7 texts" in captured.out
    assert "TFLOP" in captured.out
    assert "MiB" in captured.out
    assert not out.exists()


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """A file of problems of one's own, and two files of answers to it."""
    problems = [{"id": f"q{i}", "question": f"What is {i} + 1?", "answer": str(i + 1)} for i in range(30)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(p) + "\n" for p in problems))
    for name, good in (("good", 28), ("poor", 9)):
        rows = [
            {"problem": p["id"], "text": f"\\boxed{{{p['answer'] if i < good else 'x'}}}"}
            for i, p in enumerate(problems)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_two_models_without_a_recipe_are_compared(answers: Path) -> None:
    arguments = [
        "run",
        "--model",
        "poor=echo@poor.jsonl",
        "--model",
        "good=echo@good.jsonl",
        "--data",
        "mine=mine.jsonl",
    ]
    done = here(*arguments, "--quiet", cwd=answers)
    assert done.returncode == 0, done.stderr
    assert "Verdict: good beats poor by 63.3 points" in done.stdout
    assert done.stderr == ""
    results = json.loads((answers / "reports" / "poor-good-on-mine" / "results.json").read_text())
    row = results["datasets"][0]["pairs"][0]
    assert (row["wins"], row["losses"], row["both_right"], row["both_wrong"]) == (19, 0, 9, 2)


def test_one_model_without_a_recipe_gets_its_accuracy_as_json(answers: Path) -> None:
    done = here("run", "--model", "good=echo@good.jsonl", "--data", "mine.jsonl", "--json", cwd=answers)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["verdict"] == ["good solves 93.3 % of mine (95 % CI 78.7 to 98.2, n = 30)."]
    assert {e["event"] for e in events} >= {"begin", "end", "result"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "mine"], "NAME=PATH_OR_ID"),
        (["--model", "a=echo@x", "--model", "a=echo@y"], "'a' twice"),
        (["--model", "a=echo@x", "--recipe", "smoke"], "--set models.NAME.options.path="),
        (
            ["--model", "a=openai@x"],
            "give --model a=openai. Its options: --set models.a.options.KEY=VALUE",
        ),
        (["--data", "arith"], "--data takes NAME=FILE or NAME:SPLIT=FILE beside a recipe"),
        (["--data", "arith=a.jsonl"], "reads arith:hard and arith:test and arith:train. Say which"),
        (["--data", "arith:tset=a.jsonl"], "Did you mean 'arith:test'? It reads: train (arith:train)"),
    ],
)
def test_malformed_loose_runs(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--repeat", "twice"], "'twice' is not a valid integer."),
        (["run", "--limit", "0"], "0 is not in the range x>=1."),
        (["run", "--grader-seconds", "inf"], "'inf' is not a finite number."),
        (["plugins", "check", "sympy", "--seconds", "nan"], "'nan' is not a finite number."),
    ],
)
def test_numbers_out_of_bounds(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(arguments) == 2
    assert words in capsys.readouterr().err


def test_several_datasets_without_a_recipe(answers: Path) -> None:
    model = ["run", "--model", "good=echo@good.jsonl", "--quiet", "--out", "out"]
    twice = here(*model, "--data", "mine.jsonl", "--data", "mine=mine.jsonl", cwd=answers)
    assert twice.returncode == 2
    assert "names 'mine' twice" in twice.stderr
    done = here(*model, "--data", "mine.jsonl", "--data", "other=mine.jsonl", cwd=answers)
    assert done.returncode == 0, done.stderr
    datasets = json.loads((answers / "out" / "results.json").read_text())["datasets"]
    assert [(d["name"], d["headline"]) for d in datasets] == [("mine", True), ("other", False)]


def test_several_samples_give_pass_and_majority(answers: Path) -> None:
    rows = [{"problem": f"q{i}", "sample": k, "text": str(i + 1 if k < 2 else 0)} for i in range(30) for k in range(3)]
    (answers / "three.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    warm = ["--set", "evaluate.temperature=1"]
    models = ["--model", "m=echo@three.jsonl", "--model", "good=echo@good.jsonl"]
    done = here(
        "run", *models, "--data", "mine=mine.jsonl", "--set", "evaluate.samples=3", *warm, "--out", "out", cwd=answers
    )
    assert done.returncode == 0, done.stderr
    dataset = json.loads((answers / "out" / "results.json").read_text())["datasets"][0]
    score = dataset["scores"][0]
    assert score["accuracy"] == pytest.approx(2 / 3)
    assert score["pass_at_k"] == {"1": pytest.approx(2 / 3), "2": 1.0, "3": 1.0}
    assert score["maj_at_k"]["1"] == pytest.approx(2 / 3)
    assert score["maj_at_k"]["3"] == 1.0
    assert dataset["pairs"][0]["test"] == "sign-flip"


def test_control_characters_of_a_model_do_not_reach_the_terminal() -> None:
    from mra_bench.tables import printable

    assert printable("a\x1b]0;title\x07\x1b[2J\nb\tc é") == "a\\x1b]0;title\\x07\\x1b[2J\nb\tc é"


def test_a_finished_run_is_current_only_with_its_own_report(answers: Path) -> None:
    """A changed recipe that dies before its report must not leave the old report looking current."""
    arguments = ["run", "--model", "m=echo@good.jsonl", "--data", "mine=mine.jsonl", "--out", "out", "--quiet"]
    assert here(*arguments, "--limit", "3", cwd=answers).returncode == 0
    code = (
        "import sys, mra_bench.run as r\n"
        "def fail(*given, **more): raise OSError('stopped here')\n"
        "r.finish_run = fail\n"
        "from mra_bench.cli import call; call(sys.argv[1:])"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=answers, capture_output=True, check=False)
    assert not (answers / "out" / "report.html").exists()
    again = here(*arguments, cwd=answers)
    assert "Nothing to do" not in again.stdout
    assert json.loads((answers / "out" / "results.json").read_text())["datasets"][0]["n"] == 30
