"""The benchmark of the error profile, on the embedded dataset."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "profiles" / "run.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUN), *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def rows(printed: str) -> dict[str, list[str]]:
    """The rows of all tables, by their first two cells."""
    found = {}
    for line in printed.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        found[" / ".join(cells[:2])] = cells
    return found


def test_every_kind_and_dimension_has_its_row() -> None:
    done = run("--only", "arith", "--count", "8", "--references", "30", "--markdown")
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert found["carried-digit / carried on"][2:6] == ["8", "**100**", "**100**", "**100**"]
    assert found["wrong-operation / carried on"][5] == "0"  # worked out correctly, it leaves no false equality behind
    assert found["arithmetic / 40"][2].startswith("100.0 (91.2 to 100.0)")
    alarms = next(cells for cells in found.values() if cells[0] == "30")
    assert len(alarms) == 8
    assert all(cell.startswith("0.0") for cell in alarms[1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "arit"], "unknown set 'arit'; there are gsm8k, arith, math"),
        (["--only", "arith", "--count", "0"], "must be 1 or more"),
        (["--data", "/nowhere"], "the set gsm8k needs gsm8k/test.jsonl in the folder /nowhere"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
