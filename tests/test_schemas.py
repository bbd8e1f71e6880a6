"""Every file of a run folder follows its published schema, and the schemas are themselves valid."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

NAMES = (
    "problem",
    "completion",
    "grade",
    "pair",
    "profile",
    "row",
    "timing",
    "training",
    "stage",
    "run",
    "results",
    "leaderboard_rows",
    "leaderboard",
    "verified",
    "verdict",
    "dataset",
)


def schema(name: str) -> dict[str, Any]:
    return json.loads(files("mra_bench").joinpath(f"schemas/{name}.schema.json").read_text(encoding="utf-8"))


def check(name: str, value: Any) -> None:
    jsonschema.validate(value, schema(name), cls=jsonschema.Draft202012Validator)


def rows(paths: list[Path]) -> list[Any]:
    assert paths
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_valid_and_refuse_an_empty_object(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    with pytest.raises(jsonschema.ValidationError):
        check(name, {})


def test_no_schema_is_without_a_test() -> None:
    found = {p.name.removesuffix(".schema.json") for p in files("mra_bench").joinpath("schemas").iterdir()}
    assert found == set(NAMES)


@pytest.mark.slow
def test_a_real_run_follows_the_schemas(smoke_run: Path) -> None:
    check("run", json.loads((smoke_run / "run.json").read_text()))
    check("results", json.loads((smoke_run / "results.json").read_text()))
    check("leaderboard_rows", json.loads((smoke_run / "leaderboard_rows.json").read_text()))
    for row in rows([smoke_run / "timings.jsonl"]):
        check("timing", row)
    for pattern, name in (
        ("problems/*/problems.jsonl", "problem"),
        ("completions/*/*.jsonl", "completion"),
        ("grades/*/*.jsonl", "grade"),
        ("pairs/*/*.jsonl", "pair"),
        ("models/*/training.jsonl", "training"),
    ):
        for row in rows(sorted(smoke_run.glob(pattern))):
            check(name, row)
    stages = sorted(smoke_run.glob("*/*/stage.json"))
    assert stages
    for stage in stages:
        check("stage", json.loads(stage.read_text()))
