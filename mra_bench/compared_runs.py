"""Run folders that are compared with one another: opened, told apart by name, and read as something a stranger sent."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.folder import AGAIN, RUN, changed_files, manifest_of
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.safety import ARCHIVE, unsafe_names
from mra_bench.looks import counting, finished
from mra_bench.results import missing_of
from mra_bench.store import canonical, stage_record
from mra_bench.stored import added_folders
from mra_bench.stored_rows import problems_of
from mra_bench.types import Problem

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Judging:
    """Verdicts on the texts of one evaluation: whose they are (name, version, options, limits) and their folder."""

    grader: Row
    folder: str

    @property
    def key(self) -> str:
        """Equal where grader, version, options and limits are."""
        return canonical(self.grader)


@dataclass(frozen=True)
class Evaluation:
    """An evaluation of a run whose texts are there. `spec`: what shaped them; `judgings`: the run's own, the first of
    which makes its figures, then those that `mra-bench grade` has added; `graded`: whether that first one is there;
    `look`: 0 where the dataset was not asked in looks."""

    dataset: str
    model: str
    problems: str
    completions: str
    spec: Row
    judgings: tuple[Judging, ...]
    graded: bool
    look: int = 0


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A run folder. `label`: the end of its path that tells it from the others; `record`: run.json; `missing`: what it
    lacks of its plan, in words."""

    label: str
    path: Path
    record: Row
    evaluations: tuple[Evaluation, ...]
    missing: tuple[str, ...]

    @property
    def plan(self) -> Row:
        """The plan that run.json holds."""
        plan: Row = self.record["plan"]
        return plan

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets that something is evaluated on, in the recipe's order."""
        asked = {e.dataset for e in self.evaluations}
        return tuple(d["name"] for d in self.plan["datasets"] if d["name"] in asked)

    def entry(self, dataset: str) -> Row:
        """What the plan says of a dataset."""
        found: Row = next(d for d in self.plan["datasets"] if d["name"] == dataset)
        return found

    def problems(self, dataset: str) -> list[Problem]:
        """The problems of a dataset that were asked, in order."""
        folders = dict.fromkeys(e.problems for e in self.evaluations if e.dataset == dataset)
        with reading(self.path):
            found = [problem for folder in folders for problem in problems_of(self.path / folder)]
            for problem in found:
                _check_texts(vars(problem), ("id", "question", "answer"))
                if not all(text is None or isinstance(text, str) for text in (problem.subject, problem.level)):
                    raise TypeError(f"subject or level of {problem.id}")
            return found

    def weights(self, model: str) -> str:
        """What tells the weights of a model from others, equal text for equal ones; "" where it is not recorded."""
        with reading(self.path):
            identity = (self.record.get("models") or {}).get(model) or {}
            own = identity.get("weights") or {k: v for k, v in identity.items() if k != "environment"}
            return canonical(own) if own else ""


def open_runs(paths: Sequence[Path]) -> list[ComparedRun]:
    """The runs in these folders. Raises UsageError for fewer than two, for one that is given twice, for what is no run
    folder, and for one whose record does not hold together."""
    if len(paths) < 2:
        given = f" only {paths[0]} was given" if paths else " none was given"
        raise UsageError(
            f"compare takes two run folders or more;{given}. The models of one run are compared in its own report."
        )
    seen: dict[Path, Path] = {}
    for path in paths:
        if (same := seen.setdefault(path.resolve(), path)) is not path:
            again = f"{path}" if same == path else f"{same} and {path} are one folder, which"
            raise UsageError(f"{again} is given twice: a run is compared with another one, not with itself")
    for path in paths:
        check_run_folder(path)
    return [_open(path, label) for path, label in zip(paths, labels(paths), strict=True)]


def check_run_folder(path: Path) -> Row:
    """The plan of a run folder. Raises UsageError for what is none, for stages that are packed, and for names in it
    that lead out of it or round in circles: runs come from strangers too."""
    plan = manifest_of(path)
    if wrong := unsafe_names(path):
        raise UsageError(f"{path}: {wrong}")
    return plan


