"""Problems, a grader and jobs for the tests of the trainer `grpo`. No test in here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mra_grpo.options import GrpoOptions
from training_kit import Told, make_job

from mra_bench.types import Decoding, Grade, Problem, TrainJob

FAST: dict[str, Any] = {
    "learning_rate": 1e-3,
    "batch_size": 4,
    "accumulation": 2,
    "group_size": 4,
    "max_new_tokens": 8,
    "logging_every": 1,
    "warmup_ratio": 0,
}


def problems(count: int = 6) -> list[Problem]:
    """Sums, with prompts of different lengths."""
    return [Problem(f"p{n}", f"{n} + {10 ** (n % 3)}?", str(n + 10 ** (n % 3))) for n in range(count)]


def letters(items: Sequence[tuple[Problem, str]]) -> list[Grade]:
    """A grader that a random model pleases now and then: two small letters are right."""
    return [Grade(sum("a" <= letter <= "z" for letter in text) > 1) for _, text in items]


def grpo_job(folder: Path, parent: Path, told: Told | None = None, **options: Any) -> TrainJob:
    """A job on six problems; `problems`, `decoding` and `graders` among the options are the job's."""
    asked = options.pop("problems", problems())
    data = {
        "problems": asked,
        "prompts": [f"Question: {problem.question}\nAnswer:" for problem in asked],
        "decoding": options.pop("decoding", Decoding(16)),
        "graders": options.pop("graders", {"letters": letters}),
    }
    return make_job(folder, parent, GrpoOptions(**{**FAST, **options}), told or Told(), **data)
