"""mra-bench leaderboard: rows that runs publish, boards that never mix, ranks with a range, and files in which names
stay text."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import here
from test_regrade import echo_run, run
from test_schemas import check

from mra_bench import statistics
from mra_bench.cli import call
from mra_bench.errors import UsageError
from mra_bench.leaderboard.boards import Leaderboard, leaderboard
from mra_bench.leaderboard.files import COLUMNS, as_csv, as_data, as_markdown, as_text, markdown_text
from mra_bench.leaderboard.marks import Marks
from mra_bench.leaderboard.page import page
from mra_bench.leaderboard.ranks import Range, ranges, sign_flip_tails
from mra_bench.leaderboard.reading import Folder, find_runs, read_folder, right_of
from mra_bench.leaderboard.rows import ROWS, Decoded, GradedBy, Prompt, Row, pack

__all__ = ["echo_run", "run"]

COLUMN = COLUMNS.index("model")
ROW = Row(
    model="m", dataset="d", data="d", split="test", part="", problems=1, sha256="0" * 64, unreadable=(),
    prompt=Prompt("1" * 64, "plain", "", "", 0, ""), decoding=Decoded(9, 0.0, 1.0, (), False, 1),
    grader=GradedBy("g", "1", "2" * 64), n=1, correct=0.0, accuracy=0.0, low=0.0, high=1.0, tokens_mean=0.0,
    verdicts="", texts="3" * 64, parameters=None, compute=None, contaminated=None, trained=False, lineage=(), device="",
    dtype="",
)  # fmt: skip
HOSTILE = '=1+1|<script>alert(1)</script>](javascript:x) `"\u202e@all \x1b[2J\ud800'


def boards(*folders: Folder, out: Path = Path()) -> Leaderboard:
    return leaderboard(folders, Marks(1, {}), out)


def changed(folder: Folder, path: str = "", **values: Any) -> Folder:
    """The folder with every row changed so, and its own name."""
    assert folder.published is not None
    rows = tuple(dataclasses.replace(row, **values) for row in folder.published.rows)
    published = dataclasses.replace(folder.published, rows=rows, fingerprint=path or folder.published.fingerprint)
    return dataclasses.replace(folder, path=Path(path) if path else folder.path, published=published)


def one(folder: Folder) -> Row:
    assert folder.published is not None
    return folder.published.rows[0]


# Rows


def test_a_run_publishes_its_rows(run: Path) -> None:
    data = json.loads((run / ROWS).read_text())
    check("leaderboard_rows", data)
    results = json.loads((run / "results.json").read_text())
    right, wrong = data["rows"]
    scores = results["datasets"][0]["scores"]
    assert [row["accuracy"] for row in data["rows"]] == [score["accuracy"] for score in scores] == [1.0, 0.0]
    assert (right["n"], right["problems"], right["part"], right["split"]) == (6, 6, "", "test")
    assert (right["verdicts"], wrong["verdicts"]) == ("/A==", "AA==")
    assert right["prompt"]["sha256"] == json.loads((run / "run.json").read_text())["prompts"]["right"]["test"]["hash"]
    assert right["texts"] != wrong["texts"]
    assert right["lineage"] == [{"model": "right", "how": "echo", "weights": None}]
    assert (right["compute"], right["contaminated"], right["trained"]) == (0, 0, False)


def test_rows_are_the_same_bytes_again_and_from_a_folder_that_has_none(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / ROWS).read_bytes()
    stored = read_folder(run).published
    assert call(["report", "out"]) == 0
    assert (run / ROWS).read_bytes() == before
    (run / ROWS).unlink()
    assert read_folder(run).published == stored
    assert not (run / ROWS).exists()


def test_rows_that_do_not_go_with_the_results_are_made_anew(run: Path) -> None:
    data = json.loads((run / ROWS).read_text())
    data["results"], data["rows"][0]["tokens_mean"] = "0" * 64, 99.0
    (run / ROWS).write_text(json.dumps(data))
    assert one(read_folder(run)).tokens_mean == 1.0


def test_an_unfinished_a_partial_and_a_sequential_run_have_no_row(run: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "finished": None}))
    assert "not finished" in read_folder(run).problem
    (run / "run.json").write_text(json.dumps(record))
    shutil.rmtree(next((run / "grades").glob("sympy-right*")))
    assert call(["report", "out"]) == 0
    published = read_folder(run).published
    assert published is not None
    assert published.rows == ()
    assert "not complete" in published.left_out[0].reason
    decided = tmp_path / "decided"
    assert here("run", "--recipe", "mine.yaml", "--until-decided", "--out", decided, "--quiet").returncode == 0
    found = boards(read_folder(run), read_folder(decided))
    assert found.boards == ()
    assert [("--until-decided" in absent.reason) for absent in found.absent] == [False, True]
    assert "On no board" in page(found, tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"accuracy": 0.5, "low": 0.1}, "the accuracy 0.5000 is not the share of its verdicts, 6 of 6"),
        ({"accuracy": "1.0"}, "rows.0.accuracy: Input should be a valid number"),
        ({"accuracy": float("nan")}, "a figure is no number"),
        ({"n": 5}, "n is not the number of problems that count"),
        ({"verdicts": "////"}, "there is not one verdict for each text"),
        ({"verdicts": "+A=="}, "the accuracy 1.0000 is not the share of its verdicts, 5 of 6"),
        ({"texts": "`x`"}, "a hash is none"),
        ({"verdicts": "/A"}, "there is not one verdict for each text"),
        ({"unreadable": [9], "n": 5}, "a problem is left out that is none"),
        ({"low": 1.5}, "the accuracy lies outside of its interval"),
        ({"model": "m" * 999}, "a name is empty or too long"),
        ({"tokens_mean": -1.0}, "a figure is negative"),
    ],
)
def test_rows_that_cannot_be_are_refused(values: dict[str, Any], words: str, run: Path) -> None:
    data = json.loads((run / ROWS).read_text())
    data["rows"][0].update(values)
    (run / ROWS).write_text(json.dumps(data))
    assert words in read_folder(run).problem


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 3))
def test_verdicts_come_out_as_they_were_packed(bits: list[bool], samples: int) -> None:
    bits = bits * samples
    row = dataclasses.replace(
        ROW,
        problems=len(bits) // samples,
        verdicts=pack(bits),
        decoding=dataclasses.replace(ROW.decoding, samples=samples),
    )
    by_problem = [sum(bits[at : at + samples]) for at in range(0, len(bits), samples)]
    assert right_of(row) == by_problem
    left = dataclasses.replace(row, unreadable=(0,))
    assert right_of(left) == by_problem[1:]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_finding_runs(run: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    shutil.copytree(run, tmp_path / "deep" / "er" / "b")
    (tmp_path / "deep" / "link").symlink_to(run)
    assert [path.name for path in find_runs([tmp_path])] == ["b", "out"]
    assert [path.name for path in find_runs([run, run])] == ["out"]
    os.mkfifo(tmp_path / "deep" / "run.json")
    assert "no plain file" in read_folder(tmp_path / "deep").problem
    for place, words in ((tmp_path / "none", "does not exist"), (run / "run.json", "is a file")):
        with pytest.raises(UsageError, match=words):
            find_runs([place])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="There is no run folder"):
        find_runs([tmp_path / "empty"])


# Ranks


def test_mcnemar_and_holm_are_those_of_one_pair() -> None:
    rng = np.random.default_rng(0)
    right = (rng.random((9, 60)) < rng.random((9, 1))).astype(int)
    found = ranges(right.tolist(), 1)
    for row, (best, worst) in enumerate(found):
        others = [other for other in range(9) if other != row]
        ps = []
        for other in others:
            wins = int(((right[row] == 1) & (right[other] == 0)).sum())
            ps.append(statistics.mcnemar_exact(wins, int(((right[row] == 0) & (right[other] == 1)).sum())))
        apart = [other for other, p in zip(others, statistics.holm(ps), strict=True) if p < 0.05]
        assert best == 1 + sum(right[other].sum() > right[row].sum() for other in apart)
        assert worst == 9 - sum(right[other].sum() < right[row].sum() for other in apart)
    assert any(best > 1 for best, _ in found)
    assert any(best != worst for best, worst in found)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_the_sign_flip_test_is_the_exact_one(differences: list[int]) -> None:
    counts = np.array([[sum(abs(d) == size for d in differences) for size in (1, 2, 3)]])
    (p,) = sign_flip_tails(counts, np.array([abs(sum(differences))]))
    assert p == pytest.approx(statistics.sign_flip_test([d / 3 for d in differences], 0), abs=1e-9)


def test_rows_of_several_samples_are_told_apart_by_problems() -> None:
    same = [4, 0] * 30
    rows = [[4] * 60, same, same, [0] * 60]
    assert ranges(rows, 4) == [Range(1, 1), Range(2, 3), Range(2, 3), Range(4, 4)]
    assert ranges([[1, 0]], 1) == [Range(1, 1)]
    assert ranges([[1] * 3, [0] * 3], 1) == [Range(1, 2), Range(1, 2)]


# Boards


def test_rows_share_a_board_only_where_everything_is_the_same(run: Path) -> None:
    folder = read_folder(run)
    row = one(folder)
    others = [
        changed(folder, "sha", sha256="0" * 64),
        changed(folder, "split", split="train"),
        changed(folder, "prompt", prompt=dataclasses.replace(row.prompt, sha256="1" * 64)),
        changed(folder, "tokens", decoding=dataclasses.replace(row.decoding, max_new_tokens=7)),
        changed(folder, "warm", decoding=dataclasses.replace(row.decoding, temperature=0.7)),
        changed(folder, "grader", grader=dataclasses.replace(row.grader, version="2")),
        changed(folder, "options", grader=dataclasses.replace(row.grader, settings="2" * 64)),
    ]
    greedy = changed(folder, "top_p", decoding=dataclasses.replace(row.decoding, top_p=0.5))
    found = boards(folder, greedy, *others)
    assert [len(board.entries) for board in found.boards] == [4] + [2] * len(others)
    assert {entry.folder.path.name for entry in found.boards[0].entries} == {"out", "top_p"}
    titles = [board.title for board in found.boards]
    assert len(set(titles)) == len(titles)
    assert any("at most 7 tokens" in title for title in titles)
    assert boards(folder, greedy).boards[0].title == "test.jsonl, test"


def test_the_same_run_twice_and_the_same_texts_under_two_names(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "again")
    folder = read_folder(run)
    renamed = changed(folder, "renamed", model="new")
    found = boards(folder, read_folder(tmp_path / "again"), renamed)
    (absent,) = found.absent
    assert (absent.model, absent.reason) == ("", "the run was given twice, and stands as out")
    (board,) = found.boards
    alike = {entry.label: entry.alike for entry in board.entries}
    assert alike["right of out"] == ("new of renamed",)
    assert alike["wrong of out"] == ("new of renamed",)
    assert "same texts as" in page(found, tmp_path)
    assert as_data(found, tmp_path)["boards"][0]["rows"][0]["same_texts_as"]


# Files


def test_the_command_writes_four_files_that_stay_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["leaderboard", "out", "--out", "boards"]) == 0
    said = capsys.readouterr().out
    assert "right (" in said
    assert said.endswith("Leaderboard: boards/leaderboard.html\n")
    before = {path.name: path.read_bytes() for path in Path("boards").iterdir()}
    assert set(before) == {f"leaderboard.{kind}" for kind in ("html", "md", "csv", "json")}
    assert call(["leaderboard", "--out", "boards", "out", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {path.name: path.read_bytes() for path in Path("boards").iterdir()} == before
    assert printed.pop("files") == [f"boards/leaderboard.{kind}" for kind in ("html", "md", "csv", "json")]
    assert printed == json.loads(before["leaderboard.json"])
    check("leaderboard", printed)
    html = before["leaderboard.html"].decode()
    assert 'href="./../out/report.html"' in html
    rows = list(csv.DictReader(io.StringIO(before["leaderboard.csv"].decode())))
    assert [(row["model"], row["rank_best"], row["rank_worst"], row["row"]) for row in rows] == [
        ("right", "1", "1", "../out:right:test"),
        ("wrong", "2", "2", "../out:wrong:test"),
    ]


def test_where_the_leaderboard_stands(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("out", "runs/a")
    shutil.copytree("out", "runs/b")
    for folders, place in ((["runs"], "runs"), (["runs/a", "runs/b"], "runs"), (["runs/a", "out"], ".")):
        assert call(["leaderboard", *folders]) == 0
        assert Path(place, "leaderboard.html").is_file()
        for path in Path(place).glob("leaderboard.*"):
            path.unlink()
    assert call(["leaderboard", "out", "--out", "out"]) == 2
    assert "is a run folder" in capsys.readouterr().err
    assert call(["leaderboard", "nowhere"]) == 2
    assert call(["leaderboard", "--json", "verify", "nowhere"]) == 2
    assert json.loads(capsys.readouterr().out)["message"].startswith("nowhere does not exist")
    Path("out.log").touch()
    for words, said in (
        (["verfy", "out", "--quiet"], "verfy does not exist. Did you mean 'verify'"),
        (["ou"], "Did you mean out?"),
        (["out.log"], "out.log is a file; name run folders"),
    ):
        assert call(["leaderboard", *words]) == 2
        assert said in capsys.readouterr().err


def test_a_report_is_linked_only_where_there_is_one(run: Path, tmp_path: Path) -> None:
    home = tmp_path / "javascript:alert(1)"
    shutil.copytree(run, home)
    html = page(boards(read_folder(home), out=tmp_path), tmp_path)
    assert 'href="./javascript%3Aalert%281%29/report.html"' in html
    (home / "report.html").unlink()
    assert "<a href" not in page(boards(read_folder(home)), tmp_path).partition("<main")[2]


def test_hostile_names_stay_text_everywhere(run: Path, tmp_path: Path) -> None:
    folder = read_folder(run)
    prompt = dataclasses.replace(one(folder).prompt, first=HOSTILE, kind=HOSTILE)
    grader = dataclasses.replace(one(folder).grader, name=HOSTILE)
    hostile = changed(folder, model=HOSTILE, data=HOSTILE, split=HOSTILE, prompt=prompt, grader=grader)
    found = boards(dataclasses.replace(hostile, date=HOSTILE[:10]), Folder(Path("x"), "", None, HOSTILE))
    html = page(found, tmp_path)
    assert "<script>alert" not in html
    assert html.count("<script>") == 1
    assert "\u202e" not in html
    assert "\ud800" not in html
    rows = list(csv.reader(io.StringIO(as_csv(found, tmp_path))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@"))]
    markdown = as_markdown(found, tmp_path)
    assert "<script>" not in markdown
    assert "](javascript" not in markdown
    table = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in table} == {14}
    text = as_text(found, tmp_path)
    assert "\x1b" not in text
    assert "\u202e" not in text
    json.dumps(as_data(found, tmp_path)).encode()


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", " =1", "'=1", "\t=1", "|x", "%x"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(cell: str, run: Path) -> None:
    found = boards(changed(read_folder(run), model=cell))
    models = [row[COLUMN] for row in csv.reader(io.StringIO(as_csv(found, Path())))]
    assert models[1].startswith("'")


def test_markdown_text() -> None:
    assert markdown_text("a|b\n[c](http://d) `e` <i> @all") == (
        "a\\|b \\[c\\]\\(http:&#47;&#47;d\\) \\`e\\` &lt;i&gt; &#64;all"
    )


@pytest.mark.benchmark
def test_a_leaderboard_of_many_runs_is_measured(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "leaderboard" / "run.py"
    given = ["--runs", "2,5", "--problems", "10", "--out", tmp_path / "boards", "--json", tmp_path / "figures.json"]
    command = [sys.executable, script, *given]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 2 + 4
    found = json.loads((tmp_path / "figures.json").read_text())
    assert set(found) == {"2", "5"}
    assert found["5"]["marked"]["bytes"]["leaderboard.html"] > 10_000
    lines = list(csv.DictReader((tmp_path / "boards" / "boards-5" / "leaderboard.csv").open()))
    assert [line["mark"] for line in lines] == ["verified"] * 5
