"""mra-bench grade FILE: figures, agreement, labels, the output file, exit codes; what is refused before any work."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from runs import COMMAND

from mra_bench.cli import call
from mra_bench.grading import Tally, boxed
from mra_bench.samples import Sample
from mra_bench.statistics import wilson
from mra_bench.types import Grade, Problem

PLUGIN = """
import time
from mra_bench import Grade, hookimpl

def grade(problem, text):
    if text == "slow":
        time.sleep(600)
    if text == "none":
        return Grade(None, reason="Nobody can tell.")
    last = (text.split() or [""])[-1]
    return Grade(last == problem.answer, last, f"the last word is {last!r}")

@hookimpl
def register_graders(register):
    register("last-word", grade)
    register("never", lambda problem, text: Grade(None, reason="Never."))
"""
ROWS = [
    {"id": "a", "gold": "1/2", "text": "so it is 1/2", "ok": True},
    {"id": "b", "gold": "1/2", "text": "The answer is 0.5", "ok": True},
    {"id": "c", "gold": "3", "text": "The answer is 4", "ok": False},
    {"id": "d", "gold": "3", "text": "First 4, so it is \\boxed{3}", "ok": False},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    write(tmp_path / "s.jsonl", ROWS)
    return tmp_path


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def grade(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert call(["grade", *arguments, "--plugin", "mine.py", "--workers", "1"]) == code
    captured = capsys.readouterr()
    return captured.out if code in (0, 1) and captured.out else captured.err


def data(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    found = json.loads(grade(capsys, *arguments, "--json", code=code))
    assert isinstance(found, dict)
    return found


def heeding_interrupts() -> None:
    """A background job inherits that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_one_grader(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "s.jsonl")
    (row,) = found["graders"]
    interval = wilson(3, 4)
    assert (row["n"], row["correct"], row["wrong"], row["not_judged"]) == (4, 3, 1, 0)
    assert row["accuracy"] == 0.75
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["name"] == "mra_sympy:sympy"
    assert row["options"]["rounding_digits"] == 6
    assert found["columns"] == {
        "text": "text",
        "gold": "gold",
        "id": "id",
        "question": None,
        "label": None,
        "choices": None,
    }
    text = grade(capsys, "s.jsonl")
    assert "75.0 %" in text
    assert "4 texts of s.jsonl (text 'text', gold 'gold', id 'id')" in text


def test_two_graders_are_compared_and_every_verdict_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graders = ["--grader", "sympy", "--grader", "last-word"]
    found = data(capsys, "s.jsonl", *graders, "--out", "v.jsonl", "--label", "ok")
    (table,) = found["agreement"]
    cells = {key: table[key] for key in ("both", "first_only", "second_only", "neither", "not_judged")}
    assert cells == {"both": 1, "first_only": 2, "second_only": 0, "neither": 1, "not_judged": 0}
    assert table["kappa"] == pytest.approx(0.2)
    assert [row["id"] for row in found["disagreements"]["shown"]] == ["b", "d"]
    reasons = [v["reason"] for v in found["disagreements"]["shown"][0]["verdicts"]]
    assert reasons[1] == "the last word is '0.5'"
    assert all(reasons)
    labels = [row["labels"] for row in found["graders"]]
    assert [(e["agree"], e["false_positives"], e["false_negatives"]) for e in labels] == [(3, 1, 0), (3, 0, 1)]
    rows = [json.loads(line) for line in (folder / "v.jsonl").read_text().splitlines()]
    assert [(r["id"], r["grader"]) for r in rows] == [(i, g) for i in "abcd" for g in ("sympy", "last-word")]
    assert rows[2]["correct"] is True
    assert ROWS[1]["text"][slice(*rows[2]["span"])] == "0.5"
    assert {"kind", "answer", "rule", "reason", "label"} <= set(rows[0])
    text = grade(capsys, "s.jsonl", *graders, "--show", "1")
    assert "Disagreements: 2 texts, the first 1 of them" in text
    assert "last-word: wrong. the last word is '0.5'" in text


def test_options_of_a_grader_make_it_another_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "p.jsonl", [{"gold": "1/2", "text": "50%"}, {"gold": "50", "text": "50%"}])
    strict = "{name: sympy, options: {percent_as_number: false}}"
    found = data(capsys, "p.jsonl", "--grader", "sympy", "--grader", strict)
    assert [row["grader"] for row in found["graders"]] == ["sympy", "sympy(percent_as_number=False)"]
    assert [row["correct"] for row in found["graders"]] == [2, 1]


def test_bare_answers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"gold": "(1, 2)", "prediction": "(1,2)"}, {"gold": "7", "prediction": "6 or 7"}]
    write(folder / "p.jsonl", rows)
    assert data(capsys, "p.jsonl", "--answers", "--out", "v.jsonl")["graders"][0]["correct"] == 1
    first = json.loads((folder / "v.jsonl").read_text().splitlines()[0])
    assert first["span"] == [0, 5]
    assert boxed(" ") == " "
    assert boxed("\\boxed{2}") == "\\boxed{2}"


