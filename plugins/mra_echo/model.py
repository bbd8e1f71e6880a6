"""The model behind `echo`: a table of texts read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import Located, read_jsonl
from mra_bench.errors import BenchError, UsageError, nearest
from mra_bench.types import LENGTH, STOP, Block, Completion, Problem, PromptStyle, Request

from .options import EchoOptions

COLUMNS = ("problem", "question", "sample", "text", "finish")
SHOWN = 5  # ids named in a message
Key = tuple[str, str]  # ("problem", id) or ("question", text)


@dataclass(frozen=True)
class Answer:
    """One row of the file: the text, how it finished, and where the row stands."""

    text: str
    finish: str
    where: str


Answers = Mapping[Key, Mapping[int, Answer]]  # by problem, then by sample index


@dataclass
class EchoModel:
    """Answers from a table; a model in the sense of `mra_bench.types.Model`. Tokens are words between white space."""

    answers: Answers
    path: Path
    sha256: str
    allow_missing: bool
    reproducible: bool = True

    @classmethod
    def read(cls, options: EchoOptions) -> EchoModel:
        """The model for a file of answers. Raises UsageError naming a missing file, or the line that is wrong."""
        path = Path(options.path)
        if not path.is_file():
            raise UsageError(f"The model 'echo' has no file to answer from: '{path}' does not exist.")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(read_answers(read_jsonl(path)), path, sha256, options.allow_missing)

    def identity(self) -> Mapping[str, Any]:
        """What shapes the texts: the content of the file."""
        return {"model": "echo", "file_sha256": self.sha256}

    def check_problems(self, problems: Sequence[Problem]) -> None:
        """Raises UsageError naming the problems that the file has no row for, unless that is allowed."""
        missing = [problem for problem in problems if not self._samples(problem)]
        if not missing or self.allow_missing:
            return
        first = missing[0].id
        ids = [name for column, name in self.answers if column == "problem"]
        close = nearest(first, ids)
        raise UsageError(
            f"{self.path} has no row for {len(missing):,} of {len(problems):,} problems: "
            f"{', '.join(repr(p.id) for p in missing[:SHOWN])}{', ...' if len(missing) > SHOWN else ''}. "
            + (f"The row nearest to '{first}' is '{close}'. " if close else "")
            + "Add the rows, or set the option allow_missing=true: these problems then count as not answered."
        )

    def checkpoint(self) -> Path | None:
        """None: there are no weights to train."""
        return None

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The instruction, if any, an empty line, and the question."""
        return "\n\n".join(part for part in (style.instruction, problem.question) if part)

    def continuation(self, text: str) -> str:
        """The text itself: the prompt ends with the question, and nothing is trained on it."""
        return text

    def generate(self, block: Block) -> Iterator[Completion]:
        """The file's text for each request, as it stands there: decoding settings change nothing."""
        for request in block.requests:
            answer = self._answer(request)
            yield Completion(
                problem_id=request.problem.id,
                sample=request.sample,
                text=answer.text,
                prompt_tokens=len(self.render(request.problem, block.style).split()),
                tokens=len(answer.text.split()),
                finish=answer.finish,
            )

    def _samples(self, problem: Problem) -> Mapping[int, Answer]:
        by_id = self.answers.get(("problem", problem.id))
        return by_id or self.answers.get(("question", problem.question)) or {}

    def _answer(self, request: Request) -> Answer:
        """The row for the sample asked for; with fewer samples than asked for, they are gone through again."""
        samples = self._samples(request.problem)
        if not samples:
            if not self.allow_missing:
                raise BenchError(f"{self.path} has no row for the problem '{request.problem.id}'.")
            return Answer("", STOP, "")
        if request.sample in samples:
            return samples[request.sample]
        indices = sorted(samples)
        return samples[indices[request.sample % len(indices)]]


def read_answers(rows: Iterable[Located]) -> Answers:
    """The table of answers in `rows`. Raises UsageError naming the row that is wrong or there twice."""
    answers: dict[Key, dict[int, Answer]] = {}
    for where, row in rows:
        samples = answers.setdefault(_key(row, where), {})
        sample = row.get("sample", len(samples))
        if isinstance(sample, bool) or not isinstance(sample, int) or sample < 0:
            raise UsageError(f"{where}: 'sample' must be a whole number from 0 up, got {sample!r}")
        if sample in samples:
            raise UsageError(f"{where}: sample {sample} of this problem is already in {samples[sample].where}")
        samples[sample] = _answer(row, where)
    return answers


def _key(row: Mapping[str, Any], where: str) -> Key:
    for column in ("problem", "question"):
        value = row.get(column)
        if isinstance(value, str) and value:
            return column, value
    raise UsageError(f"{where}: needs the text 'problem' (an id) or 'question'. {_columns(row, 'problem')}")


def _answer(row: Mapping[str, Any], where: str) -> Answer:
    text = row.get("text")
    if not isinstance(text, str):
        raise UsageError(f"{where}: needs the text 'text'. {_columns(row, 'text')}")
    finish = row.get("finish", STOP)
    if finish not in (STOP, LENGTH):
        raise UsageError(f"{where}: 'finish' must be '{STOP}' or '{LENGTH}', got {finish!r}")
    return Answer(text, finish, where)


def _columns(row: Mapping[str, Any], wanted: str) -> str:
    close = nearest(wanted, (column for column in row if column not in COLUMNS))
    hint = f"Is it '{close}'? " if close else ""
    return f"{hint}Columns: {', '.join(row) or 'none'}."
