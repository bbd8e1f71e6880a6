"""What `audit` asks of a run's own record first: is the run finished, is each stage there, is its recipe the one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference
from mra_bench.errors import UsageError
from mra_bench.folder import AGAIN, RECIPE, RUN
from mra_bench.store import STAGE_FILE, file_hash, stage_record
from mra_bench.work import FOLDERS
from mra_bench.yaml_text import read_yaml

RECIPE_HASH = "recipe_sha256"
NAMED = 6  # stages that are not there


def run_record_of(run: Path) -> dict[str, Any]:
    """All of run.json, which is known to be readable."""
    return dict(json.loads((run / RUN).read_text(encoding="utf-8")))


def check_stages(run: Path, record: Mapping[str, Any]) -> str:
    """What is to be said of a run that is not finished, "" for a finished one. Raises UsageError naming the stages of
    a finished run whose record is gone or damaged."""
    gone = [folder for folder in record["plan"]["folders"] if stage_record(run / folder) is None]
    if record.get("finished") is None:
        left = f"not there: {_some(gone)}" if gone else f"{RUN} records no end"
        return f"{run} is not finished ({left}); only what is there is checked. {AGAIN}: it goes on from there"
    if gone:
        named = ", ".join(_gone(run, folder) for folder in gone)
        raise UsageError(f"{run} was finished, but {named}. {AGAIN}: it makes what is missing")
    return ""


def _some(folders: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(folders) - NAMED
    return ", ".join(folders[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _gone(run: Path, folder: str) -> str:
    if not (run / folder).is_dir():
        return f"the stage {folder} is gone"
    if (run / folder / STAGE_FILE).is_file():
        return f"{folder}/{STAGE_FILE} is damaged"
    return f"{folder}/{STAGE_FILE} is gone"


def unrecorded_verdicts(run: Path, folders: Sequence[str]) -> Iterator[str]:
    """Of each folder of verdicts that is no stage of the run and has no record, that it is not checked."""
    for path in sorted((run / FOLDERS["grade"]).glob("*/")):
        folder = path.relative_to(run).as_posix()
        if folder not in folders and stage_record(path) is None:
            why = f"it has no readable {STAGE_FILE}, so its verdicts were never finished, or their record is gone"
            yield f"{folder} is not checked: {why}"


def check_recipe(run: Path, record: Mapping[str, Any]) -> Iterator[Finding]:
    """recipe.yaml against what run.json tells of the recipe: some of its values, and its hash."""
    path = run / RECIPE
    if not path.is_file():
        yield Finding(RECIPE, "", "no such file", f"a recipe in {RUN}")
        return
    try:
        stored = read_yaml(path.read_text(encoding="utf-8"), RECIPE)
    except (UsageError, ValueError) as error:
        yield Finding(RECIPE, "", "no YAML", str(error), damage=True)
        return
    differing = list(_values(stored if isinstance(stored, dict) else {}, record))
    yield from differing
    recorded = record.get(RECIPE_HASH)
    if not differing and recorded is not None and file_hash(path) != recorded:
        yield Finding(RECIPE, "", "another content", f"the sha256 in {RUN}")


def _values(stored: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Finding]:
    plan, evaluate = record["plan"], stored.get("evaluate") or {}
    pairs = {key: (stored.get(key), plan[key]) for key in ("name", "seed")}
    decoding = record.get("decoding", {})
    pairs |= {f"evaluate.{key}": (evaluate[key], value) for key, value in decoding.items() if key in evaluate}
    pairs["evaluate.datasets"] = (evaluate.get("datasets"), [dataset["name"] for dataset in plan["datasets"]])
    differing = [(at, *both) for at, both in pairs.items() if both[0] != both[1]]
    differing += difference(stored.get("claims", []), plan.get("claims", []), "claims")
    for at, there, told in differing:
        yield Finding(RECIPE, at, json.dumps(there), f"{json.dumps(told)} in {RUN}")
