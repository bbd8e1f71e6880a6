"""Runs that end once they know, through the command line: where they end, what they say, resume, report and audit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from runs import COMMAND, data_hashes, here
from test_schemas import check

from mra_bench.audit_checks import Finding, _stop
from mra_bench.cli import call
from mra_bench.looks import Looks, _readable, counting, decided, gold_unreadable
from mra_bench.verdict import spoken_pairs, stop_sentences

N = 80
RIGHT, WRONG = "So it is \\boxed{7}.", "So it is \\boxed{8}."
MODELS = {  # which of the problems each has right
    "bad": lambda i: i % 10 == 1,
    "good": lambda i: i % 10 != 0,
    "same": lambda i: i % 10 not in (0, 2),
}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Problems, a few further ones, and the texts of three models, two samples of each."""
    folder = tmp_path_factory.mktemp("looks")
    ids = [f"q{i:02d}" for i in range(N)]
    write(folder / "mine.jsonl", [{"id": i, "question": f"What is 3 + 4, {i}?", "answer": "7"} for i in ids])
    write(folder / "few.jsonl", [{"id": f"f{i}", "question": f"And 7, f{i}?", "answer": "7"} for i in range(5)])
    for name, right in MODELS.items():
        rows = [{"problem": f"q{i:02d}", "text": RIGHT if right(i) else WRONG} for i in range(N) for _ in range(2)]
        write(
            folder / f"{name}.jsonl", rows + [{"problem": f"f{i}", "text": RIGHT} for i in range(5) for _ in range(2)]
        )
    return folder


def arguments(*models: str, more: tuple[str, ...] = ("--data", "mine.jsonl")) -> list[str]:
    named = [part for name in models for part in ("--model", f"{name}=echo@{name}.jsonl")]
    return ["run", *named, *more, "--until-decided", "--quiet"]


