"""mra-bench audit: a run whose figures follow from its texts passes; whatever was changed is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_regrade import content, echo_run, run

from mra_bench.cli import call
from mra_bench.plugins import load_plugins
from mra_bench.run import finish_run
from mra_bench.store import finish_stage, stage_record, write_rows

__all__ = ["echo_run", "run"]


def audit(capsys: pytest.CaptureFixture[str], *more: str, code: int = 1) -> dict[str, Any]:
    assert call(["audit", "out", "--json", "--quiet", *more]) == code
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    assert found["ok"] is (code == 0)
    return found


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def stage(run: Path, start: str) -> Path:
    return next(p for p in run.glob(f"{start}*") if p.is_dir())


def change(path: Path, place: int, **values: Any) -> None:
    rows = rows_of(path)
    rows[place].update(values)
    write_rows(path, rows)


def seal(folder: Path, **facts: Any) -> None:
    """Hash the files of a changed stage anew, as someone would who wants to hide the change."""
    record = dict(stage_record(folder) or {})
    record["facts"] = {**record["facts"], **facts}
    finish_stage(folder, {key: value for key, value in record.items() if key not in ("files", "version")})


def where(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["file"].rpartition("/")[2], finding["at"]) for finding in found["findings"]]


def test_a_run_as_it_was_left_passes_and_stays_as_it_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(run)
    assert call(["audit", "out", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("out: everything follows from the stored texts (12 verdicts, ")
    assert said.count("\n") == 1
    checked = audit(capsys, code=0)["checked"]
    assert checked["files"] == 2 * 2 * 2 + 1
    assert checked["figures"] > 50
    assert content(run) == before


def test_one_flipped_flag_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = stage(run, "grades/sympy-wrong") / "block-00001.jsonl"
    change(block, 1, correct=True)
    assert call(["audit", "out"]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert "block-00001.jsonl: stored the sha256 in" in lines[0]
    assert "block-00001.jsonl: q5 sample 0: stored correct True; derived correct False" in lines[1]
    assert "grade sympy-wrong-test again: 6 texts" in said.err


def test_one_flipped_flag_is_named_when_everything_else_was_made_to_agree(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stage(run, "grades/sympy-wrong")
    change(folder / "block-00001.jsonl", 1, correct=True, kind="correct")
    seal(folder, kinds={"wrong": 5, "correct": 1})
    finish_run(run, load_plugins(), print)
    found = audit(capsys)
    assert where(found)[0] == ("block-00001.jsonl", "q5 sample 0")
    assert ("stage.json", "kinds.wrong") in where(found)
    assert ("results.json", "datasets.test.scores.wrong.correct") in where(found)
    assert any(at.startswith("verdict") for _, at in where(found))
    assert all(finding["maybe"] == "" for finding in found["findings"])


def forge_results(run: Path) -> None:
    data = json.loads((run / "results.json").read_text())
    data["datasets"][0]["scores"][1]["accuracy"] = 0.5
    data["verdict"][0] = "wrong beats right."
    (run / "results.json").write_text(json.dumps(data))


def forge_report(run: Path) -> None:
    page = run / "report.html"
    page.write_text(page.read_text().replace("right", "left", 1))


def forge_gold(run: Path) -> None:
    problems = stage(run, "problems/")
    change(problems / "problems.jsonl", 0, answer="4")
    seal(problems)


def forge_label(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    one, other = record["plan"]["evaluations"]
    one["completions"], other["completions"] = other["completions"], one["completions"]
    one["grades"], other["grades"] = other["grades"], one["grades"]
    (run / "run.json").write_text(json.dumps(record))


def forge_grader(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    record["plan"]["graders"][0]["options"]["rounding_digits"] = 1
    (run / "run.json").write_text(json.dumps(record))


def forge_spec(run: Path) -> None:
    folder = stage(run, "grades/sympy-right")
    record = json.loads((folder / "stage.json").read_text())
    record["spec"]["options"]["rounding_digits"] = 1
    (folder / "stage.json").write_text(json.dumps(record))


def drop_verdict(run: Path) -> None:
    folder = stage(run, "grades/sympy-right")
    write_rows(folder / "block-00000.jsonl", rows_of(folder / "block-00000.jsonl")[:3])
    seal(folder)


def drop_text(run: Path) -> None:
    folder = stage(run, "completions/right")
    write_rows(folder / "block-00000.jsonl", rows_of(folder / "block-00000.jsonl")[:3])
    seal(folder)


def add_rows(run: Path) -> None:
    folder = stage(run, "completions/right")
    shutil.copy(folder / "block-00001.jsonl", folder / "block-00002.jsonl")


def break_json(run: Path) -> None:
    block = stage(run, "grades/sympy-right") / "block-00000.jsonl"
    block.write_text("{\n" + block.read_text())


def change_text(run: Path) -> None:
    folder = stage(run, "completions/wrong")
    change(folder / "block-00000.jsonl", 2, text="40")
    seal(folder)


def forge_seed(run: Path) -> None:
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("seed: 0", "seed: 1"))


def forge_block_size(run: Path) -> None:
    recipe = run / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("block_size: 4", "block_size: 5"))


def lose_stage(run: Path) -> None:
    shutil.rmtree(stage(run, "grades/sympy-right"))


@pytest.mark.parametrize(
    ("forge", "file", "at"),
    [
        (forge_results, "results.json", "datasets.test.scores.wrong.accuracy"),
        (forge_results, "results.json", "verdict.0"),
        (forge_report, "report.html", ""),
        (forge_gold, "problems.jsonl", ""),
        (forge_label, "run.json", "right on test"),
        (forge_grader, "run.json", "right on test"),
        (forge_spec, "stage.json", ""),
        (drop_verdict, "block-00000.jsonl", ""),
        (drop_text, "stage.json", "texts"),
        (add_rows, "block-00002.jsonl", ""),
        (break_json, "block-00000.jsonl", "line 1"),
        (change_text, "block-00000.jsonl", "q2 sample 0"),
        (forge_seed, "recipe.yaml", "seed"),
        (forge_block_size, "recipe.yaml", ""),
    ],
)
def test_what_was_changed_is_named(
    forge: Callable[[Path], None], file: str, at: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(run)
    assert (file, at) in where(audit(capsys))


def unfinish(run: Path) -> None:
    """The folder as an interrupt before the last stages leaves it."""
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "finished": None}))
    for name in ("results.json", "report.html"):
        (run / name).unlink()


def lose_record(run: Path) -> None:
    (stage(run, "grades/sympy-right") / "stage.json").unlink()


def break_record(run: Path) -> None:
    (stage(run, "grades/sympy-right") / "stage.json").write_text("{")


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lose_stage, "the stage grades/sympy-right-test-{} is gone"),
        (lose_record, "grades/sympy-right-test-{}/stage.json is gone"),
        (break_record, "grades/sympy-right-test-{}/stage.json is damaged"),
    ],
)
def test_a_stage_of_a_finished_run_that_is_gone_is_named(
    forge: Callable[[Path], None], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = stage(run, "grades/sympy-right").name.rpartition("-")[2]
    forge(run)
    assert call(["audit", "out"]) == 2
    assert f"out was finished, but {words.format(short)}." in capsys.readouterr().err


def test_an_interrupted_run_is_said_first_and_passes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unfinish(run)
    name = stage(run, "grades/sympy-right").name
    lose_stage(run)
    assert call(["audit", "out", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith(f"Note: out is not finished (not there: grades/{name}); only what is")
    assert call(["report", "out"]) == 0
    capsys.readouterr()
    assert json.loads((run / "results.json").read_text())["partial"] is True
    assert "out is not finished" in audit(capsys, code=0)["notes"][0]


def test_added_verdicts_without_a_record_are_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first", "--quiet"]) == 0
    capsys.readouterr()
    folder = stage(run, "grades/first-right")
    (folder / "stage.json").unlink()
    found = audit(capsys, "--plugin", "mine.py", code=0)
    assert found["notes"][0].startswith(f"grades/{folder.name} is not checked: it has no readable stage.json")


def test_a_run_recorded_without_a_hash_of_its_recipe_passes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((run / "run.json").read_text())
    del record["recipe_sha256"]
    (run / "run.json").write_text(json.dumps(record))
    assert call(["report", "out"]) == 0  # the report shows run.json
    capsys.readouterr()
    audit(capsys, code=0)


def test_damage_reads_as_damage(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "results.json").write_text("{")
    assert call(["audit", "out", "--quiet"]) == 1
    assert "results.json: damaged, no JSON (" in capsys.readouterr().out


def test_another_version_of_the_grader_is_said_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A grader that has changed since: its new verdicts differ, its new words do not count."""
    plugin = run.parent / "mine.py"
    before = plugin.read_text()
    assert call(["run", "--recipe", "mine.yaml", "--grader", "first", "--plugin", "mine.py", "--out", "out"]) == 0
    capsys.readouterr()
    plugin.write_text(before.replace("the first character", "the character in front"))
    assert audit(capsys, "--plugin", "mine.py", code=0)["notes"][0].startswith("mine:first was 0+src.")
    plugin.write_text(before.replace('"4"', '"3"'))
    assert call(["audit", "out", "--plugin", "mine.py"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("Note: mine:first was 0+src.")
    assert said.out.startswith("Note: mine:first was 0+src.")
    named = [line for line in said.out.splitlines() if "q0 sample 0: stored correct" in line]
    assert len(named) == 2
    assert all("(may come from the grader's version)" in line for line in named)


def test_a_grader_that_is_not_there(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first", "--quiet"]) == 0
    capsys.readouterr()
    assert audit(capsys, "--plugin", "mine.py", code=0)["checked"]["verdicts"] == 24
    found = audit(capsys, code=0)
    assert found["checked"]["verdicts"] == 12
    assert "grades/first-right-test-" in found["notes"][0]
    assert "is not installed" in found["notes"][0]
    assert call(["run", "--recipe", "mine.yaml", "--grader", "first", "--plugin", "mine.py", "--out", "out"]) == 0
    capsys.readouterr()
    assert call(["audit", "out"]) == 2
    assert "The run was graded by mine:first" in capsys.readouterr().err


def test_added_verdicts_are_audited_too(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["grade", "out", "--plugin", "mine.py", "--grader", "first", "--quiet"]) == 0
    capsys.readouterr()
    folder = stage(run, "grades/first-right")
    change(folder / "block-00000.jsonl", 0, correct=True, kind="correct")
    seal(folder)
    found = audit(capsys, "--plugin", "mine.py")
    assert where(found)[0] == ("block-00000.jsonl", "q0 sample 0")
    assert not [finding for finding in found["findings"] if finding["file"] == "results.json"]


@pytest.mark.slow
def test_a_real_run_passes_and_a_flip_reaches_its_pairs(smoke_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(smoke_run, out)
    done = here("audit", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything follows" in done.stdout
    assert " pairs, " in done.stdout
    folder = stage(out, "grades/sympy-sft-train")
    pairs = rows_of(stage(out, "pairs/dpo") / "pairs.jsonl")
    pair = next(pair for pair in pairs if pair["rejected_source"].startswith("sample:"))
    sample = int(pair["rejected_source"].removeprefix("sample:"))
    for block in sorted(folder.glob("block-*.jsonl")):
        for place, row in enumerate(rows_of(block)):
            if (row["problem"], row["sample"]) == (pair["problem_id"], sample):
                change(block, place, correct=True, kind="correct")
    write_rows(stage(out, "pairs/dpo") / "pairs.jsonl", [p for p in pairs if p != pair])
    seal(folder)
    seal(stage(out, "pairs/dpo"))
    done = here("audit", out, "--json", "--quiet")
    assert done.returncode == 1, done.stderr
    named = [(f["file"].partition("/")[0], f["at"]) for f in json.loads(done.stdout)["findings"]]
    assert ("grades", f"{pair['problem_id']} sample {sample}") in named
    assert ("pairs", pair["problem_id"]) in named
