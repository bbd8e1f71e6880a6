r"""Our answer checker against math-verify, case by case in one run: verdicts, speed, symmetry, and their ratios.

python benchmarks/graders/run.py                                  # every set, one repetition
python benchmarks/graders/run.py --only dev,gsm8k --repeat 3 --markdown --json graders.json
python benchmarks/graders/run.py --only dev --graders sympy --errors

Needs the extra math-verify (pip install 'mra-bench[math-verify]') and, but for the set "fixtures", the data folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import summary
from cases import DATA, SETS, Case, load
from children import Answer, Child
from judges import JUDGES, WARM_UP
from summary import Asked, Score, Table

from mra_bench.tables import align, markdown, printable

IN_A_ROW = 25


def ask_all(cases: list[Case], children: dict[str, Child], repeat: int) -> Asked:
    """Each case judged by each grader `repeat` times, only one of them at work at any time. They alternate after
    IN_A_ROW cases, not after each: a batch is what throughput means, and a process that has just been woken pays for
    cold processor caches, a short verdict more of its time than a long one. Who is first alternates too."""
    asked: Asked = {name: [(case, []) for case in cases] for name in children}
    for repetition in range(repeat):
        for turn, first in enumerate(range(0, len(cases), IN_A_ROW)):
            order = list(children) if (turn + repetition) % 2 else list(children)[::-1]
            for name in order:
                for case, answers in asked[name][first : first + IN_A_ROW]:
                    answers.append(children[name].ask(case))
    return asked


def swapped_share(asked: list[tuple[Case, list[Answer]]], child: Child) -> float | None:
    """The share of pairs of unlike bare answers of which one order is accepted and the other is not;
    None without such pairs."""
    pairs = [(c, answers[0]) for c, answers in asked if c.mode == "answer" and c.gold != c.prediction]
    if not pairs:
        return None
    other = (child.ask(replace(case, gold=case.prediction, prediction=case.gold)) for case, _ in pairs)
    return sum((a.correct is True) != (b.correct is True) for (_, a), b in zip(pairs, other, strict=True)) / len(pairs)


def measure(sets: dict[str, list[Case]], children: dict[str, Child], repeat: int) -> dict[str, Any]:
    """The scores, and under "asked" every answer by set and grader."""
    scores: list[Score] = []
    asked: dict[str, Asked] = {}
    try:
        for data, cases in sets.items():
            print(f"{data}: {len(cases):,} cases", file=sys.stderr, flush=True)
            asked[data] = ask_all(cases, children, repeat)
            for name, child in children.items():
                scores.append(summary.score(data, name, asked[data][name], swapped_share(asked[data][name], child)))
    finally:
        for child in children.values():
            child.close()
    return {"scores": scores, "asked": asked}


def tables(found: dict[str, Any]) -> dict[str, Table]:
    """Title -> table; those that have no row are left out."""
    scores, asked = found["scores"], found["asked"]
    result = {
        "Verdicts": summary.verdicts(scores),
        "Speed": summary.speeds(scores),
        "Ratios": summary.ratios(scores, "sympy", "math-verify"),
    }
    result["Swapped"] = summary.swaps(scores)
    result.update({f"Kinds of {data}": summary.kinds(asked[data], data) for data in asked if summary.labelled(data)})
    return {title: table for title, table in result.items() if len(table) > 1}


def errors(asked: dict[str, Asked]) -> Table:
    """Every case whose verdict is not the expected one."""
    rows = [["data", "grader", "case", "expected", "verdict", "gold", "prediction"]]
    for data, graders in asked.items():
        for name, pairs in graders.items():
            for case, answers in pairs:
                if not summary.met(case, answers[0]):
                    verdict = str(answers[0].correct) if answers[0].outcome == "judged" else answers[0].outcome
                    shown = [repr(text if len(text) < 100 else "..." + text[-100:])
                             for text in (case.gold, case.prediction)]  # fmt: skip
                    rows.append([data, name, case.id, str(case.expected), verdict, *shown])
    return rows


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SETS), help=f"sets, with commas between: {', '.join(SETS)}")
    parser.add_argument("--graders", default=",".join(JUDGES), help=f"of {', '.join(JUDGES)}")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the data sets")
    parser.add_argument("--cases", type=int, help="at most so many of each set, drawn with a fixed seed")
    parser.add_argument("--repeat", type=int, default=1, help="judge all so often; times are medians")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for one case; then it is a hang")
    parser.add_argument("--keep-sympy-cache", action="store_true", help="empty the graders' own caches only")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--errors", action="store_true", help="list every verdict that is not the expected one")
    parser.add_argument("--json", type=Path, help="write the figures and every answer to this file")
    args = parser.parse_args()
    args.only, args.graders = args.only.split(","), args.graders.split(",")
    for name, known in [*((n, list(SETS)) for n in args.only), *((n, list(JUDGES)) for n in args.graders)]:
        if name not in known:
            parser.error(f"unknown: '{name}'. Known: {', '.join(known)}")
    if args.repeat < 1 or args.limit <= 0 or (args.cases is not None and args.cases < 1):
        parser.error("--repeat and --cases must be at least 1, --limit more than 0")
    if "math-verify" in args.graders and importlib.util.find_spec("math_verify") is None:
        parser.error("math-verify is not installed: pip install 'mra-bench[math-verify]', or --graders sympy")
    return args


def main() -> None:
    args = parsed_arguments()
    try:
        sets = load(args.only, args.data, args.cases)
    except FileNotFoundError as error:
        sys.exit(f"No such file: {error.filename}. Name the folder with --data, or the sets you have with --only.")
    forget = "judges:forget_answers" if args.keep_sympy_cache else "judges:forget_all"
    children = {name: Child(f"judges:{JUDGES[name].__name__}", forget, WARM_UP, args.limit) for name in args.graders}
    found = measure(sets, children, args.repeat)
    show = markdown if args.markdown else align
    for title, table in tables(found).items():
        print(f"{title}:\n\n{show(table)}\n")
    if args.errors:
        print(printable(align(errors(found["asked"]))))
    if args.json:
        args.json.write_text(json.dumps(summary.as_data(found["scores"], found["asked"]), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
