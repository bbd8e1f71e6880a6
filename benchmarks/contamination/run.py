"""How many test questions of known splits meet their training split, rule by rule, and what looking costs.

python benchmarks/contamination/run.py --markdown MATH-500=math/train.jsonl:math500/test.jsonl

Each argument is NAME=TRAIN:TEST, two JSONL files with the columns `question`, `problem` or `instruction`, and
`solution`, `output` or `answer` for what is learnt. `arith` alone stands for the embedded dataset, `arith-all` for the
same held to all rules, as if it were not made from templates. With --dump the overlaps are printed, to be read.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mra_bench.contamination import Overlap, Questions, TrainingText, find_overlaps
from mra_bench.datasets import DatasetUse, load_problems
from mra_bench.listed_overlaps import LONG_RUN, NEAR, RULES, SHORT_RUN, TEMPLATE, list_overlaps
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.tables import align, markdown
from mra_bench.types import Problem

QUESTION, SOLUTION = ("question", "problem", "instruction"), ("solution", "output", "answer")
HEAD = [
    "training, test",
    "texts",
    "questions",
    "refused",
    "training rows",
    *RULES,
    "all 13-gram",
    "all 8-gram",
    "CPU s",
]


def read(path: Path) -> list[Problem]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Problem(str(n), first(row, QUESTION), "?", first(row, SOLUTION)) for n, row in enumerate(rows)]


def first(row: Mapping[str, str], columns: Iterable[str]) -> str:
    return next((row[column] for column in columns if row.get(column)), "")


def sides(argument: str) -> tuple[str, list[Problem], list[Problem], str]:
    """Name, training and test problems, and the templates that made them."""
    if argument in ("arith", "arith-all"):
        registry = load_plugins(PluginSettings())
        train, test = (load_problems(DatasetUse("arith", split), registry) for split in ("train", "test"))
        return argument, train, test, "arith" if argument == "arith" else ""
    name, _, files = argument.partition("=")
    train_file, _, test_file = files.partition(":")
    return name, read(Path(train_file)), read(Path(test_file)), ""


def texts_of(train: Iterable[Problem], templates: str) -> list[TrainingText]:
    found = []
    for problem in train:
        found.append(TrainingText(problem.id, problem.question, templates=templates))
        if problem.solution:
            found.append(TrainingText(problem.id, problem.solution, "solution", templates))
    return found


def row_of(argument: str, dump: bool) -> list[str]:
    name, train, test, templates = sides(argument)
    texts, asked = texts_of(train, templates), [Questions(name, test, templates)]
    started = time.process_time()
    refused = find_overlaps(texts, asked)
    planned = time.process_time() - started
    rules = {row.rule: row for row in list_overlaps(texts, asked, refused)}
    spent = f"{planned:.1f} + {time.process_time() - started - planned:.1f}"
    if dump:
        show(refused, train, test)
    shown = [str(rules[rule].questions if rule in rules else 0) for rule in (LONG_RUN, NEAR, TEMPLATE, SHORT_RUN)]
    everywhere = {row.rule: row.in_all for row in list_overlaps(texts, asked)}
    in_all = [str(everywhere.get(rule, 0)) for rule in (LONG_RUN, SHORT_RUN)]
    met = len({overlap.problem_id for overlap in refused})
    rows = len({overlap.train_id for overlap in refused})
    return [name, f"{len(texts):,}", f"{len(test):,}", str(met), str(rows), *shown, *in_all, spent]


def show(overlaps: Sequence[Overlap], train: Sequence[Problem], test: Sequence[Problem]) -> None:
    training, asked = ({problem.id: problem.question for problem in problems} for problems in (train, test))
    for overlap in overlaps:
        print(f"{overlap.rule}\n  test {overlap.problem_id}: {asked[overlap.problem_id]}")
        print(f"  {overlap.source} of {overlap.train_id}: {training[overlap.train_id]}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", nargs="+", metavar="NAME=TRAIN:TEST|arith")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--dump", action="store_true")
    given = parser.parse_args()
    rows = [HEAD, *(row_of(argument, given.dump) for argument in given.splits)]
    print(markdown(rows) if given.markdown else align(rows))


if __name__ == "__main__":
    main()
