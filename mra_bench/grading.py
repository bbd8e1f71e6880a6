"""Grades samples that are no run: one grader or several over the same texts, and where several differ."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.json_safe import plain_options
from mra_bench.plain_errors import in_words, place
from mra_bench.plugins import PluginSettings, Registered, Registry
from mra_bench.recipe_schema import Named
from mra_bench.samples import Sample
from mra_bench.statistics import Interval, clustered, cohens_kappa
from mra_bench.types import Grade, Problem
from mra_bench.work import shown_name
from mra_bench.workers import GraderSpec, Limits, grade_all
from mra_bench.yaml_text import read_yaml

Verdict = bool | None
Graded = tuple[Sample, tuple[Grade, ...]]
BOX = "\\boxed{"


@dataclass(frozen=True)
class ChosenGrader:
    """A grader as the user asked for it, resolved. `label` tells it from the others of one command."""

    label: str
    named: Named
    registered: Registered

    @property
    def identity(self) -> dict[str, Any]:
        """Name, version and all options of it, as a run records them."""
        options = plain_options(self.registered.parse_options(self.named.options))
        return {"name": self.registered.full_name, "version": self.registered.plugin.version, "options": options}


def choose_graders(given: Sequence[str], registry: Registry) -> list[ChosenGrader]:
    """Graders by name, or by a YAML mapping of name and options as in a recipe: ``{name: sympy, options: {...}}``.

    Raises UsageError for an unknown grader or option, and for a grader given twice.
    """
    chosen: list[ChosenGrader] = []
    for text in given:
        named = named_of(text, "--grader")
        one = ChosenGrader(shown_name(named), named, registry.resolve("graders", named.name))
        identity = one.identity  # reads the options, so that a wrong one is told now
        same = next((other for other in chosen if other.identity == identity), None)
        if same is not None:
            raise UsageError(f"--grader {text} is the same grader as --grader {same.label}; give it once")
        chosen.append(one)
    return chosen


def named_of(text: str, option: str) -> Named:
    """What a command-line `option` names: a bare name, or a YAML mapping of name and options. Raises UsageError."""
    import pydantic

    if not text.lstrip().startswith("{"):
        return Named(name=text)
    try:
        return Named.model_validate(read_yaml(text, f"{option} {text}"))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        how = "Give a name, or {name: NAME, options: {KEY: VALUE}}"
        raise UsageError(f"{option} {text}: '{place(first['loc'])}': {in_words(first)}. {how}") from None


def grade_samples(
    samples: Iterable[Sample],
    graders: Sequence[ChosenGrader],
    plugins: PluginSettings,
    *,
    limits: Limits,
    answers: bool = False,
    strict: bool = False,
) -> Generator[Graded, None, None]:
    """Each sample with its grades, in the order of `graders`. Only so many samples are held as workers are ahead.

    `answers`: a text is a bare answer, not one in which it must be found; graders see it in a box.
    """
    apart, *streams = itertools.tee(samples, len(graders) + 1)
    each = dataclasses.replace(limits, workers=max(1, limits.workers // len(graders)))
    with contextlib.ExitStack() as stack:
        verdicts = [
            stack.enter_context(
                contextlib.closing(
                    grade_all(
                        GraderSpec(grader.registered.full_name, grader.named.options, plugins),
                        _items(stream, answers),
                        limits=each,
                        strict=strict,
                    )
                )
            )
            for grader, stream in zip(graders, streams, strict=True)
        ]
        for sample, *grades in zip(apart, *verdicts, strict=True):
            yield sample, tuple(_unboxed(grade, sample.text) for grade in grades) if answers else tuple(grades)


def _items(samples: Iterable[Sample], answers: bool) -> Iterator[tuple[Problem, str]]:
    for sample in samples:
        yield sample.problem, boxed(sample.text) if answers else sample.text


def boxed(answer: str) -> str:
    """A bare answer in the form in which every grader finds one; as it is where it has one, or there is nothing."""
    return answer if not answer.strip() or "\\boxed" in answer or "\\fbox" in answer else f"{BOX}{answer}}}"


def _unboxed(grade: Grade, answer: str) -> Grade:
    """The grade of a boxed answer with its span in the answer itself."""
    if grade.span is None or boxed(answer) == answer:
        return grade
    first, last = (min(max(end - len(BOX), 0), len(answer)) for end in grade.span)
    return dataclasses.replace(grade, span=(first, last))


@dataclass
class Tally:
    """Counts of one grader's verdicts. `of_id`: texts and right ones by problem id; `labels`: by (label, verdict)."""

    kinds: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    of_id: dict[str, list[int]] = field(default_factory=dict)
    labels: Counter[tuple[bool, Verdict]] = field(default_factory=Counter)

    def add(self, sample: Sample, grade: Grade) -> None:
        """Count one more verdict."""
        self.kinds[grade.kind] += 1
        self.verdicts[grade.correct] += 1
        counts = self.of_id.setdefault(sample.problem.id, [0, 0])
        counts[0] += 1
        counts[1] += grade.correct is True
        if sample.label is not None:
            self.labels[sample.label, grade.correct] += 1

    def interval(self) -> Interval | None:
        """Of the accuracy, over problems; None where problems have different numbers of texts."""
        sizes = {n for n, _ in self.of_id.values()}
        if len(sizes) != 1:
            return None
        return clustered([right / n for n, right in self.of_id.values()], sizes.pop())

    def data(self) -> dict[str, Any]:
        """The counts as plain data; texts that could not be judged count as not correct."""
        n, interval = self.verdicts.total(), self.interval()
        return {
            "n": n,
            "correct": self.verdicts[True],
            "wrong": self.verdicts[False],
            "not_judged": self.verdicts[None],
            "kinds": dict(self.kinds.most_common()),
            "accuracy": self.verdicts[True] / n if n else 0.0,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            **({"labels": self.label_data()} if self.labels else {}),
        }

    def label_data(self) -> dict[str, Any]:
        """How the verdicts go with the labels; a false positive is called correct and labelled wrong."""
        n = self.labels.total()
        agree = self.labels[True, True] + self.labels[False, False]
        return {
            "n": n,
            "agree": agree,
            "agreement": agree / n,
            "false_positives": self.labels[False, True],
            "false_negatives": self.labels[True, False],
            "not_judged": self.labels[True, None] + self.labels[False, None],
        }


