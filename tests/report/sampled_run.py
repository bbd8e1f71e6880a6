"""A small real run of several samples a problem, for tests of what is said and drawn of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from runs import here


def sampled_run(folder: Path) -> Path:
    """A finished run in `folder` of three models that answer from files, four samples for each of 30 problems of two
    types."""
    rng = random.Random(5)
    golds = [str(place) if place % 3 else f"{place + 1}/7" for place in range(30)]
    problems = [
        {"id": f"q{i}", "question": f"What is number {i}?", "answer": g, "solution": "1 = 1. " * (1 + i % 2) + g}
        for i, g in enumerate(golds)
    ]
    write_lines(folder / "mine.jsonl", problems)
    recipe = [
        "name: sampled", "seed: 3", "datasets: {mine: {data: jsonl, path: mine.jsonl}}",
        "evaluate: {datasets: [mine], samples: 4, temperature: 1.0}", "graders: [sympy]", "models:",
    ]  # fmt: skip
    for name, skill in (("low", 0.3), ("middle", 0.5), ("high", 0.8)):
        rows = [
            {"problem": p["id"], "sample": k, "text": _text(rng, str(p["answer"]), skill)}
            for p in problems
            for k in range(4)
        ]
        write_lines(folder / f"{name}.jsonl", rows)
        recipe.append(f"  {name}: {{model: echo, options: {{path: {name}.jsonl}}}}")
    (folder / "recipe.yaml").write_text("\n".join(recipe), "utf-8")
    done = here("run", "--recipe", "recipe.yaml", "--out", "out", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def _text(rng: random.Random, gold: str, skill: float) -> str:
    words = "so " * rng.randrange(40)
    answer = gold if rng.random() < skill else str(rng.randrange(3))
    return f"{words}\\boxed{{{answer}}}" if rng.random() < 0.9 else words


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
