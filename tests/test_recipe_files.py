"""--data beside a recipe: which of its datasets are read from the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mra_bench.recipe_files import read_from_files
from tests.runs import here


def recipe() -> dict[str, Any]:
    return {
        "datasets": {
            "train": {"data": "gsm8k", "split": "train"},
            "dev": {"carve": "train", "count": 3},
            "test": {"data": "gsm8k"},
            "again": {"data": "gsm8k", "split": "test"},
            "transfer": {"data": "svamp", "split": "test"},
        }
    }


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ("train=f.jsonl", {"train"}),
        ("gsm8k:train=f.jsonl", {"train"}),
        ("gsm8k:test=f.jsonl", {"test", "again"}),
        ("again=f.jsonl", {"again"}),
        ("svamp=f.jsonl", {"transfer"}),
    ],
)
def test_which_datasets_a_file_stands_for(given: str, changed: set[str]) -> None:
    data = recipe()
    read_from_files(data, [given])
    assert {name for name, entry in data["datasets"].items() if entry.get("path") == "f.jsonl"} == changed


def test_a_recipe_on_rows_of_a_local_file(tmp_path: Path) -> None:
    rows = [{"question": f"Compute: {n} + 1", "answer": str(n + 1)} for n in range(3)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = here("run", "--recipe", "smoke", "--models", "base", "--data", "test=mine.jsonl", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "reports/smoke/results.json").read_text())
    assert [(data["name"], data["n"]) for data in results["datasets"]] == [("test", 3)]
