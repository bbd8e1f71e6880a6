"""The cases: labelled answers, published model outputs, and gold answers of real datasets against themselves."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
SAMPLE = 500
SEED = 0


@dataclass(frozen=True)
class Case:
    """One pair. mode: "answer" (two bare answers) or "text" (the answer has to be found in `prediction`).
    expected: True, False, or None where the gold answer cannot be read, and a grader has to say so."""

    data: str
    id: str
    kind: str
    mode: str
    gold: str
    prediction: str
    expected: bool | None


def load(names: list[str], folder: Path, most: int | None) -> dict[str, list[Case]]:
    """The cases of each set named, at most `most` of each (drawn with a seed, order kept). Sets without labels hold
    SAMPLE cases where `most` is None. Raises FileNotFoundError."""
    found = {}
    for name in names:
        cases = list(SETS[name](folder))
        limit = most if most is not None else SAMPLE if name in GOLDS else len(cases)
        if len(cases) > limit:
            cases = [cases[k] for k in sorted(random.Random(SEED).sample(range(len(cases)), limit))]
        found[name] = cases
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _labelled(name: str, path: Path) -> Iterator[Case]:
    for row in _rows(path):
        yield Case(name, row["id"], row["kind"], row["mode"], row["gold"], row["prediction"], row["expected"])


def _dev(folder: Path) -> Iterator[Case]:
    return _labelled("dev", folder / "answer_equivalence_dev.jsonl")


def _fixtures(folder: Path) -> Iterator[Case]:
    return _labelled("fixtures", HERE / "fixtures.jsonl")


def _gsm8k(folder: Path) -> Iterator[Case]:
    for path in sorted((folder / "outputs" / "openai_gsm8k").glob("*.jsonl")):
        for row in _rows(path):
            name = f"{path.stem}-{row['qid']}"
            yield Case("gsm8k", name, path.stem, "text", row["gold"], row["response"], row["upstream_correct"])


def _golds(name: str) -> Callable[[Path], Iterator[Case]]:
    """The gold answers of one dataset, each against itself."""

    def cases(folder: Path) -> Iterator[Case]:
        for number, row in enumerate(_rows(folder / name / "test.jsonl")):
            gold = _gold(row)
            if gold.strip():
                yield Case(name, f"{name}-{number}", name, "answer", gold, gold, True)

    return cases


def _gold(row: dict[str, Any]) -> str:
    if "final_answer" in row:
        return ", ".join(row["final_answer"])
    return row["answer"] if "answer" in row else last_box(row["solution"])


def last_box(solution: str) -> str:
    r"""What the last ``\boxed{...}`` of a reference solution holds; "" without one."""
    _, box, rest = solution.rpartition("\\boxed")
    if not rest.startswith("{"):
        return rest.split("$")[0].strip() if box else ""
    depth = 0
    for place, character in enumerate(rest):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return rest[1:place]
    return ""


GOLDS = ("math", "math500", "olympiadbench", "college_math", "gaokao2023en", "minerva_math")
SETS: dict[str, Callable[[Path], Iterator[Case]]] = {
    "dev": _dev,
    "gsm8k": _gsm8k,
    "fixtures": _fixtures,
    **{name: _golds(name) for name in GOLDS},
}
