"""Run folders for tests of the sample browser: with formulas, profiles or many models, and one hostile throughout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import report_folder
from report_folder import MODELS, Shape, Skill, add_grader, build, read

QUESTION = "If $x^2 = 4$ and \\[y = \\frac{1}{2},\\] what is $y$ for \\$5?"
SOLUTION = "We see $y = \\boxed{\\frac{1}{2}}$, and $x^2 = 4$ as $\\unknowncommand{z}$."
ANSWER = "\\frac{1}{2}"
ATTACK = (
    "<img src=x onerror='window.pwned=1'></script><script>window.pwned=2</script><!-- \u202e\ud800\u0000 javascript:"
)
HOSTILE_MATH = (
    "$\\href{javascript:window.pwned=3}{x}$ $\\class{skip}{y}$ $\\text{<script>window.pwned=4</script>}$ "
    "$\\style{position:fixed}{z}$ $" + "{" * 900 + "}" * 900 + "$ " + "$\\newcommand{\\a}{\\a\\a}\\a$"
)


def with_formulas(folder: Path) -> Path:
    """Two models on 12 problems; the first two problems have formulas in question, solution and answers."""
    build(folder, Shape(test=12, hard=0, hostile=False, models=("base", "sft")))
    problems = folder / "problems/test-00000001/problems.jsonl"
    changed = {"test-00000": {"question": QUESTION}, "test-00001": {"question": HOSTILE_MATH}}
    _change(problems, "id", {name: {**row, "solution": SOLUTION, "answer": ANSWER} for name, row in changed.items()})
    _change(
        _grades(folder, "sft"), "problem", {"test-00000": {"answer": ANSWER}, "test-00001": {"answer": HOSTILE_MATH}}
    )
    return folder


def add_profiles(folder: Path, name: str = "verifier") -> Path:
    """Let a profiler have looked at the texts of a built folder: it quotes the last word of each."""
    results = read(folder)
    for stage in results["stages"]:
        texts = _rows(folder / stage["completions"] / "block-00000.jsonl")
        stage["profiles"] = [f"profiles/{name}-{stage['model']}-{stage['dataset']}-00000001"]
        _write(folder / stage["profiles"][0] / "block-00000.jsonl", [_profile(row) for row in texts])
    for dataset in results["datasets"]:
        dataset["profiles"] = [{"name": name, "models": []}]
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    return folder


def _profile(row: Mapping[str, Any]) -> dict[str, Any]:
    last = " ".join(row["text"].split()[-3:])
    return {
        "problem": row["problem"],
        "sample": row["sample"],
        "errors": {"arithmetic": 0.5, "<b>logical</b>": 0.0, "algebraic": None},
        "evidence": {"arithmetic": [f"In {last!r} something <i>is</i> wrong {ATTACK}."]},
        "scores": {"wrongness": 0.25},
        "failure": "",
    }


def many_models(folder: Path, patch: pytest.MonkeyPatch, count: int = 11) -> Path:
    """`count` models on 30 problems."""
    names = [f"model-{place:02d}" for place in range(count)]
    for place, name in enumerate(names):
        patch.setitem(report_folder.MODELS, name, (None, "sft", Skill(0.3 + 0.04 * place, 0.9)))
    return build(folder, Shape(test=30, hard=0, hostile=False, models=tuple(names)))


def everywhere_hostile(folder: Path) -> Path:
    """A folder whose every name and text that a stranger can fill attacks the page."""
    build(folder, Shape(test=8, hard=4, hostile=False, models=("base", "sft")))
    add_grader(folder, "strict")
    add_profiles(folder)
    for path in (
        *folder.glob("completions/*/*.jsonl"),
        *folder.glob("grades/*/*.jsonl"),
        *folder.glob("profiles/*/*.jsonl"),
    ):
        _write(path, [{**row, **_attacked(row), "problem": row["problem"] + ATTACK} for row in _rows(path)])
    for path in folder.glob("problems/*/problems.jsonl"):
        rows = _rows(path)
        long = {"question": "long " * 200_000 + HOSTILE_MATH}
        changed = [{**row, **_attacked(row), **(long if place == 1 else {})} for place, row in enumerate(rows)]
        _write(path, [{**row, "id": row["id"] + ATTACK} for row in changed])
    results = read(folder)
    stages = results["stages"]
    names = {name: name + ATTACK for name in (*MODELS, "test", "hard", "arith", "strict", "verifier")}
    names |= {"sft": "n" * 3_000 + ATTACK}
    results = _renamed(results, names)
    for stage, before in zip(results["stages"], stages, strict=True):
        kept = {key: value for key, value in before.items() if key not in ("dataset", "model")}
        stage.update(kept)
    results["run"].update(name=ATTACK, description=ATTACK)
    results["grader"] = {"name": ATTACK, "version": ATTACK}
    results["warnings"] = [{"kind": ATTACK, "text": ATTACK}]
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    (folder / "run.json").write_text(json.dumps(_provenance(read(folder, "run.json"))), "utf-8")
    (folder / "recipe.yaml").write_text(f"description: {ATTACK}".encode("utf-8", "replace").decode(), "utf-8")
    return folder


def _provenance(record: dict[str, Any]) -> dict[str, Any]:
    prompt = {"hash": ATTACK, "text": ATTACK + "\n" + ATTACK}
    return {
        **record,
        "command": ["mra-bench", ATTACK],
        "versions": {ATTACK: ATTACK, "python": ATTACK},
        "git": {"commit": ATTACK, "dirty": ATTACK},
        "prompts": {ATTACK: {ATTACK: prompt}},
    }


def _attacked(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("text", "answer", "reason", "kind", "rule", "question", "solution", "subject", "level", "failure")
    return {name: ATTACK for name in fields if isinstance(row.get(name), str)} | (
        {"span": [0, 4]} if row.get("span") else {}
    )


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


def _grades(folder: Path, model: str) -> Path:
    return folder / f"grades/sympy-{model}-test-00000001/block-00000.jsonl"


def _change(path: Path, key: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
    _write(path, [{**row, **changes.get(row[key], {})} for row in _rows(path)])


def change_text(folder: Path, model: str, problem: str, text: str) -> None:
    """Give a model another text on a problem of "test"; its grade has no span then."""
    _change(folder / f"completions/{model}-test-00000001/block-00000.jsonl", "problem", {problem: {"text": text}})
    _change(_grades(folder, model), "problem", {problem: {"span": None}})


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
