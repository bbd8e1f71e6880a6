"""mra-bench grade RUN: further verdicts beside the run's own, nothing else changed, and what `clean` does with them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from mra_bench.cli import call

PLUGIN = """
from mra_bench import Grade, hookimpl

def grade(problem, text):
    return Grade(text.startswith("4"), text[:1], "the first character")

@hookimpl
def register_graders(register):
    register("first", grade)
    register("never", lambda problem, text: Grade(None, reason="Never."))
"""


@pytest.fixture(scope="session")
def echo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of two echo models on six problems; the model `right` has the gold answers."""
    folder = tmp_path_factory.mktemp("echo")
    questions = [{"id": f"q{i}", "question": f"{i} + 38?", "answer": str(i + 38)} for i in range(6)]
    lines(folder / "test.jsonl", questions)
    lines(folder / "right.jsonl", [{"problem": q["id"], "text": q["answer"]} for q in questions])
    lines(folder / "wrong.jsonl", [{"problem": q["id"], "text": "4"} for q in questions])
    recipe = {
        "name": "echo",
        "datasets": {"test": {"data": "test.jsonl"}},
        "models": {name: {"model": "echo", "options": {"path": f"{name}.jsonl"}} for name in ("right", "wrong")},
        "evaluate": {"datasets": ["test"]},
        "graders": ["sympy"],
        "block_size": 4,
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "mine.py").write_text(PLUGIN)
    with contextlib.chdir(folder):
        assert call(["run", "--recipe", "mine.yaml", "--out", "out", "--quiet"]) == 0
    return folder


@pytest.fixture
def run(echo_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of that run, in the working folder."""
    shutil.copytree(echo_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    return tmp_path / "out"


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def content(run: Path) -> dict[str, str]:
    files = (p for p in run.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(run).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def grade(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert call(["grade", "out", "--plugin", "mine.py", "--json", *arguments]) == code
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_verdicts_are_added_and_nothing_else_changes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(run)
    found = grade(capsys, "--grader", "first")
    after = content(run)
    new = {name for name in after if name not in before}
    assert {name: after[name] for name in before} == before
    assert {Path(name).parts[0] for name in new} == {"grades"}
    assert {Path(name).name for name in new} == {"block-00000.jsonl", "block-00001.jsonl", "stage.json"}
    assert sorted({Path(name).parent.as_posix() for name in new}) == found["folders"]
    right, wrong = found["graders"][0]["datasets"][0]["scores"]
    assert (right["model"], right["accuracy"], right["own"]["accuracy"]) == ("right", 4 / 6, 1.0)
    assert (wrong["accuracy"], wrong["own"]["accuracy"]) == (1.0, 0.0)
    table = {"both": 4, "headline_only": 2, "other_only": 0, "neither": 0, "not_judged": 0, "kappa": 0.0}
    assert right["agreement"] == table
    assert found["disagreements"]["count"] == 8
    first = found["disagreements"]["shown"][0]
    assert (first["model"], first["id"], first["gold"]) == ("right", "q0", "38")
    assert [v["correct"] for v in first["verdicts"]] == [True, False]


def test_the_same_command_again_grades_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = grade(capsys, "--grader", "first")
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*.json*")}
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "Disagreements: 8 texts" in said.out
    assert {p: p.stat().st_mtime_ns for p in run.rglob("*.json*")} == before
    damaged = run / found["folders"][0] / "block-00001.jsonl"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:10])
    assert grade(capsys, "--grader", "first") == found
    assert damaged.read_bytes() == whole


def test_a_recipe_that_asks_for_the_grader_finds_its_verdicts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = grade(capsys, "--grader", "first")["folders"]
    graders = ["--grader", "sympy", "--grader", "first", "--plugin", "mine.py"]
    assert call(["run", "--recipe", "mine.yaml", "--out", "out", "--json", *graders]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["stages_done"] == 0
    results = json.loads((run / "results.json").read_text())
    assert sorted(f for stage in results["stages"] for f in stage["other_grades"]) == folders


def test_clean_keeps_added_verdicts_unless_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = grade(capsys, "--grader", "first")["folders"]
    assert call(["clean", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"dry_run": False, "folders": [], "bytes": 0, "kept": folders}
    assert call(["clean", "out"]) == 0
    assert folders[0] in capsys.readouterr().out
    assert call(["clean", "out", "--graders", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folders"] == folders
    assert not any((run / folder).exists() for folder in folders)


def test_clean_removes_verdicts_on_texts_that_go(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grade(capsys, "--grader", "first")
    assert call(["run", "--recipe", "mine.yaml", "--models", "right", "--out", "out", "--quiet"]) == 0
    capsys.readouterr()
    assert call(["clean", "out", "--json"]) == 0
    cleaned = json.loads(capsys.readouterr().out)
    assert [name for name in cleaned["folders"] if "first-wrong" in name]
    assert [name.rpartition("-")[0] for name in cleaned["kept"]] == ["grades/first-right-test"]


def test_a_grader_that_judges_nothing_is_exit_1(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = grade(capsys, "--grader", "never", code=1)
    assert found["nothing_judged"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--grader", "sympy"], "is the one that graded out"),
        ([], "is the one that graded out"),
        (["--grader", "first", "--text", "x"], "--text is for a file of samples"),
        (["--grader", "first", "--out", "v.jsonl"], "--out is for a file of samples"),
    ],
)
def test_what_is_refused(arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(run)
    assert call(["grade", "out", "--plugin", "mine.py", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert content(run) == before


def test_other_limits_or_options_make_other_verdicts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = grade(capsys, "--grader", "sympy", "--seconds", "3")
    assert found["graders"][0]["limits"]["seconds"] == 3
    assert found["disagreements"] == {"count": 0, "shown": []}
    assert len(found["folders"]) == 2


def test_a_changed_run_takes_no_more_verdicts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = next((run / "completions").glob("right*/block-00000.jsonl"))
    block.write_text(block.read_text().replace("38", "39"))
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first"]) == 2
    assert "is not as its stage left it" in capsys.readouterr().err


def test_a_run_without_finished_texts_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in run.glob("completions/*/stage.json"):
        record.unlink()
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first"]) == 2
    assert "out holds no finished texts, so there is nothing to grade" in capsys.readouterr().err


@pytest.mark.slow
def test_texts_that_pairs_were_made_from_are_compared_too(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(smoke_run, tmp_path / "out")
    (tmp_path / "mine.py").write_text(PLUGIN)
    found = grade(capsys, "--grader", "first")
    (texts,) = found["unscored"]
    folder = next(name for name in found["folders"] if "sampled" in name)
    rows = [json.loads(line) for block in (tmp_path / "out" / folder).glob("block-*") for line in block.open()]
    assert (texts["n"], texts["added"]) == (len(rows), {"first": sum(row["correct"] is True for row in rows)})
    shown = [row for row in found["disagreements"]["shown"] if row["dataset"] == "texts for pairs"]
    assert all(row["model"] == texts["texts"] for row in shown)
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first"]) == 0
    assert "in no score" in capsys.readouterr().out
