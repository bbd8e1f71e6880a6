"""Halvings are noted as they happen, handed back with a block that is done again, and told in the stage's record."""

from __future__ import annotations

import json
from pathlib import Path

from runs import bench

from mra_bench.halvings import Halvings
from mra_bench.store import read_rows
from mra_bench.types import Halving


def test_they_are_kept_by_block_and_noted_once(tmp_path: Path) -> None:
    kept = Halvings(tmp_path / "work")
    assert kept.of(0) == ()
    assert kept.facts() == {}
    kept.note(2, (Halving(5, 8),))
    kept.note(2, (Halving(5, 8), Halving(9, 4)))
    kept.note(0, ())
    other = Halvings(tmp_path / "work", rank=1)
    other.note(1, (Halving(3, 16),))
    again = Halvings(tmp_path / "work")
    assert again.of(2) == (Halving(5, 8), Halving(9, 4))
    assert again.of(1) == (Halving(3, 16),)
    assert again.facts() == {
        "halvings": [
            {"block": 1, "step": 3, "rows": 16},
            {"block": 2, "step": 5, "rows": 8},
            {"block": 2, "step": 9, "rows": 4},
        ]
    }
    again.note(2, again.of(2))
    assert len(list(read_rows(tmp_path / "work" / "halvings-0.jsonl"))) == 2


def test_a_block_that_was_cut_off_is_done_again_with_its_halvings(tmp_path: Path) -> None:
    """A model that halves once and is killed behind that is given the halving back; the stage's record has it."""
    plugin = tmp_path / "short.py"
    plugin.write_text(
        "import json, os, pathlib\n"
        "from mra_bench.hookspecs import hookimpl\n"
        "from mra_bench.types import Completion, Halving\n"
        "SEEN = pathlib.Path(__file__).with_name('seen.jsonl')\n"
        "class Short:\n"
        "    reproducible = True\n"
        "    halvings = ()\n"
        "    def identity(self): return {'weights': 'none'}\n"
        "    def checkpoint(self): return None\n"
        "    def render(self, problem, style): return problem.question\n"
        "    def continuation(self, text): return text\n"
        "    def generate(self, block):\n"
        "        first = not SEEN.exists()\n"
        "        given = json.dumps([[h.step, h.rows] for h in block.halvings])\n"
        "        with SEEN.open('a') as file: file.write(given + '\\n')\n"
        "        self.halvings = block.halvings\n"
        "        for place, r in enumerate(block.requests):\n"
        "            if place == 1 and first: self.halvings = (Halving(7, 2),)\n"
        "            if place == 3 and first: os._exit(9)\n"
        "            yield Completion(r.problem.id, r.sample, '1', 1, 1, 'stop')\n"
        "@hookimpl\n"
        "def register_models(register): register('short', lambda options: Short())\n"
    )
    asked = ("run", "--plugin", plugin, "--model", "s=short", "--data", "arith", "--limit", 8, "--set", "block_size=4")
    killed = bench(*asked, "--out", tmp_path / "run")
    assert killed.returncode == 9
    done = bench(*asked, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()] == [[], [[7, 2]], []]
    (folder,) = (tmp_path / "run" / "completions").iterdir()
    assert json.loads((folder / "stage.json").read_text())["facts"]["halvings"] == [{"block": 0, "step": 7, "rows": 2}]
    assert not (folder / "work").exists()
