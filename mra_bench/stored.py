"""Stages read back from a run folder, without its recipe: what `grade` and `audit` work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.folder import AGAIN
from mra_bench.problem_sets import ProblemSet
from mra_bench.store import stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.types import PromptStyle
from mra_bench.work import FOLDERS, Stage, StoredTexts


def stage_of(run: Path, folder: str) -> Stage:
    """The stage recorded in `folder`, with those it read from. Raises UsageError where a record is gone or damaged."""
    record = stage_record(run / folder)
    try:
        assert record is not None
        inputs = tuple(stage_of(run, name) for name in record["inputs"])
        work = StoredTexts(record["facts"]["texts"]) if record["kind"] == "generate" else None
        return Stage(record["kind"], record["name"], record["spec"], inputs, work)
    except (AssertionError, KeyError, TypeError):
        raise UsageError(f"{run / folder} is gone or its record is damaged. {AGAIN}") from None


def problem_set_of(run: Path, stage: Stage) -> ProblemSet:
    """The problems stored by a stage."""
    problems = tuple(problems_of(run / stage.folder))
    return ProblemSet(stage.name, stage.spec["data"], stage.spec["split"], problems, PromptStyle(), stage.spec["hash"])


def added_folders(run: Path, folders: Sequence[str]) -> list[str]:
    """Folders of verdicts that `mra-bench grade` has added to texts which are in `folders`."""
    found = sorted(path.parent for path in (run / FOLDERS["grade"]).glob("*/stage.json"))
    names = [path.relative_to(run).as_posix() for path in found]
    return [name for name in names if name not in folders and _is_added(stage_record(run / name), folders)]


def _is_added(record: Mapping[str, Any] | None, folders: Sequence[str]) -> bool:
    return bool(record and record.get("added")) and set((record or {}).get("inputs", ())) <= set(folders)


@dataclass(frozen=True)
class Judge:
    """The grader or profiler of a stored stage: its kind, its name, the version it had, its options and limits."""

    kind: str
    name: str
    version: str
    options: Mapping[str, Any]
    limits: Mapping[str, Any]

    @classmethod
    def of(cls, stage: Stage) -> Judge:
        """Who made the verdicts or profiles of a stage."""
        kind = "profilers" if stage.kind == "profile" else "graders"
        name, _, version = str(stage.spec[kind[:-1]]).partition("@")
        return cls(kind, name, version, stage.spec["options"], stage.spec["limits"])
