"""Problems and texts for a run of any size, made from OpenAI's published GSM8K solutions of four systems."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[3] / "shared" / "data"
SAMPLES = 5  # texts of one model for one problem
OWN = 4  # how much more often a model has a text of its own system than one of each other
PROBLEMS = "problems.jsonl"


def make(data: Path, folder: Path, samples: int) -> dict[str, Path]:
    """Write problems and, for each of the four systems, a file of SAMPLES texts a problem, `samples` texts in all or a
    few less, for the model `echo`. Returns the files of texts by the models' names. Raises FileNotFoundError.

    Problems are GSM8K's, each as often as is needed, with a number in the question so that no two are the same. A
    model's texts are drawn, with a seed, from the solutions of all systems to that problem, its own system's most.
    """
    paths = sorted((data / "outputs" / "openai_gsm8k").glob("*.jsonl"))
    if not paths:
        raise FileNotFoundError(f"no outputs/openai_gsm8k/*.jsonl in {data}")
    systems = [list(map(json.loads, path.open(encoding="utf-8"))) for path in paths]
    asked = systems[0]
    count = max(1, samples // (SAMPLES * len(systems)))
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PROBLEMS, (_problem(number, asked[number % len(asked)]) for number in range(count)))
    files = {path.stem: folder / f"{path.stem}.jsonl" for path in paths}
    for place, path in enumerate(files.values()):
        weights = [OWN if other == place else 1 for other in range(len(systems))]
        rng = random.Random(place)
        _write(
            path,
            (
                {"problem": _id(number), "text": systems[drawn][number % len(asked)]["response"]}
                for number in range(count)
                for drawn in rng.choices(range(len(systems)), weights, k=SAMPLES)
            ),
        )
    return files


def _problem(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _id(number),
        "question": f"{row['question']} (Case {number}.)",
        "answer": row["gold"],
        "level": str(1 + number % 5),
    }


def _id(number: int) -> str:
    return f"case-{number:06d}"


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
