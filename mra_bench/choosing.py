"""Epochs of a training held against each other by problems kept out for that: their answers are stored and graded as
those of an evaluation are, so that the choice can be derived again.

In the folder ``dev`` of a training stage, ``completions/epoch-<number>.jsonl`` and ``grades/epoch-<number>.jsonl``
hold rows of the same schemas as the stages of these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.contracts import PluginFault
from mra_bench.errors import BenchError
from mra_bench.ranks import Ranks
from mra_bench.statistics import wilson
from mra_bench.store import read_rows, write_rows
from mra_bench.stored_rows import completion_row, grade_row
from mra_bench.types import Completion, Grade, Problem

FOLDER = "dev"
TEXTS, GRADES = "completions", "grades"
EVENT = "epoch"  # of the records of training.jsonl
Row = Mapping[str, Any]


@dataclass(frozen=True)
class EpochScore:
    """How many answers of an epoch (from 1) were right or could not be judged, and the tokens of all of them."""

    epoch: int
    correct: int
    unjudged: int
    tokens: int

    @classmethod
    def of(cls, epoch: int, texts: Iterable[Row], grades: Sequence[Row]) -> EpochScore:
        """From the stored rows."""
        correct = sum(row["correct"] is True for row in grades)
        unjudged = sum(row["correct"] is None for row in grades)
        return cls(epoch, correct, unjudged, sum(row["tokens"] for row in texts))


def best_of(scores: Iterable[EpochScore]) -> int:
    """The epoch with the most right answers, the first of equal ones. An answer that could not be judged is not right,
    as in an evaluation."""
    return max(scores, key=lambda score: (score.correct, -score.epoch)).epoch


def epoch_file(folder: Path, kind: str, epoch: int) -> Path:
    """Where the rows of one epoch lie; `kind`: `TEXTS` or `GRADES`."""
    return folder / kind / f"epoch-{epoch:03d}.jsonl"


def epochs_in(folder: Path) -> list[int]:
    """The epochs whose grades are stored, in order."""
    return sorted(int(path.stem.partition("-")[2]) for path in (folder / GRADES).glob("epoch-*.jsonl"))


def read_score(folder: Path, epoch: int) -> EpochScore:
    """What the stored rows of an epoch say."""
    texts, grades = (read_rows(epoch_file(folder, kind, epoch)) for kind in (TEXTS, GRADES))
    return EpochScore.of(epoch, texts, list(grades))


def choice_facts(scores: Sequence[EpochScore], problems: int, trained: Row) -> dict[str, Any]:
    """What is recorded of the choice. `trained`: the trainer's own facts; what it has drawn itself and the answers are
    counted together in `samples` and `generated_tokens`."""
    tokens = sum(score.tokens for score in scores)
    return {
        "epoch_kept": best_of(scores),
        "dev_problems": problems,
        "dev_epochs": [{**vars(score), "accuracy": score.correct / problems} for score in scores],
        "dev_generated_tokens": tokens,
        "samples": trained.get("samples", 0) + len(scores) * problems,
        "generated_tokens": trained.get("generated_tokens", 0) + tokens,
    }


def choice_event(score: EpochScore, problems: int) -> dict[str, Any]:
    """What the training log says of an epoch."""
    return {
        "event": EVENT,
        "epoch": score.epoch,
        "dev_accuracy": score.correct / problems,
        "dev_problems": problems,
        "dev_tokens_per_answer": score.tokens / problems,
    }


def choice_results(facts: Row, dataset: str) -> dict[str, Any] | None:
    """The epochs of a finished training with intervals (Wilson), or None where none was chosen."""
    if "dev_epochs" not in facts:
        return None
    problems = facts["dev_problems"]
    epochs = []
    for found in facts["dev_epochs"]:
        interval = wilson(found["correct"], problems)
        epochs.append(
            {
                "epoch": found["epoch"],
                "accuracy": found["accuracy"],
                "low": interval.low,
                "high": interval.high,
                "unjudged": found["unjudged"],
                "tokens_per_answer": found["tokens"] / problems,
                "kept": found["epoch"] == facts["epoch_kept"],
            }
        )
    return {"dataset": dataset, "problems": problems, "epochs": epochs}


class Chooser:
    """Stores and grades the answers of each epoch in `folder`, and says which epoch is the best. What an earlier
    attempt has left whole is taken as it is."""

    def __init__(
        self,
        folder: Path,
        problems: Sequence[Problem],
        grade: Callable[[Sequence[tuple[Problem, str]]], Sequence[Grade]],
        log: Callable[[Row], None],
        ranks: Ranks,
    ) -> None:
        self.folder, self.problems, self.grade, self.log, self.ranks = folder, problems, grade, log, ranks
        self.seen: list[int] = []

    def score(self, epoch: int, step: int, answer: Callable[[], Iterable[Completion]]) -> bool:
        """See `mra_bench.types.Dev`."""
        if self.ranks.leads:
            texts = self._texts(epoch, answer)
            if not self._whole(GRADES, epoch):
                by_id = {problem.id: problem for problem in self.problems}
                said = self.grade([(by_id[row["problem"]], row["text"]) for row in texts])
                rows = [grade_row(row, grade) for row, grade in zip(texts, said, strict=True)]
                write_rows(epoch_file(self.folder, GRADES, epoch), rows)
            self.log({"step": step, **choice_event(read_score(self.folder, epoch), len(self.problems))})
        self.ranks.wait()
        self.seen = sorted({*self.seen, epoch})
        return best_of(self._scores(before=epoch)) == epoch

    def facts(self, trained: Row) -> dict[str, Any]:
        """What is recorded; `trained`: the trainer's own facts. Raises PluginFault for a trainer that has not scored
        any epoch."""
        if not self.seen:
            raise PluginFault("The trainer was to choose its epoch, but called job.dev.score for none")
        return choice_facts(self._scores(before=self.seen[-1]), len(self.problems), trained)

    def _scores(self, before: int) -> list[EpochScore]:
        """Of all epochs up to `before`, with those of an earlier attempt."""
        return [read_score(self.folder, epoch) for epoch in epochs_in(self.folder) if epoch <= before]

    def _texts(self, epoch: int, answer: Callable[[], Iterable[Completion]]) -> list[dict[str, Any]]:
        path = epoch_file(self.folder, TEXTS, epoch)
        if not self._whole(TEXTS, epoch):
            given = {completion.problem_id: completion_row(completion) for completion in answer()}
            missing = next((problem.id for problem in self.problems if problem.id not in given), None)
            if missing is not None:
                raise BenchError(f"The trainer gave no answer to problem {missing} at the end of epoch {epoch}")
            write_rows(path, (given[problem.id] for problem in self.problems))
        return list(read_rows(path))

    def _whole(self, kind: str, epoch: int) -> bool:
        """Whether the rows of an epoch are there; a file is there whole or not at all."""
        return epoch_file(self.folder, kind, epoch).is_file()
