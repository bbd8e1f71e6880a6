"""mra_bench.open_run: a run folder as pandas tables, whose figures are those of results.json."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from runs import here

import mra_bench
from mra_bench.errors import UsageError
from mra_bench.notebook import COMPARISON, GRADES, PROBLEMS, SAMPLES, SCORES

DOCS = Path(__file__).parents[1] / "docs" / "notebook.md"
TEXT = "<script>alert(1)</script> \ud800"
PLUGIN = """
from mra_bench import Grade, hookimpl

def grade(problem, text):
    if problem.answer == "?":
        return Grade(None, kind="unparseable")
    if text == "odd":
        return Grade(None, reason="Nobody knows.")
    return Grade(text == problem.answer, text, f"It says {text}", span=(0, len(text)))

@hookimpl
def register_graders(register):
    register("exact", grade)
    register("never", lambda problem, text: Grade(False, reason="No."))
"""


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on two datasets, two samples a problem; one gold answer that nobody can read, one text nobody can
    judge."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "exact.py").write_text(PLUGIN)
    for name, count in (("test", 6), ("more", 3)):
        problems = [{"id": f"{name}{i}", "question": f"{i}?", "answer": str(i) if i else "?"} for i in range(count)]
        lines(folder / f"{name}.jsonl", problems)
    ids = [f"test{i}" for i in range(6)] + [f"more{i}" for i in range(3)]
    for model, said in (("a", ["2", TEXT]), ("b", ["2", "odd"])):
        rows = [
            {"problem": i, "sample": k, "text": i[-1] if k and i[-1] > "3" else said[k]} for i in ids for k in (0, 1)
        ]
        lines(folder / f"{model}.jsonl", rows)
    recipe = {
        "name": "notebook",
        "datasets": {name: {"data": f"{name}.jsonl"} for name in ("test", "more")},
        "models": {name: {"model": "echo", "options": {"path": f"{name}.jsonl"}} for name in ("a", "b")},
        "evaluate": {"datasets": ["test", "more"], "samples": 2, "temperature": 1.0},
        "graders": ["exact"],
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe))
    done = here("run", "--recipe", "mine.yaml", "--out", "out", "--plugin", "exact.py", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def results_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "results.json").read_text())
    return found


def dtypes(table: pd.DataFrame) -> dict[str, str]:
    return {name: str(kind) for name, kind in table.dtypes.items()}


def test_the_means_of_samples_are_the_accuracies(finished: Path) -> None:
    samples = mra_bench.open_run(finished).samples()
    assert len(samples) == 2 * 2 * (6 + 3)
    assert dtypes(samples) == SAMPLES
    counted = samples[samples.counted]
    means = counted.correct.fillna(False).groupby([counted.dataset, counted.model], observed=True).mean()
    tokens = counted.groupby(["dataset", "model"], observed=True).tokens.mean()
    for dataset in results_of(finished)["datasets"]:
        for row in dataset["scores"]:
            assert means[dataset["name"], row["model"]] == pytest.approx(row["accuracy"])
            assert tokens[dataset["name"], row["model"]] == pytest.approx(row["tokens_mean"])
    assert means["test", "a"] > 0
    assert set(samples[~samples.counted].problem) == {"test0", "more0"}


def test_what_could_not_be_judged_is_neither_right_nor_wrong(finished: Path) -> None:
    samples = mra_bench.open_run(finished).samples("test", "b")
    odd = samples[samples.text == "odd"]
    assert odd.correct.isna().all()
    assert set(odd[odd.counted].reason) == {"Nobody knows."}
    right = samples[samples.correct.fillna(False)]
    assert (right.text == right.gold).all()
    assert (right.span_end - right.span_start == right.text.str.len()).all()


def test_figures_are_those_of_the_results(finished: Path) -> None:
    run, results = mra_bench.open_run(finished), results_of(finished)
    scores, comparison = run.scores(), run.comparison()
    assert (dtypes(scores), dtypes(comparison)) == (SCORES, COMPARISON)
    for table, part in ((scores, "scores"), (comparison, "pairs")):
        stored = [{**row, "dataset": d["name"]} for d in results["datasets"] for row in d[part]]
        assert len(table) == len(stored)
        for row, expected in zip(table.to_dict("records"), stored, strict=True):
            assert {k: None if pd.isna(v) else v for k, v in row.items()} == {k: expected[k] for k in row}


def test_filters_leave_out_what_they_say(finished: Path) -> None:
    run = mra_bench.open_run(str(finished))
    assert set(run.samples(dataset="more").dataset) == {"more"}
    assert set(run.samples(dataset=["more", "test"], model=["a"]).model) == {"a"}
    assert set(run.grades(dataset="test", model="b").model) == {"b"}
    assert set(run.comparison("more").dataset) == {"more"}
    for gone in finished.glob("completions/a-test-*"):
        assert run.samples(model="b").shape[0] == 18
        (gone / "block-00000.jsonl").rename(gone / "kept")  # read for one model, missed for the other
        try:
            assert run.samples(model="b").shape[0] == 18
            with pytest.raises(UsageError, match="does not hold what mra-bench writes"):
                run.samples(model="a")
        finally:
            (gone / "kept").rename(gone / "block-00000.jsonl")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.samples(model="aa"), r"Unknown model 'aa' in this run\. Did you mean 'a'\?"),
        (lambda run: run.grades(dataset="tst"), r"Unknown dataset 'tst' in this run\. Did you mean 'test'\?"),
        (lambda run: run.comparison(["test", "x"]), "Unknown dataset 'x' in this run"),
    ],
)
def test_a_name_that_is_not_there(finished: Path, ask: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ask(mra_bench.open_run(finished))


def test_verdicts_of_every_grader(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "out"
    shutil.copytree(finished, run)
    plugin = ("--plugin", finished.parent / "exact.py")
    assert here("grade", run, "--grader", "never", *plugin, "--quiet").returncode == 0
    grades = mra_bench.open_run(run).grades()
    assert dtypes(grades) == GRADES
    assert len(grades) == 2 * len(mra_bench.open_run(run).samples())
    assert set(grades[grades.headline].grader) == {"exact:exact"}
    assert set(grades[~grades.headline].grader) == {"exact:never"}
    assert not grades[~grades.headline].correct.any()


def test_a_run_that_is_not_finished_gives_what_is_there(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "out"
    shutil.copytree(finished, run)
    for name in ("results.json", "report.html"):
        (run / name).unlink()
    next(run.glob("grades/exact-a-test-*/stage.json")).unlink()
    next(run.glob("completions/b-more-*/stage.json")).unlink()
    opened = mra_bench.open_run(run)
    samples = opened.samples()
    assert dtypes(samples) == SAMPLES
    assert list(samples.groupby(["dataset", "model"], observed=True).size().items()) == [
        (("more", "a"), 6),
        (("test", "a"), 12),
        (("test", "b"), 12),
    ]
    ungraded = samples[(samples.dataset == "test") & (samples.model == "a")]
    assert ungraded.correct.isna().all()
    assert ungraded.kind.isna().all()
    assert list(opened.scores().model) == ["b", "a"]
    assert opened.comparison().empty
    assert dtypes(opened.comparison()) == COMPARISON
    for stage in run.glob("*/*/stage.json"):
        stage.unlink()
    for table, columns in ((opened.samples(), SAMPLES), (opened.grades(), GRADES), (opened.problems(), PROBLEMS)):
        assert table.empty
        assert dtypes(table) == columns


def test_what_is_no_run_folder(finished: Path) -> None:
    with pytest.raises(UsageError, match="is no run folder"):
        mra_bench.open_run(finished.parent / "nothing")
    with pytest.raises(UsageError, match="There are run folders in it"):
        mra_bench.open_run(finished.parent)
    with pytest.raises(UsageError, match="Did you mean .*out"):
        mra_bench.open_run(finished.parent / "outt")


def test_texts_are_shown_as_text(finished: Path) -> None:
    """Also those that are no valid Unicode."""
    samples = mra_bench.open_run(finished).samples("test", "a")
    said = samples[samples.text == TEXT]
    assert len(said) == 4
    page = said._repr_html_()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "out': datasets ['test', 'more'], models ['a', 'b'])" in repr(mra_bench.open_run(finished))


def test_problems_join_with_samples(finished: Path) -> None:
    run = mra_bench.open_run(finished)
    problems = run.problems()
    assert dtypes(problems) == PROBLEMS
    assert len(problems) == 9
    joined = run.samples().merge(problems, on=["dataset", "problem"])
    assert len(joined) == 36
    assert (joined.gold_x == joined.gold_y).all()


def test_importing_the_package_does_not_import_pandas(finished: Path) -> None:
    code = f"import sys, mra_bench; r = mra_bench.open_run({str(finished)!r}); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_column_is_documented() -> None:
    page = DOCS.read_text("utf-8")
    for columns in (PROBLEMS, SAMPLES, GRADES, SCORES, COMPARISON):
        for name, kind in columns.items():
            assert f"`{name}`" in page, name
            assert f"`{kind}`" in page, kind
