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
DETERMINISM = BENCHMARKS / "determinism" / "run.py"
LM_EVAL = BENCHMARKS / "lm_eval" / "run.py"
MACHINE = BENCHMARKS / "machine.py"
TRL = BENCHMARKS / "trl" / "run.py"

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


def importable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The modules of a folder can be imported, here and in processes started from here."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == folder:
            del sys.modules[name]


@pytest.fixture
def graders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from importable(GRADERS.parent, monkeypatch)


@pytest.fixture
def lm_eval(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from importable(LM_EVAL.parent, monkeypatch)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from importable(BENCHMARKS, monkeypatch)


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


@pytest.mark.slow
@pytest.mark.benchmark
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
        rows = [{"qid": i, "upstream_correct": i % 10 < share, "response": "x" * (i % 7 + 1)} for i in range(100)]
        (tmp_path / f"gpt3_{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    sequential(monkeypatch, "gsm8k", "--data", str(tmp_path), "--orders", "5", "--runs", "2")
    printed = capsys.readouterr().out
    assert cells_of(printed, "6b verification to 175b finetuning")[1:5] == ["+0.0", "0", "0", "1"]
    far = cells_of(printed, "6b finetuning to 175b verification")
    assert far[1:4] == ["+70.0", "70", "0"]
    assert float(far[11]) <= 50
    four = ", ".join(name.replace("_", " ") for name in shares)
    assert cells_of(printed, four)[1] == "5 of 6"


@pytest.mark.benchmark
def test_determinism_holds_every_setting_against_an_earlier_one() -> None:
    done = subprocess.run(
        [sys.executable, str(DETERMINISM), "differ", "--arch", "gpt2", "--problems", "3", "--new-tokens", "4"],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split("tiny-")[1:]
    assert [table.splitlines()[0] for table in tables] == ["gpt2: 3 problems in blocks of 1"]
    for table in tables:
        rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[4:] if line]
        names = [row[0] for row in rows]
        assert {"alone", "alone, 2 threads", "alone, weights packed", "alone, bf16"} <= set(names)
        assert rows[0][1:5] == ["-", "0", "0.0", "0"]
        for place, row in enumerate(rows[1:], start=1):
            assert row[1] in names[:place]
            assert 0 <= int(row[2]) <= 3
            assert (row[5] == "-") == (row[2] == "0")


@pytest.mark.slow
@pytest.mark.benchmark
def test_the_engine_is_compared_with_generate_on_the_embedded_model(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--questions", "5", "--new-tokens", "24", "--threads", "1", "--dtype", "fp32"]
    command = [sys.executable, LM_EVAL, "--model", "tiny-qwen2", *few, "--systems", "ours,generate:2"]
    done = subprocess.run([*command, "--markdown", "--json", out], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    data = json.loads(out.read_text())
    assert [(f["name"], len(f["seconds"]), f["texts"], f["error"]) for f in data["figures"]] == [
        ("ours", 1, 5, ""),
        ("generate:2", 1, 5, ""),
    ]
    ours, peer = (run["texts"] for run in data["runs"])
    assert ours == peer, "greedy in fp32: both write the same"
    assert any(ours)
    assert all(text == text.strip() for text in ours)
    assert "| ours = generate:2 | 5 | 5 | 100.0 % |" in done.stdout
    assert "| generate:2 |" in done.stdout.partition("Ratios:")[2]


@pytest.mark.slow
@pytest.mark.benchmark
def test_samples_stand_behind_their_question(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--questions", "3", "--samples", "2", "--new-tokens", "8", "--threads", "1", "--block", "4"]
    command = [sys.executable, LM_EVAL, "--model", "tiny-qwen2", *few, "--systems", "ours,continuous:4"]
    done = subprocess.run([*command, "--json", out], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert [(f["texts"], f["error"]) for f in json.loads(out.read_text())["figures"]] == [(6, "")] * 2
    assert "Same texts" not in done.stdout


@pytest.mark.usefixtures("lm_eval")
def test_figures_are_medians_and_ratios_of_them() -> None:
    figures, jobs = map(importlib.import_module, ("figures", "jobs"))
    ours, peer, other, broken = (jobs.System(*name) for name in (("ours",), ("lm-eval", 16), ("lm-eval", 32), ("x",)))

    def outcomes(seconds: tuple[float, ...], *texts: str) -> list[Any]:
        return [jobs.Outcome(time, 1.0, 2**30, texts) for time in seconds]

    runs = {
        ours: outcomes((2.0, 1.0, 4.0), "a b", "same", "c d e"),
        peer: outcomes((6.0, 8.0, 4.0), "a b", "same", "c d x"),
        other: outcomes((9.0, 9.0, 9.0), "a b", "same", "c d e"),
        broken: [jobs.Outcome(error="not installed")],
    }
    found = figures.figures(runs, lambda texts: sum(len(text.split()) for text in texts))
    assert [(f.name, f.texts, f.tokens) for f in found if not f.error] == [
        ("ours", 3, 6), ("lm-eval:16", 3, 6), ("lm-eval:32", 3, 6)
    ]  # fmt: skip
    assert figures.ratios(found)[1:] == [
        ["lm-eval:16", "3.00", "1.00", "8.00", "3.00"],
        ["lm-eval:32", "4.50", "2.25", "9.00", "4.50"],
        ["best of lm-eval (lm-eval:16)", "3.00", "1.00", "8.00", "3.00"],
    ]
    assert figures.failures(found)[1:] == [["x", "not installed"]]
    assert figures.agreement(runs)[1] == ["ours = lm-eval:16", "2", "3", "66.7 %"]
    assert figures.differences(runs, 3)[1:] == [["lm-eval:16", "2", "4", "5", "'e'", "'x'"]]


@pytest.mark.usefixtures("lm_eval")
def test_the_order_moves_on_from_repetition_to_repetition() -> None:
    jobs, run = map(importlib.import_module, ("jobs", "run"))
    first, second, third = (jobs.System(name) for name in "abc")
    asked = []

    def one(system: Any) -> Any:
        asked.append(system.name)
        return jobs.Outcome(error="broken" if system is third else "", seconds=1.0)

    runs = run.run_all([first, second, third], one, 3)
    assert "".join(asked) == "abc" + "ba" + "ab"
    assert [len(outcomes) for outcomes in runs.values()] == [3, 3, 1]


@pytest.mark.usefixtures("lm_eval")
def test_a_measurement_that_fails_is_told_and_not_repeated(tmp_path: Path) -> None:
    jobs, run, sources = map(importlib.import_module, ("jobs", "run", "sources"))
    broken = jobs.Setting(str(tmp_path), "", "fp32", "cpu", 1)
    work = jobs.Work(("How many?",), 1, 4, 0.0, 0, 8)
    runs = run.run_all([jobs.System("ours")], run.one_of(broken, work, 300.0), 3)
    (outcome,) = runs[jobs.System("ours")]
    assert outcome.error == f"UsageError: No config.json in the model folder {tmp_path}."
    folder, _ = sources.as_folder("tiny-qwen2", tmp_path)
    slow = jobs.Setting(folder, "", "fp32", "cpu", 1)
    assert jobs.measure(jobs.System("ours"), slow, work, 0.01).error == "no result in 0.01 s"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--systems", "our"], "unknown: 'our'. Known: ours, lm-eval"),
        (["--systems", "lm-eval"], "'lm-eval': lm-eval, generate, continuous take a number of rows, as in lm-eval:16"),
        (["--systems", "ours:3"], "'ours:3': "),
        (["--systems", "ours,ours"], "--systems names one twice"),
        (["--questions", "0"], "--questions must be at least 1"),
        (["--samples", "2", "--temperature", "0"], "several greedy samples"),
        (["--data", "nowhere.jsonl"], "Cannot read nowhere.jsonl"),
        (["--data", "bad.jsonl"], "bad.jsonl does not hold a JSON object with a 'question' on each line"),
        (["--data", "few.jsonl"], "few.jsonl holds 1 questions, fewer than the 200 of --questions"),
    ],
)
def test_what_the_engine_benchmark_cannot_do_is_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"q": "1 + 1?"}\n')
    (tmp_path / "few.jsonl").write_text('{"question": "1 + 1?"}\n')
    command = [sys.executable, LM_EVAL, "--model", "tiny-qwen2", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.slow
@pytest.mark.benchmark
def test_the_machine_is_measured_with_the_embedded_model(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    small = ["--rows", "1,3", "--prompt", "20", "--new", "10", "--seconds", "0.01", "--threads", "1"]
    command = [sys.executable, MACHINE, "--model", "tiny-qwen2", "--dtype", "fp32", *small, "--json", out]
    done = subprocess.run([*command, "--markdown"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    data = json.loads(out.read_text())
    assert data["counts"] == {
        # 5 layers of width 192: queries and output 192 each, keys and values 64 each, three of 512; 755 tokens
        "body": 5 * 192 * (2 * 192 + 2 * 64 + 3 * 512), "head": 192 * 755, "attention": 4 * 192 * 5,
        "kept": 2 * 64 * 5 * 4, "size": 4,
    }  # fmt: skip
    assert [(t["rows"], t["prompt"], t["context"]) for t in data["times"]] == [(1, 20, 26.5), (3, 20, 26.5)]
    assert all(t["read"] > 0 and 0 < t["model"] <= t["step"] for t in data["times"])
    for shares in data["shares"].values():
        assert shares["products"] > 0
        assert 0.99 < sum(shares.values()) < 1.2
    for title in ("This machine", "Products at the model's shapes", "Reading prompts", "Writing", "Where a step"):
        assert f"\n{title}" in f"\n{done.stdout}"


@pytest.mark.usefixtures("machine")
def test_operations_and_bytes_are_counted() -> None:
    rates = importlib.import_module("machine_rates")
    counts = rates.Counts(body=100, head=10, attention=8, kept=6, size=2)
    assert counts.operations(tokens=3, logits=1, attended=5) == 2 * (300 + 10) + 40
    assert counts.moved(attended=5) == 2 * 110 + 30
    assert rates.Peak(products=100.0, copy=1.0, read=10.0).least(operations=50, moved=20) == 2.0
    events = {"aten::mm": 0.25, "mkldnn::_linear_pointwise": 0.25, "aten::topk": 0.125, "aten::mul": 0.125}
    found = rates.shares(events, 1.0)
    assert (found["products"], found["choice of the token"], found[rates.REST]) == (0.5, 0.125, 0.125)
    assert found[rates.OUTSIDE] == 0.25


@pytest.mark.slow
@pytest.mark.benchmark
def test_training_is_measured_against_plain_trl(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--only", "sft", "--texts", "96", "--steps", "2", "--settings", "equal"]
    command = [sys.executable, TRL, *few, "--json", out, "--markdown"]
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
