"""Looks at a user's file of problems and proposes a spec for it: which column is what, how the gold answer is read, and
why; and says what it is not sure of, so that a person can look there."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import read_rows
from mra_bench.dataset_rows import LETTERS, last_boxed
from mra_bench.dataset_spec import DatasetSpec
from mra_bench.errors import UsageError, unknown

LOOKED_AT = 10_000  # rows of a file that are looked at
SHORT = 30  # characters, the mean of a column whose values alone make it a gold answer
NEARLY_ALL = 0.95  # the share of rows that must show a habit for it to be taken for one
QUESTION = ("question", "problem", "query", "prompt", "input", "instruction", "question_text", "text")
BEFORE_QUESTION = ("body", "context", "passage")
ANSWER = (
    "answer", "final_answer", "gold", "gold_answer", "target", "label", "correct", "correct_answer", "correct_option",
    "answer_key", "expected", "golden", "result", "output", "response",
)  # fmt: skip
SOLUTION = (
    "solution", "rationale", "explanation", "reasoning", "worked", "cot", "chain_of_thought", "response", "output",
    "generation", "completion",
)  # fmt: skip
CHOICES = ("choices", "options")
IDS = ("id", "unique_id", "uid", "problem_id", "question_id", "idx", "index", "qid")
SUBJECT = ("subject", "topic", "category", "type", "subfield", "domain", "data_topic")
LEVEL = ("level", "difficulty", "grade")
PICTURES = re.compile(r"(image|picture|figure|img)s?(_?\d+)?", re.IGNORECASE)
NUMBER = re.compile(r"[-+−]?\$?\s*[\d.,/\s]*\d\s*%?")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
MARKERS = ("####", "The answer is:", "The answer is", "Answer:", "答案：")

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A spec as plain data for YAML. reasons: why each part is as it is, by its place in the spec ("fields.answer").
    unsure: what a person should look at."""

    data: dict[str, Any]
    reasons: dict[str, str]
    unsure: list[str]

    @property
    def spec(self) -> DatasetSpec:
        """The same, validated."""
        return DatasetSpec.model_validate(self.data)


def propose(path: Path, name: str, question: str | None = None, answer: str | None = None) -> Proposal:
    """A spec called `name` for the rows of `path` (JSONL, CSV or Parquet), by the first ten thousand of them.
    `question` and `answer`: the columns they stand in, where that is known. Raises UsageError for a file that cannot be
    read, has no rows, not a column that was named, or none that could be the question or the answer."""
    rows = [row for _, row in itertools.islice(read_rows(path), LOOKED_AT)]
    if not rows:
        raise UsageError(f"{path} has no rows")
    look = _Look(rows, path, name)
    for column in (question, answer):
        if column is not None and column not in look.columns:
            raise unknown("column", column, look.columns, where=f"in {path}")
    if question is not None and question == answer:
        raise UsageError(f"The column '{question}' is named for the question and for the answer; name two")
    return look.proposal(question, answer)


