"""The benchmark of datasets, on a folder of two."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "datasets" / "run.py"


@pytest.mark.benchmark
def test_rows_that_are_not_those_of_the_spec_fail(tmp_path: Path) -> None:
    for name, row in (("math500", {"problem": "1 + 1?", "answer": "2"}), ("aime24", {"question": "1 + 1?"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test.jsonl").write_text(json.dumps(row) + "\n")
    done = subprocess.run(
        [sys.executable, str(RUN), str(tmp_path), "--markdown", "--json", str(tmp_path / "out.json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "| math-500 | mixed | test | 1 | no | 1 | - | 0 |" in done.stdout
    assert "math-500 test: rows: 1, not 500" in done.stderr
    assert "aime24 test: rows: " in done.stderr
    assert "no column 'problem' and no column 'answer'" in done.stderr
    assert [row["dataset"] for row in json.loads((tmp_path / "out.json").read_text())] == ["aime24", "math-500"]
