r"""The quickstart recipes at several seeds: one table of accuracies and paired differences.

python benchmarks/quickstart_seeds/run.py --seeds 0,1,2 --out /tmp/quickstart_seeds
python benchmarks/quickstart_seeds/run.py --seeds 0,1,2 --out /tmp/quickstart_sampled --reuse /tmp/quickstart_seeds \
    -- --set evaluate.temperature=1.0 --set evaluate.samples=4 --set evaluate.datasets=[test]

The second one asks the same models again, sampling four answers to each problem. Runs that are complete in --out are
not run again. The table goes to standard output and to --out/table.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mra_bench.tables import printable
from mra_bench.verdict import points

PAIRS = (("base", "sft"), ("sft", "dpo"), ("sft-more", "dpo"))


def run(recipe: str, seed: int, out: Path, extra: list[str]) -> dict[str, Any]:
    """One run through the command line; its results.json."""
    folder = out / f"{recipe}-seed{seed}"
    command = [sys.executable, "-m", "mra_bench", "run", "--recipe", recipe, "--set", f"seed={seed}", "--out", folder]
    subprocess.run([*command, *extra], check=True, stdout=subprocess.DEVNULL)
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


def cells(results: dict[str, Any], dataset: str) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Accuracies by model, and differences by pair, as text in points with 95 % intervals."""
    data = next(d for d in results["datasets"] if d["name"] == dataset)
    scores = {
        s["model"]: f"{100 * s['accuracy']:.1f} ({100 * s['low']:.1f} to {100 * s['high']:.1f})" for s in data["scores"]
    }
    found = {}
    for row in data["pairs"]:
        sign, low, high = 1, row["low"], row["high"]
        key = (row["a"], row["b"])
        if key not in PAIRS:
            key, sign, low, high = (row["b"], row["a"]), -1, -row["high"], -row["low"]
        wins, losses = (row["wins"], row["losses"]) if sign == 1 else (row["losses"], row["wins"])
        found[key] = (
            f"{points(sign * row['difference'], sign=True)} ({points(low)} to {points(high)}; "
            f"{wins} wins, {losses} losses, p Holm {row['p_holm']:.2g})"
        )
    return scores, found


def table(rows: list[tuple[str, int, dict[str, Any]]], dataset: str) -> str:
    """A Markdown table of one dataset, a row for each run."""
    models = [m["name"] for m in rows[0][2]["models"]]
    head = ["recipe", "seed", *models, *(f"{b} - {a}" for a, b in PAIRS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for recipe, seed, results in rows:
        scores, pairs = cells(results, dataset)
        line = [recipe, str(seed), *(scores.get(m, "") for m in models), *(pairs.get(p, "") for p in PAIRS)]
        lines.append(f"| {' | '.join(line)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default="quickstart,quickstart-gpt2")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--reuse", type=Path, help="take equal stages from the runs of an earlier --out")
    parser.add_argument("extra", nargs="*", help="further arguments of mra-bench run, behind --")
    args = parser.parse_args()
    rows = []
    for recipe in args.recipes.split(","):
        for seed in map(int, args.seeds.split(",")):
            reuse = ["--reuse", str(args.reuse / f"{recipe}-seed{seed}")] if args.reuse else []
            rows.append((recipe, seed, run(recipe, seed, args.out, [*args.extra, *reuse])))
            verdict = printable(" ".join(rows[-1][2]["verdict"]))
            print(f"{recipe} seed {seed}: {verdict}", file=sys.stderr, flush=True)
    datasets = [dataset["name"] for dataset in rows[0][2]["datasets"]]
    text = "\n\n".join(f"{name}:\n\n{table(rows, name)}" for name in datasets)
    (args.out / "table.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
