"""`mra-bench teach`: a cascade of teachers, what it keeps, what it says, and that it goes on where it was."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from runs import here

from mra_bench.errors import UsageError
from mra_bench.plan import make_plan
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.problem_sets import read_datasets
from mra_bench.recipe import validate_recipe
from mra_bench.teaching import Tries
from mra_bench.teaching_guard import guard_teaching

QUESTIONS = {"q0": "1 + 1", "q1": "2 + 2", "q2": "3 + 3", "q3": "4 + 4"}
TEACHERS = ("--teacher", "a=echo@one.jsonl", "--teacher", "b=echo@two.jsonl", "--data", "p=p.jsonl")


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Four problems; the first teacher knows the first two, the second one the first three. Two are test questions."""
    golds = {id_: str(2 * (number + 1)) for number, id_ in enumerate(QUESTIONS)}
    write(tmp_path / "p.jsonl", [{"id": i, "question": q, "answer": golds[i]} for i, q in QUESTIONS.items()])
    asked = {"t0": QUESTIONS["q0"], "t1": "two: \\boxed{6}", "t2": QUESTIONS["q3"].replace(" ", "  ")}
    write(tmp_path / "t.jsonl", [{"id": i, "question": q, "answer": "0"} for i, q in asked.items()])
    for name, known in (("one", ("q0", "q1")), ("two", ("q0", "q1", "q2"))):
        texts = [{"problem": i, "text": f"{name}: \\boxed{{{golds[i] if i in known else 0}}}"} for i in QUESTIONS]
        write(tmp_path / f"{name}.jsonl", texts)
    return tmp_path


def test_what_the_first_does_not_solve_goes_to_the_next_and_only_what_is_right_is_kept(workplace: Path) -> None:
    done = here("teach", *TEACHERS, "--tries", 2, "--out", "taught", "--json", "--quiet", cwd=workplace)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["problems"], said["solved"], said["unsolved"]) == (4, 3, ["q3"])
    first, second = said["teachers"]
    assert (first["asked"], first["solved"], first["solved_in_all"]) == (4, [2, 0], 2)
    assert first["kinds"] == {"correct": 2, "wrong": 4}
    assert (second["asked"], second["solved"]) == (2, [1, 0])
    rows = [json.loads(line) for line in (workplace / "taught" / "taught.jsonl").read_text().splitlines()]
    assert [(row["id"], row["solution"], row["teacher"], row["attempt"]) for row in rows] == [
        ("q0", "one: \\boxed{2}", "a", 1),
        ("q1", "one: \\boxed{4}", "a", 1),
        ("q2", "two: \\boxed{6}", "b", 1),
    ]
    assert json.loads((workplace / "taught" / "teach.json").read_text())["teachers"] == said["teachers"]


def test_the_same_call_asks_nothing_again_and_a_lost_attempt_is_made_again(workplace: Path) -> None:
    asked = ("teach", *TEACHERS, "--tries", 1, "--out", "taught")
    first = here(*asked, cwd=workplace)
    assert "3 of 4 problems solved (75.0 %)" in first.stdout
    before = (workplace / "taught" / "taught.jsonl").read_bytes()
    again = here(*asked, cwd=workplace)
    assert "generate" not in again.stderr
    assert again.stdout == first.stdout
    (lost,) = (workplace / "taught").glob("completions/b-*/block-00000.jsonl")
    lost.unlink()
    third = here(*asked, cwd=workplace)
    assert "the stage is made again" in third.stderr
    assert (workplace / "taught" / "taught.jsonl").read_bytes() == before


def test_a_teacher_that_would_not_answer_is_named_before_the_first_is_asked(workplace: Path) -> None:
    """And not where there is nothing left to ask."""
    pytest.importorskip("openai")
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        options = {"base_url": f"http://127.0.0.1:{closed.getsockname()[1]}/v1", "model": "m", "retries": 0}
        models = {
            "a": {"model": "echo", "options": {"path": "one.jsonl"}},
            "api": {"model": "openai", "options": options},
        }
        recipe = {"name": "x", "datasets": {"p": {"data": "p", "path": "p.jsonl"}}, "models": models}
        (workplace / "r.json").write_text(json.dumps({**recipe, "evaluate": {"datasets": ["p"]}}))
        done = here("teach", "--recipe", "r.json", "--tries", 1, "--out", "taught", cwd=workplace)
        assert done.returncode == 2, done.stderr
        assert "'api'" in done.stderr
        assert not (workplace / "taught" / "completions").exists()
        models["a"]["options"]["path"] = "all.jsonl"
        write(
            workplace / "all.jsonl",
            [{"problem": i, "text": f"\\boxed{{{2 * n + 2}}}"} for n, i in enumerate(QUESTIONS)],
        )
        del models["api"]
        (workplace / "r.json").write_text(json.dumps({**recipe, "evaluate": {"datasets": ["p"]}}))
        assert here("teach", "--recipe", "r.json", "--tries", 1, "--out", "all", cwd=workplace).returncode == 0
        models["api"] = {"model": "openai", "options": options}
        (workplace / "r.json").write_text(json.dumps({**recipe, "evaluate": {"datasets": ["p"]}}))
        again = here("teach", "--recipe", "r.json", "--tries", 1, "--out", "all", cwd=workplace)
        assert again.returncode == 0, again.stderr


