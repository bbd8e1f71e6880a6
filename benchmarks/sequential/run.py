"""What a comparison that stops when it knows costs and saves. Prints Markdown tables.

python benchmarks/sequential/run.py simulate   # two models with a known gap, drawn many times
python benchmarks/sequential/run.py gsm8k      # OpenAI's published GSM8K solutions, many orders of the problems
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gsm8k
import simulate

OPENAI = Path(__file__).parents[3] / "shared" / "data" / "outputs" / "openai_gsm8k"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    drawn = commands.add_parser("simulate", help="two models with a known gap")
    drawn.add_argument("--runs", type=int, default=2000, help="simulated comparisons for each row's setting")
    drawn.add_argument("--problems", type=int, nargs="+", default=[100, 200, 500, 1000, 2000])
    drawn.add_argument("--discordant", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.4])
    drawn.add_argument("--seed", type=int, default=0)
    real = commands.add_parser("gsm8k", help="OpenAI's published GSM8K solutions")
    real.add_argument("--data", type=Path, default=OPENAI, help="folder of the four systems' graded solutions")
    real.add_argument("--orders", type=int, default=1000, help="orders of the problems, seeds 0, 1, ...")
    real.add_argument("--runs", type=int, default=200, help="orders in which all four systems are compared at once")
    given = parser.parse_args()
    if given.command == "simulate":
        simulate.report(given.problems, given.discordant, given.runs, given.seed)
    else:
        gsm8k.report(given.data, given.orders, given.runs)


if __name__ == "__main__":
    main()