def done(folder: Path, out: str, *given: str) -> tuple[Path, str]:
    """A run through the command line, and what it printed."""
    ended = here(*given, "--out", out, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder / out, ended.stdout


def results(run: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def clear(workplace: Path) -> tuple[Path, str]:
    """Two models far apart."""
    return done(workplace, "clear", *arguments("bad", "good"))


def test_a_clear_difference_ends_the_run_early(clear: tuple[Path, str]) -> None:
    run, printed = clear
    found = results(run)["sequential"]
    assert [look["problems"] for look in found["looks"]] == [8, 20, 40, 80]
    assert (found["look"], found["seen"], found["problems"]) == (3, 40, 80)
    assert [look["decided"] for look in found["looks"]] == [False, False, True, None]
    assert found["leaderboard"] is False
    assert found["saved_tokens"] == found["tokens"]  # half of the problems were asked
    (pair,) = results(run)["datasets"][0]["pairs"]
    assert (pair["n"], pair["test"], pair["interval"]) == (40, "sequential McNemar", "repeated Tango score")
    assert 0 < pair["detectable"] < 1
    assert pair["p"] == pair["p_holm"] < 0.05
    assert not list(run.glob("*/*look-4*"))
    assert "95 % sequential CI" in printed
    assert "good beats bad by" in printed
    assert "sequential p < 0.001, n = 40)" in printed
    assert "(look 3 of 4, 40 of 80 problems), which saved about" in printed
    assert "enters no leaderboard" in printed
    assert "would often be missed" not in printed


def test_its_files_follow_the_schemas(clear: tuple[Path, str]) -> None:
    check("results", results(clear[0]))
    check("run", json.loads((clear[0] / "run.json").read_text()))


def test_its_intervals_are_wider_than_those_of_a_fixed_number(clear: tuple[Path, str]) -> None:
    from mra_bench.statistics import tango, wilson

    (dataset,) = results(clear[0])["datasets"]
    (pair,) = dataset["pairs"]
    plain = tango(pair["wins"], pair["losses"], 40)
    assert pair["low"] < plain.low
    for score in dataset["scores"]:
        assert score["low"] < wilson(score["correct"], 40).low


def test_its_report_shows_sequential_figures_only(clear: tuple[Path, str]) -> None:
    page = (clear[0] / "report.html").read_text(encoding="utf-8")
    assert "This is a sequential test" in page
    assert "40 of 80 problems" in page
    assert "with 95 % sequential intervals" in page
    assert "repeated confidence interval" in page
    assert "Smallest detectable" not in page
    assert "exact McNemar test asks" not in page


def test_the_same_command_again_does_nothing(workplace: Path, clear: tuple[Path, str]) -> None:
    before = data_hashes(clear[0])
    _, printed = done(workplace, "clear", *arguments("bad", "good"))
    assert "Nothing to do" in printed
    assert data_hashes(clear[0]) == before


def test_audit_and_report_find_the_same(clear: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(clear[0], run)
    assert call(["audit", str(run), "--quiet"]) == 0
    before = (run / "results.json").read_bytes()
    assert call(["report", str(run)]) == 0
    assert (run / "results.json").read_bytes() == before


def test_audit_names_a_changed_figure_and_verdict(
    clear: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(clear[0], run)
    changed = results(run)
    changed["sequential"]["seen"] = 80
    (run / "results.json").write_text(json.dumps(changed))
    plan = json.loads((run / "run.json").read_text())
    plan["plan"]["looks"]["problems"].reverse()
    (run / "run.json").write_text(json.dumps(plan))
    assert call(["audit", str(run), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert "sequential.seen: stored 80; derived 40" in said
    assert "not the problems of look 1" in said
    assert "plan.fingerprint" in said


@pytest.mark.parametrize(
    ("reached", "said", "words"),
    [(1, [False, None], "no look decides"), (2, [True, True], "look 1 decides"), (2, [False, True], "")],
)
def test_audit_holds_the_end_against_the_looks(reached: int, said: list[bool | None], words: str) -> None:
    looks = [{"problems": n, "decided": one} for n, one in zip((8, 80), said, strict=True)]
    findings = list(_stop({"partial": False, "sequential": {"look": reached, "looks": looks}}))
    assert [isinstance(finding, Finding) and words in str(finding) for finding in findings] == [True] * bool(words)


@pytest.mark.long
def test_equal_models_are_asked_everything_and_other_datasets_too(workplace: Path) -> None:
    more = ("--data", "mine.jsonl", "--data", "few.jsonl", "--set", "evaluate.samples=2")
    given = arguments("good", "same", more=(*more, "--set", "evaluate.temperature=1"))
    run, printed = done(workplace, "equal", *given)
    found = results(run)
    assert found["sequential"]["look"] == 4
    assert found["sequential"]["saved_tokens"] is None
    assert "it went to the end (80 of 80 problems), so nothing was saved" in printed
    mine, few = found["datasets"]
    (pair,) = mine["pairs"]
    assert (pair["test"], pair["n"], pair["wins"], pair["losses"]) == ("sequential sign-flip", 80, 0, 8)
    assert few["pairs"][0]["test"] == "sign-flip"
    assert few["n"] == 5
    check("results", found)
    assert call(["audit", str(run), "--quiet"]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count("Smallest detectable") >= 1  # of the further dataset, which was asked in full


def killed_when(given: list[str], cwd: Path, pattern: str) -> bool:
    """Start the command and kill it once `pattern` is there. False when it ended before."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*COMMAND, *given], cwd=cwd, stdout=quiet, stderr=quiet, start_new_session=True)
    while process.poll() is None and not any(cwd.glob(pattern)):
        time.sleep(0.002)
    killed = process.poll() is None
    if killed:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return killed


@pytest.mark.long
def test_killed_between_looks_and_in_one_it_ends_in_the_same_bytes(workplace: Path, clear: tuple[Path, str]) -> None:
    given = [*arguments("bad", "good"), "--out", "killed"]
    patterns = (
        "killed/grades/*good-mine-look-1*/stage.json",
        "killed/completions/bad-mine-look-2*",
        "killed/grades/*good-mine-look-2*/stage.json",
        "killed/grades/*good-mine-look-3*/stage.json",
    )
    killed = [killed_when(given, workplace, pattern) for pattern in patterns]
    assert sum(killed) >= 2
    run, _ = done(workplace, "killed", *arguments("bad", "good"))
    assert data_hashes(run) == data_hashes(clear[0])


def test_an_unfinished_run_has_the_figures_of_whole_looks(
    clear: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(clear[0], run)
    (next(run.glob("grades/*good-mine-look-3*")) / "stage.json").unlink()
    assert call(["report", str(run)]) == 0
    found = results(run)
    assert found["partial"]
    assert found["missing"] == ["good on mine-look-3"]
    assert (found["sequential"]["look"], found["datasets"][0]["n"]) == (2, 20)
    assert found["verdict"] == []
    check("results", found)
    plan = json.loads((run / "run.json").read_text())["plan"]
    assert [e["look"] for e in counting(run, plan)] == [1, 1, 2, 2]
    assert not decided(run, plan, 2)
    (next(run.glob("grades/*bad-mine-look-2*")) / "stage.json").unlink()
    assert call(["report", str(run)]) == 0
    assert results(run)["missing"] == ["bad on mine-look-2"], "what comes behind it may never be asked"


def test_another_graders_verdicts_can_be_added(clear: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(clear[0], run)
    plugin = Path(__file__).parent / "plugin_package" / "mra_bench_last_word.py"
    ended = here("grade", run, "--plugin", plugin, "--grader", "last-word", "--json")
    assert ended.returncode == 0, ended.stderr
    (grader,) = json.loads(ended.stdout)["graders"]
    assert grader["datasets"][0]["n"] == 40


def test_a_dry_run_shows_the_looks_and_what_is_not_needed(workplace: Path, clear: tuple[Path, str]) -> None:
    _, printed = done(workplace, "dry", *arguments("bad", "good"), "--dry-run")
    assert "8 problems" in printed
    assert "until then it costs at most: 8 problems 8,192 tokens; 20 problems 20,480 tokens; 40 problems" in printed
    assert "not needed" not in printed
    _, printed = done(workplace, "clear", *arguments("bad", "good"), "--dry-run")
    assert "To do: 0 of" in printed
    assert "The run ends after the look" not in printed
    assert printed.count("not needed") == 5
    ended = here(*arguments("bad", "good"), "--dry-run", "--json", "--out", "dry", cwd=workplace)
    looks = json.loads(ended.stdout)["looks"]
    assert [look["problems"] for look in looks] == [8, 20, 40, 80]


def test_one_model_has_nothing_to_decide(workplace: Path) -> None:
    ended = here(*arguments("good"), cwd=workplace)
    assert ended.returncode == 2
    assert "until_decided compares models" in ended.stderr


def looks(**models: str) -> Looks:
    """One look at all problems; of each model a string of 1 and 0."""
    verdicts = {name: {str(i): [c == "1"] for i, c in enumerate(text)} for name, text in models.items()}
    return Looks((verdicts,), (1.0,))


def test_only_the_comparisons_of_the_verdict_must_be_decided_but_holm_is_over_all() -> None:
    names = [{"name": "a", "from": None, "control_for": None}, {"name": "b", "from": "a", "control_for": None}]
    loaded = [{"name": "c", "from": None, "control_for": None}]
    seven = "1" * 7
    assert looks(a="0" * 7, b=seven).decided(names)  # p = 2 / 128
    assert not looks(a="0" * 7, b=seven, c=seven).decided(names[:1] + loaded)  # b and c are alike
    assert looks(a="0" * 7, b=seven, c=seven).decided(names + loaded)  # 3 x 2 / 128 is still below 0.05
    assert not looks(a="0" * 6, b="1" * 6, c="1" * 6).decided(names + loaded)  # 3 x 2 / 64 is not
    assert not looks(a="", b="").decided(names)


def test_a_gold_that_nobody_can_read_is_left_out_for_all() -> None:
    odd, right, wrong = (None, "unparseable"), (True, "correct"), (False, "wrong")
    assert gold_unreadable([odd, odd])
    assert not gold_unreadable([odd, right])
    assert not gold_unreadable([(None, "timeout"), (None, "crashed")])
    look = {"a": {"p": [odd], "q": [odd]}, "b": {"p": [odd], "q": [wrong]}}
    assert _readable(look) == {"a": {"q": [None]}, "b": {"q": [False]}}


def test_every_pair_is_spoken_of_where_no_model_is_trained() -> None:
    rows = [{"a": "x", "b": "y"}, {"a": "x", "b": "z"}]
    models = [{"name": name, "from": None, "control_for": None} for name in "xyz"]
    assert [pair for pair, _ in spoken_pairs(models, rows)] == [("x", "y"), ("x", "z")]


def test_a_run_of_a_fixed_number_says_nothing_of_looks() -> None:
    assert stop_sentences({"datasets": []}) == []
