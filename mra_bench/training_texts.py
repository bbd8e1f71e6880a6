"""The texts that models learn from, as `contamination` reads them: of a recipe's datasets, and of checkpoints that an
earlier run has trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.contamination import Questions, TrainingText
from mra_bench.decisions import parts_of
from mra_bench.problem_sets import ProblemSet
from mra_bench.store import STAGE_FILE, read_rows, stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.types import Problem

TEMPLATES = "templates"  # in the facts of a stage of problems: whose templates made them
PARENT = "parent"  # in a training stage's facts["ref"]: the loaded checkpoint that it started from


def questions_of(sets: Iterable[ProblemSet]) -> list[Questions]:
    """Evaluation datasets as what training texts are held to."""
    return [Questions(data.name, data.problems, data.templates) for data in sets]


def texts_of(sets: Iterable[ProblemSet]) -> Iterator[TrainingText]:
    """Questions, solutions and rejected answers of training datasets, of problems for a verifier those of what they are
    about; the id is ``<dataset>/<problem id>``."""
    for data in sets:
        yield from _texts(data.name, data.problems, data.templates)


def _texts(where: str, problems: Iterable[Problem], templates: str = "") -> Iterator[TrainingText]:
    for problem in problems:
        question, proposed = parts_of(problem.question) or (problem.question, "")
        yield TrainingText(f"{where}/{problem.id}", question, templates=templates)
        more = ((proposed, "proposed solution"), (problem.solution, "solution"), (problem.rejected, "rejected answer"))
        for text, source in more:
            if text:
                yield TrainingText(f"{where}/{problem.id}", text, source, templates)


def learnt_by(checkpoint: Path) -> Iterator[TrainingText]:
    """What a checkpoint in the folder of a training stage, here or in another run, was trained on, as far as that run
    folder still holds it; nothing for other checkpoints. Its ancestors' training is included."""
    yield from _learnt(checkpoint.resolve().parent, set())


def _learnt(folder: Path, seen: set[Path]) -> Iterator[TrainingText]:
    """What went into a stage and into those it was made from; `seen` ends what leads back to itself."""
    record = stage_record(folder) if folder not in seen and (folder / STAGE_FILE).is_file() else None
    seen.add(folder)
    if record is None or record.get("kind") not in ("problems", "pair", "rows", "train"):
        return
    if record["kind"] == "problems":
        yield from _texts(folder.name, problems_of(folder), templates_of(record))
    elif record["kind"] != "train":
        yield from (text for _, text in built_texts(folder))
    for place in record.get("inputs", ()):
        yield from _learnt((folder.parent.parent / place).resolve(), seen)
    if parent := record.get("facts", {}).get("ref", {}).get(PARENT):
        yield from _learnt(Path(parent).parent, seen)


def built_texts(folder: Path) -> Iterator[tuple[int, TrainingText]]:
    """The texts that a finished stage of pairs or rows has built, each with the place of its pair or row: both sides
    of pairs, completions of rows, the solutions that a verifier's prompts propose. The id is
    ``<stage>/<problem id>``."""
    templates = _templates(folder)
    for place, row in enumerate(read_rows(folder)):
        _, proposed = parts_of(row.get("prompt", "")) or ("", "")
        texts = ((row.get("chosen"), "pair"), (row.get("rejected"), "pair"), (row.get("completion"), "row"))
        for text, source in (*texts, (proposed, "row")):
            if text:
                yield place, TrainingText(f"{folder.name}/{row['problem_id']}", text, source, templates)


def _templates(folder: Path) -> str:
    """Whose templates made the problems that pairs or rows were built on."""
    for place in (stage_record(folder) or {}).get("inputs", ()):
        before = stage_record(folder.parent.parent / place)
        if before is not None and before.get("kind") == "problems":
            return templates_of(before)
    return ""


def templates_of(record: Mapping[str, Any]) -> str:
    """Whose templates made the problems of a stage, by its record."""
    return str(record.get("facts", {}).get(TEMPLATES, ""))
