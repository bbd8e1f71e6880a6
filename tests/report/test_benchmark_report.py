"""benchmarks/report: carried out on little; what it prints comes from what Chromium measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from report_browser import NEEDS_BROWSER

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "report" / "run.py"


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a few problems like those of MATH."""
    row = {
        "problem": "What is $1 + 1$?",
        "solution": "As $1 + 1 = 2$, it is 2. " * 30,
        "type": "Algebra",
        "level": "Level 1",
    }
    (tmp_path / "math").mkdir()
    for split in ("train", "test"):
        (tmp_path / "math" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for _ in range(3)))
    return tmp_path


def test_what_it_cannot_do_is_refused(tmp_path: Path) -> None:
    done = bench("--kinds", "odd")
    assert (done.returncode, "unknown 'odd'. Known: alike, unlike" in done.stderr) == (2, True)
    done = bench("--samples", "8", "--data", tmp_path)
    assert (done.returncode, "Give the data folder with --data" in done.stderr) == (2, True)


@pytest.mark.benchmark
@NEEDS_BROWSER[1]
def test_sizes_and_times_are_measured(data: Path, tmp_path: Path) -> None:
    done = bench("--samples", "240", "--data", data, "--out", tmp_path / "out", "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert [(row["samples"], row["kind"]) for row in found] == [(240, "alike"), (240, "unlike")]
    for row in found:
        assert row["size"] == (tmp_path / "out" / f"240-{row['kind']}" / "run" / "report.html").stat().st_size
        assert 0 < row["first_view"] < row["prepared"]
        assert row["processor"] > 0
        reactions = row["reactions"]
        assert reactions["search 'triangle' at once"]["count"] == "0 of 60 problems"
        assert reactions["clear filters"]["count"] == "60 of 60 problems"
        assert reactions["search 'zzz', a key"]["seconds"] > 0.08
    assert "| 240 | alike | 0." in done.stdout
    assert "| filter a model |" in done.stdout