class _Look:
    """The columns of some rows, and what has been found out about them so far."""

    def __init__(self, rows: Sequence[Row], path: Path, name: str) -> None:
        self.rows = rows
        self.path = path
        self.name = name
        self.columns = list(dict.fromkeys(column for row in rows for column in row))
        self.reasons: dict[str, str] = {}
        self.unsure: list[str] = []
        self.fields: dict[str, Any] = {}
        self.gold: dict[str, Any] = {}
        self.solution: dict[str, Any] = {}

    def proposal(self, question: str | None, answer: str | None) -> Proposal:
        self._find_choices()
        if question is None:
            self._find_question(but=answer)
        else:
            self.fields["question"] = question
            self.reasons["fields.question"] = "named by you"
        if "choices" in self.fields:
            self._show_choices()
        self._find_answer_and_solution(answer)
        self._find_rest()
        answers = self._answer_type()
        chinese = self._share(self._first_question(), CHINESE.search) > 0.5
        style = f"{'chinese' if chinese else 'boxed'}{'-letter' if answers == 'choice' else ''}"
        data = {
            "name": self.name,
            "title": f"Problems of {self.path.name}",
            "licence": "not stated",
            "language": "zh" if chinese else "en",
            "answer_type": answers,
            "source": {"file": "."},
            "splits": {"test": {"source": self.path.name}},
            "fields": self.fields,
            "gold": self.gold,
            "solution": self.solution,
            "prompt": {"style": style},
        }
        return Proposal({key: value for key, value in data.items() if value != {}}, self.reasons, self.unsure)

    # Columns

    def _find_choices(self) -> None:
        found = next((c for c in self._called(CHOICES) if self._share(c, _is_choices) >= NEARLY_ALL), None)
        if found is not None:
            self.fields["choices"] = found
            self.reasons["fields.choices"] = f"each row of '{found}' is a list of choices, or has one for each letter"
        elif len(lettered := [letter for letter in LETTERS if letter in self.columns]) > 1:
            self.fields["choices"] = lettered
            self.reasons["fields.choices"] = "a column for each letter"
        elif texts := [c for c in self._called(CHOICES) if self._filled(c)]:
            self.unsure.append(f"'{texts[0]}' is called as choices are, but is no list of them; it is not read")

    def _find_question(self, but: str | None) -> None:
        named = [c for c in self._called(QUESTION) if c != but]
        filled = [c for c in named if self._share(c, _is_text) >= NEARLY_ALL]
        if not filled:
            taken = [*_as_list(self.fields.get("choices")), but]
            rest = [c for c in self.columns if c not in taken and self._share(c, _is_text) >= NEARLY_ALL]
            asking = [c for c in rest if self._share(c, lambda value: "?" in value or "？" in value) > 0.5]
            filled = sorted(asking or rest, key=self._length, reverse=True)[:1]
            if not filled or self._length(filled[0]) < 8:
                raise UsageError(
                    f"{self.path}: no column looks like a question. Name it with --question COLUMN. "
                    f"Columns: {', '.join(self.columns)}"
                )
            self.unsure.append(f"No column is called as questions are; '{filled[0]}' is the longest text that asks")
        question = filled[0]
        self.reasons["fields.question"] = f"'{question}' is filled in every row"
        others = [c for c in filled[1:] if self._differ(c, question)]
        if others:
            self.unsure.append(f"'{question}' or {_listed(others)} could be the question")
        before = next((c for c in self._called(BEFORE_QUESTION) if self._share(c, _is_text) >= NEARLY_ALL), None)
        self.fields["question"] = [before, question] if before else question
        if before:
            self.reasons["fields.question"] = f"'{before}' says what '{question}' asks about; they are joined"

    def _show_choices(self) -> None:
        """Below the question, unless it holds them."""
        column = self.fields["choices"]
        if isinstance(column, list):
            first = [(row, [row.get(one) for one in column]) for row in self.rows[:50]]
        else:
            first = [(row, _choices(row.get(column))) for row in self.rows if _is_choices(row.get(column))][:50]
        question = self._first_question()
        held = sum(all(str(text) in str(row.get(question)) for text in choices) for row, choices in first)
        if held < len(first) / 2:
            self.fields["show_choices"] = "({letter}) {text}"
            self.reasons["fields.show_choices"] = "the question does not hold its choices"

    def _find_answer_and_solution(self, given: str | None) -> None:
        taken = {*_as_list(self.fields["question"]), *_as_list(self.fields.get("choices"))}
        worked = [c for c in self._called(SOLUTION) if c not in taken and self._share(c, _is_plain) > 0.5]
        solution = next((c for c in worked if self._length(c) >= 20 or self._is_list(c)), None)
        named = [c for c in self._called(ANSWER) if c not in taken and self._share(c, _is_plain) > 0.5]
        marked = [c for c in [*named, *worked] if self._reading_of(c)]
        short = [c for c in named if c != solution and not self._is_long(c) and "after" not in self._reading_of(c)]
        if given is not None:
            solution = None if solution == given else solution
            marked = [given] if self._is_long(given) or "after" in self._reading_of(given) else []
            marked = [c for c in marked if self._reading_of(c)]
            short = [] if marked else [given]
        elif not short and not marked:
            short = self._short_by_values(taken)
        if not short:
            answer = next(iter(marked), None)
            if answer is None:
                raise UsageError(
                    f"{self.path}: no column looks like a gold answer: neither a short one nor one with ####, a "
                    f"\\boxed{{}} or 'The answer is' in it. Name it with --answer COLUMN. "
                    f"Columns: {', '.join(self.columns)}"
                )
            solution = solution if solution not in (None, answer) else answer
            self._read_from_worked(answer, self._reading_of(answer), solution)
        else:
            answer = short[0]
            self.reasons["fields.answer"] = "named by you" if given else f"'{answer}' is short and filled"
            if len(short) > 1:
                self.unsure.append(f"'{answer}' or {_listed(short[1:])} could be the gold answer")
            self._read_short(answer)
        self.fields["answer"] = answer
        if solution is not None:
            self.fields["solution"] = solution
            self.reasons.setdefault("fields.solution", f"'{solution}' is long, and called as solutions are")

    def _short_by_values(self, taken: set[Any]) -> list[str]:
        """The columns of short values that are not called as anything else is, the likeliest gold answer first:
        numbers, and not those of the rows."""
        other = {*taken, *self._called((*IDS, *SUBJECT, *LEVEL))}
        rest = [c for c in self.columns if c not in other and not PICTURES.fullmatch(c)]
        rest = [c for c in rest if self._share(c, _is_plain) >= NEARLY_ALL and self._length(c) <= SHORT]
        rest = [c for c in rest if not self._counts(c) or self.columns.index(c) > 0]
        rest.sort(key=lambda c: (self._counts(c), self._share(c, lambda value: _is_number(str(value))) < NEARLY_ALL))
        if rest:
            self.unsure.append(f"No column is called as gold answers are; '{rest[0]}' holds short values")
        return rest

    def _reading_of(self, column: str) -> dict[str, Any]:
        """How the gold answer is read from a worked text: behind a marker that nearly all rows have, or in a box; else
        nothing."""
        for marker in MARKERS:
            if sum(marker in str(row.get(column) or "") for row in self.rows) >= NEARLY_ALL * len(self.rows):
                return {"after": marker}
        return {"boxed": True} if self._share(column, lambda value: last_boxed(str(value))) >= NEARLY_ALL else {}

    def _read_from_worked(self, answer: str, gold: dict[str, Any], solution: str | None) -> None:
        self.gold |= gold
        marker = gold.get("after")
        where = f"behind '{marker}'" if marker else "in the last \\boxed{}"
        self.reasons["fields.answer"] = f"the answer stands {where} in '{answer}'"
        if solution == answer and marker:
            self.solution = {"before": marker, "template": "{solution}\nThe final answer is \\boxed{{answer}}."}
            self.reasons["solution"] = f"what stands before '{marker}', ended as the prompt asks"
        missing = [row for row in self.rows if marker and marker not in str(row.get(answer))]
        if missing:
            self.unsure.append(f"{len(missing)} of {len(self.rows)} rows have no '{marker}' in '{answer}': an error")

    def _read_short(self, answer: str) -> None:
        if self._is_list(answer):
            self.gold["several"] = True
            self.reasons["gold.several"] = f"'{answer}' is a list"
        elif "choices" in self.fields and self._places(answer):
            self.gold["index"] = True
            self.reasons["gold.index"] = "whole numbers from 0, each the place of a choice"
        elif self._share(answer, lambda value: last_boxed(str(value))) >= NEARLY_ALL:
            self.gold["boxed"] = True
            self.reasons["gold.boxed"] = "each is in a \\boxed{}"
        elif self._share(answer, lambda value: re.fullmatch(r"[\d.,:/-]+ \([^()]+\)", str(value))) > 0.5:
            self.gold["before"] = " ("
            self.reasons["gold.before"] = "the unit stands in brackets behind the number"
        blank = sum(not _is_filled(row.get(answer)) for row in self.rows)
        if blank:
            self.gold["may_be_blank"] = True
            self.unsure.append(f"{blank} of {len(self.rows)} rows have no gold answer; nobody can be graded on them")

    def _find_rest(self) -> None:
        taken = {*_as_list(self.fields["question"]), *(self.fields.get(key) for key in ("answer", "solution"))}
        unique = [c for c in self._called(IDS) if self._unique(c)]
        repeated = [c for c in self._called(IDS) if not self._unique(c)]
        if unique:
            self.fields["id"] = unique[0]
        elif repeated:
            self.unsure.append(f"'{repeated[0]}' is called as ids are, but not unique; rows are numbered instead")
        for key, names in (("subject", SUBJECT), ("level", LEVEL)):
            fitting = [c for c in self._called(names) if c not in taken and self._groups(c)]
            if fitting:
                self.fields[key] = fitting[0]
                self.reasons[f"fields.{key}"] = f"'{fitting[0]}' parts the rows into a few groups"
        pictures = [c for c in self.columns if PICTURES.fullmatch(c) and self._filled(c)]
        if pictures:
            self.fields["pictures"] = pictures
            self.unsure.append(f"Rows with a picture ({', '.join(pictures)}) are left out: models here read text")
        for key in ("id", "subject", "level", "choices", "solution"):
            if key in self.columns and key not in self.fields:
                self.fields[key] = None  # not read by default either
        used = {*taken, *(column for value in self.fields.values() for column in _as_list(value))}
        if rest := [c for c in self.columns if c not in used]:
            self.reasons["not read"] = ", ".join(rest)

    def _answer_type(self) -> str:
        golds = [str(row.get(self.fields["answer"])) for row in self.rows if _is_filled(row.get(self.fields["answer"]))]
        if after := self.gold.get("after"):
            golds = [gold.rpartition(after)[2] for gold in golds]
        if self.gold.get("boxed"):
            golds = [last_boxed(gold) or "" for gold in golds]
        if before := self.gold.get("before"):
            golds = [gold.partition(before)[0] for gold in golds]
        letters = sum(re.fullmatch(r"\(?[A-J]\)?\.?", gold.strip()) is not None for gold in golds)
        if self.gold.get("index") or ("choices" in self.fields and letters >= NEARLY_ALL * len(golds)):
            self.gold["expects"] = "choice"
            return "choice"
        if letters >= NEARLY_ALL * len(golds):
            self.unsure.append("The answers are letters, but there are no choices: does the question hold them?")
            self.gold["expects"] = "choice"
            return "choice"
        return "number" if sum(map(_is_number, golds)) >= NEARLY_ALL * len(golds) else "mixed"

    # What columns are like

    def _called(self, names: Sequence[str]) -> list[str]:
        """The columns with one of these names, in the order of the names."""
        lower = {column.lower().replace(" ", "_").replace("-", "_"): column for column in reversed(self.columns)}
        return [lower[name] for name in names if name in lower]

    def _share(self, column: str, holds: Callable[[Any], Any]) -> float:
        """Of how large a share of the rows `holds` is true; False for rows without a value."""
        return sum(bool(_is_filled(row.get(column)) and holds(row[column])) for row in self.rows) / len(self.rows)

    def _filled(self, column: str) -> bool:
        return self._share(column, lambda value: True) > 0.5

    def _length(self, column: str) -> float:
        return sum(len(str(row.get(column) or "")) for row in self.rows) / len(self.rows)

    def _is_long(self, column: str) -> bool:
        lengths = sorted(len(str(row.get(column) or "")) for row in self.rows)
        return lengths[len(lengths) // 2] > 80

    def _is_list(self, column: str) -> bool:
        return self._share(column, lambda value: isinstance(value, list)) > 0.5

    def _differ(self, one: str, other: str) -> bool:
        return any(row.get(one) != row.get(other) for row in self.rows)

    def _unique(self, column: str) -> bool:
        values = [str(row.get(column)) for row in self.rows if _is_filled(row.get(column))]
        return len(values) == len(self.rows) == len(set(values))

    def _counts(self, column: str) -> bool:
        """Whether it numbers the rows, from 0 or 1."""
        values = [str(row.get(column)) for row in self.rows]
        return any(values == [str(n) for n in range(first, first + len(values))] for first in (0, 1))

    def _groups(self, column: str) -> bool:
        values = [row.get(column) for row in self.rows]
        plain = all(value is None or isinstance(value, (str, int, float)) for value in values)
        return plain and 1 < len(set(map(str, values))) <= max(2, min(60, len(self.rows) // 2))

    def _places(self, column: str) -> bool:
        values = [str(row.get(column)) for row in self.rows if _is_filled(row.get(column))]
        return all(value.isdecimal() and int(value) < len(LETTERS) for value in values) and "0" in values

    def _first_question(self) -> str:
        question = _as_list(self.fields["question"])[-1]
        return str(question)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_filled(value: Any) -> bool:
    return value is not None and value != [] and value != {} and not (isinstance(value, str) and not value.strip())


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_plain(value: Any) -> bool:
    """Text, a number, or a list of such."""
    if isinstance(value, list):
        return all(map(_is_plain, value)) and not any(isinstance(one, list) for one in value)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _choices(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else list(value)


def _is_choices(value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(value) > 1 and list(value) == list(LETTERS[: len(value)])
    return (
        isinstance(value, (list, tuple)) and len(value) > 1 and all(isinstance(one, (str, int, float)) for one in value)
    )


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None


def _listed(columns: Sequence[str]) -> str:
    return " or ".join(f"'{column}'" for column in columns[:3])
