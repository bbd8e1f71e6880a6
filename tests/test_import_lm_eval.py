"""lm-eval itself answers and judges with an embedded model; what it wrote is imported and held against what it says."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from runs import here

from mra_bench.store import write_rows

pytest.importorskip("lm_eval", reason="lm-eval is not installed: pip install -r benchmarks/lm_eval/requirements.txt")
pytestmark = pytest.mark.slow

QUESTIONS = 12


def rows(split: str, folder: Path) -> Path:
    """Problems of the embedded dataset in the columns of GSM8K."""
    from mra_arith import load

    path = folder / f"{split}.jsonl"
    found = itertools.islice(load(split, None), QUESTIONS)
    write_rows(path, [{"question": p.question, "answer": f"{p.solution}\n#### {p.answer}"} for p in found])
    return path


def test_what_lm_eval_writes_and_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks/imports"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    from make import TASK, Asked, make

    train, test = rows("train", tmp_path), rows("test", tmp_path)
    asked = Asked("tiny-qwen2", train, test, QUESTIONS, shots=0, chat=False, repeats=1, new_tokens=96, batch=QUESTIONS)
    samples = make(asked, tmp_path / "results", tmp_path)
    said = json.loads(next(tmp_path.rglob("results_*.json")).read_text())["results"][TASK]
    for score in ("strict-match", "flexible-extract"):
        out = tmp_path / score
        more = ("--from", "lm-eval", "--data", "arith", "--score", score, "--out", out, "--quiet")
        done = here("import", samples.parent, *more)
        assert done.returncode == 0, done.stderr
        (one,) = json.loads((out / "results.json").read_text())["published"]["models"]
        assert one["model"] == "qwen2"
        assert one["texts"] == QUESTIONS
        assert (one["both"] + one["published_only"]) / QUESTIONS == pytest.approx(said[f"exact_match,{score}"])
        assert sum(one["why"].values()) == one["published_only"] + one["derived_only"]
        assert all(text["why"] for text in one["differ"])
    assert here("audit", out, "--quiet").returncode == 0
