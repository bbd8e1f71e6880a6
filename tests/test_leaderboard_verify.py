"""leaderboard verify, submit and reproduce: what a stranger hands in is graded again, and refused where anything does
not follow."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_audit import change, rows_of, seal, stage
from test_schemas import check

from mra_bench.cli import call
from mra_bench.errors import UsageError
from mra_bench.leaderboard.marks import MARKS
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.rows import ROWS
from mra_bench.leaderboard.safety import ARCHIVE, other_files, unsafe
from mra_bench.store import write_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of an embedded model on the first ten problems of a split."""
    folder = tmp_path_factory.mktemp("made")
    done = here(
        "run", "--model", "tiny=tiny-qwen2", "--data", "arith", "--limit", 10, "--out", folder / "run", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of that run, in the working folder."""
    shutil.copytree(made / "run", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    return tmp_path / "run"


def verified(capsys: pytest.CaptureFixture[str], *folders: Any, code: int = 0) -> list[dict[str, Any]]:
    assert call(["leaderboard", "verify", *map(str, folders), "--json"]) == code
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["folders"]
    return found


def refused(capsys: pytest.CaptureFixture[str], *folders: Any) -> str:
    """The reason why the last of the folders is refused."""
    found = verified(capsys, *folders, code=1)[-1]
    if found["refused"]:
        return str(found["refused"])
    (reason,) = (row["reason"] for row in found["rows"] if row["mark"] == "refused")
    return str(reason)


def edit(path: Path, values: Callable[[Any], None]) -> None:
    data = json.loads(path.read_text())
    values(data)
    path.write_text(json.dumps(data))


def marks_on_the_board(capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert call(["leaderboard", ".", "--json"]) == 0
    return [row["mark"] for board in json.loads(capsys.readouterr().out)["boards"] for row in board["rows"]]


def test_a_run_is_verified_and_a_later_change_voids_that(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert marks_on_the_board(capsys) == ["not checked"]
    (found,) = verified(capsys, "run")
    (row,) = found["rows"]
    assert (row["mark"], found["report"], found["folder"]) == ("verified", True, "run")
    assert row["reason"].startswith("10 texts graded again, on the 10 problems of arith, test, first 10")
    assert "a board of its own" in row["reason"]
    check("verified", json.loads(Path(MARKS).read_text()))
    assert not (run / MARKS).exists()
    assert marks_on_the_board(capsys) == ["verified"]
    assert "✓</span> verified" in Path("leaderboard.html").read_text()
    timings = run / "timings.jsonl"
    timings.write_text(timings.read_text() + "\n")
    assert marks_on_the_board(capsys) == ["changed"]
    assert "<a href" not in Path("leaderboard.html").read_text().partition("<main")[2]
    assert call(["leaderboard", "verify", "run", "--out", ".", "--quiet"]) == 0
    assert capsys.readouterr().out.endswith("on the leaderboard there: mra-bench leaderboard run --out .\n")


def flip(run: Path) -> None:
    """One changed flag, and nothing else."""
    block = stage(run, "grades/") / "block-00000.jsonl"
    change(block, 3, correct=not rows_of(block)[3]["correct"])


def flip_and_hide(run: Path) -> None:
    """One changed flag, everything computed from it anew."""
    block = stage(run, "grades/") / "block-00000.jsonl"
    correct = not rows_of(block)[3]["correct"]
    change(block, 3, correct=correct, kind="correct" if correct else "wrong")
    kinds = [row["kind"] for row in rows_of(block)]
    seal(stage(run, "grades/"), kinds={kind: kinds.count(kind) for kind in kinds})
    assert call(["report", str(run)]) == 0


def shorten(run: Path) -> None:
    """Fewer problems than the recipe says, with every hash and figure made to agree: a run on a file of fewer
    problems that goes by the dataset's name."""
    problems = rows_of(stage(run, "problems/") / "problems.jsonl")[:7]
    write_rows(Path("seven.jsonl"), problems)
    shutil.rmtree(run)
    recipe = "datasets: {arith: {data: arith, split: test, path: seven.jsonl}}\n"
    Path("short.yaml").write_text(
        f"name: short\n{recipe}models: {{tiny: {{model: tiny-qwen2}}}}\nevaluate: {{datasets: [arith]}}\n"
        "graders: [sympy]\n"
    )
    assert call(["run", "--recipe", "short.yaml", "--out", str(run), "--quiet"]) == 0


def change_text(run: Path) -> None:
    """One changed text with its hash recomputed."""
    folder = stage(run, "completions/")
    change(folder / "block-00000.jsonl", 2, text="The answer is \\boxed{123456}.")
    seal(folder)


def change_text_unseen(run: Path) -> None:
    """A changed text that gets the same verdict, with its hash recomputed."""
    folder = stage(run, "completions/")
    change(folder / "block-00000.jsonl", 2, text=rows_of(folder / "block-00000.jsonl")[2]["text"] + " ")
    seal(folder)


def forge_rows(run: Path) -> None:
    def more(data: Any) -> None:
        data["rows"][0]["parameters"] = 7_000_000_000

    edit(run / ROWS, more)


def forge_weights(run: Path) -> None:
    def other(record: Any) -> None:
        record["models"]["tiny"]["weights"]["sha256"]["model.safetensors"] = "0" * 64

    edit(run / "run.json", other)


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (flip, "test-00003 sample 0: stored correct"),
        (flip_and_hide, "test-00003 sample 0: stored correct"),
        (shorten, "its 7 problems are not the 1,000 of arith, test: 993 missing"),
        (change_text, "test-00002 sample 0: stored"),
        (change_text_unseen, "leaderboard_rows.json: rows.tiny.texts: stored"),
        (forge_rows, "rows.tiny.parameters: stored 7000000000"),
        (forge_weights, "run.json: tiny on arith: stored texts by the weights of tiny"),
    ],
)
def test_what_does_not_follow_is_refused(
    forge: Callable[[Path], None], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(run)
    capsys.readouterr()
    assert words in refused(capsys, "run")
    assert marks_on_the_board(capsys) == ["refused"]
    page = Path("leaderboard.html").read_text()
    assert 'data-label="Rank"><span>–</span>' in page
    assert "<a href" not in page.partition("<main")[2]


@pytest.mark.parametrize("file", ["run.json", "results.json", ROWS, "recipe.yaml"])
def test_a_model_renamed_in_one_file_is_refused(file: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run / file
    before = path.read_text()
    path.write_text(before.replace('"tiny"', '"huge"').replace("  tiny:\n", "  huge:\n"))
    assert path.read_text() != before
    assert refused(capsys, "run")
    assert marks_on_the_board(capsys) in (["refused"], [])  # no row at all where results and run disagree


def test_a_model_renamed_in_a_part_of_run_json_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rename(record: Any) -> None:
        record["models"]["huge"] = record["models"].pop("tiny")

    edit(run / "run.json", rename)
    assert "run.json: models: stored huge; derived tiny in its plan" in refused(capsys, "run")


def test_the_same_texts_under_two_names(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ["run", "--model", "new=tiny-qwen2", "--data", "arith", "--limit", "10", "--out", "copy", "--quiet"]
    assert call(again) == 0
    capsys.readouterr()
    found = verified(capsys, "run", "copy", code=1)
    assert [row["mark"] for one in found for row in one["rows"]] == ["refused", "refused"]
    assert "the same texts stand under another name: tiny" in refused(capsys, "copy")
    shutil.move("copy", "elsewhere")
    verified(capsys, "run")  # the other is gone, so this stands
    shutil.move("elsewhere", "copy")
    found = verified(capsys, "run", "copy", code=1)
    assert [row["mark"] for one in found for row in one["rows"]] == ["verified", "refused"]
    assert refused(capsys, "copy") == "the same texts stand under another name: tiny"
    assert sorted(marks_on_the_board(capsys)) == ["refused", "verified"]


def test_what_cannot_be_checked_here_is_unverifiable(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No weights, problems from a file of one's own; and a grader that is not installed."""
    write_rows(Path("mine.jsonl"), [{"id": "q0", "question": "1 + 1?", "answer": "2"}])
    write_rows(Path("texts.jsonl"), [{"problem": "q0", "text": "2"}])
    Path("mine.py").write_text(
        "from mra_bench import Grade, hookimpl\n\n@hookimpl\ndef register_graders(register):\n"
        '    register("any", lambda problem, text: Grade(True, text))\n'
    )
    mine = ["run", "--model", "e=echo@texts.jsonl", "--data", "mine=mine.jsonl", "--quiet"]
    assert call([*mine, "--out", "file"]) == 0
    assert call([*mine, "--plugin", "mine.py", "--grader", "any", "--out", "graded"]) == 0
    capsys.readouterr()
    (file,), (graded,) = (found["rows"] for found in verified(capsys, "file", "graded"))
    assert file["mark"] == graded["mark"] == "unverifiable"
    assert "its problems are from mine, which is no dataset that is installed here" in file["reason"]
    assert "mine:any" in graded["reason"]
    (row,) = verified(capsys, "graded", "--plugin", "mine.py")[0]["rows"]
    assert "no dataset that is installed" in row["reason"]


def test_a_known_dataset_need_not_be_there_to_see_that_it_was_shortened(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(Path("mine.jsonl"), [{"question": "1 + 1?", "answer": "It is <<1+1=2>>2.\n#### 2"}])
    write_rows(Path("texts.jsonl"), [{"question": "1 + 1?", "text": "2"}])
    assert call(["run", "--model", "e=echo@texts.jsonl", "--data", "gsm8k=mine.jsonl", "--out", "few", "--quiet"]) == 0
    capsys.readouterr()
    assert refused(capsys, "few").startswith("its 1 problems are not the 1,319 of gsm8k, test")


def outside(run: Path) -> None:
    def lead_out(record: Any) -> None:
        record["plan"]["evaluations"][0]["completions"] = "../../etc"

    edit(run / "run.json", lead_out)


def absolute(run: Path) -> None:
    def lead_out(record: Any) -> None:
        record["plan"]["folders"].append("/etc")

    edit(run / "run.json", lead_out)


def hostile_name(run: Path) -> None:
    def rename(record: Any) -> None:
        record["plan"]["models"][0]["name"] = "<script>\x1b[2J"

    edit(run / "run.json", rename)


def circle(run: Path) -> None:
    def turn(record: Any) -> None:
        record["plan"]["models"][0]["from"] = "tiny"

    edit(run / "run.json", turn)


def link(run: Path) -> None:
    block = stage(run, "completions/") / "block-00000.jsonl"
    block.rename(run.parent / "elsewhere")
    block.symlink_to(run.parent / "elsewhere")


def pipe(run: Path) -> None:
    (run / "results.json").unlink()
    os.mkfifo(run / "results.json")


def laugh(run: Path) -> None:
    """Aliases of aliases: a few hundred bytes that would unfold to billions of values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (run / "recipe.yaml").write_text("\n".join(lines))


def too_large(run: Path) -> None:
    with (run / "run.json").open("r+b") as file:
        file.truncate(65 << 20)


def junk(run: Path) -> None:
    (stage(run, "completions/") / "cache.bin").write_bytes(bytes(10_000_000))


def not_finished(run: Path) -> None:
    def begin(record: Any) -> None:
        record["finished"] = None

    edit(run / "run.json", begin)


def greedy_for_time(run: Path) -> None:
    folder = stage(run, "grades/")
    record = json.loads((folder / "stage.json").read_text())
    record["spec"]["limits"]["seconds"] = 1e9
    (folder / "stage.json").write_text(json.dumps(record))


def test_a_refused_copy_displaces_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, "a-copy")
    flip(Path("a-copy"))
    assert call(["leaderboard", "."]) == 0  # one run in name, and a verdict apart: nobody knows yet which follows
    said = capsys.readouterr().out
    assert "No row" not in said
    assert "Note: a-copy: this folder claims to be the same run as run and differs" in said
    assert "claims to be the same run as a-copy" in Path("leaderboard.html").read_text()
    assert marks_on_the_board(capsys) == ["not checked"] * 2
    verified(capsys, "run", "a-copy", code=1)
    assert marks_on_the_board(capsys) == ["verified", "refused"]
    shutil.rmtree("a-copy")
    shutil.copytree(run, "b-copy")
    assert marks_on_the_board(capsys) == ["verified"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (outside, "run.json names the folder '../../etc', which is no stage of a run"),
        (absolute, "run.json names the folder '/etc'"),
        (hostile_name, "run.json has the name '<script>"),
        (circle, "come from one another in a circle"),
        (link, "block-00000.jsonl is a symbolic link"),
        (pipe, "results.json is a pipe"),
        (laugh, "recipe.yaml holds more than 100,000 values"),
        (too_large, "run.json has 65.0 MiB; 64.0 MiB are the most"),
        (junk, "it holds 9.5 MiB of files that are no part of a run, such as completions/tiny-arith"),
        (not_finished, "the run is not finished"),
        (greedy_for_time, "1e+09 s and 2048 MB for a text"),
    ],
)
def test_what_is_not_even_opened(
    forge: Callable[[Path], None], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(run)
    assert words in refused(capsys, "run")
    assert call(["leaderboard", "verify", "run"]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_submit_packs_what_can_be_verified_and_shown(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "notes.txt").write_text("mine")
    assert call(["leaderboard", "submit", "run", "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("✓ verified run-")
    assert "stages.tar.xz  " in said
    (folder,) = Path("submissions").iterdir()
    assert f"mra-bench leaderboard verify {folder}" in said
    names = {"README.md", ROWS, "recipe.yaml", "report.html", "results.json", "run.json", ARCHIVE, "timings.jsonl"}
    assert {path.name for path in folder.iterdir()} == names
    plain = sum(
        path.stat().st_size for kind in ("completions", "grades", "problems") for path in run.rglob(f"{kind}/*/*")
    )
    assert (folder / ARCHIVE).stat().st_size < plain / 3
    (row,) = verified(capsys, folder)[0]["rows"]
    assert row["mark"] == "verified"
    assert call(["leaderboard", "submissions", "--json"]) == 0
    (board,) = json.loads(capsys.readouterr().out)["boards"]
    assert [line["model"] for line in board["rows"]] == ["tiny"]
    assert marks_on_the_board(capsys) == ["not checked"]  # the run and the packed one are the same
    assert call(["leaderboard", "submit", str(folder), "--quiet"]) == 2
    assert "is packed already" in capsys.readouterr().err
    before = (folder / ARCHIVE).read_bytes()
    assert call(["leaderboard", "submit", "run", "--quiet"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert call(["leaderboard", "submit", "run", "--out", "other", "--no-report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["mark"] == "verified"
    assert Path("other", ARCHIVE).read_bytes() == before
    with tarfile.open(folder / ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    assert "stages beside it" in refused(capsys, folder)
    (folder / ARCHIVE).unlink()
    assert call(["audit", str(folder), "--quiet"]) == 0


@pytest.mark.parametrize("forge", [not_finished, flip])
def test_submit_refuses(forge: Callable[[Path], None], run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forge(run)
    assert call(["leaderboard", "submit", "run", "--quiet"]) in (1, 2)
    assert "run cannot be submitted: " in capsys.readouterr().err
    assert not Path("submissions").exists()


@pytest.mark.parametrize("name", ["../../x", "/x", "models/x", "completions/a/../../../x", "notes/a/x"])
def test_an_archive_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / ARCHIVE, "w:xz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    (tmp_path / "to").mkdir()
    with pytest.raises(UsageError, match="which is no file of a stage"):
        unpacked(tmp_path / "packed", tmp_path / "to")
    assert not list((tmp_path / "to").rglob("*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_an_archive_holds_plain_files(kind: bytes, tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / ARCHIVE, "w:xz") as archive:
        entry = tarfile.TarInfo("completions/a/block-00000.jsonl")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    (tmp_path / "to").mkdir()
    with pytest.raises(UsageError, match="which is no file of a stage"):
        unpacked(tmp_path / "packed", tmp_path / "to")


def test_a_damaged_archive_and_one_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packed").mkdir()
    archive = tmp_path / "packed" / ARCHIVE
    with tarfile.open(archive, "w:xz") as opened:
        entry = tarfile.TarInfo("completions/a/block-00000.jsonl")
        entry.size = 5_000_000
        opened.addfile(entry, io.BytesIO(bytes(5_000_000)))
    whole = archive.read_bytes()
    (tmp_path / "to").mkdir()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match="cannot be unpacked"):
        unpacked(tmp_path / "packed", tmp_path / "to")
    archive.write_bytes(whole)
    monkeypatch.setattr("mra_bench.leaderboard.packing.LARGEST", 4_000_000)
    (tmp_path / "again").mkdir()
    with pytest.raises(UsageError, match="unpacks to more than"):
        unpacked(tmp_path / "packed", tmp_path / "again")


def test_a_little_that_is_no_part_of_a_run_is_let_through(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    assert (unsafe(run), other_files(run)) == ("", "")
    (run / "notes.txt").write_text("x" * 2_000_000)
    assert "notes.txt" in other_files(run)


def test_a_row_is_reproduced(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["leaderboard", "reproduce", "run:tiny:arith", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["texts"], found["same_texts"], found["same_verdicts"], found["holds"]) == (10, 10, 10, True)
    assert found["blocks"].startswith("1 whole block of 1")
    assert found["same_prompts"] is True
    folder = stage(run, "completions/")
    change(folder / "block-00000.jsonl", 0, text="something else")
    seal(folder)
    assert call(["leaderboard", "reproduce", "run:tiny:arith", "--quiet"]) == 0
    assert "Same texts: 9. Same verdicts: 10." in capsys.readouterr().out
    for block in stage(run, "grades/").glob("block-*"):
        write_rows(block, [{**row, "correct": True} for row in rows_of(block)])
    assert call(["leaderboard", "reproduce", "run:tiny:arith", "--quiet"]) == 1
    assert "The row does not reproduce." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("run", "A row is given as FOLDER:MODEL:DATASET"),
        ("run:tyny:arith", "Unknown model 'tyny' in run. Did you mean 'tiny'?"),
        ("run:tiny:test", "Unknown dataset 'test' in run"),
        ("rum:tiny:arith", "it does not exist. Did you mean run?"),
        ("run:tiny:arith:0", "A row is given as FOLDER:MODEL:DATASET"),
    ],
)
def test_rows_that_there_are_not(row: str, words: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["leaderboard", "reproduce", row]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.slow
def test_a_trained_model_needs_its_weights(
    smoke_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(smoke_run, "run")
    assert call(["leaderboard", "submit", "run", "--out", "packed", "--quiet"]) == 0
    capsys.readouterr()
    found = verified(capsys, "packed")[0]["rows"]
    assert {row["mark"] for row in found} == {"verified"}
    dataset = found[0]["dataset"]
    assert call(["leaderboard", "reproduce", f"packed:dpo:{dataset}", "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "model.safetensors (sha256 " in said
    assert "--weights FOLDER" in said
    weights = {name: next(Path("run/models").glob(f"{name}-*")) / "weights" for name in ("sft", "dpo")}
    command = ["leaderboard", "reproduce", f"packed:dpo:{dataset}", "--quiet", "--weights"]
    assert call([*command, str(weights["sft"])]) == 1
    assert "the weights here are others" in capsys.readouterr().err
    assert call([*command, str(weights["dpo"]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same_texts"] == found["texts"] == found["same_verdicts"] > 0
