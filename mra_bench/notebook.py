"""A run folder as pandas DataFrames, for notebooks: texts, verdicts and figures, from the files of its stages.

pandas is imported when the first table is made. Texts are a model's and may hold anything; pandas escapes them in its
HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mra_bench.compared_runs import Evaluation, check_run_folder, evaluations_of, reading
from mra_bench.errors import unknown
from mra_bench.looks import counting
from mra_bench.results import dataset_results
from mra_bench.store import canonical, read_rows
from mra_bench.stored_rows import problems_of

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
Names = str | Sequence[str] | None

_VERDICT = {
    "correct": "boolean",
    "answer": "string",
    "kind": "category",
    "reason": "string",
    "rule": "category",
    "extracted": "string",
    "span_start": "Int64",
    "span_end": "Int64",
}
_PLACE = {"dataset": "category", "model": "category", "problem": "string", "sample": "int64"}
PROBLEMS = {
    "dataset": "category",
    "problem": "string",
    "question": "string",
    "gold": "string",
    "solution": "string",
    "subject": "category",
    "level": "category",
    "counted": "bool",
}
SAMPLES = {
    **_PLACE,
    "gold": "string",
    "text": "string",
    "prompt_tokens": "Int64",
    "tokens": "Int64",
    "finish": "category",
    **_VERDICT,
    "counted": "bool",
}
GRADES = {
    **_PLACE,
    "grader": "category",
    "version": "category",
    "options": "category",
    "headline": "bool",
    **_VERDICT,
}
SCORES = {
    "dataset": "category",
    "model": "category",
    "n": "int64",
    "samples": "int64",
    **dict.fromkeys(("correct", "accuracy", "low", "high", "worst", "best"), "float64"),
    **dict.fromkeys(("in_format", "right_in_format", "empty", "truncated"), "int64"),
    "tokens_mean": "float64",
}
COMPARISON = {
    **dict.fromkeys(("dataset", "a", "b"), "category"),
    **dict.fromkeys(("difference", "low", "high", "p", "p_holm"), "float64"),
    **dict.fromkeys(("wins", "losses", "both_right", "both_wrong", "n"), "int64"),
    "detectable": "Float64",
    **dict.fromkeys(("test", "interval"), "category"),
    "conclusion": "string",
}


def open_run(path: str | Path) -> OpenedRun:
    """The run folder at `path`, finished or not, to be read as tables. Raises UsageError for what is none."""
    folder = Path(path)
    return OpenedRun(folder, check_run_folder(folder))


@dataclass(frozen=True, eq=False)
class OpenedRun:
    """A run folder as tables. `plan`: what run.json says was to be done.

    Every table takes `dataset`, most also `model`: a name or several, None for all; what they leave out is not read.
    Only finished stages count, so a run that is not finished gives what is there. Tables are made anew on each call.
    They raise UsageError for a name that the run does not have, and for files that mra-bench has not written so.
    """

    path: Path
    plan: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"OpenedRun({str(self.path)!r}: datasets {self.datasets}, models {self.models})"

    @property
    def datasets(self) -> list[str]:
        """Names of the datasets that models are evaluated on, the headline's first."""
        return [entry["name"] for entry in self.plan["datasets"]]

    @property
    def models(self) -> list[str]:
        """Names of the models, in the recipe's order."""
        return [model["name"] for model in self.plan["models"]]

    def problems(self, dataset: Names = None) -> pd.DataFrame:
        """A row for each problem; columns and dtypes: `PROBLEMS`. `counted`: False where nobody can read the gold
        answer, so that no figure counts the problem."""
        rows: list[tuple[Any, ...]] = []
        with reading(self.path):
            for name, evaluations in self._by_dataset(dataset, None).items():
                unreadable = self._unreadable(name)
                for problem in self._problems(evaluations):
                    own = (problem.question, problem.answer, problem.solution, problem.subject, problem.level)
                    rows.append((name, problem.id, *own, problem.id not in unreadable))
        return _frame(rows, PROBLEMS)

    def samples(self, dataset: Names = None, model: Names = None) -> pd.DataFrame:
        """A row for each text of an evaluation, with the verdict of the first grader; columns and dtypes: `SAMPLES`.
        What is not graded yet has missing values there; `correct` is missing, too, where it could not be judged."""
        return _frame(self._sample_rows(dataset, model), SAMPLES)

    def grades(self, dataset: Names = None, model: Names = None) -> pd.DataFrame:
        """A row for each verdict of each grader, those of `mra-bench grade` too; columns and dtypes: `GRADES`.
        `headline`: whether the run's figures are made of it; `options`: as JSON."""
        return _frame(self._grade_rows(dataset, model), GRADES)

    def scores(self, dataset: Names = None) -> pd.DataFrame:
        """The scoreboard: a row for each dataset and model, as in results.json; columns and dtypes: `SCORES`."""
        return _frame(self._figures(dataset, "scores", SCORES), SCORES)

    def comparison(self, dataset: Names = None) -> pd.DataFrame:
        """Every two models, b against a, as in results.json; columns and dtypes: `COMPARISON`. Differences are
        proportions, `detectable` is missing where so few problems can show nothing."""
        return _frame(self._figures(dataset, "pairs", COMPARISON), COMPARISON)

    def _sample_rows(self, dataset: Names, model: Names) -> Iterator[tuple[Any, ...]]:
        with reading(self.path):
            for name, evaluations in self._by_dataset(dataset, model).items():
                gold = {problem.id: problem.answer for problem in self._problems(evaluations)}
                unreadable = self._unreadable(name) if evaluations else frozenset()
                for e in evaluations:
                    verdicts = read_rows(self.path / e.judgings[0].folder) if e.graded else repeat(None)
                    for text, verdict in zip(read_rows(self.path / e.completions), verdicts, strict=e.graded):
                        problem = text["problem"]
                        made = (text["text"], text["prompt_tokens"], text["tokens"], text["finish"])
                        place = (name, e.model, problem, text["sample"], gold[problem])
                        yield (*place, *made, *_verdict(verdict), problem not in unreadable)

    def _grade_rows(self, dataset: Names, model: Names) -> Iterator[tuple[Any, ...]]:
        with reading(self.path):
            for name, evaluations in self._by_dataset(dataset, model).items():
                for e, judging in ((one, judging) for one in evaluations for judging in one.judgings):
                    grader = (judging.grader["name"], judging.grader["version"], canonical(judging.grader["options"]))
                    headline = e.graded and judging is e.judgings[0]
                    for row in read_rows(self.path / judging.folder):
                        yield (name, e.model, row["problem"], row["sample"], *grader, headline, *_verdict(row))

    def _figures(self, dataset: Names, part: str, columns: Row) -> Iterator[tuple[Any, ...]]:
        """Rows of a part of each dataset's results, computed as those of results.json are."""
        wanted = _chosen("dataset", dataset, self.datasets)
        with reading(self.path):
            counted = counting(self.path, self.plan)
            for entry in (entry for entry in self.plan["datasets"] if entry["name"] in wanted):
                of_dataset = [e for e in counted if e["dataset"] == entry["name"]]
                for row in dataset_results(self.path, entry, of_dataset, self.plan)[part]:
                    yield tuple({**row, "dataset": entry["name"]}[name] for name in columns)

    def _by_dataset(self, dataset: Names, model: Names) -> dict[str, list[Evaluation]]:
        datasets, models = _chosen("dataset", dataset, self.datasets), _chosen("model", model, self.models)
        found: dict[str, list[Evaluation]] = {name: [] for name in datasets}
        for evaluation in evaluations_of(self.path, self.plan):
            if evaluation.dataset in found and evaluation.model in models:
                found[evaluation.dataset].append(evaluation)
        return found

    def _problems(self, evaluations: Iterable[Evaluation]) -> Iterator[Any]:
        for folder in dict.fromkeys(e.problems for e in evaluations):
            yield from problems_of(self.path / folder)

    def _unreadable(self, dataset: str) -> frozenset[str]:
        """Ids of the problems of which the grader has judged no text and says that the gold cannot be read: those that
        no figure counts (see `looks.gold_unreadable`)."""
        judged, unparseable = set(), set()
        for e in evaluations_of(self.path, self.plan):
            if e.dataset == dataset and e.graded:
                for row in read_rows(self.path / e.judgings[0].folder):
                    if row["correct"] is not None:
                        judged.add(row["problem"])
                    elif row["kind"] == "unparseable":
                        unparseable.add(row["problem"])
        return frozenset(unparseable - judged)


def _verdict(row: Row | None) -> tuple[Any, ...]:
    """The columns `_VERDICT` of a stored grade."""
    if row is None:
        return (None,) * len(_VERDICT)
    start, end = row["span"] or (None, None)
    return (row["correct"], row["answer"], row["kind"], row["reason"], row["rule"], row.get("extracted"), start, end)


def _chosen(what: str, wanted: Names, known: Sequence[str]) -> list[str]:
    names = list(known) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            raise unknown(what, name, known, where="in this run")
    return names


def _frame(rows: Iterable[tuple[Any, ...]], columns: Mapping[str, str]) -> pd.DataFrame:
    """A table of these columns and dtypes. Text is kept as Python holds it: that of a model may be no valid Unicode."""
    import pandas as pd

    values: list[list[Any]] = [[] for _ in columns]
    adders = [column.append for column in values]
    for row in rows:
        for add, value in zip(adders, row, strict=True):
            add(value)
    text = pd.StringDtype("python")
    kinds: Mapping[str, Any] = {"string": text}
    made = {
        name: pd.Series(pd.Categorical(column) if kind == "category" else column, dtype=kinds.get(kind, kind))
        for (name, kind), column in zip(columns.items(), values, strict=True)
    }
    return pd.DataFrame(made)
