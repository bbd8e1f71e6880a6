"""Under which conditions stages were made: recorded for each, kept over a resume, and said where they differ."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import here
from test_schemas import check

from mra_bench.conditions import conditions, differences, made_with
from mra_bench.store import finish_stage


def made(torch: str | None = "2.13.0", **changes: Any) -> dict[str, Any]:
    versions = {"python": "3.11.2", **({"torch": torch} if torch else {})}
    return {"versions": versions, "system": "Linux x86_64", "processor": "Some CPU", "threads": 2} | changes


def test_conditions_are_stable_facts() -> None:
    found = conditions(3)
    assert found == conditions(3)
    assert found["threads"] == 3
    assert found["versions"]["torch"] == version("torch")
    assert found["versions"]["mra-bench"] == version("mra-bench")
    assert found["processor"]


def test_a_stage_resumed_under_other_conditions_has_both(tmp_path: Path) -> None:
    work = tmp_path / "stage" / "work"
    assert made_with(work, made()) == [made()]
    assert made_with(work, made()) == [made()]
    assert made_with(work, made(threads=1)) == [made(), made(threads=1)]
    assert made_with(work, made()) == [made(), made(threads=1)]
    finish_stage(tmp_path / "stage", {"made_with": made_with(work, made())})
    assert not work.exists()


def test_a_record_cut_by_a_crash_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "made_with.json").write_text('[{"versions"')
    assert made_with(tmp_path, made()) == [made()]


def test_equal_conditions_make_no_difference() -> None:
    assert differences({"completions/a-1": [made()], "completions/b-2": [made()], "models/c-3": [made()]}) == []


def test_nothing_recorded_is_not_called_the_same() -> None:
    """Stages of a run from before; also where only one kind of them is new."""
    assert differences({}) is None
    assert differences({"problems/a-1": [made()]}) is None
    assert differences({"completions/a-1": [], "completions/b-2": []}) is None
    assert differences({"models/a-1": [], "completions/b-2": [made()]}) is None


def test_each_fact_that_differs_is_listed_with_its_stages() -> None:
    stages = {
        "completions/a-1": [made()],
        "completions/b-2": [made("2.12.0", threads=1)],
        "completions/c-3": [made()],
    }
    assert differences(stages) == [
        {
            "what": name,
            "kind": "completions",
            "values": [
                {"value": ours, "stages": ["completions/a-1", "completions/c-3"]},
                {"value": theirs, "stages": ["completions/b-2"]},
            ],
        }
        for name, ours, theirs in (("threads", "2", "1"), ("torch", "2.13.0", "2.12.0"))
    ]


def test_like_is_compared_with_like() -> None:
    """All grades made again after an update are no difference; nor is who wrote the problems down."""
    stages = {
        "problems/test-1": [made("2.12.0")],
        "problems/train-2": [made()],
        "completions/a-3": [made()],
        "completions/b-4": [made()],
        "grades/a-5": [made("2.12.0")],
        "grades/b-6": [made("2.12.0")],
    }
    assert differences(stages) == []


@pytest.mark.parametrize(
    ("one", "value"),
    [([made(), made(threads=1)], ("threads", "1")), ([made(None)], ("torch", "not recorded")), ([], None)],
)
def test_a_mixed_stage_and_an_unknown_one_differ(one: list[dict[str, Any]], value: tuple[str, str] | None) -> None:
    found = {d["what"]: d["values"] for d in differences({"models/a-1": [made()], "models/b-2": one})}
    if value is None:
        assert {v["value"] for values in found.values() for v in values[1:]} == {"not recorded"}
        assert set(found) == {"python", "torch", "system", "processor", "threads"}
    else:
        assert list(found) == [value[0]]
        assert {"value": value[1], "stages": ["models/b-2"]} in found[value[0]]


def forget(run: Path, target: Path) -> None:
    """A copy of a run whose stages have no conditions, as those of an earlier mra-bench."""
    shutil.copytree(run, target)
    for path in target.glob("*/*/stage.json"):
        record = json.loads(path.read_text())
        del record["made_with"]
        path.write_text(json.dumps(record))


def test_a_run_continued_with_other_threads_says_so(tmp_path: Path) -> None:
    """The second model is added with another number of threads; then the first stage is taken into another run."""
    (tmp_path / "answers.jsonl").write_text("".join(f'{{"problem": "test-0000{i}", "text": "1"}}\n' for i in range(2)))
    models = {name: {"model": "echo", "options": {"path": "answers.jsonl"}} for name in ("one", "two")}
    models["two"]["options"] = {"path": "others.jsonl"}
    (tmp_path / "others.jsonl").write_text((tmp_path / "answers.jsonl").read_text().replace('"1"', '"2"'))
    recipe = {
        "name": "echo",
        "datasets": {"test": {"data": "arith", "split": "test", "limit": 2}},
        "models": models,
        "evaluate": {"datasets": ["test"]},
    }
    (tmp_path / "echo.yaml").write_text(yaml.safe_dump(recipe))

    def results(threads: int, *arguments: str, out: str = "out") -> dict[str, Any]:
        done = here(
            "run", "--recipe", "echo.yaml", "--out", out, *arguments, cwd=tmp_path, OMP_NUM_THREADS=str(threads)
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads((tmp_path / out / "results.json").read_text())
        check("results", found)
        for path in (tmp_path / out).glob("*/*/stage.json"):
            check("stage", json.loads(path.read_text()))
        return found

    assert results(1, "--models", "one")["mixed_conditions"] == []
    mixed = results(2)
    assert [(m["what"], m["kind"]) for m in mixed["mixed_conditions"]] == [
        ("threads", "completions"),
        ("threads", "grades"),
    ]
    assert [v["value"] for v in mixed["mixed_conditions"][0]["values"]] == ["1", "2"]
    assert mixed["warnings"][0]["kind"] == "mixed-conditions"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Different threads when completions were made:" in page
    reused = results(1, "--reuse", "out", out="again")
    assert reused["mixed_conditions"] == mixed["mixed_conditions"]
    forget(tmp_path / "again", tmp_path / "before")
    before = results(1, "--reuse", "before", out="old")  # what an earlier mra-bench made is neither same nor different
    assert before["mixed_conditions"] is None
    assert before["warnings"] == [w for w in mixed["warnings"] if w["kind"] != "mixed-conditions"]
    for name, graders in (("results", lambda r: [r["grader"]]), ("run", lambda r: r["plan"]["graders"])):
        record = json.loads((tmp_path / "old" / f"{name}.json").read_text())
        for grader in graders(record):  # as one from before limits were recorded
            del grader["limits"]
        check(name, record)
    page = (tmp_path / "old" / "report.html").read_text()
    assert "Same versions, processor and threads" not in page
    assert "not recorded: an earlier mra-bench made some of them" in page
    same = results(1, out="fresh")
    assert same["mixed_conditions"] == []
    assert (
        "Same versions, processor and threads for all stages of a kind"
        in (tmp_path / "fresh" / "report.html").read_text()
    )
