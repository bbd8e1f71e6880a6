"""Size of the report, what writing it costs, and how quickly it opens and answers in Chromium.

python benchmarks/report/run.py --out /tmp/report        # 2,000 and 100,000 samples, both kinds of text
python benchmarks/report/run.py --samples 2000 --kinds alike

Needs the data folder (--data) with MATH, and Chromium with chromedriver.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "scale"))

from chromium import read
from measure import measured
from texts import DATA, KINDS, make

WORDS = ["triangle", "case-0001", "\\frac{1}", "zzz"]


def carry_out(size: int, kind: str, data: Path, folder: Path) -> dict[str, Any]:
    """Make the run, unless it is there, write its report in a fresh process, and read it in Chromium."""
    run = folder / "run"
    if not (run / "results.json").exists():
        models = make(data, folder, size, kind)
        given = [part for model, path in models.items() for part in ("--model", f"{model}=echo@{path}")]
        plugin = Path(__file__).with_name("boxed.py")
        grader = ["run", *given, "--plugin", str(plugin), "--grader", "boxed"]
        problems = ["--data", f"problems={folder / 'problems.jsonl'}", "--out", str(run), "--quiet"]
        measured([*grader, *problems], folder / "run.log")
    cost = measured(["report", str(run)], folder / "report.log")
    return {"samples": size, "kind": kind, "writing": asdict(cost), **asdict(read(run / "report.html", WORDS))}


def tables(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row for each page, then a row for each reaction."""
    columns = "samples, texts, size, written in, memory, "
    columns += "first view, processor time, longest task, search ready, script memory"
    lines = [f"| {columns.replace(', ', ' | ')} |", "|" + "---|" * (columns.count(",") + 1)]
    for row in found:
        cost, mib = row["writing"], 2**20
        cells = [f"{row['samples']:,}", row["kind"], f"{row['size'] / 1e6:.2f} MB", f"{cost['cpu']:.1f} s"]
        cells += [f"{cost['memory'] / mib:.0f} MiB"]
        cells += [f"{row[name]:.2f} s" for name in ("first_view", "processor", "longest", "prepared")]
        lines.append(f"| {' | '.join(cells)} | {row['memory'] / mib:.0f} MiB |")
    heads = [f"{row['samples']:,} {row['kind']}" for row in found]
    lines += ["", "| reaction in ms (processor time) | " + " | ".join(heads) + " |", "|" + "---|" * (len(found) + 1)]
    for name in found[0]["reactions"]:
        cells = [row["reactions"][name] for row in found]
        shown = [f"{_ms(cell['seconds'])}{_slowest(cell)} ({_ms(cell['processor'])})" for cell in cells]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _slowest(cell: dict[str, Any]) -> str:
    return f" to {_ms(cell['slowest'])}" if "slowest" in cell else ""


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="2000,100000", help="sizes [default: %(default)s]")
    parser.add_argument("--kinds", default=",".join(KINDS), help="texts: alike, unlike [default: %(default)s]")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with math/")
    parser.add_argument("--out", type=Path, help="keep the run folders here; else they are temporary")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"--kinds: unknown {', '.join(map(repr, unknown))}. Known: {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory(prefix="mra-bench-report-") as temporary:
        found = []
        for size in map(int, args.samples.split(",")):
            for kind in kinds:
                try:
                    found.append(carry_out(size, kind, args.data, (args.out or Path(temporary)) / f"{size}-{kind}"))
                except FileNotFoundError as error:
                    parser.error(f"{error}. Give the data folder with --data FOLDER")
                print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
