"""Problems and texts of 150 to 300 tokens for a run of any size, made from MATH and its published solutions."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[3] / "shared" / "data"
MODELS = ("base", "sft", "sft-more", "dpo")
CHARACTERS = (600, 900)  # of a text: of this kind of text about a token for every three
KINDS = {
    "alike": "models of one family: each text is the problem's solution with other numbers in a third of the places",
    "unlike": "the worst case: every text is that of another problem with other numbers, and models differ on all",
}
ALIKE = 0.3


def make(data: Path, folder: Path, samples: int, kind: str) -> dict[str, Path]:
    """Write problems.jsonl and a file of texts for each of MODELS, for the model `echo`; `samples` texts in all, one a
    problem and model. Returns the files by model. Raises FileNotFoundError."""
    rows = [json.loads(line) for name in ("train", "test") for line in (data / "math" / f"{name}.jsonl").open("rb")]
    folder.mkdir(parents=True, exist_ok=True)
    count = samples // len(MODELS)
    _write(folder / "problems.jsonl", (_problem(place, rows[place % len(rows)]) for place in range(count)))
    files = {model: folder / f"{model}.jsonl" for model in MODELS}
    for number, (model, path) in enumerate(files.items()):
        _write(path, _texts(rows, count, kind, random.Random(f"{kind}/{model}"), number))
    return files


def _texts(
    rows: list[dict[str, Any]], count: int, kind: str, rng: random.Random, number: int
) -> Iterator[dict[str, Any]]:
    for place in range(count):
        start = place if kind == "alike" else rng.randrange(len(rows))
        text = _long_enough(rows, start, rng.randint(*CHARACTERS))
        changed = re.sub(r"\d+", lambda found: _other(found[0], rng, 1.0 if kind == "unlike" else ALIKE), text)
        right = rng.random() < 0.3 + 0.15 * number if kind == "alike" else number % 2 == 0
        yield {
            "problem": _id(place),
            "text": f"{changed} The answer is \\boxed{{{1 if right else rng.randint(2, 99)}}}.",
        }


def _long_enough(rows: list[dict[str, Any]], start: int, characters: int) -> str:
    text = ""
    for place in itertools.count(start):
        text += rows[place % len(rows)]["solution"] + "\n"
        if len(text) >= characters:
            return text[:characters]
    raise AssertionError


def _other(number: str, rng: random.Random, share: float) -> str:
    return str(rng.randrange(10 ** len(number))) if rng.random() < share else number


def _problem(place: int, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _id(place),
        "question": f"{row['problem']} (Case {place}.)",
        "answer": "1",
        "solution": row["solution"],
        "subject": row["type"],
        "level": row["level"].split()[-1],
    }


def _id(place: int) -> str:
    return f"case-{place:06d}"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