def test_csv_and_standard_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "s.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows([["target", "output"], ["3", "4"], ["1,000", "it is 1000"]])
    assert data(capsys, "s.csv")["graders"][0]["correct"] == 1
    text = (folder / "s.jsonl").read_text()
    done = subprocess.run(
        [*COMMAND, "grade", "-", "--json", "--quiet"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["n"] == 4


def test_a_hang_costs_one_text_and_what_nobody_judged_is_exit_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [{"gold": "1", "text": text} for text in ("slow", "none", "it is 1")]
    write(folder / "h.jsonl", texts)
    found = data(capsys, "h.jsonl", "--grader", "last-word", "--seconds", "2")
    assert found["graders"][0]["kinds"] == {"timeout": 1, "unjudged": 1, "correct": 1}
    assert found["graders"][0]["not_judged"] == 2
    found = data(capsys, "h.jsonl", "--grader", "sympy", "--grader", "never", code=1)
    assert found["nothing_judged"] is True
    assert found["agreement"][0]["not_judged"] == 3
    assert found["agreement"][0]["kappa"] is None


def test_samples_of_one_problem_are_not_independent() -> None:
    tally, plain = Tally(), Tally()
    for number in range(40):
        verdict = Grade(number < 20, kind="correct")
        tally.add(Sample(number, Problem(str(number // 4), "", ""), ""), verdict)
        plain.add(Sample(number, Problem(str(number), "", ""), ""), verdict)
    wide, narrow = tally.interval(), plain.interval()
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    tally.add(Sample(40, Problem("0", "", ""), ""), Grade(True, kind="correct"))
    assert tally.interval() is None


def test_control_characters_of_a_text_do_not_reach_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / "c.jsonl", [{"id": "\x1b[2J", "gold": "\x1b]0;x\x07", "text": "a \x1b[31m"}])
    assert "\x1b" not in grade(capsys, "c.jsonl", "--grader", "sympy", "--grader", "last-word", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.jsonl"], "No such file"),
        (["s.jsonl", "--grader", "sympi"], "Did you mean 'sympy'"),
        (["s.jsonl", "--grader", "sympy", "--grader", "mra_sympy:sympy"], "give it once"),
        (["s.jsonl", "--grader", "{name: sympy, option: 1}"], "'option'"),
        (["s.jsonl", "--grader", "{name: sympy, options: {rounding: 1}}"], "Did you mean 'rounding_digits'"),
        (["s.jsonl", "--gold", "golds"], "Is it 'gold'"),
        (["s.jsonl", "--out", "s.jsonl"], "is the file that is graded"),
        (["s.jsonl", "--out", "no/v.jsonl"], "there is no folder no"),
        (["s.jsonl", "--out", "."], "names no file"),
        (["late.jsonl"], "late.jsonl, line 3: not valid JSON"),
        (["."], "no run folder"),
    ],
)
def test_what_is_refused_before_any_work(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "late.jsonl").write_text((folder / "s.jsonl").read_text().replace('{"id": "c"', "{"))
    before = sorted(folder.iterdir())
    said = grade(capsys, *arguments, code=2)
    assert words in said
    assert "texts\n" not in said
    assert sorted(folder.iterdir()) == before


def test_an_interrupt_leaves_no_half_of_a_file(folder: Path) -> None:
    write(folder / "many.jsonl", [{"gold": "1", "text": "slow"}] * 4)
    (folder / "v.jsonl").write_text("old\n")
    command = [*COMMAND, "grade", "many.jsonl", "--plugin", "mine.py", "--grader", "last-word", "--out", "v.jsonl"]
    running = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ, preexec_fn=heeding_interrupts
    )
    assert running.stderr is not None
    assert "4 texts" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "of 4 texts. Nothing was written to v.jsonl." in said
    assert sorted(p.name for p in folder.iterdir()) == ["many.jsonl", "mine.py", "s.jsonl", "v.jsonl"]
    assert (folder / "v.jsonl").read_text() == "old\n"


def test_out_follows_a_link_and_leaves_it_a_link(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "there").mkdir()
    (folder / "v.jsonl").symlink_to(folder / "there" / "v.jsonl")
    grade(capsys, "s.jsonl", "--grader", "last-word", "--out", "v.jsonl")
    assert (folder / "v.jsonl").is_symlink()
    assert len((folder / "there" / "v.jsonl").read_text().splitlines()) == 4


def test_out_writes_through_to_a_pipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True)
    grade(capsys, "s.jsonl", "--grader", "last-word", "--out", "pipe")
    got, _ = reader.communicate(timeout=120)
    assert [json.loads(line)["id"] for line in got.splitlines()] == ["a", "b", "c", "d"]
    assert (folder / "pipe").is_fifo()


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_out_to_standard_output_leaves_it_to_the_rows(out: str, folder: Path) -> None:
    command = [*COMMAND, "grade", "s.jsonl", "--plugin", "mine.py", "--grader", "last-word", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a", "b", "c", "d"]
    assert "4 texts of s.jsonl" in done.stderr


def test_rows_and_json_do_not_share_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["grade", "s.jsonl", "--out", "-", "--json"]) == 2
    assert "--out - and --json both go to standard output" in capsys.readouterr().out


def test_a_blocked_default_grader_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = grade(capsys, "s.jsonl", "--no-plugin", "mra_sympy", code=2)
    assert "--no-plugin mra_sympy removed the default grader 'sympy'" in said


def test_an_early_interrupt_promises_nothing(folder: Path) -> None:
    """While standard input is still being read."""
    command = [*COMMAND, "grade", "-", "--out", "v.jsonl"]
    running = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeding_interrupts
    )
    assert running.stdin is not None
    try:
        running.stdin.write("{}\n" * 100_000)  # more than a pipe holds: the program reads it
        running.stdin.flush()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 130
    assert "Interrupted before any text was graded; nothing was written." in said
    assert "goes on from there" not in said
