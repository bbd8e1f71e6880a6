r"""What a run folder of many samples costs: time, memory, and how they grow.

python benchmarks/scale/run.py                                    # 10,000, 100,000 and 1,000,000 samples
python benchmarks/scale/run.py --samples 10000 --only run,report
python benchmarks/scale/run.py --samples 1000000 --out /tmp/scale # keeps the run folder

Each command runs in a fresh process. Needs the data folder (--data) with OpenAI's published GSM8K solutions.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from measure import Cost, measured
from texts import DATA, PROBLEMS, SAMPLES, make

Costs = Mapping[str, Mapping[int, Cost]]  # by command, then by samples
OTHER = "{name: sympy, options: {percent_as_number: false}}"
COMMANDS = {
    "run": "`run`: texts by `echo`, graded, results, report",
    "report": "`report`: results and report again",
    "audit": "`audit`: every text graded again, all figures and the report",
    "grade": "`grade RUN`: a second grader on every text, compared with the first",
}


def command(name: str, folder: Path, models: Mapping[str, Path]) -> list[str]:
    """The arguments of one of COMMANDS on the run in `folder`."""
    run = str(folder / "run")
    if name == "grade":
        return ["grade", run, "--grader", OTHER, "--quiet"]
    if name != "run":
        return [name, run]
    given = [part for model, path in models.items() for part in ("--model", f"{model}=echo@{path}")]
    several = ["--set", f"evaluate.samples={SAMPLES}", "--set", "evaluate.temperature=1"]
    return ["run", *given, "--data", f"problems={folder / PROBLEMS}", *several, "--out", run, "--quiet"]


def measure(sizes: Sequence[int], commands: Sequence[str], data: Path, out: Path) -> Costs:
    """Make a folder of each size and measure each command on it, in the order given."""
    costs: dict[str, dict[int, Cost]] = {name: {} for name in commands}
    for size in sizes:
        folder = out / str(size)
        models = make(data, folder, size)
        for name in commands:
            cost = measured(command(name, folder, models), folder / f"{name}.log")
            costs[name][size] = cost
            print(f"{size:,} {name}: {json.dumps(asdict(cost))}", file=sys.stderr, flush=True)
    return costs


def exponent(values: Mapping[int, float]) -> float:
    """The slope of the least-squares line through (log size, log value): 1 where twice as much takes twice as long."""
    points = [(math.log(size), math.log(value)) for size, value in values.items()]
    x, y = (math.fsum(axis) / len(points) for axis in zip(*points, strict=True))
    return math.fsum((a - x) * (b - y) for a, b in points) / math.fsum((a - x) ** 2 for a, _ in points)


def table(costs: Costs, sizes: Sequence[int]) -> str:
    """A Markdown table, a row for each command; the exponents are those of processor time: over all sizes, and from
    the last but one to the last, where start-up weighs less."""
    head = ["command", *(f"{size:,}" for size in sizes)]
    several = len(sizes) > 1
    lines = [" | ".join([*head, *(["exponent", "last step"] if several else [])])]
    for name, by_size in costs.items():
        cells = [f"{c.cpu:,.1f} s ({c.wall:,.1f} s), {c.memory / 2**20:,.0f} MiB" for c in by_size.values()]
        times = {size: cost.cpu for size, cost in by_size.items()}
        last = dict(list(times.items())[-2:])
        slopes = [f"{exponent(times):.2f}", f"{exponent(last):.2f}"] if several else []
        lines.append(" | ".join([COMMANDS[name], *cells, *slopes]))
    rule = "|".join("---" for _ in lines[0].split(" | "))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="10000,100000,1000000", help="sizes, ascending [default: %(default)s]")
    parser.add_argument("--only", default=",".join(COMMANDS), help="commands [default: %(default)s]")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with outputs/openai_gsm8k")
    parser.add_argument("--out", type=Path, help="keep the run folders here; else they are temporary")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    sizes, commands = [int(size) for size in args.samples.split(",")], args.only.split(",")
    if unknown := [name for name in commands if name not in COMMANDS]:
        parser.error(f"--only: unknown {', '.join(map(repr, unknown))}. Known: {', '.join(COMMANDS)}")
    there = [size for size in sizes if args.out and (args.out / str(size) / "run").exists()]
    if there != ([] if "run" in commands else sizes):
        parser.error(f"--out {args.out}: `run` is measured where there is no run yet, the others where there is one")
    with tempfile.TemporaryDirectory(prefix="mra-bench-scale-") as temporary:
        try:
            costs = measure(sizes, commands, args.data, args.out or Path(temporary))
        except FileNotFoundError as error:
            parser.error(f"{error}. Give the data folder with --data FOLDER")
    if args.json:
        found = {name: {size: asdict(cost) for size, cost in by_size.items()} for name, by_size in costs.items()}
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    print(table(costs, sizes))


if __name__ == "__main__":
    main()
