"""Memory in a run of many samples: no command that only reads texts holds them all."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mra_bench import workers
from mra_bench.audit_checks import check_plan
from mra_bench.context import Context
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.problem_sets import ProblemSet
from mra_bench.progress import make_reporter
from mra_bench.recipe_schema import Grading, Named
from mra_bench.report.data import read_run
from mra_bench.results import RESULTS, compute
from mra_bench.stages import grade
from mra_bench.store import fingerprint, finish_stage, read_rows, write_json, write_rows
from mra_bench.types import Problem, PromptStyle
from mra_bench.work import GradeWork, Stage, StoredTexts

MODELS = ("a", "b")
SAMPLES = 4
TEXT = "word " * 500  # more than any figure may cost
TEXTS = {"samples": SAMPLES, "decoding": {"temperature": 0.0}}
SMALL, LARGE = 2_000, 20_000
GRADER = """
from mra_bench import Grade, hookimpl

@hookimpl
def register_graders(register):
    register("length", lambda problem, text: Grade(len(text) > 9, str(len(text))))
"""


def build(run: Path, samples: int) -> Path:
    """A run folder of two models on one dataset with so many samples in all, its results among its files."""
    count = samples // len(MODELS) // SAMPLES
    stages = [_finished(run, "problems", "test", {"data": "test", "split": "", "hash": ""}, [])]
    names = [f"q{i:05d}" for i in range(count)]
    write_rows(
        run / stages[0] / "problems.jsonl",
        ({"id": n, "question": f"{n}?", "answer": "1", "level": n[-1]} for n in names),
    )
    evaluations = []
    for place, model in enumerate(MODELS):
        texts = _finished(run, "generate", f"{model}-test", TEXTS, stages[:1])
        keys = [(name, k) for name in names for k in range(SAMPLES)]
        for block in range(0, len(keys), 500):
            write_rows(run / texts / f"block-{block // 500:05d}.jsonl", map(_text, keys[block : block + 500]))
        grades = _finished(
            run,
            "grade",
            f"length-{model}-test",
            {"grader": "length@1", "options": {}, "place": place},
            [texts, stages[0]],
        )
        write_rows(run / grades / "block-00000.jsonl", ({**_verdict(key, place)} for key in keys))
        evaluations.append(
            {"dataset": "test", "model": model, "problems": stages[0], "completions": texts, "grades": [grades]}
        )
        stages += [texts, grades]
    for folder in stages:
        record = json.loads((run / folder / "stage.json").read_text())
        facts = {"texts": len(keys), "tokens": 500 * len(keys)} if record["kind"] == "generate" else {}
        finish_stage(run / folder, {**record, "facts": facts})
    write_json(run / "run.json", {"plan": _manifest(evaluations, stages)})
    write_json(run / RESULTS, compute(run))
    return run


def _finished(run: Path, kind: Any, name: str, spec: dict[str, Any], inputs: list[str]) -> str:
    stage = Stage(kind, name, spec, ())
    (run / stage.folder).mkdir(parents=True)
    record = {"kind": kind, "name": name, "spec": spec, "inputs": inputs, "fingerprint": stage.fingerprint}
    write_json(run / stage.folder / "stage.json", record)
    return stage.folder


def _text(key: tuple[str, int]) -> dict[str, Any]:
    row = {"problem": key[0], "sample": key[1], "text": f"{TEXT}{key}", "prompt_tokens": 9, "tokens": 500}
    return {**row, "finish": "stop"}


def _verdict(key: tuple[str, int], place: int) -> dict[str, Any]:
    answer = str((int(key[0][1:]) + place * key[1]) % 3)
    kind = "correct" if answer == "1" else "wrong"
    row = {"problem": key[0], "sample": key[1], "correct": answer == "1", "answer": answer, "reason": f"{TEXT}{key}"}
    return {**row, "kind": kind, "span": None, "rule": "boxed", "extracted": answer}


def _manifest(evaluations: list[dict[str, Any]], folders: list[str]) -> dict[str, Any]:
    none: dict[str, Any] = {
        "from": None,
        "how": "echo",
        "control_for": None,
        "parameters": 0,
        "stage": None,
        "pairs": None,
    }
    return {
        "name": "scale",
        "description": "",
        "seed": 0,
        "fingerprint": fingerprint("scale"),
        "graders": [{"name": "length", "version": "1", "options": {}, "limits": {}}],
        "models": [{"name": model, **none} for model in MODELS],
        "datasets": [{"name": "test", "data": "test", "split": "", "answer_format": "boxed", "instruction": ""}],
        "evaluations": evaluations,
        "folders": folders,
        "contamination": {"policy": "refuse", "checked": 0, "overlaps": []},
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    return {samples: build(tmp_path_factory.mktemp("scale") / "run", samples) for samples in (SMALL, LARGE)}


def peak(call: Callable[[], object]) -> int:
    """The most bytes that Python's objects made by `call` take at one time."""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("read", "most"),
    [
        (compute, 600),
        (lambda run: read_run(run, held=500_000), 600),
        (lambda run: list(check_plan(run, json.loads((run / "run.json").read_text())["plan"])), 600),
    ],
    ids=["results", "report", "audit"],
)
def test_memory_grows_by_less_than_a_text_for_each_sample(
    runs: dict[int, Path], read: Callable[[Path], object], most: int
) -> None:
    read(runs[SMALL])  # imports
    grown = peak(lambda: read(runs[LARGE])) - peak(lambda: read(runs[SMALL]))
    assert grown < most * (LARGE - SMALL) < len(TEXT) * (LARGE - SMALL) / 4


