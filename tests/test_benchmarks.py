"""The scripts in benchmarks: what they print comes from results files, so it does not steer the terminal."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).parents[1] / "benchmarks" / "quickstart_seeds" / "run.py"


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
