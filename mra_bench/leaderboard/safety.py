"""What must hold of a stranger's folder before anything in it is opened: plain files only, names that stay inside it,
nothing that is no part of a run, and models that come from one another without going round in circles."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mra_bench.costs import size
from mra_bench.earlier import FILES as KEPT
from mra_bench.earlier import FOLDER as EARLIER
from mra_bench.folder import PACKED, RECIPE, RUN
from mra_bench.leaderboard.rows import ROWS
from mra_bench.recipe_schema import NAME
from mra_bench.results import RESULTS
from mra_bench.store import STAGE_FILE, WORK, stage_record
from mra_bench.work import FOLDERS

ARCHIVE = PACKED
README = "README.md"
OTHER = 1 << 20  # bytes that files may have together which are no part of a run
MOST = {RUN: 64 << 20, RESULTS: 64 << 20, ROWS: 64 << 20, RECIPE: 1 << 20}  # bytes of what is read whole
NODES = 100_000  # values of a recipe
PARTS = (RUN, RECIPE, RESULTS, ROWS, "report.html", "timings.jsonl", ARCHIVE, README, ".lock")
STAGE = re.compile(rf"({'|'.join(FOLDERS.values())})/[A-Za-z0-9][A-Za-z0-9._-]*")


def unsafe(run: Path) -> str:
    """Why nothing in `run` is to be opened, "" where there is no reason."""
    for name, mode, length in entries(run):
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return f"{name} is {_kind(mode)}; a run holds plain files and folders only"
        if length > MOST.get(name, length):
            return f"{name} has {size(length)}; {size(MOST[name])} are the most"
    return unsafe_names(run) or _unfolding(run / RECIPE)


def plain_file(path: Path) -> bool:
    """Whether a file of a run, at its top, may be read: no link, no pipe, and not larger than any that a run writes."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= MOST.get(path.name, found.st_size)


def other_files(run: Path) -> str:
    """That `run`, which is safe, holds more than a little that is no part of a run, "" where it does not."""
    recorded: dict[str, frozenset[str]] = {}
    other, largest = 0, (0, "")
    for name, mode, length in entries(run):
        if stat.S_ISREG(mode) and not _is_part(run, PurePosixPath(name), recorded):
            other, largest = other + length, max(largest, (length, name))
    if other <= OTHER:
        return ""
    return f"it holds {size(other)} of files that are no part of a run, such as {largest[1]} ({size(largest[0])})"


def entries(run: Path) -> Iterator[tuple[str, int, int]]:
    """Each file and folder below `run`: its name from there, mode and bytes. Links are not followed."""
    for folder, names, files in os.walk(run):
        names.sort()
        for name in sorted([*names, *files]):
            path = Path(folder) / name
            found = path.lstat()
            yield path.relative_to(run).as_posix(), found.st_mode, found.st_size


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a pipe" if stat.S_ISFIFO(mode) else "no plain file"


def in_stage(name: PurePosixPath) -> bool:
    """Whether a file lies in the folder of a stage."""
    return len(name.parts) > 2 and name.parts[0] in FOLDERS.values()


def _is_part(run: Path, name: PurePosixPath, recorded: dict[str, frozenset[str]]) -> bool:
    """Whether a file is one that a run writes: at the top, kept of an earlier run, or of a stage, which has a record of
    its files. `recorded`: those of the stages met so far."""
    if len(name.parts) == 1:
        return name.name in PARTS
    if name.parts[0] == EARLIER:
        return len(name.parts) == 3 and name.name in KEPT
    if not in_stage(name):
        return False
    stage, inside = "/".join(name.parts[:2]), "/".join(name.parts[2:])
    if stage not in recorded:
        record = stage_record(run / stage) or {}
        files = record.get("files") if isinstance(record, dict) else None
        recorded[stage] = frozenset(files if isinstance(files, dict) else ())
    return inside == STAGE_FILE or name.parts[2] == WORK or inside in recorded[stage]


def unsafe_names(run: Path) -> str:
    """What is wrong with the names in run.json that others are found by, "" where nothing is."""
    try:
        plan = json.loads((run / RUN).read_text(encoding="utf-8"))["plan"]
        for folder in _folders(plan):
            if not (isinstance(folder, str) and STAGE.fullmatch(folder)):
                return f"{RUN} names the folder {folder!r:.80}, which is no stage of a run"
        names = [entry["name"] for entry in (*plan["models"], *plan["datasets"])]
        parents = {model["name"]: model["from"] for model in plan["models"]}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return f"{RUN} is damaged ({type(error).__name__}: {error!s:.80})"
    for name in names:
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            return f"{RUN} has the name {name!r:.80}; names are of letters, digits, '.', '_' and '-'"
    return _circle(parents)


def _folders(plan: Mapping[str, Any]) -> Iterator[Any]:
    """Every place in the plan that is used as a folder."""
    yield from plan["folders"]
    for evaluation in (*plan["evaluations"], *plan.get("repeats", ())):
        yield from (evaluation["problems"], evaluation["completions"], *evaluation["grades"])
        yield from evaluation.get("profiles", ())
        yield from (evaluation["verdicts"],) if "verdicts" in evaluation else ()
    for model in plan["models"]:
        yield from (model[key] for key in ("stage", "pairs", "rows") if model.get(key) is not None)


def _unfolding(recipe: Path) -> str:
    """That the aliases of a recipe's YAML would unfold to more than any recipe holds, "" where they do not."""
    import yaml

    too_much = f"{RECIPE} holds more than {NODES:,} values once its aliases are filled in"
    known: dict[int, float] = {}

    def values(node: Any) -> float:
        if id(node) not in known:
            known[id(node)] = math.inf  # a node within itself
            parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
            known[id(node)] = 1 + sum(map(values, parts if isinstance(node, yaml.CollectionNode) else ()))
        return known[id(node)]

    try:
        root = yaml.compose(recipe.read_text(encoding="utf-8"), Loader=yaml.SafeLoader) if recipe.is_file() else None
        return too_much if root is not None and values(root) > NODES else ""
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return f"{RECIPE} is damaged ({type(error).__name__})"


def _circle(parents: Mapping[str, str | None]) -> str:
    for name in parents:
        at: str | None = name
        for _ in range(len(parents)):
            at = parents.get(at) if at is not None else None
        if at is not None:
            return f"{RUN} has models that come from one another in a circle, among them {name}"
    return ""
