"""The scripts in benchmarks: what they print comes from results files, so it does not steer the terminal."""

from __future__ import annotations

import importlib
import importlib.util
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SEEDS = BENCHMARKS / "quickstart_seeds" / "run.py"
GRADERS = BENCHMARKS / "graders" / "run.py"
TRL = BENCHMARKS / "trl" / "run.py"
SEQUENTIAL = BENCHMARKS / "sequential" / "run.py"

JUDGES = """
import os, time

def judge(case):
    if case.id == "hang":
        time.sleep(1000)
    if case.id == "death":
        os._exit(1)
    if case.id == "error":
        raise ValueError(case.id)
    if case.id == "unknown":
        return None
    return case.gold == case.prediction

def make():
    return judge

def forget():
    pass
"""


def test_a_verdict_is_printed_without_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty: dict[str, Any] = {"scores": [], "pairs": []}
    results = {"verdict": ["\x1b[2Jdone"], "models": [], "datasets": [{"name": n, **empty} for n in ("test", "hard")]}
    (tmp_path / "smoke-seed3").mkdir()
    (tmp_path / "smoke-seed3" / "results.json").write_text(json.dumps(results))
    monkeypatch.setattr("sys.argv", [str(SEEDS), "--recipes", "smoke", "--seeds", "3", "--out", str(tmp_path)])
    monkeypatch.setattr(subprocess, "run", lambda *command, **options: None)  # as if the run had been complete
    runpy.run_path(str(SEEDS), run_name="__main__")
    assert capsys.readouterr().err == "smoke seed 3: \\x1b[2Jdone\n"


@pytest.fixture
def graders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules of benchmarks/graders can be imported, here and in processes started from here."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(GRADERS.parent))
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == GRADERS.parent:
            del sys.modules[name]


@pytest.mark.usefixtures("graders")
def test_a_hang_and_a_death_cost_one_case_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger_judges.py").write_text(JUDGES)
    monkeypatch.syspath_prepend(str(tmp_path))
    cases, children, summary = map(importlib.import_module, ("cases", "children", "summary"))
    expected = {"right": True, "hang": True, "wrong": True, "death": False, "error": True, "unknown": None}
    child = children.Child("stranger_judges:make", "stranger_judges:forget", (), 8.0)
    asked = []
    for name, label in expected.items():
        case = cases.Case("mine", name, "kind", "answer", "1", "2" if name == "wrong" else "1", label)
        asked.append((case, [child.ask(case)]))
    child.close()
    outcomes = [(case.id, answer.outcome, answer.correct) for case, (answer,) in asked]
    assert outcomes == [
        ("right", "judged", True), ("hang", "hang", None), ("wrong", "judged", False), ("death", "crash", None),
        ("error", "crash", None), ("unknown", "judged", None),
    ]  # fmt: skip
    found = summary.score("mine", "stranger", asked)
    counts = (found.right, found.false_positives, found.false_negatives, found.unjudged, found.hangs, found.crashes)
    assert counts == (3, 0, 3, 1, 1, 2)


@pytest.mark.usefixtures("graders")
def test_the_gold_answer_is_the_last_box_of_a_solution() -> None:
    last_box = importlib.import_module("cases").last_box
    assert last_box(r"First $\boxed{1}$, then $\boxed{\frac{1}{\sqrt{2}}}$.") == r"\frac{1}{\sqrt{2}}"
    assert last_box(r"So $\boxed 7$.") == "7"
    assert last_box("no box") == ""


