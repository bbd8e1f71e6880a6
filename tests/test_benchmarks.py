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
SCALE = BENCHMARKS / "scale" / "run.py"
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


@pytest.fixture
def solutions(tmp_path: Path) -> Path:
    """A data folder with two systems' solutions to three problems."""
    folder = tmp_path / "data" / "outputs" / "openai_gsm8k"
    folder.mkdir(parents=True)
    for system, wrong in (("first", 1), ("second", 0)):
        rows = [
            {"question": f"What is {i} + 1?", "gold": str(i + 1), "response": f"A: {i + 1 + wrong}"} for i in range(3)
        ]
        (folder / f"{system}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "data"


def test_the_cost_of_a_run_of_any_size_is_measured(solutions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, SCALE, "--data", solutions, "--out", out, "--samples", "40,80"]
    done = subprocess.run(
        [*command, "--only", "run,report", "--json", tmp_path / "costs.json"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    costs = json.loads((tmp_path / "costs.json").read_text())
    assert {name: list(by_size) for name, by_size in costs.items()} == {name: ["40", "80"] for name in costs}
    for cost in (cost for by_size in costs.values() for cost in by_size.values()):
        assert cost["memory"] >= cost["largest"] > 2**20
        assert cost["cpu"] > 0
    results = json.loads((out / "80" / "run" / "results.json").read_text())
    (dataset,) = results["datasets"]
    assert [(s["model"], s["n"] * s["samples"]) for s in dataset["scores"]] == [("first", 40), ("second", 40)]
    assert dataset["duplicates"]["repeated"] == 0
    assert dataset["scores"][0]["accuracy"] < dataset["scores"][1]["accuracy"]
    assert "| command | 40 | 80 | exponent | last step |" in done.stdout
    again = subprocess.run([*command, "--only", "run"], capture_output=True, text=True, timeout=100)
    assert again.returncode == 2
    assert "where there is no run yet" in again.stderr


def test_the_exponent_is_the_slope_of_the_logarithms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCALE.parent))
    exponent = runpy.run_path(str(SCALE))["exponent"]
    assert exponent({10: 3.0, 100: 30.0, 1000: 300.0}) == pytest.approx(1)
    assert exponent({10: 1.0, 100: 100.0}) == pytest.approx(2)
    assert exponent({10: 5.0, 1000: 5.0}) == pytest.approx(0)


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
