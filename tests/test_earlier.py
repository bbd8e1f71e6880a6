"""Another run in the same folder: said before any work, its report kept, its stages shared; resuming stays silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import here

from mra_bench.earlier import other_run, set_aside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"problem": f"test-{i:05d}", "text": f"The answer is {i}."} for i in range(6)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def run(folder: Path, *more: str) -> tuple[str, str]:
    arguments = ["run", "--model", "m=echo@answers.jsonl", "--data", "arith", *more]
    done = here(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_changed_run_keeps_the_report_it_replaces(folder: Path) -> None:
    out = folder / "reports" / "m-on-arith"
    _, said = run(folder, "--limit", "6")
    assert "another run" not in said
    first = {name: (out / name).read_bytes() for name in ("report.html", "results.json", "recipe.yaml", "run.json")}
    name = json.loads(first["run.json"])["plan"]["fingerprint"][:8]

    (stage,) = (out / "completions").iterdir()
    (stage / "work").mkdir()  # as a kill between the end of a stage and the removal of its work folder leaves it

    again, said = run(folder, "--limit", "6")  # the same plan: silent and in place
    assert not (stage / "work").exists()
    assert "Nothing to do" in again
    assert said == ""
    assert not (out / "earlier").exists()

    _, said = run(folder, "--limit", "3", "--dry-run")
    assert f"fingerprint {name}" in said
    assert "--out FOLDER" in said
    assert not (out / "earlier").exists()

    _, said = run(folder, "--limit", "3")
    lines = said.splitlines()
    assert f"holds another run: 'm-on-arith', fingerprint {name}" in lines[0]
    assert str(Path("reports/m-on-arith/earlier") / name) in lines[0]
    assert lines[1] == "problems arith: 3 problems"
    assert {path.name: path.read_bytes() for path in (out / "earlier" / name).iterdir()} == first
    assert json.loads((out / "results.json").read_text())["datasets"][0]["n"] == 3

    refused = here("report", str(out / "earlier" / name), cwd=folder)  # its stages are not there
    assert refused.returncode == 2
    assert f"kept from an earlier run; its stages are in {out}" in refused.stderr
    assert {path.name: path.read_bytes() for path in (out / "earlier" / name).iterdir()} == first

    _, said = run(folder, "--limit", "6")  # back again: nothing is done twice, and the second report is kept as well
    assert "problems arith:" not in said
    assert len(list((out / "earlier").iterdir())) == 2
    assert (out / "results.json").read_bytes() == first["results.json"]
    assert here("clean", str(out), cwd=folder).returncode == 0
    assert (out / "earlier" / name / "report.html").is_file()


def test_setting_aside_can_be_done_again_after_a_kill(tmp_path: Path) -> None:
    record = {"plan": {"name": "old", "fingerprint": "ab" * 32}, "started": "2020-01-01"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    (tmp_path / "report.html").write_text("the report")
    (tmp_path / "recipe.yaml").write_text("old recipe")
    other = other_run(tmp_path, "cd" * 32)
    assert other is not None
    assert "report and results are kept" in other.sentence()
    set_aside(other)
    (tmp_path / "report.html").unlink()  # killed before run.json was replaced
    (tmp_path / "recipe.yaml").write_text("new recipe")
    other = other_run(tmp_path, "cd" * 32)
    assert other is not None
    assert "report and results are kept" in other.sentence()
    set_aside(other)
    kept = tmp_path / "earlier" / "abababab"
    assert (kept / "report.html").read_text() == "the report"
    assert (kept / "recipe.yaml").read_text() == "old recipe"
    assert other_run(tmp_path, "ab" * 32) is None


def test_a_run_without_a_report_says_so_and_a_later_record_of_it_is_copied(tmp_path: Path) -> None:
    for started in ("2020-01-01", "2020-01-02"):
        record = {"plan": {"name": "old", "fingerprint": "ab" * 32}, "started": started}
        (tmp_path / "run.json").write_text(json.dumps(record))
        other = other_run(tmp_path, "cd" * 32)
        assert other is not None
        assert "no report yet" in other.sentence()
        set_aside(other)
        assert json.loads((tmp_path / "earlier" / "abababab" / "run.json").read_text())["started"] == started


@pytest.mark.parametrize("fingerprint", ["../../..", "ab", "AB" * 32, "ab" * 32 + "\n", ""])
def test_a_foreign_fingerprint_never_becomes_a_path(tmp_path: Path, fingerprint: str) -> None:
    record = {"plan": {"name": "old", "fingerprint": fingerprint}, "started": "2020-01-01"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert other_run(tmp_path, "cd" * 32) is None


def test_a_foreign_name_does_not_steer_the_terminal(tmp_path: Path) -> None:
    record = {"plan": {"name": "\x1b[2Jold", "fingerprint": "ab" * 32}, "started": "\x07now"}
    (tmp_path / "run.json").write_text(json.dumps(record))
    other = other_run(tmp_path, "cd" * 32)
    assert other is not None
    assert "'\\x1b[2Jold'" in other.sentence()
    assert "started \\x07now" in other.sentence()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"plan": 3}', '{"plan": {"name": "x"}}'])
def test_a_record_nobody_can_read_is_no_other_run(tmp_path: Path, content: str) -> None:
    assert other_run(tmp_path, "ab") is None
    (tmp_path / "run.json").write_text(content)
    assert other_run(tmp_path, "ab") is None
