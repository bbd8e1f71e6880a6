"""benchmarks/signals: its tables follow from the runs' own files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "signals" / "run.py"


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with the models of the recipe smoke for control and parent."""
    spec = importlib.util.spec_from_file_location("signals_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CONTROL", "dpo")
    monkeypatch.setattr(module, "PARENT", "base")
    return module


def test_the_main_table_has_the_figures_of_the_runs(signals: ModuleType, smoke_run: Path) -> None:
    head, *rows = signals.main_table([smoke_run, smoke_run], "test")
    assert head == ["model", "seed 0", "seed 0", "over base", "over dpo", "p Holm", "tokens", "compute"]
    scores = {s["model"]: s for s in json.loads((smoke_run / "results.json").read_text())["datasets"][0]["scores"]}
    for name, *accuracies, over_parent, difference, p, tokens, compute in rows:
        assert accuracies == [f"{100 * scores[name]['accuracy']:.1f}"] * 2
        assert (over_parent == "") == (name == "base")
        assert tokens == f"{scores[name]['tokens_mean']:.1f}"
        if name == "dpo":
            assert (difference, p, compute) == ("", "", "1.00")
        else:
            gap = 100 * (scores[name]["accuracy"] - scores["dpo"]["accuracy"])
            assert float(difference.split()[0]) == pytest.approx(gap, abs=0.05)
            assert 0 < float(p.removeprefix("< ")) <= 1


def test_gains_by_level_add_up_to_the_gain(signals: ModuleType, smoke_run: Path) -> None:
    head, *rows = signals.where_table([smoke_run], "test", "level")
    sizes = [int(cell.split("n = ")[1].rstrip(")")) for cell in head[1:]]
    assert sum(sizes) == 64
    whole = {
        name: float(cells[2].split()[0]) for name, *cells in signals.main_table([smoke_run], "test")[1:] if cells[2]
    }
    for name, *cells in rows:
        gains = [float(cell.split()[0]) for cell in cells]
        assert sum(n * gain for n, gain in zip(sizes, gains, strict=True)) / 64 == pytest.approx(whole[name], abs=0.06)