class Summary:
    """What is said of graded samples in the end. At most `show` texts of each list are kept, all are counted."""

    def __init__(self, graders: Sequence[ChosenGrader], show: int) -> None:
        self.graders, self.show = graders, show
        self.n = self.differ = 0
        self.tallies = [Tally() for _ in graders]
        self.pairs = {
            pair: Counter[tuple[Verdict, Verdict]]() for pair in itertools.combinations(range(len(graders)), 2)
        }
        self.disagreements: list[dict[str, Any]] = []
        self.mislabelled: list[dict[str, Any]] = []

    def add(self, sample: Sample, grades: Sequence[Grade]) -> None:
        """Count one more sample."""
        self.n += 1
        for tally, grade in zip(self.tallies, grades, strict=True):
            tally.add(sample, grade)
        for (a, b), counts in self.pairs.items():
            counts[grades[a].correct, grades[b].correct] += 1
        if len({grade.correct for grade in grades}) > 1:
            self.differ += 1
            self._keep(self.disagreements, sample, zip(self.graders, grades, strict=True))
        missed = [
            (grader, grade)
            for grader, grade in zip(self.graders, grades, strict=True)
            if sample.label is not None and grade.correct is not sample.label
        ]
        if missed:
            self._keep(self.mislabelled, sample, missed)

    def _keep(self, rows: list[dict[str, Any]], sample: Sample, verdicts: Iterable[tuple[ChosenGrader, Grade]]) -> None:
        if len(rows) < self.show:
            shown = {"row": sample.number, "id": sample.problem.id, "gold": sample.problem.answer}
            label = {} if sample.label is None else {"label": sample.label}
            rows.append({**shown, **label, "verdicts": [verdict_data(g.label, grade) for g, grade in verdicts]})

    def nothing_judged(self) -> bool:
        """Whether some grader could not judge a single text."""
        return any(tally.verdicts[None] == self.n for tally in self.tallies)

    def data(self) -> dict[str, Any]:
        """Everything as plain data."""
        summary: dict[str, Any] = {
            "n": self.n,
            "graders": [
                {"grader": g.label, **g.identity, **t.data()} for g, t in zip(self.graders, self.tallies, strict=True)
            ],
            "agreement": [
                {"first": self.graders[a].label, "second": self.graders[b].label, **agreement_data(counts)}
                for (a, b), counts in self.pairs.items()
            ],
        }
        if self.pairs:
            summary["disagreements"] = {"count": self.differ, "shown": self.disagreements}
        if any(tally.labels for tally in self.tallies):
            summary["mislabelled"] = self.mislabelled
        return summary


def verdict_data(label: str, grade: Grade) -> dict[str, Any]:
    """One grader's verdict on a text, in short."""
    return {
        "grader": label,
        "correct": grade.correct,
        "kind": grade.kind,
        "answer": grade.answer,
        "reason": grade.reason,
    }


def agreement_data(counts: Mapping[tuple[Verdict, Verdict], int]) -> dict[str, Any]:
    """Two graders' verdicts on the same texts as a table; what either could not judge is in "not_judged" only."""
    cells = (counts[True, True], counts[True, False], counts[False, True], counts[False, False])
    both, first, second, neither = cells
    return {
        "both": both,
        "first_only": first,
        "second_only": second,
        "neither": neither,
        "not_judged": sum(n for verdicts, n in counts.items() if None in verdicts),
        "kappa": cohens_kappa(*cells),
    }


def grade_rows(graded: Graded, graders: Iterable[ChosenGrader], label: bool) -> Iterator[dict[str, Any]]:
    """The rows of the output file for one sample, one a grader."""
    sample, grades = graded
    for grader, grade in zip(graders, grades, strict=True):
        row = {"row": sample.number, "id": sample.problem.id, "grader": grader.label}
        yield {**row, **dataclasses.asdict(grade), **({"label": sample.label} if label else {})}