def test_figures_of_a_large_run_are_those_of_its_rows(runs: dict[int, Path]) -> None:
    results = json.loads((runs[LARGE] / RESULTS).read_text())
    (dataset,) = results["datasets"]
    for evaluation, score in zip(results["stages"], dataset["scores"], strict=True):
        rows = list(read_rows(runs[LARGE] / evaluation["grades"]))
        assert len(rows) == score["n"] * score["samples"] == LARGE // len(MODELS)
        assert score["accuracy"] == sum(row["correct"] for row in rows) / len(rows)
        assert score["kinds"]["correct"] == sum(row["correct"] for row in rows)
        assert (score["tokens_mean"], score["in_format"]) == (500, len(rows))


def test_grading_holds_only_the_texts_that_its_workers_are_at(
    runs: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(GRADER)
    plugins = PluginSettings(named=(str(tmp_path / "mine.py"),))
    registry = load_plugins(plugins)
    monkeypatch.setattr(workers, "WINDOW_PER_WORKER", 1)
    peaks = {}
    for samples, run in runs.items():
        evaluation = json.loads((run / RESULTS).read_text())["stages"][0]
        problems = tuple(Problem(**row) for row in read_rows(run / evaluation["problems"]))
        asked = ProblemSet("test", "test", "", problems, PromptStyle(), "")
        texts = Stage("generate", "a-test", TEXTS, (), StoredTexts(samples))
        work = GradeWork(asked, Named(name="length"), registry.resolve("graders", "length"), Grading())
        stage = Stage("grade", "again", {}, (texts,), work)
        context = Context(run, registry, plugins, make_reporter(quiet=True, as_json=False), {})
        (run / stage.folder).mkdir(parents=True)
        peaks[samples] = peak(lambda c=context, s=stage: grade(c, s))  # type: ignore[misc]
        keys = [(row["problem"], row["sample"]) for row in read_rows(run / stage.folder)]
        assert keys == [(row["problem"], row["sample"]) for row in read_rows(run / texts.folder)]
    assert peaks[LARGE] - peaks[SMALL] < len(TEXT) * (LARGE - SMALL) / len(MODELS) / 4
