"""--json: every command prints JSON and nothing else on standard output, errors included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import here

import mra_bench.cli
from mra_bench.cli import COMMANDS, call, cli
from mra_bench.errors import BenchError

UNBOUND = """
import math
from pydantic import BaseModel
from mra_bench import hookimpl

class Inner(BaseModel):
    least: float = -math.inf

class Options(BaseModel):
    most: float = math.inf
    inner: Inner = Inner()

@hookimpl
def register_graders(register):
    register("unbound", lambda *a: None, options=Options)
"""


def printed(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> Any:
    assert call(arguments) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def test_every_command_takes_json() -> None:
    import click

    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        commands = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
        for each in commands:
            assert any("--json" in p.opts for p in each.params), f"{name} {each.name}"


@pytest.mark.parametrize("name", ["models", "trainers", "graders", "datasets", "plugins", "recipes"])
def test_listings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed([name, "--json"], capsys)
    assert len(rows) >= 1
    assert all(isinstance(row, dict) for row in rows)


def test_recipes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(["recipes", "list", "--json"], capsys) == printed(["recipes", "--json"], capsys)
    assert printed(["recipes", "--json", "list"], capsys)[0]["models"][0] == "base"
    assert printed(["recipes", "show", "smoke", "--json"], capsys)["name"] == "smoke"
    path = tmp_path / "mine.yaml"
    assert printed(["recipes", "new", str(path), "--json"], capsys) == {"recipe": "mine", "file": str(path)}


def strictly(text: str) -> Any:
    """JSON by the letter: Python's own reader would take Infinity and NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_recipe_with_values_that_json_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("description: 2024-01-01\nseed: .nan\nmodels: {.inf: [-.inf, 1.5, null, true], 2024-01-02: .inf}\n")
    assert call(["recipes", "show", str(path), "--json"]) == 0
    assert strictly(capsys.readouterr().out) == {
        "description": "2024-01-01",
        "seed": ".nan",
        "models": {".inf": ["-.inf", 1.5, None, True], "2024-01-02": ".inf"},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1\n", "like.yaml: not valid YAML"),
        ("", "like.yaml must hold a mapping"),
        ("- 1\n", "like.yaml must hold a mapping"),
        ('name: "my\n  own: recipe"\n', "like.yaml must stand on one line"),
        ("name: my\n", "the key 'datasets' is missing"),
    ],
)
def test_a_new_recipe_like_a_broken_one(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    like, new = tmp_path / "like.yaml", tmp_path / "new.yaml"
    like.write_text(text)
    error = printed(["recipes", "new", str(new), "--like", str(like), "--json"], capsys, 2)
    assert error["kind"] == "usage"
    assert words in error["message"]
    assert not new.exists()


def test_an_option_without_bound_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "unbound.py").write_text(UNBOUND)
    arguments = ["graders", "--plugin", str(tmp_path / "unbound.py")]
    assert call([*arguments, "--json"]) == 0
    (thing,) = (row for row in strictly(capsys.readouterr().out) if row["name"] == "unbound")
    assert {o["name"]: o["default"] for o in thing["options"]} == {
        "most": ".inf",
        "inner": {"least": "-.inf"},
        "inner.least": "-.inf",
    }
    assert call(arguments) == 0
    text = capsys.readouterr().out
    assert "default: .inf" in text
    assert "Infinity" not in text


def test_a_dry_run_is_one_object_with_every_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--recipe", "smoke", "--models", "base", "--dry-run", "--json", "--out", str(tmp_path / "x")]
    plan = printed(arguments, capsys)
    assert plan["event"] == "plan"
    assert [stage["stage"] for stage in plan["stages"]] == [
        "problems test", "generate base-test", "grade sympy-base-test",
    ]  # fmt: skip
    assert {"amount": 64, "unit": "texts", "complete": False}.items() <= plan["stages"][1].items()
    assert plan["stages"][1]["tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--recipe", "smok", "--json"], 2, "Did you mean 'smoke'"),
        (["run", "--jason", "--json"], 2, "No such option"),
        (["rnu", "--json"], 2, "Did you mean 'run'"),
        (["report", "nowhere", "--json"], 2, "nowhere is no run folder"),
        (["ask", "nowhere", "base", "1 + 1?", "--json"], 2, "nowhere is no run folder"),
        (["clean", "nowhere", "--json"], 2, "nowhere is no run folder"),
        (["recipes", "show", "smok", "--json"], 2, "Did you mean 'smoke'"),
        (["models", "--plugin", "nowhere.py", "--json"], 2, "no such file"),
    ],
)
def test_an_error_is_one_object(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = printed(arguments, capsys, code)
    assert set(error) == {"event", "kind", "message", "exit_code"}
    assert (error["event"], error["kind"], error["exit_code"]) == ("error", "usage", code)
    assert words in error["message"]


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (BenchError("no"), "failed", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (ZeroDivisionError("by 0"), "internal", 1),
    ],
)
def test_kinds_of_errors(
    raised: BaseException, kind: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise raised

    monkeypatch.setattr(mra_bench.cli.cli, "main", fail)
    assert call(["run", "--json"]) == code
    captured = capsys.readouterr()
    error = json.loads(captured.out)
    assert (error["kind"], error["exit_code"]) == (kind, code)
    assert ("Traceback" in captured.err) == (kind == "internal")


def test_a_run_its_report_and_a_question(tmp_path: Path) -> None:
    rows = [{"problem": f"test-{i:05d}", "text": f"The answer is {i}."} for i in range(4)]
    rows.append({"question": "1 + 1?", "text": "two \x1b[2J"})
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = here("run", "--model", "m=echo@a.jsonl", "--limit", "4", "--out", "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = [json.loads(line) for line in done.stdout.splitlines()][-1]
    assert result["event"] == "result"
    report = json.loads(here("report", "out", "--json", cwd=tmp_path).stdout)
    assert report.items() <= result.items()
    answer = json.loads(here("ask", "out", "m", "1 + 1?", "--json", cwd=tmp_path).stdout)
    assert answer == {"model": "m", "question": "1 + 1?", "text": "two \x1b[2J", "finish": "stop", "tokens": 2}
    cleaned = json.loads(here("clean", "out", "--json", cwd=tmp_path).stdout)
    assert cleaned == {"dry_run": False, "folders": [], "bytes": 0, "kept": []}
