"""Reads the published files of a run folder; nothing else in the report touches the disk.

The figures stay the plain dictionaries of results.json; texts and grades become `DatasetSamples`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from mra_bench.errors import BenchError, UsageError
from mra_bench.report.choice import choose, find_flips

VERSION = 1
HELD = 120_000_000


@dataclass(frozen=True)
class Verdict:
    """What one of the further graders says of a text; `correct` None when it could not judge it."""

    correct: bool | None
    answer: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Profiled:
    """A profiler's finding on a text: for each dimension its error (0 to 1, None where it does not apply) and sentences
    that say why; scores by name; `failure`: why there is no profile, or ""."""

    errors: Mapping[str, float | None]
    evidence: Mapping[str, Sequence[str]]
    scores: Mapping[str, float]
    failure: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion with its grade. `span`: [start, end) of the answer in `text`, in code points; `finish` "stop" or
    "length"; `correct` None when it could not be judged. A sample without a grade has kind "not graded". `others`: the
    verdicts of further graders in the recipe's order, `profiles` the findings of profilers, None where one is not there
    yet."""

    index: int
    text: str
    tokens: int
    finish: str
    correct: bool | None = None
    answer: str = ""
    reason: str = ""
    kind: str = "not graded"
    span: tuple[int, int] | None = None
    rule: str = ""
    others: tuple[Verdict | None, ...] = ()
    profiles: tuple[Profiled | None, ...] = ()


@dataclass(frozen=True)
class DatasetSamples:
    """Problems of one dataset in file order, and for each model, by problem id, its samples in order: all of them, or
    of so many problems that memory holds them. `total`: how many problems the dataset has. `flips`: ids of those, read
    or not, on which models differ."""

    problems: Sequence[Mapping[str, Any]]
    answers: Mapping[str, Mapping[str, Sequence[Sample]]]
    total: int
    flips: frozenset[str]


@dataclass(frozen=True)
class RunData:
    """Everything the report is made from. `results` is results.json; the rest may be empty for a bare folder."""

    results: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    timings: Sequence[Mapping[str, Any]] = ()
    recipe: str = ""
    samples: Mapping[str, DatasetSamples] = field(default_factory=dict)

    @property
    def datasets(self) -> Sequence[Mapping[str, Any]]:
        """Entries of results.json's "datasets" in recipe order."""
        entries: Sequence[Mapping[str, Any]] = self.results.get("datasets") or ()
        return entries

    @property
    def headline(self) -> Mapping[str, Any] | None:
        """The dataset the verdict is about: the one marked so, else the first."""
        marked = [entry for entry in self.datasets if entry.get("headline")]
        return next(iter([*marked, *self.datasets]), None)

    @property
    def model_order(self) -> Mapping[str, int]:
        """Place of each model in the run: its colour and marker everywhere in the report."""
        return {model["name"]: index for index, model in enumerate(self.results.get("models") or ())}


def read_run(run: Path, held: int = HELD) -> RunData:
    """Read a run folder. Of texts and grades, where there are more than `held` bytes, those of a choice of problems.

    Raises UsageError when it is not one, BenchError naming file and line of a broken record.
    """
    if not (run / "results.json").is_file():
        raise UsageError(
            f"'{run}' has no results.json, so there is nothing to report. "
            f"Finish the run (give the same `mra-bench run` command again), or name a run folder."
        )
    results = _read_json(run / "results.json")
    if results.get("version") != VERSION:
        raise UsageError(
            f"'{run / 'results.json'}' has version {results.get('version')!r}; this mra-bench reads version {VERSION}. "
            f"Use the mra-bench that wrote it, or run the recipe again."
        )
    recipe = run / "recipe.yaml"
    return RunData(
        results=results,
        provenance=_read_json(run / "run.json") if (run / "run.json").is_file() else {},
        timings=list(_read_lines(run / "timings.jsonl", torn_end=True)),
        recipe=recipe.read_text("utf-8", "replace") if recipe.is_file() else "",
        samples=_read_samples(run, results, held),
    )


def _read_samples(run: Path, results: Mapping[str, Any], held: int) -> dict[str, DatasetSamples]:
    by_dataset: dict[str, list[Mapping[str, Any]]] = {}
    for stage in results.get("stages") or ():
        by_dataset.setdefault(stage["dataset"], []).append(stage)
    files = {file for stages in by_dataset.values() for stage in stages for file in files_of(run, stage)}
    keep = held / max(1, sum(file.stat().st_size for file in files))
    seed = seed_of(results)
    return {name: _read_dataset(run, stages, keep, f"{seed}/{name}") for name, stages in by_dataset.items()}


def files_of(run: Path, stage: Mapping[str, Any]) -> Iterator[Path]:
    """Every file that the texts of a stage of results.json are shown from."""
    judged = (stage.get("grades"), *(stage.get("other_grades") or ()), *(stage.get("profiles") or ()))
    for folder in (stage["problems"], stage["completions"], *judged):
        yield from _inside(run, folder).glob("*.jsonl") if folder else ()


