"""The best epoch by a dev set, from the recipe to the audit: what is refused, what is kept, what an audit finds."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_audit import audit, change, rows_of, seal, stage, where
from test_regrade import lines
from test_schemas import check

from mra_bench.cli import call
from mra_bench.dev_sets import check_answers
from mra_bench.errors import UsageError
from mra_bench.manifest import manifest
from mra_bench.plan import make_plan
from mra_bench.plugins import PluginSettings, Registry, load_plugins
from mra_bench.recipe import validate_recipe
from mra_bench.stamps import stamps
from mra_bench.training_texts import learnt_by

PLUGIN = """
import json
from dataclasses import dataclass
from pathlib import Path

from mra_bench import Completion, hookimpl
from mra_bench.types import ModelRef, TrainedModel

RIGHT = (1, 3, 3, 2)  # after each epoch


@dataclass(frozen=True)
class Options:
    path: str = "nothing"


class Table:
    reproducible = True

    def __init__(self, options):
        self.folder = Path(options.path)
        self.epoch = json.loads((self.folder / "epoch.json").read_text())

    def identity(self):
        return {"weights": self.epoch}

    def checkpoint(self):
        return self.folder

    def render(self, problem, style):
        return problem.question

    def continuation(self, text):
        return text

    def generate(self, block):
        for request in block.requests:
            yield Completion(request.problem.id, request.sample, str(self.epoch), 1, 1, "stop")


@dataclass(frozen=True)
class Training:
    score: bool = True

    def examples_seen(self, examples):
        return len(RIGHT) * examples


def train(job):
    best = 0
    for epoch, right in enumerate(RIGHT if job.options.score else (), start=1):
        job.log({"step": epoch, "loss": 1 / epoch})
        texts = [p.answer if place < right else "0" for place, p in enumerate(job.dev.problems)]
        texts = [Completion(p.id, 0, t, 1, epoch, "stop") for p, t in zip(job.dev.problems, texts)]
        best = epoch if job.dev.score(epoch, epoch, lambda: texts) else best
    job.output.mkdir()
    (job.output / "epoch.json").write_text(json.dumps(best))
    return TrainedModel(job.output, ModelRef("table"), {"steps": len(RIGHT), "tokens": 40, "generated_tokens": 2})


@hookimpl
def register_models(register):
    register("table", Table, options=Options)


@hookimpl
def register_trainers(register):
    register("by-heart", train, options=Training, consumes="rows", chooses=True)
    register("blind", train, options=Training, consumes="rows")
"""


def questions(start: int, count: int) -> list[dict[str, Any]]:
    """Sums, each question asked but once."""
    numbers = range(start, start + count)
    return [{"id": f"q{i}", "question": f"{i} + 38?", "answer": str(i + 38), "solution": str(i + 38)} for i in numbers]


def recipe(**choose: Any) -> dict[str, Any]:
    child = {"from": "base", "trainer": "by-heart", "data": "train", "choose": {"data": "dev", **choose}}
    return {
        "name": "chosen",
        "datasets": {
            "train": {"data": "train.jsonl", "split": "train"},
            "dev": {"data": "dev.jsonl", "split": "train"},
            "test": {"data": "test.jsonl", "split": "test"},
        },
        "models": {"base": {"model": "table"}, "child": child},
        "evaluate": {"datasets": ["test"]},
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run."""
    folder = tmp_path_factory.mktemp("chosen")
    for name, start in (("train", 0), ("dev", 100), ("test", 200)):
        lines(folder / f"{name}.jsonl", questions(start, 4))
    (folder / "nothing").mkdir()
    (folder / "nothing" / "epoch.json").write_text("0")
    (folder / "mine.py").write_text(PLUGIN)
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe()))
    with contextlib.chdir(folder):
        assert call(["run", "--recipe", "mine.yaml", "--plugin", "mine.py", "--out", "out", "--quiet"]) == 0
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of that run, in the working folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    return tmp_path / "out"


@pytest.fixture(scope="module")
def registry(made: Path) -> Registry:
    return load_plugins(PluginSettings(named=(str(made / "mine.py"),)))