def test_what_is_taught_is_a_dataset_to_train_on(workplace: Path) -> None:
    assert here("teach", *TEACHERS, "--tries", 1, "--out", "taught", "--quiet", cwd=workplace).returncode == 0
    taught = {"data": "taught", "split": "train", "path": str(workplace / "taught" / "taught.jsonl")}
    recipe = validate_recipe(
        {
            "name": "x",
            "datasets": {"t": taught},
            "models": {"m": {"model": "tiny-qwen2"}},
            "evaluate": {"datasets": ["t"]},
        },
        "x",
    )
    problems = read_datasets(recipe, load_plugins(PluginSettings()), ["t"])["t"].problems
    first, second, _ = [(p.id, p.answer, p.solution) for p in problems]
    assert first == ("q0", "2", "one: \\boxed{2}")
    assert second == ("q1", "4", "one: \\boxed{4}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give --data and --teacher"),
        ((*TEACHERS, "--tries", 1, "--tries", 2, "--tries", 3), "--tries is given 3 times for 2 teachers"),
        ((*TEACHERS, "--temperatures", "hot"), "--temperatures takes numbers, as in 0.7,0.5,0.9; got 'hot'"),
        ((*TEACHERS, "--temperatures", "0"), "a would give the same texts 3 times at temperature 0"),
        (("--recipe", "smoke"), "Teachers are loaded, but the recipe trains sft, dpo"),
        ((*TEACHERS, "--recipe", "smoke"), "it does not go with --data or --teacher"),
        ((*TEACHERS, "--grader", "simpy"), "Did you mean 'sympy'?"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(workplace: Path, arguments: tuple[Any, ...], said: str) -> None:
    done = here("teach", *arguments, "--out", "refused", cwd=workplace)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (workplace / "refused").exists()


def test_test_questions_are_left_out_and_solutions_that_hold_some_are_not_kept(workplace: Path) -> None:
    asked = ("teach", *TEACHERS, "--tries", 1, "--against", "p=t.jsonl", "--drop-contaminated", "--out", "held")
    done = here(*asked, cwd=workplace)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (workplace / "held" / "taught.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["q1"]  # q0 and q3 are test questions, so is the solution of q2
    record = json.loads((workplace / "held" / "teach.json").read_text())
    assert (record["against"], record["dropped"]) == (["p=t.jsonl"], ["p/q0", "p/q3"])
    assert [told["held_test_questions"] for told in record["teachers"]] == [0, 1]
    found = "2 problems left out, being test questions; 1 right solutions not kept, as test questions stand in them"
    assert f"Held against p=t.jsonl: {found}" in done.stdout


def test_the_test_split_of_the_data_is_looked_at_unless_others_are_named() -> None:
    registry = load_plugins(PluginSettings())
    recipe = {
        "name": "x",
        "datasets": {"t": {"data": "arith", "split": "test", "limit": 2}},
        "models": {"m": {"model": "tiny-qwen2"}},
        "evaluate": {"datasets": ["t"]},
    }
    plan = make_plan(validate_recipe(recipe, "x"), registry)
    with pytest.raises(UsageError, match="2 of the problems to be solved are test questions .2 of the 1,000 problems"):
        guard_teaching(plan, (), registry)
    assert guard_teaching(plan, ("arith:hard",), registry).asked[0].dataset == "arith:hard"
    allowed = make_plan(validate_recipe({**recipe, "contamination": "allow"}, "x"), registry)
    assert guard_teaching(allowed, (), registry).asked == ()


def test_nothing_solved_is_exit_1_and_a_dry_run_says_the_most(workplace: Path) -> None:
    write(workplace / "one.jsonl", [{"problem": i, "text": "no idea"} for i in QUESTIONS])
    only = ("--teacher", "a=echo@one.jsonl", "--data", "p=p.jsonl", "--out", "none")
    dry = here("teach", *only, "--dry-run", cwd=workplace)
    assert dry.stdout == "a: at most 6,144 tokens (4 problems x 3 tries x 512 tokens)\n"
    assert not (workplace / "none").exists()
    done = here("teach", *only, "--tries", 1, cwd=workplace)
    assert done.returncode == 1
    assert "0 of 4 problems solved (0.0 %)" in done.stdout


def test_several_tries_at_one_temperature_above_0_are_fine() -> None:
    assert Tries({"a": 3}, (0.7,)).temperatures == (0.7,)
    with pytest.raises(UsageError, match="numbers from 0 up"):
        Tries({"a": 1}, (-1.0,))
