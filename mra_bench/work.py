"""Stages, and what each kind of them works on: plain data between the plan that lays them out and those who do them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mra_bench.builders import PairRule, RowRule
from mra_bench.contamination import Policy, Questions
from mra_bench.json_safe import plain_options
from mra_bench.plugins import Registered
from mra_bench.problem_sets import ProblemSet
from mra_bench.recipe_schema import Grading, ModelEntry, Named
from mra_bench.repetition import REPETITION, repeated_name
from mra_bench.store import fingerprint
from mra_bench.types import Decoding

if TYPE_CHECKING:
    from mra_bench.imports.layouts import ImportedText

Kind = Literal["problems", "generate", "grade", "profile", "pair", "rows", "train", "verdict"]


FOLDERS: Mapping[Kind, str] = {
    "problems": "problems",
    "generate": "completions",
    "grade": "grades",
    "profile": "profiles",
    "pair": "pairs",
    "rows": "rows",
    "train": "models",
    "verdict": "verdicts",
}


@dataclass(frozen=True)
class Stage:
    """One step: `spec` is everything that shapes the output (JSON-safe), `inputs` the stages it reads. `shown`: what a
    person is told instead of `name`, where that alone would not tell two stages apart."""

    kind: Kind
    name: str
    spec: Mapping[str, Any]
    inputs: tuple[Stage, ...] = ()
    work: Any = None
    shown: str = ""

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def __post_init__(self) -> None:
        value = fingerprint({"kind": self.kind, "spec": self.spec, "inputs": [s.fingerprint for s in self.inputs]})
        object.__setattr__(self, "_fingerprint", value)

    _fingerprint: str = field(default="", init=False, repr=False, compare=False)

    @property
    def folder(self) -> str:
        return f"{FOLDERS[self.kind]}/{self.name}-{self.fingerprint[:8]}"

    @property
    def label(self) -> str:
        return f"{self.kind} {self.shown or self.name}"


@dataclass(frozen=True)
class PlannedModel:
    """A model of the plan: loaded through `loader` with `options`, or the outcome of `stage`."""

    name: str
    entry: ModelEntry
    loader: Registered
    options: Mapping[str, Any]
    identity: Mapping[str, Any]
    weight_bytes: int
    stage: Stage | None = None

    @property
    def conditions(self) -> dict[str, Any]:
        """How texts are made, without which weights: prompt format, dtype and engine; inherited along a lineage."""
        return {key: value for key, value in self.identity.items() if key not in ("weights", "environment")}


@dataclass(frozen=True)
class GenerateWork:
    """`budgets`: a length limit for each problem, below that of `decoding`; none where it is empty."""

    model: PlannedModel
    problems: ProblemSet
    decoding: Decoding
    samples: int
    seed: int
    block_size: int
    repetition: int = 1
    budgets: tuple[int, ...] = ()

    @property
    def most_tokens(self) -> int:
        """So many tokens are generated at most."""
        limits = self.budgets or (self.decoding.max_new_tokens,) * len(self.problems.problems)
        return self.samples * sum(limits)


@dataclass(frozen=True)
class StoredTexts:
    """Texts that a run folder holds already: the work of a stage that is only read."""

    count: int


@dataclass(frozen=True)
class GradeWork:
    """What a grader or a profiler (`registered`) works on, by the name and options of the recipe (`grader`)."""

    problems: ProblemSet
    grader: Named
    registered: Registered
    limits: Grading


@dataclass(frozen=True)
class VerdictWork:
    """What another tool says of texts that were imported: by problem id, as many as there are samples of it. grader:
    who tells whether the tool's gold answers are those of the problems."""

    problems: ProblemSet
    texts: Mapping[str, Sequence[ImportedText]]
    grader: GradeWork


@dataclass(frozen=True)
class BuildWork:
    """`options`: as given in the recipe."""

    problems: ProblemSet
    parent: PlannedModel
    builder: Registered
    options: Mapping[str, Any]
    rule: PairRule | RowRule
    seed: int


