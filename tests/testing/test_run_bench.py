"""run_bench: the real command line on six questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mra_bench.testing import BenchResult, problem, run_bench
from mra_bench.testing.bench import SIX

LAST_WORD = Path(__file__).parents[1] / "plugin_package" / "mra_bench_last_word.py"
MODEL = """
from mra_bench import Completion, hookimpl

class Fixed:
    reproducible = True
    def identity(self):
        return {"model": "fixed"}
    def checkpoint(self):
        return None
    def render(self, problem, style):
        return problem.question
    def continuation(self, text):
        return text
    def generate(self, block):
        for request in block.requests:
            yield Completion(request.problem.id, request.sample, "It is 45", 3, 3, "stop")

@hookimpl
def register_models(register):
    register("fixed", lambda options: Fixed())
"""


def test_the_built_in_grader_on_the_six_questions() -> None:
    result = run_bench()
    assert result.exit_code == 0, result.output
    assert "Verdict: model solves 66.7 % of six" in result.output
    assert result.accuracy == 4 / 6
    assert [result.grades[problem.id].correct for problem, _ in SIX] == [True] * 4 + [False] * 2


def test_a_plugin_from_a_file_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LAST_WORD.parent)
    result = run_bench(grader="last-word", plugin=LAST_WORD.name, folder=tmp_path / "kept")
    assert result.exit_code == 0, result.output
    assert result.grades["q0"].reason == "the last word"
    assert (tmp_path / "kept" / "run" / "report.html").is_file()
    again = run_bench(grader="sympy", folder=tmp_path / "kept")
    assert again.grades["q0"].reason != "the last word"  # those of the run before are in the folder still


def test_texts_of_ones_own_and_more_arguments() -> None:
    texts = [(problem("4", id=f"mine-{n}"), text) for n, text in enumerate(["\\boxed{4}", "five", "\x00{{", ""])]
    result = run_bench(texts=texts, arguments=["--limit", "3"])
    assert result.exit_code == 0, result.output
    assert {key: grade.correct for key, grade in result.grades.items()} == {
        "mine-0": True,
        "mine-1": False,
        "mine-2": False,
    }


def test_a_model_is_asked_instead(tmp_path: Path) -> None:
    (tmp_path / "fixed.py").write_text(MODEL)
    result = run_bench(model="fixed", plugin=str(tmp_path / "fixed.py"))
    assert result.exit_code == 0, result.output
    assert [result.grades[problem.id].correct for problem, _ in SIX] == [p.answer == "45" for p, _ in SIX]


def test_a_model_with_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.jsonl").write_text("".join(f'{{"problem": "q{n}", "text": "45"}}\n' for n in range(6)))
    result = run_bench(model="echo@texts.jsonl")
    assert result.exit_code == 0, result.output
    assert result.accuracy == 2 / 6


def test_a_run_that_is_refused() -> None:
    result = run_bench(grader="simpy")
    assert result.exit_code == 2
    assert "Unknown grader 'simpy'. Did you mean 'sympy'?" in result.output
    assert result == BenchResult(2, result.output, {}, {})
