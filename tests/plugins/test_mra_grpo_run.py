"""The trainer `grpo` through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from grpo_kit import FAST
from runs import here

from mra_bench.store import read_rows


@pytest.mark.slow
def test_a_recipe_with_it_runs_and_its_rewards_are_checked_first(tmp_path: Path) -> None:
    recipe: dict[str, Any] = {
        "name": "tiny",
        "datasets": {
            "train": {"data": "arith", "split": "train", "limit": 4},
            "test": {"data": "arith", "split": "test", "limit": 2},
        },
        "models": {
            "base": {"model": "tiny-qwen2"},
            "grpo": {"from": "base", "trainer": "grpo", "data": "train", "options": {**FAST, "max_steps": 2}},
        },
        "evaluate": {"datasets": ["test"], "max_new_tokens": 16},
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    asked = ["run", "--recipe", str(tmp_path / "tiny.yaml"), "--out", tmp_path / "run"]
    refused = here(*asked, "--set", "models.grpo.options.rewards={correct: {options: {grader: simpy}}}")
    assert refused.returncode == 2
    said = "Model 'grpo': Unknown grader 'simpy' in the reward 'correct'. Did you mean 'sympy'? Known: sympy."
    assert said in refused.stderr
    assert not (tmp_path / "run").exists()
    done = here(*asked)
    assert done.returncode == 0, done.stderr
    assert "Verdict: grpo against base" in done.stdout
    (folder,) = (tmp_path / "run" / "models").iterdir()
    facts = json.loads((folder / "stage.json").read_text())["facts"]
    assert (facts["steps"], facts["samples"], facts["rows"]) == (2, 16, 4)
    assert [row["step"] for row in read_rows(folder / "training.jsonl")] == [1, 2]
