"""Problems, completions, grades and profiles as the rows that a run folder holds them in."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mra_bench.builders import PairSet, RowSet, Sampled
from mra_bench.store import read_rows
from mra_bench.types import Completion, Grade, Problem, Profile

if TYPE_CHECKING:
    from mra_bench.work import VerdictWork


def grade_row(row: Mapping[str, Any], verdict: Grade) -> dict[str, Any]:
    """How a Grade of the stored completion `row` is stored."""
    return {"problem": row["problem"], "sample": row["sample"], **dataclasses.asdict(verdict)}


def completion_row(completion: Completion) -> dict[str, Any]:
    """How a Completion is stored."""
    return {
        "problem": completion.problem_id,
        "sample": completion.sample,
        "text": completion.text,
        "prompt_tokens": completion.prompt_tokens,
        "tokens": completion.tokens,
        "finish": completion.finish,
        **({"notes": dict(completion.notes)} if completion.notes else {}),
    }


def completion_of(row: Mapping[str, Any]) -> Completion:
    """A Completion from its stored row."""
    return Completion(
        row["problem"],
        row["sample"],
        row["text"],
        row["prompt_tokens"],
        row["tokens"],
        row["finish"],
        row.get("notes", {}),
    )


def grade_of(row: Mapping[str, Any]) -> Grade:
    """A Grade from its stored row."""
    span = tuple(row["span"]) if row["span"] is not None else None
    return Grade(row["correct"], row["answer"], row["reason"], row["kind"], span, row["rule"], row.get("extracted", ""))


def problems_of(folder: Path) -> list[Problem]:
    """The problems stored in a run folder; an older mra-bench wrote none with choices."""
    rows = read_rows(folder / "problems.jsonl")
    return [Problem(**{**row, "choices": tuple(row.get("choices", ()))}) for row in rows]


def profile_row(row: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """How a Profile of the stored completion `row` is stored."""
    return {"problem": row["problem"], "sample": row["sample"], **dataclasses.asdict(profile)}


def profile_of(row: Mapping[str, Any]) -> Profile:
    """A Profile from its stored row."""
    evidence = {name: tuple(said) for name, said in row["evidence"].items()}
    return Profile(row["errors"], evidence, row["scores"], row["failure"])


def kind_of_grade(row: Mapping[str, Any]) -> str:
    """The kind of a stored grade."""
    return str(row.get("kind", ""))


def kind_of_profile(row: Mapping[str, Any]) -> str:
    """Why a stored profile is none ("timeout", "crashed"), or ""."""
    return str(row.get("failure", "")).partition(":")[0]


def grade_facts(kinds: Counter[str]) -> dict[str, Any]:
    """What is recorded of grades, by how many there are of each kind."""
    return {"texts": kinds.total(), "kinds": dict(kinds)}


def profile_facts(kinds: Counter[str]) -> dict[str, Any]:
    """What is recorded of profiles: how many texts, and how many gave none, by kind of failure."""
    return {"texts": kinds.total(), "failures": {kind: count for kind, count in kinds.items() if kind}}


def verdict_rows(work: VerdictWork, same: Mapping[tuple[str, str], bool]) -> Iterator[dict[str, Any]]:
    """How another tool's verdicts, answers and golds are stored, in the order of the problems. `same`: whether a gold
    answer is the problem's, by the problem's id and the answer."""
    for problem in work.problems.problems:
        for sample, text in enumerate(work.texts[problem.id]):
            said = {"correct": text.correct, "answer": text.answer, "gold": text.gold}
            own = None if text.gold is None else same[problem.id, text.gold]
            yield {"problem": problem.id, "sample": sample, **said, "same_gold": own}


def verdict_facts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is recorded of them: of how many texts, on how many there is a verdict, and how many of those say right."""
    said = [row["correct"] for row in rows if row["correct"] is not None]
    return {"texts": len(rows), "said": len(said), "correct": sum(said)}


def sampled_of(
    problems: Iterable[Problem],
    prompts: Mapping[str, str],
    texts: Path | None = None,
    grades: Path | None = None,
    profiles: Path | None = None,
) -> Iterator[Sampled]:
    """What a builder is given: each problem with its prompt, and from these folders its texts, grades and profiles.
    Only one problem's texts are in memory at a time."""
    if texts is None or grades is None:
        yield from (Sampled(problem, prompts[problem.id]) for problem in problems)
        return
    streams = [read_rows(folder) for folder in (texts, grades, profiles) if folder is not None]
    groups = itertools.groupby(zip(*streams, strict=True), key=lambda rows: rows[0]["problem"])
    for problem, (_, group) in zip(problems, groups, strict=True):
        rows = list(group)
        yield Sampled(
            problem,
            prompts[problem.id],
            tuple((completion_of(row[0]), grade_of(row[1])) for row in rows),
            tuple(profile_of(row[2]) for row in rows if len(row) > 2),
        )


def built_facts(built: PairSet | RowSet) -> dict[str, Any]:
    """What is recorded of a builder's outcome."""
    if isinstance(built, PairSet):
        return {"counts": dict(built.counts), "no_pair": dict(built.no_pair), "pairs": len(built.pairs)}
    return {"counts": dict(built.counts), "no_row": dict(built.no_row), "rows": len(built.rows)}