@contextlib.contextmanager
def with_stages(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """The run folders, those that `mra-bench leaderboard submit` has packed as unpacked copies for the time being.
    Raises UsageError for an archive that it cannot have written."""
    with tempfile.TemporaryDirectory(prefix="mra-bench-compare-") as temporary:
        found = []
        for place, path in enumerate(paths):
            if not (path / ARCHIVE).exists():
                found.append(path)
                continue
            target = Path(temporary) / str(place) / path.resolve().name
            target.mkdir(parents=True)
            found.append(unpacked(path, target))
        yield found


def _open(path: Path, label: str) -> ComparedRun:
    with reading(path):
        record = json.loads((path / RUN).read_text(encoding="utf-8"))
        plan = record["plan"]
        _check_texts(plan, ("name", "fingerprint"))
        for entry in plan["datasets"]:
            _check_texts(entry, ("name", "data", "split", "answer_format"))
        if not isinstance(plan["seed"], int):
            raise TypeError(f"seed is {plan['seed']!r}")
        evaluations = tuple(e for e in evaluations_of(path, plan) if e.graded)
        if not evaluations:
            raise UsageError(f"{path} holds no graded texts yet, so there is nothing to compare. {AGAIN}")
        _check_files(path, evaluations)
        return ComparedRun(label, path, record, evaluations, tuple(missing_of(path, plan)))


def evaluations_of(path: Path, plan: Row) -> list[Evaluation]:
    """The evaluations of a plan whose texts are there; of looks those that every model has finished."""
    added = [(name, stage_record(path / name) or {}) for name in added_folders(path, plan["folders"])]
    there = [e for e in counting(path, plan) if all(stage_record(path / e[key]) for key in ("problems", "completions"))]
    return [_evaluation(path, e, added) for e in there]


def _evaluation(path: Path, entry: Row, added: Sequence[tuple[str, Row]]) -> Evaluation:
    texts = entry["completions"]
    own = [(name, record) for name in entry["grades"] if (record := stage_record(path / name)) is not None]
    others = [(name, record) for name, record in added if record["inputs"][0] == texts]
    judgings = tuple(_judging(name, record) for name, record in [*own, *others])
    spec = (stage_record(path / texts) or {})["spec"]
    names = (entry["dataset"], entry["model"], entry["problems"], texts)
    return Evaluation(*names, spec, judgings, finished(path, entry), int(entry.get("look", 0)))


def _judging(folder: str, record: Row) -> Judging:
    spec = record["spec"]
    name, _, version = str(spec["grader"]).partition("@")
    of = {part: spec.get(part, {}) for part in ("options", "limits")}  # an older mra-bench recorded no limits
    return Judging({"name": name, "version": version, **of}, folder)


def _check_texts(entry: Row, names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(entry[name], str):
            raise TypeError(f"{name} is {entry[name]!r}")


def _check_files(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Raises UsageError naming a file of these evaluations, or of added verdicts, that is not as it was left."""
    folders = {f for e in evaluations for f in (e.problems, e.completions, *(j.folder for j in e.judgings))}
    broken = next(changed_files(path, sorted(folders)), None)
    if broken is not None:
        raise UsageError(f"{broken} is not as its stage left it. {AGAIN}: it makes that stage again")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """What is not of the shape that mra-bench writes becomes an error that names the run."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise UsageError(f"{path} does not hold what mra-bench writes ({what}). {AGAIN}") from None


def labels(paths: Sequence[Path]) -> list[str]:
    """For each path its shortest end that no other one has: most often the folder's name. What cannot be printed stands
    in it as an escape."""
    parts = [tuple(map(_shown, path.resolve().parts)) for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        found = ["/".join(one[-length:]) for one in parts]
        if len(set(found)) == len(found):
            return found
    return [str(path) for path in paths]


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