def _read_dataset(run: Path, stages: Sequence[Mapping[str, Any]], keep: float, seed: str) -> DatasetSamples:
    """The share `keep` of the problems, all of them from 1 up. Asked in looks, a model has several stages."""
    by_model: dict[str, list[Mapping[str, Any]]] = {}
    for stage in stages:
        by_model.setdefault(stage["model"], []).append(stage)
    asked = [_inside(run, folder) / "problems.jsonl" for folder in dict.fromkeys(stage["problems"] for stage in stages)]
    ids = [row["id"] for path in asked for row in _read_lines(path)]
    flips = find_flips(ids, (read_verdicts(run, of_model) for of_model in by_model.values()))
    chosen = frozenset(ids) if keep >= 1 else choose(ids, flips, keep, seed)
    problems = [row for path in asked for row in _read_lines(path) if row["id"] in chosen]
    answers = {model: read_answers(run, of_model, chosen) for model, of_model in by_model.items()}
    return DatasetSamples(problems, answers, len(ids), flips)


def read_verdicts(run: Path, stages: Iterable[Mapping[str, Any]]) -> dict[str, list[bool | None]]:
    """The verdicts on each problem's samples, by its id, of one model's stages in results.json."""
    found: dict[str, list[bool | None]] = {}
    for stage in stages:
        for row in _read_blocks(run, stage.get("grades")):
            found.setdefault(row["problem"], []).append(row.get("correct"))
    return found


def read_answers(
    run: Path, stages: Iterable[Mapping[str, Any]], chosen: Collection[str]
) -> dict[str, Sequence[Sample]]:
    """The samples of each chosen problem, by its id and in order, of one model's stages in results.json."""
    found: dict[str, dict[int, Sample]] = {}
    for stage in stages:
        grades = _read_judged(run, stage.get("grades"), chosen)
        others = [_read_judged(run, folder, chosen) for folder in stage.get("other_grades") or ()]
        profiles = [_read_judged(run, folder, chosen) for folder in stage.get("profiles") or ()]
        for row in _read_blocks(run, stage["completions"]):
            key = row["problem"], row["sample"]
            if key[0] in chosen:
                verdicts = tuple(_verdict(other.get(key)) for other in others)
                made = _sample(row, grades.get(key), verdicts, tuple(_profile(of.get(key)) for of in profiles))
                found.setdefault(key[0], {})[key[1]] = made
    return {problem: [by_index[index] for index in sorted(by_index)] for problem, by_index in found.items()}


def _read_judged(run: Path, folder: str | None, chosen: Collection[str]) -> dict[tuple[str, int], Mapping[str, Any]]:
    rows = (row for row in _read_blocks(run, folder) if row["problem"] in chosen)
    return {(row["problem"], row["sample"]): row for row in rows}


def _read_blocks(run: Path, folder: str | None) -> Iterable[dict[str, Any]]:
    blocks = sorted(_inside(run, folder).glob("block-*.jsonl")) if folder else []
    return (row for block in blocks for row in _read_lines(block))


def _verdict(grade: Mapping[str, Any] | None) -> Verdict | None:
    if grade is None:
        return None
    return Verdict(grade.get("correct"), grade.get("answer") or "", grade.get("kind") or "", grade.get("reason") or "")


def _profile(row: Mapping[str, Any] | None) -> Profiled | None:
    if row is None:
        return None
    return Profiled(
        row.get("errors") or {}, row.get("evidence") or {}, row.get("scores") or {}, row.get("failure") or ""
    )


def _sample(
    row: Mapping[str, Any],
    grade: Mapping[str, Any] | None,
    others: tuple[Verdict | None, ...],
    profiles: tuple[Profiled | None, ...],
) -> Sample:
    base = {"index": row["sample"], "text": row["text"], "tokens": row["tokens"], "finish": row["finish"]}
    if grade is None:
        return Sample(**base, others=others, profiles=profiles)
    span = grade.get("span")
    return Sample(
        **base,
        others=others,
        profiles=profiles,
        correct=grade.get("correct"),
        answer=grade.get("answer") or "",
        reason=grade.get("reason") or "",
        kind=grade.get("kind") or "",
        span=(int(span[0]), int(span[1])) if span else None,
        rule=grade.get("rule") or "",
    )


def _inside(run: Path, name: str) -> Path:
    """The folder `name` of the run. A name that leads out of it is refused: runs come from strangers too."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise BenchError(f"'{run / 'results.json'}' names the folder '{name}', which is outside the run folder.")
    return run / path


def seed_of(results: Mapping[str, Any]) -> int:
    """The run's seed, 0 where none is recorded."""
    return int((results.get("run") or {}).get("seed") or 0)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8", "replace"))
    except ValueError as error:
        raise BenchError(f"'{path}' is not valid JSON: {error}. Run the recipe again to write it anew.") from None
    if not isinstance(value, dict):
        raise BenchError(f"'{path}' must hold a JSON object, but holds a {type(value).__name__}.")
    return value


def _read_lines(path: Path, *, torn_end: bool = False) -> Iterator[dict[str, Any]]:
    """Records of a JSONL file, none when it is absent. `torn_end`: a last line cut short by a kill is passed over."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                if torn_end and not line.endswith("\n"):
                    return
                raise BenchError(f"'{path}', line {number}, is not valid JSON: {error}.") from None
