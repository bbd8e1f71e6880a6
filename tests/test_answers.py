"""Models that are not reproducible: texts kept one by one, notes summed, a check before any work, a warning."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from runs import bench, here
from test_schemas import schema

from mra_bench.answers import Answers
from mra_bench.notes import MOST, OTHERS, Notes
from mra_bench.types import Completion, Problem, Request

PLUGIN = """
import json, os, pathlib
from mra_bench.errors import UsageError
from mra_bench.hookspecs import hookimpl
from mra_bench.types import Completion
HOME = pathlib.Path(__file__).parent
class Paid:
    reproducible = False
    note = "a note"
    def identity(self): return {"weights": "none"}
    def checkpoint(self): return None
    def render(self, problem, style): return problem.question
    def continuation(self, text): return text
    def check_ready(self):
        if (HOME / "closed").exists(): raise UsageError("it is closed")
    def begin(self, spent): self.say("begin", spent)
    def say(self, *what):
        with (HOME / "said.jsonl").open("a") as file: file.write(json.dumps(what) + "\\n")
    def generate(self, block):
        for place, request in enumerate(reversed(block.requests)):
            if place == 2 and not (HOME / "again").exists(): os._exit(9)
            self.say("asked", request.problem.id)
            yield Completion(request.problem.id, request.sample, "1", 1, 1, "stop", {"cost": 0.5, "by": "m"})
@hookimpl
def register_models(register): register("paid", lambda options: Paid())
"""


def asked(folder: Path) -> list[str]:
    rows = map(json.loads, (folder / "said.jsonl").read_text().splitlines())
    return [what for kind, what in rows if kind == "asked"]


def test_a_kill_loses_no_text_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    plugin = tmp_path / "paid.py"
    plugin.write_text(PLUGIN)
    words = ("run", "--plugin", plugin, "--model", "p=paid", "--data", "arith", "--limit", 6, "--set", "block_size=4")
    killed = bench(*words, "--out", tmp_path / "run")
    assert killed.returncode == 9
    (folder,) = (tmp_path / "run" / "completions").iterdir()
    with (folder / "work" / "answers-00000.jsonl").open("a") as file:
        file.write('{"problem": "torn')  # as a kill may leave it
    (tmp_path / "again").touch()
    done = here(*words, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert len(asked(tmp_path)) == len(set(asked(tmp_path))) == 6
    begun = [json.loads(line)[1] for line in (tmp_path / "said.jsonl").read_text().splitlines() if "begin" in line]
    assert begun == [{}, {"by": {"m": 2}, "cost": 1.0}]
    stage = json.loads((folder / "stage.json").read_text())
    assert stage["facts"]["notes"] == {"by": {"m": 6}, "cost": 3.0}
    assert not (folder / "work").exists()
    for row in map(json.loads, (folder / "block-00000.jsonl").read_text().splitlines()):
        jsonschema.validate(row, schema("completion"))
        assert row["notes"] == {"cost": 0.5, "by": "m"}
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["models"]["p"] == {"weights": "none", "reproducible": False, "notes": {"by": {"m": 6}, "cost": 3.0}}
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    jsonschema.validate(results, schema("results"))
    assert results["not_reproducible"] == ["p"]
    assert [w["kind"] for w in results["warnings"]].count("not-reproducible") == 1
    assert "asked again" in (tmp_path / "run" / "report.html").read_text()
    audited = here("audit", "--plugin", plugin, tmp_path / "run")
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_a_model_that_would_not_answer_is_refused_when_the_run_starts_and_not_when_it_is_planned(
    tmp_path: Path,
) -> None:
    plugin = tmp_path / "paid.py"
    plugin.write_text(PLUGIN)
    (tmp_path / "closed").touch()
    (tmp_path / "again").touch()
    words = ("run", "--plugin", plugin, "--model", "p=paid", "--data", "arith", "--limit", 2, "--out", tmp_path / "run")
    assert here(*words, "--dry-run").returncode == 0
    refused = here(*words)
    assert refused.returncode == 2
    assert "Model 'p': it is closed" in refused.stderr
    assert not (tmp_path / "run" / "run.json").exists()
    (tmp_path / "closed").unlink()
    assert here(*words).returncode == 0
    (tmp_path / "closed").touch()
    again = here(*words)  # everything is there: the model is not needed
    assert again.returncode == 0, again.stderr


def test_notes_of_many_different_texts_stay_few() -> None:
    notes = Notes()
    for number in range(MOST + 7):
        notes.add({"notes": {"id": f"text-{number:03d}", "count": 2}})
    data = notes.data()
    assert data["count"] == 2 * (MOST + 7)
    assert len(data["id"]) == MOST + 1
    assert data["id"][OTHERS] == 7


@pytest.mark.parametrize("notes", [{"cost": float("nan")}, {"cost": None}, {1: 2}, "text"])
def test_notes_are_words_with_numbers_or_texts(tmp_path: Path, notes: object) -> None:
    plugin = tmp_path / "paid.py"
    plugin.write_text(PLUGIN.replace('{"cost": 0.5, "by": "m"}', repr(notes).replace("nan", "float('nan')")))
    (tmp_path / "again").touch()
    done = here("run", "--plugin", plugin, "--model", "p=paid", "--data", "arith", "--limit", 1, cwd=tmp_path)
    assert done.returncode == 1
    assert "notes must be a mapping of words to finite numbers and texts" in done.stderr


def test_what_is_left_of_a_file_that_was_changed_is_not_used(tmp_path: Path) -> None:
    request = Request(Problem("a", "?", "1"))
    answers = Answers(tmp_path, 0, [request], kept=True)
    answers.add(Completion("a", 0, "one", 1, 1, "stop"))
    assert set(Answers(tmp_path, 0, [request], kept=True).there) == {("a", 0)}
    assert not Answers(tmp_path, 0, [Request(Problem("b", "?", "1"))], kept=True).there
    (tmp_path / "answers-00000.jsonl").write_text("no json\n")
    assert not Answers(tmp_path, 0, [request], kept=True).there
