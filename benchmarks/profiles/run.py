r"""How well each dimension of the error profile notices errors that were made on purpose, and how often it is wrong.

python benchmarks/profiles/run.py --markdown             # GSM8K test, arith, MATH test; 300 of each kind at most
python benchmarks/profiles/run.py --only arith --count 50
python benchmarks/profiles/run.py --only gsm8k --alarms  # every false alarm on a reference solution, to be read
python benchmarks/profiles/run.py --outputs OUTPUTS.jsonl    # what is noticed on a model's right and wrong answers
python benchmarks/profiles/run.py --speed OUTPUTS.jsonl  # texts a second beside the answer checker's

Which dimension should notice which kind is written down in `mra_verifier.corruption.NOTICES`; nothing is read off here.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mra_sympy import extract, grade
from mra_verifier import DIMENSIONS, profile
from mra_verifier.corruption import KINDS, Corruption, corrupt

from mra_bench.statistics import wilson
from mra_bench.tables import align, markdown
from mra_bench.types import Problem

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
Case = tuple[Problem, Corruption]
Row = list[str]


def gsm8k(data: Path) -> Iterator[Problem]:
    """The test problems of GSM8K with their solutions."""
    for number, row in enumerate(_rows(data / "gsm8k" / "test.jsonl")):
        yield Problem(f"gsm8k-{number}", row["question"], row["answer"].rpartition("####")[2].strip(), row["answer"])


def arith(data: Path) -> Iterator[Problem]:
    """The test problems of the embedded dataset."""
    from mra_arith import load

    yield from load("test", None)


def math(data: Path) -> Iterator[Problem]:
    """The test problems of MATH; the gold answer is what the solution boxes."""
    for row in _rows(data / "math" / "test.jsonl"):
        if found := extract(row["solution"]):
            yield Problem(row["unique_id"], row["problem"], found.answer, row["solution"])


SETS = {"gsm8k": gsm8k, "arith": arith, "math": math}
FILES = {"gsm8k": "gsm8k/test.jsonl", "math": "math/test.jsonl"}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def cases(problems: list[Problem], kind: str, carry: bool, count: int, seed: int) -> list[Case]:
    """The first `count` problems, in a random order, whose solution gives a handle for the kind."""
    found: list[Case] = []
    for problem in random.Random(f"{seed}/{kind}/{carry}").sample(problems, len(problems)):
        if len(found) == count:
            break
        if corruption := corrupt(problem, kind, seed, carry=carry):
            found.append((problem, corruption))
    return found


class Noticed:
    """Which dimensions are above 0, for a text once asked."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], frozenset[str]] = {}

    def __call__(self, problem: Problem, text: str) -> frozenset[str]:
        key = problem.id, text
        if key not in self.known:
            errors = profile(problem, text).errors
            self.known[key] = frozenset(name for name, error in errors.items() if error)
        return self.known[key]


def share(count: int, total: int) -> str:
    """Per cent, with Wilson's 95 % interval."""
    if not total:
        return ""
    interval = wilson(count, total)
    return f"{100 * count / total:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def by_kind(every: dict[tuple[str, bool], list[Case]], noticed: Noticed) -> list[Row]:
    """For each kind, the share of texts that each dimension notices; those that should are in bold."""
    rows = []
    for (kind, carry), found in every.items():
        counts = Counter(name for problem, case in found for name in noticed(problem, case.text))
        should = Counter(name for _, case in found for name in case.notices)
        shown = [
            (f"**{100 * counts[name] / len(found):.0f}**" if should[name] else f"{100 * counts[name] / len(found):.0f}")
            if found else "" for name in DIMENSIONS
        ]  # fmt: skip
        rows.append([kind, "carried on" if carry else "the place alone", str(len(found)), *shown])
    return rows


def by_dimension(cases: list[Case], noticed: Noticed) -> list[Row]:
    """Recall over the texts that a dimension should notice, precision against the same problems' own solutions."""
    rows = []
    for name in DIMENSIONS:
        found = [(problem, case) for problem, case in cases if name in case.notices]
        right = sum(name in noticed(problem, case.text) for problem, case in found)
        wrong = sum(name in noticed(problem, problem.solution or "") for problem, _ in found)
        rows.append([name, str(len(found)), share(right, len(found)), share(right, right + wrong)])
    return rows


def false_alarms(problems: Iterable[Problem], noticed: Noticed) -> Row:
    """The share of reference solutions on which each dimension, and any, is above 0."""
    found = [noticed(problem, problem.solution or "") for problem in problems]
    counts = [sum(name in dimensions for dimensions in found) for name in DIMENSIONS]
    return [str(len(found)), *(share(count, len(found)) for count in counts), share(sum(map(bool, found)), len(found))]


