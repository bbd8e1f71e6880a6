"""Problems for a verifier, made from a run's graded texts: is this solution CORRECT, INCORRECT or UNCLEAR?

As in SLM-Math, a verifier is trained to answer one of three words; there its rows came from templates, here they are
what models wrote and a grader judged. UNCLEAR is what could not be judged, or was cut at the length limit.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.decisions import CORRECT, INCORRECT, UNCLEAR, decision_problem, word_of
from mra_bench.errors import UsageError, unknown
from mra_bench.folder import manifest_of
from mra_bench.store import read_rows, stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.types import Problem


@dataclass(frozen=True)
class Texts:
    """Graded texts of a run: what they are called, and the folders of texts, grades and problems."""

    name: str
    completions: Path
    grades: Path
    problems: Path


def graded_texts(run: Path, names: Sequence[str]) -> list[Texts]:
    """The run's texts of these names ("sft-train-sampled", "sft-test"), graded by its first grader; none: those that
    training data was built from. Raises UsageError naming the nearest, or for a run without such texts."""
    there = {texts.name: texts for texts in _finished(run)}
    if not names:
        built = {folder for model in manifest_of(run)["models"] for folder in _built_from(run, model)}
        chosen = [texts for texts in there.values() if texts.completions.relative_to(run).as_posix() in built]
        if not chosen:
            raise UsageError(f"{run} built no training data from samples. Name texts with --texts: {', '.join(there)}")
        return chosen
    for name in names:
        if name not in there:
            raise unknown("texts", name, there, where=f"in {run}")
    return [there[name] for name in names]


def _finished(run: Path) -> Iterator[Texts]:
    """Each folder of texts once, with the first of its grades."""
    seen = set()
    for folder in manifest_of(run)["folders"]:
        record = stage_record(run / folder) if folder.startswith("grades/") else None
        if record is not None and record["inputs"][0] not in seen:
            texts, problems = record["inputs"]
            seen.add(texts)
            yield Texts(Path(texts).name.rpartition("-")[0], run / texts, run / folder, run / problems)


def _built_from(run: Path, model: Mapping[str, Any]) -> Iterator[str]:
    """The folders of texts that a model's pairs or rows were built from."""
    for folder in (model.get("pairs"), model.get("rows")):
        record = stage_record(run / folder) if folder else None
        yield from (name for name in (record or {}).get("inputs", ()) if name.startswith("completions/"))


def verifier_problems(chosen: Iterable[Texts], balance: int | None, seed: int) -> list[Problem]:
    """A problem for each distinct text of these, its answer the word that its grade means. `balance`: at most so many
    times the rarer of CORRECT and INCORRECT of the other, drawn by the seed."""
    found: dict[str, Problem] = {}
    for texts in chosen:
        problems = {p.id: p for p in problems_of(texts.problems)}
        for text, verdict in zip(read_rows(texts.completions), read_rows(texts.grades), strict=True):
            word = word_of(verdict["correct"], text["finish"])
            problem = decision_problem(problems[text["problem"]], text["text"], word)
            found.setdefault(problem.question, problem)
    made = list(found.values())
    return made if balance is None else _balanced(made, balance, seed)


def _balanced(problems: Sequence[Problem], ratio: int, seed: int) -> list[Problem]:
    counts = Counter(p.answer for p in problems)
    most = ratio * min(counts[CORRECT], counts[INCORRECT])
    kept = set()
    for word in (CORRECT, INCORRECT):
        ids = [p.id for p in problems if p.answer == word]
        kept |= set(random.Random(f"balance/{seed}/{word}").sample(ids, min(most, len(ids))))
    return [p for p in problems if p.answer == UNCLEAR or p.id in kept]


def held_out(problems: Iterable[Problem], share: float) -> tuple[list[Problem], list[Problem]]:
    """The problems in two parts, the second about `share` of them: all texts of one question are in the same part."""
    parts: tuple[list[Problem], list[Problem]] = ([], [])
    for problem in problems:
        original = problem.id.rpartition("/")[0]
        place = int.from_bytes(hashlib.sha256(original.encode()).digest()[:8], "big") / 2**64
        parts[place < share].append(problem)
    return parts