@dataclass(frozen=True)
class DevWork:
    """What the best epoch of a training is chosen by: problems, how they are answered and graded, and whether the
    weights of the others are kept, too."""

    problems: ProblemSet
    grader: GradeWork
    decoding: Decoding
    keep_all: bool

    def facts(self) -> dict[str, Any]:
        """What shapes the choice, less the problems."""
        return {
            **grader_facts(self.grader),
            "decoding": dataclasses.asdict(self.decoding),
            "style": self.problems.style.record(),
            "keep_all": self.keep_all,
        }


@dataclass(frozen=True)
class TrainWork:
    """`graders` and `decoding` are for a trainer that learns from problems: whose verdicts it is given, and how texts
    are made when its models are evaluated. `asked`: the test questions that built data is held to; `contamination`:
    what happens to what holds some. `dev`: what the best epoch is chosen by."""

    name: str
    parent: PlannedModel
    trainer: Registered
    options: Mapping[str, Any]
    seed: int
    problems: ProblemSet
    graders: tuple[GradeWork, ...] = ()
    decoding: Decoding = field(default_factory=Decoding)
    asked: tuple[Questions, ...] = ()
    contamination: Policy = "refuse"
    dev: DevWork | None = None


def problems_stage(data: ProblemSet) -> Stage:
    """The stage that stores problems, so that a run folder can be read without their source."""
    spec = {"data": data.data, "split": data.split, "hash": data.hash}
    return Stage("problems", data.name, spec, (), data)


def generate_stage(problems: Stage, work: GenerateWork) -> Stage:
    """The stage in which a model writes texts for `problems`."""
    model = work.model
    spec = {
        "model": weights_of(model),
        "conditions": model.conditions,
        "style": work.problems.style.record(),
        "decoding": dataclasses.asdict(work.decoding),
        "samples": work.samples,
        "seed": work.seed if work.decoding.temperature > 0 else None,  # greedy texts do not depend on it
        "block_size": work.block_size,
    }
    if work.budgets:
        spec["budgets"] = list(work.budgets)
    if work.repetition > 1:
        spec[REPETITION] = {"number": work.repetition, "seed": work.seed}
    inputs = (problems,) if model.stage is None else (problems, model.stage)
    name = repeated_name(f"{model.name}-{work.problems.name}", work.repetition)
    return Stage("generate", name, spec, inputs, work)


def weights_of(model: PlannedModel) -> Any:
    """What tells a model's weights from others."""
    return model.identity.get("weights")


def grade_stage(completions: Stage, problems: Stage, work: GradeWork) -> Stage:
    """The stage in which a grader judges the texts of `completions`, whoever asks for it."""
    name = f"{work.registered.name}-{completions.name}"
    shown = f"{shown_name(work.grader)}-{completions.name}"
    return Stage("grade", name, grader_facts(work), (completions, problems), work, shown)


def profile_stage(completions: Stage, problems: Stage, work: GradeWork) -> Stage:
    """The stage in which a profiler looks at the texts of `completions`."""
    name = f"{work.registered.name}-{completions.name}"
    shown = f"{shown_name(work.grader)}-{completions.name}"
    return Stage("profile", name, grader_facts(work, "profiler"), (completions, problems), work, shown)


def grader_facts(work: GradeWork, what: str = "grader") -> dict[str, Any]:
    """What shapes a grader's verdicts, or a profiler's profiles."""
    registered = work.registered
    return {
        what: f"{registered.full_name}@{registered.plugin.version}",
        "options": plain_options(registered.parse_options(work.grader.options)),
        "limits": work.limits.model_dump(),
    }


def shown_name(grader: Named) -> str:
    """A grader as a person is told of it: its name, and the options that were given."""
    given = ", ".join(f"{key}={value}" for key, value in grader.options.items())
    return f"{grader.name}{given and f'({given})'}"
