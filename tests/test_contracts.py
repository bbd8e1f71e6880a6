"""Faulty model and trainer plugins: each fault is one sentence that names the plugin and what is expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mra_bench.cli import call

MODEL = """
from mra_bench import Completion, hookimpl

class Mine:
    reproducible = True
    def identity(self):
        return {"model": "mine"}
    def checkpoint(self):
        return None
    def render(self, problem, style):
        return problem.question
    def continuation(self, text):
        return text
    def generate(self, block):
        for r in block.requests:
            yield Completion(r.problem.id, r.sample, "1", 3, 1, "stop")

def load(options):
    return Mine()

@hookimpl
def register_models(register):
    register("mine", load)
"""

TRAINER = """
from dataclasses import dataclass
from mra_bench.types import ModelRef, TrainedModel

def train(job):
    job.output.mkdir()
    (job.output / "answers.jsonl").write_text("")
    return TrainedModel(job.output, ModelRef("folder", {}), {"steps": 1, "tokens": 1})

@dataclass(frozen=True)
class Folder:
    path: str = ""

def load_folder(options):
    return Mine()

@hookimpl
def register_trainers(register):
    register("teach", train, consumes="problems")
"""

Refused = tuple[int, str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    recipe = {
        "name": "faulty",
        "datasets": {
            "test": {"data": "arith", "split": "test", "limit": 2},
            "train": {"data": "arith", "split": "train", "limit": 2},
        },
        "models": {"base": {"model": "mine"}, "child": {"from": "base", "trainer": "teach", "data": "train"}},
        "evaluate": {"datasets": ["test"]},
        "graders": ["same"],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (tmp_path / "weights").mkdir()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], source: str, models: str = "base", *more: str) -> tuple[int, str]:
    """The exit code and what was said of a run with a plugin of this source."""
    grader = """
from mra_bench import Grade
@hookimpl
def register_graders(register):
    register("same", lambda problem, text: Grade(text == problem.answer))
"""
    Path("faulty.py").write_text(source + grader)
    code = call(["run", "--recipe", "recipe.yaml", "--plugin", "faulty.py", "--out", "out", "--models", models, *more])
    return code, capsys.readouterr().err


def change(source: str, old: str, new: str) -> str:
    assert old in source
    return source.replace(old, new)


def test_a_sound_model_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, MODEL)
    assert code == 0, said
    assert json.loads((folder / "out" / "results.json").read_text())["datasets"][0]["n"] == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("def checkpoint(self)", "def chekpoint(self)", "a Mine without checkpoint(). A model has identity(), checkp"),
        ("def render(self, problem, style)", "def render(self, problem)", "render cannot be called as render(problem"),
        ("return Mine()", "return 5", "the loader gave int 5 without identity() and checkpoint()"),
        ("return Mine()", "return Mine(3)", "raised TypeError: Mine() takes no arguments (building the model, faulty"),
        ("def load(options)", "def load()", "the loader cannot be called as loader(options): too many positional"),
        ("def load(options)", "def load(options, key)", "missing a required argument: 'key'"),
        ('return {"model": "mine"}', "return None", "what identity() gives is None; it must be a mapping"),
        ('{"model": "mine"}', '{"model": object()}', "must hold only what JSON can: Object of type object"),
        ('{"model": "mine"}', '{"environment": 5}', "'environment' in what identity() gives is int 5"),
        ("return None", 'return "weights"', "checkpoint() gave str 'weights'; it must give the pathlib.Path"),
        ("return None", "raise OSError('no disk')", "raised OSError: no disk (checkpoint(), faulty.py line 9)"),
    ],
)
def test_a_model_of_the_wrong_shape_is_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    code, said = run(capsys, change(MODEL, old, new))
    assert code == 1
    assert said.startswith("Error: The model plugin faulty:mine")
    assert words in said
    assert said.count("\n") == 1
    assert not (folder / "out").exists()


COMPLETION = 'Completion(r.problem.id, r.sample, "1", 3, 1, "stop")'


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('"1"', "generate() yielded str '1'; it must yield a Completion"),
        ('Completion(r.problem.id, r.sample, 5, 3, 1, "stop")', "a Completion with text=5; text must be text (str)"),
        ('Completion(r.problem.id, r.sample, "1", 3, None, "stop")', "tokens=None; tokens must be a whole number"),
        ('Completion(r.problem.id, r.sample, "1", True, 1, "stop")', "prompt_tokens=True"),
        ('Completion(r.problem.id, r.sample, "1", 3, 1, "end")', "finish='end'; finish must be 'stop' or 'length'"),
        ('Completion("x", r.sample, "1", 3, 1, "stop")', "for problem 'x', sample 0, which the block does not ask"),
        ("1 / 0", "raised ZeroDivisionError: division by zero (generate(), faulty.py line 16)"),
    ],
)
def test_a_text_of_the_wrong_shape_never_reaches_the_files(
    folder: Path, capsys: pytest.CaptureFixture[str], given: str, words: str
) -> None:
    code, said = run(capsys, change(MODEL, COMPLETION, given))
    last = said.splitlines()[-1]
    assert code == 1
    assert "Traceback" not in said
    assert last.startswith("Error: The model 'base' failed on the block that starts at problem test-00000. The model p")
    assert words in last
    assert not list((folder / "out").glob("completions/*/block*"))


def trained(capsys: pytest.CaptureFixture[str], old: str, new: str) -> tuple[int, str]:
    source = change(MODEL, "return None", 'import pathlib; return pathlib.Path("weights")')
    loader = 'register("mine", load)\n    register("folder", load_folder, options=Folder)'
    source = change(source + TRAINER, 'register("mine", load)', loader)
    return run(capsys, change(source, old, new), "child")


def test_a_sound_trainer_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = trained(capsys, "steps", "steps")
    assert code == 0, said
    assert [m["name"] for m in json.loads((folder / "out" / "results.json").read_text())["models"]] == ["base", "child"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("job.output.mkdir()", 'raise RuntimeError("nan loss")', "RuntimeError: nan loss (training 'child', faulty.py"),
        ("return TrainedModel", "TrainedModel", "train(job) gave None; it must give a TrainedModel"),
        (
            "    job.output.mkdir()\n    (job.output",
            "    import pathlib; (pathlib.Path('weights')",
            "saved nothing in job.output",
        ),
        (
            'ModelRef("folder", {})',
            "job.parent_ref",
            "option 'path', such as mra_transformers:transformers, but",
        ),
        ('ModelRef("folder", {})', '"folder"', "TrainedModel.ref is str 'folder'; it must be a ModelRef"),
        ('{"steps": 1, "tokens": 1}', "[1]", "TrainedModel.facts is a list; it must be a mapping"),
    ],
)
def test_a_faulty_trainer_is_named_with_what_is_expected(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    code, said = trained(capsys, old, new)
    last = said.splitlines()[-1]
    assert code == 1
    assert "Traceback" not in said
    assert last.startswith("Error: The trainer plugin faulty:teach")
    assert words in last
    assert not list((folder / "out").glob("models/*/stage.json"))


def test_a_trainer_that_takes_no_job_is_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = trained(capsys, "def train(job)", "def train(job, epochs)")
    assert code == 1
    assert "the trainer cannot be called as train(job): missing a required argument: 'epochs'" in said
    assert not (folder / "out").exists()
