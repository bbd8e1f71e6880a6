"""Settings of DPO and of its control tried on one SFT model: a table of what each does to accuracy on `dev`.

python benchmarks/quickstart_seeds/sweep.py --recipe quickstart --out /tmp/quickstart_sweep

Every row is a run of its own that takes base, SFT and, where the pairs are the same, samples and pairs from the first.
`dev` is carved from train, so the test set has no say in a choice. Finished runs in --out are not run again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# Model of the recipe, and what is changed of it; the first row of each is the recipe itself.
SETTINGS: tuple[tuple[str, dict[str, object]], ...] = (
    ("dpo", {}),
    ("dpo", {"options.learning_rate": 2e-6}),
    ("dpo", {"options.learning_rate": 5e-6}),
    ("dpo", {"options.learning_rate": 1e-5}),
    ("dpo", {"options.learning_rate": 2e-5}),
    ("dpo", {"options.learning_rate": 1e-5, "options.beta": 0.1}),
    ("dpo", {"pairs.temperature": 0.7}),
    ("dpo", {"pairs.temperature": 1.0}),
    ("dpo", {"pairs.pairs_per_problem": 4}),
    ("dpo", {"pairs.problems": 800}),
    ("dpo", {"options.epochs": 2}),
    ("sft-more", {}),
    ("sft-more", {"options.learning_rate": 1e-4}),
    ("sft-more", {"options.learning_rate": 2e-4}),
    ("sft-more", {"options.learning_rate": 5e-4}),
)


def run(recipe: str, settings: list[str], model: str, out: Path, first: Path) -> dict[str, Any]:
    """One run through the command line; its results.json."""
    command = [sys.executable, "-m", "mra_bench", "run", "--recipe", recipe, "--out", str(out), "--quiet"]
    command += ["--models", model]
    command += [part for setting in settings for part in ("--set", setting)]
    command += ["--reuse", str(first)] if out != first else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    results: dict[str, Any] = json.loads((out / "results.json").read_text())
    return results


def row(what: str, results: dict[str, Any], model: str) -> str:
    """A line of the table: the model against `sft`, with what its training log ends with."""
    (data,) = results["datasets"]
    accuracy = {score["model"]: 100 * score["accuracy"] for score in data["scores"]}
    (pair,) = (p for p in data["pairs"] if {p["a"], p["b"]} == {"sft", model})
    wins, losses = (pair["wins"], pair["losses"]) if pair["b"] == model else (pair["losses"], pair["wins"])
    made = next((str(p["pairs"]) for p in results["pairs"] if p["model"] == model), "")
    log = next(t["log"] for t in results["training"] if t["model"] == model)[-1]
    ends = " ".join(f"{log[key]:.2f}" for key in ("rewards/accuracies", "rewards/margins") if key in log)
    return f"| {what} | {made} | {accuracy['sft']:.1f} | {accuracy[model]:.1f} | {wins}, {losses} | {ends} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="quickstart")
    parser.add_argument("--dev", type=int, default=3000, help="problems of dev")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    print("| change | pairs | sft | model | wins, losses | last reward accuracy, margin |\n|---|---|---|---|---|---|")
    first = args.out / f"{args.recipe}-0"
    for number, (model, changes) in enumerate(SETTINGS):
        settings = ["evaluate.datasets=[dev]", f"datasets.dev.count={args.dev}"]
        settings += [f"models.{model}.{key}={value}" for key, value in changes.items()]
        results = run(args.recipe, settings, model, args.out / f"{args.recipe}-{number}", first)
        what = ", ".join(f"{key.partition('.')[2]} {value}" for key, value in changes.items()) or "as in the recipe"
        print(row(f"{model}: {what}", results, model), flush=True)


if __name__ == "__main__":
    main()
