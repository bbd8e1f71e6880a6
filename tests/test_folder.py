"""What is no run folder, or was damaged after the run: refused in a sentence, and made good by `run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from runs import data_hashes

from mra_bench.cli import call
from mra_bench.folder import changed_files, drop_changed
from mra_bench.store import finish_stage, write_rows

GRADER = """
from mra_bench import Grade, hookimpl
@hookimpl
def register_graders(register):
    register("same", lambda problem, text: Grade(text == problem.answer, text))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    recipe = {
        "name": "echo",
        "datasets": {"test": {"data": "arith", "split": "test", "limit": 6}},
        "models": {"base": {"model": "echo", "options": {"path": "answers.jsonl"}}},
        "evaluate": {"datasets": ["test"], "max_new_tokens": 64},
        "graders": ["same"],
        "block_size": 2,
    }
    rows = [{"problem": f"test-{i:05d}", "text": f"{i}"} for i in range(6)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(recipe))
    (tmp_path / "same.py").write_text(GRADER)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = call([*arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def run(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    return said(capsys, "run", "--recipe", "mine.yaml", "--plugin", "same.py", "--out", "out", *more)


def test_a_damaged_block_is_refused_by_report_and_made_again_by_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out"
    assert run(capsys)[0] == 0
    before = data_hashes(out)
    kept = {p: p.stat().st_mtime_ns for p in (out / "grades").rglob("block-00000.jsonl")}
    cut = next((out / "grades").rglob("block-00001.jsonl"))
    for damage in ("cut", "changed", "gone"):
        if damage == "gone":
            cut = next((out / "completions").rglob("block-00002.jsonl"))
            cut.unlink()
        else:
            text = cut.read_text()
            cut.write_text(text.splitlines(keepends=True)[0] if damage == "cut" else text.replace("false", "true"))
        code, text = said(capsys, "report", "out")
        assert code == 2
        name = cut.relative_to(out).as_posix()
        assert f"out/{name} is {'gone' if damage == 'gone' else 'not as its stage left it'}" in text
        assert "it makes that stage again" in text
        code, text = run(capsys)
        assert code == 0, text
        assert f"{name} is gone or is not as its stage left it; the stage is made again" in text
        assert data_hashes(out) == before
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    assert said(capsys, "report", "out")[0] == 0
    assert "Nothing to do" in run(capsys)[1]


def test_clean_with_nothing_to_do_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 0
    assert said(capsys, "clean", "out") == (0, "Nothing to remove: every stage folder of out is in use.\n")
    (folder / "out" / "grades" / "old-00000000").mkdir()
    code, text = said(capsys, "clean", "out")
    assert code == 0
    assert text.splitlines() == ["removed grades/old-00000000", "1 folder, 0 B"]


def test_a_recipe_that_is_gone_from_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 0
    text = (folder / "out" / "recipe.yaml").read_text()
    (folder / "out" / "recipe.yaml").unlink()
    code, told = said(capsys, "ask", "out", "base", "1 + 1?")
    assert code == 2
    assert "out/recipe.yaml is gone. Give the command of that run again" in told
    assert run(capsys)[0] == 0
    assert (folder / "out" / "recipe.yaml").read_text() == text


@pytest.mark.parametrize("what", ["file", "empty folder", "nothing", "damaged"])
@pytest.mark.parametrize("command", [["report"], ["clean"], ["ask", "base", "1 + 1?"], ["run"]])
def test_what_is_no_run_folder(folder: Path, capsys: pytest.CaptureFixture[str], what: str, command: list[str]) -> None:
    if what == "file":
        (folder / "given").write_text("name: x")
    elif what != "nothing":
        (folder / "given").mkdir()
        if what == "damaged":
            (folder / "given" / "run.json").write_text('{"plan": {')
    if command == ["run"]:
        code, text = run(capsys, "--reuse", "given")
        assert "--reuse given" in text
        assert not (folder / "out").exists()
    else:
        code, text = said(capsys, command[0], "given", *command[1:])
    assert code == 2
    assert len(text.splitlines()) == 1
    expected = {"file": "it is a file", "empty folder": "it has no run.json", "nothing": "it does not exist"}
    assert expected.get(what, "given/run.json is damaged") in text
    assert not list(folder.glob("given/.lock"))


def test_weights_are_only_looked_for_and_nothing_outside_is_touched(tmp_path: Path) -> None:
    stage = tmp_path / "models" / "sft-1"
    write_rows(stage / "training.jsonl", [{"step": 1}])
    (stage / "weights").mkdir()
    (stage / "weights" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "other.jsonl").write_text("mine")
    finish_stage(stage, {"kind": "train"})
    record = json.loads((stage / "stage.json").read_text())
    record["files"]["../../other.jsonl"] = "0"
    (stage / "stage.json").write_text(json.dumps(record))
    (stage / "weights" / "model.safetensors").write_bytes(b"other weights")
    assert list(changed_files(tmp_path, ["models/sft-1"])) == []
    (stage / "weights" / "model.safetensors").unlink()
    assert [path.name for path in drop_changed(tmp_path, "models/sft-1")] == ["model.safetensors"]
    assert not (stage / "stage.json").exists()
    assert (tmp_path / "other.jsonl").read_text() == "mine"