def speed(what: str, data: Path) -> str:
    """Texts a second of the profiler and of the answer checker on the same texts, in turns. what: a file of model
    outputs, or a set, of which the reference solutions are taken."""
    if what in SETS:
        items = [(problem, problem.solution or "") for problem in SETS[what](data)]
    else:
        rows = _rows(Path(what))
        items = [(Problem(str(row["qid"]), row["question"], str(row["gold"])), row["response"]) for row in rows]
    spent = {"profile": 0.0, "grade": 0.0}
    for problem, text in items[:50]:
        profile(problem, text)
    judges = [("profile", profile), ("grade", grade)]
    for first in range(50, len(items), 25):
        judges.reverse()  # the second of two finds answers that the first has read in the checker's cache
        for name, judge in judges:
            started = time.perf_counter()
            for problem, text in items[first : first + 25]:
                judge(problem, text)
            spent[name] += time.perf_counter() - started
    count = len(items) - 50
    profiles, grades = count / spent["profile"], count / spent["grade"]
    pace = f"{profiles:.0f} profiles/s, {grades:.0f} grades/s"
    return f"{Path(what).name}: {pace}, a profile takes {grades / profiles:.1f} grades"


def on_outputs(path: Path) -> list[Row]:
    """Of a model's right and wrong answers, the share in per cent that each dimension notices, and the mean near-miss
    wrongness."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for row in _rows(path):
        found = profile(Problem(str(row["qid"]), row["question"], str(row["gold"])), row["response"])
        count = counts[bool(row["upstream_correct"])]
        count.update(["texts", *(name for name, error in found.errors.items() if error)])
        count["near"] += round(1e6 * found.scores["near_miss_wrongness"])
    return [
        [
            "right" if label else "wrong",
            str(count["texts"]),
            *(f"{100 * count[name] / max(1, count['texts']):.1f}" for name in DIMENSIONS),
            f"{count['near'] / 1e6 / max(1, count['texts']):.3f}",
        ]
        for label, count in counts.items()
    ]


def report(name: str, problems: list[Problem], options: argparse.Namespace) -> None:
    noticed = Noticed()
    table = markdown if options.markdown else align
    every = {
        (kind, carry): cases(problems, kind, carry, options.count, options.seed)
        for carry in (True, False)
        for kind in KINDS
    }
    flat = [case for found in every.values() for case in found]
    print(f"\n{name}: share of texts in per cent that each dimension notices (bold: it should)\n")
    print(table([["kind", "consequences", "texts", *DIMENSIONS], *by_kind(every, noticed)]))
    print(f"\n{name}: recall and precision in per cent (95 %, Wilson)\n")
    print(table([["dimension", "should notice", "recall", "precision"], *by_dimension(flat, noticed)]))
    print(f"\n{name}: reference solutions with a dimension above 0, in per cent\n")
    sample = random.Random(options.seed).sample(problems, min(len(problems), options.references))
    print(table([["solutions", *DIMENSIONS, "any"], false_alarms(sample, noticed)]))
    if options.alarms:
        for problem in sample:
            found = profile(problem, problem.solution or "")
            for dimension, said in found.evidence.items():
                print(f"{problem.id} {dimension}: {' '.join(said)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SETS), help="sets, separated by commas")
    parser.add_argument("--count", type=int, default=300, help="texts of each kind, at most")
    parser.add_argument("--references", type=int, default=2000, help="reference solutions looked at, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with gsm8k/ and math/")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--alarms", action="store_true", help="print every false alarm")
    parser.add_argument("--outputs", type=Path, help="only what is noticed on this file of labelled outputs")
    parser.add_argument("--speed", metavar="WHAT", help="only speed, on this file of outputs or this set's solutions")
    options = parser.parse_args()
    if options.outputs:
        head = ["answers", "texts", *DIMENSIONS, "mean near-miss wrongness"]
        print((markdown if options.markdown else align)([head, *on_outputs(options.outputs)]))
        return
    if options.speed:
        print(speed(options.speed, options.data))
        return
    chosen = options.only.split(",")
    if wrong := [name for name in chosen if name not in SETS]:
        parser.error(f"--only: unknown set '{wrong[0]}'; there are {', '.join(SETS)}")
    if options.count < 1 or options.references < 1:
        parser.error("--count and --references must be 1 or more")
    if missing := [name for name in chosen if name in FILES and not (options.data / FILES[name]).is_file()]:
        parser.error(
            f"the set {missing[0]} needs {FILES[missing[0]]} in the folder {options.data} (--data); arith needs none"
        )
    for name in chosen:
        report(name, list(SETS[name](options.data)), options)


if __name__ == "__main__":
    main()