@pytest.mark.parametrize(
    "peer",
    [
        "sympy",
        pytest.param(
            "sympy,math-verify",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("math_verify") is None,
                reason="math-verify is not installed: mra-bench[math-verify]",
            ),
        ),
    ],
)
def test_the_graders_are_compared_on_the_fixtures(peer: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, GRADERS, "--only", "fixtures", "--graders", peer, "--limit", "100", "--json", out]
    done = subprocess.run([*command, "--errors", "--markdown"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    data = json.loads(out.read_text())
    count = sum(1 for _ in GRADERS.with_name("fixtures.jsonl").open(encoding="utf-8"))
    assert [(s["grader"], s["cases"]) for s in data["scores"]] == [(name, count) for name in peer.split(",")]
    assert [
        (case["id"], case["answers"]) for case in data["cases"] if case["grader"] == "sympy" and not case["met"]
    ] == []
    assert all(s["right"] + s["false_positives"] + s["false_negatives"] == s["cases"] for s in data["scores"])
    assert f"| fixtures | sympy | {count} | 100.0 % | 0 | 0 |" in done.stdout
    assert ("Ratios:" in done.stdout) == ("," in peer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "devv"], "unknown: 'devv'. Known: dev, gsm8k"),
        (["--only", "dev", "--graders", "sympy", "--data", "nowhere"], "No such file: nowhere"),
        (["--repeat", "0"], "--repeat and --cases must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, GRADERS, *arguments], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    assert done.returncode != 0
    assert message in done.stderr


def sequential(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """benchmarks/sequential/run.py, which imports the modules beside it."""
    monkeypatch.syspath_prepend(str(SEQUENTIAL.parent))
    monkeypatch.setattr("sys.argv", [str(SEQUENTIAL), *arguments])
    runpy.run_path(str(SEQUENTIAL), run_name="__main__")
    for name in ("simulate", "gsm8k"):
        sys.modules.pop(name, None)


def cells_of(printed: str, start: str) -> list[str]:
    line = next(line for line in printed.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_simulation_finds_large_gaps_early_and_few_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sequential(monkeypatch, "simulate", "--runs", "40", "--problems", "200", "--discordant", "0.2")
    printed = capsys.readouterr().out
    level = cells_of(printed, "200")
    assert 0 < float(level[2]) <= float(level[3]) <= 5
    none, large = cells_of(printed, "0"), cells_of(printed, "3")
    assert float(none[1]) <= 15
    assert float(large[1]) == 100
    assert float(large[9]) < 70 < float(none[9])


def test_the_orders_of_published_answers_are_read_from_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = {"6b_finetuning": 2, "6b_verification": 5, "175b_finetuning": 5, "175b_verification": 9}
    for name, share in shares.items():
        rows = [{"qid": i, "upstream_correct": i % 10 < share, "response": "x" * (i % 7 + 1)} for i in range(300)]
        (tmp_path / f"gpt3_{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    sequential(monkeypatch, "gsm8k", "--data", str(tmp_path), "--orders", "5", "--runs", "2")
    printed = capsys.readouterr().out
    assert cells_of(printed, "6b verification to 175b finetuning")[1:5] == ["+0.0", "0", "0", "1"]
    far = cells_of(printed, "6b finetuning to 175b verification")
    assert far[1:4] == ["+70.0", "210", "0"]
    assert float(far[11]) <= 50
    four = ", ".join(name.replace("_", " ") for name in shares)
    assert cells_of(printed, four)[1] == "5 of 6"


@pytest.mark.slow
def test_training_is_measured_against_plain_trl(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, TRL, "--only", "sft", "--steps", "2", "--settings", "equal", "--json", out, "--markdown"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    measured = {entry["side"]: entry for entry in json.loads(out.read_text())}
    assert measured["ours"]["losses"].keys() == measured["trl"]["losses"].keys() == {"1", "2"}
    for step, loss in measured["trl"]["losses"].items():
        assert measured["ours"]["losses"][step] == pytest.approx(loss, abs=1e-4)
    assert all(entry["seconds"] > 0 and entry["cpu_seconds"] > 0 for entry in measured.values())
    row = cells_of(done.stdout, "sft")
    assert row[1:3] == ["equal", "2"]
    assert float(row[5]) == pytest.approx(measured["trl"]["seconds"] / measured["ours"]["seconds"], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "sfd"], "unknown: 'sfd'. Known: sft, dpo, lora"),
        (["--steps", "0"], "must be at least 1"),
        (["--only", "lora"], "'lora' needs --model"),
        (["--only", "lora", "--model", str(BENCHMARKS.parent / "plugins/mra_tiny/weights/gpt2"), "--gsm8k", "nowhere"],
         "No such file: nowhere"),
    ],
)  # fmt: skip
def test_trl_wrong_arguments_are_refused_before_any_work(arguments: list[str], message: str) -> None:
    done = subprocess.run([sys.executable, TRL, *arguments], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert message in done.stderr