def facts_of(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((stage(run, "models/child") / "stage.json").read_text())["facts"]
    return facts


def test_what_is_recorded_of_a_choice(run: Path) -> None:
    facts = facts_of(run)
    assert facts["epoch_kept"] == 2
    assert [found["accuracy"] for found in facts["dev_epochs"]] == [0.25, 0.75, 0.75, 0.5]
    assert (facts["dev_generated_tokens"], facts["generated_tokens"], facts["tokens"]) == (40, 42, 40)
    assert facts["samples"] == 4 * 4
    folder = stage(run, "models/child")
    assert json.loads((folder / "weights" / "epoch.json").read_text()) == 2
    log = rows_of(folder / "training.jsonl")
    assert [row["step"] for row in log] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert log[3] == {
        "step": 2, "event": "epoch", "epoch": 2, "dev_accuracy": 0.75, "dev_problems": 4, "dev_tokens_per_answer": 2.0
    }  # fmt: skip
    for kind in ("completion", "grade"):
        paths = sorted((folder / "dev" / f"{kind}s").iterdir())
        assert [path.name for path in paths] == [f"epoch-00{epoch}.jsonl" for epoch in range(1, 5)]
        for path in paths:
            for row in rows_of(path):
                check(kind, row)
    check("run", json.loads((run / "run.json").read_text()))
    results = json.loads((run / "results.json").read_text())
    check("results", results)
    chosen = results["training"][0]["chosen"]
    assert (chosen["dataset"], chosen["problems"]) == ("dev", 4)
    assert [epoch["kept"] for epoch in chosen["epochs"]] == [False, True, False, False]
    assert chosen["epochs"][1]["low"] < 0.75 < chosen["epochs"][1]["high"]
    page = (run / "report.html").read_text()
    assert "the 4 problems of <bdi>dev</bdi>" in page
    assert '<tr><th scope="row" class="num">2</th><td class="num">75.0' in page
    assert page.count("<td>kept</td>") == 1


def test_an_audit_of_what_was_left_finds_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(capsys, "--plugin", "mine.py", code=0)["checked"]["verdicts"] == 2 * 4 + 4 * 4


def test_each_change_is_named_although_files_were_hashed_anew(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = stage(run, "models/child")
    dev = folder / "dev"
    change(dev / "grades" / "epoch-004.jsonl", 2, correct=True, kind="correct")
    change(dev / "completions" / "epoch-001.jsonl", 1, text="139")
    lines(dev / "completions" / "epoch-003.jsonl", rows_of(dev / "completions" / "epoch-003.jsonl")[:3])
    change(folder / "training.jsonl", 7, dev_accuracy=1.0)
    seal(folder, epoch_kept=3)
    named = where(audit(capsys, "--plugin", "mine.py"))
    for expected in (
        ("epoch-004.jsonl", "q102 sample 0"),
        ("epoch-001.jsonl", "q101 sample 0"),
        ("stage.json", "dev_epochs.0.correct"),
        ("epoch-003.jsonl", ""),
        ("training.jsonl", "epoch 4 dev_accuracy"),
        ("stage.json", "epoch_kept"),
    ):
        assert expected in named


def test_problems_that_an_epoch_was_chosen_by_are_known_of_its_weights(run: Path) -> None:
    learnt = {text.text for text in learnt_by(stage(run, "models/child") / "weights")}
    assert {"0 + 38?", "100 + 38?"} <= learnt
    assert "200 + 38?" not in learnt


def test_a_trainer_that_scores_nothing_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = "models.child.options.score=false"
    assert call(["run", "--recipe", "mine.yaml", "--plugin", "mine.py", "--out", "b", "--quiet", "--set", told]) == 1
    assert "called job.dev.score for none" in capsys.readouterr().err


def changed(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *outer, last = path.split(".")
    place: Any = data
    for key in outer:
        place = place[key]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("models.child.choose.data", "test", "'test', which is evaluated: .* Choose by one that is neither: dev$"),
        ("models.child.choose.data", "train", "'train', which 'child' is trained on: .* neither: dev$"),
        ("evaluate.datasets", ["test", "dev"], r"neither: carve one .* 'dev: \{carve: train, count: 200\}'"),
        ("models.child.choose.data", "def", "Unknown dataset 'def' in 'choose' of model 'child'. Did you mean 'dev'"),
        ("models.child.choose.keep", "some", "models.child.choose.keep"),
        ("models.base.choose", {"data": "dev"}, "a loaded model takes"),
    ],
)
def test_a_set_that_will_not_do_is_refused_with_those_that_will(path: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        validate_recipe(changed(recipe(), path, value), "x")


def plan(registry: Registry, **changes: Any) -> Any:
    data = recipe()
    for path, value in changes.items():
        changed(data, path.replace("__", "."), value)
    return make_plan(validate_recipe(data, "x"), registry)


def test_a_trainer_that_cannot_choose_is_refused(run: Path, registry: Registry) -> None:
    said = "trainer 'blind' of model 'child' cannot choose its epoch: leave 'choose' out, or use one that can: .*sft"
    with pytest.raises(UsageError, match=said):
        plan(registry, models__child__trainer="blind")
    with pytest.raises(UsageError, match="Model 'child': Unknown grader 'simpy'"):
        plan(registry, models__child__choose={"data": "dev", "grader": "simpy"})


def test_problems_to_choose_by_are_held_to_what_is_trained_on_and_to_the_tests(run: Path, registry: Registry) -> None:
    dev = questions(100, 4)
    lines(run.parent / "dev.jsonl", [*dev[:3], {**questions(2, 1)[0], "id": "same"}])
    said = r"1 training row holds problems that an epoch is chosen by \(1 of the 4 problems of dev\): train/q2 and dev"
    with pytest.raises(UsageError, match=said):
        plan(registry)
    assert len(plan(registry, contamination="drop").datasets["train"].problems) == 3
    assert [overlap.dataset for overlap in plan(registry, contamination="allow").overlaps] == ["dev"]
    lines(run.parent / "dev.jsonl", [*dev[:3], {**questions(202, 1)[0], "id": "same"}])
    with pytest.raises(UsageError, match=r"1 of the 4 problems of test\): dev/same and test q202"):
        plan(registry)
    assert len(plan(registry, contamination="drop").datasets["dev"].problems) == 3
    found = manifest(plan(registry, contamination="allow"))["contamination"] | {"built": []}
    marked = {"model": "child", "dataset": "test", "questions": 1, "problems": 4}
    assert stamps(found, {"base": None, "child": "base"}) == [marked]


def test_problems_without_answers_choose_nothing(run: Path, registry: Registry) -> None:
    """Such as those of a dataset of pairs."""
    dev = plan(registry).datasets["dev"]
    bare = tuple(dataclasses.replace(problem, answer="") for problem in dev.problems)
    with pytest.raises(UsageError, match="'child' cannot choose its epoch by 'dev': its problems have no answers"):
        check_answers(dataclasses.replace(dev, problems=bare), "child")
