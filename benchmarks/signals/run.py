r"""Training signals on the same parent, problems and compute, at several seeds: what each gains over more SFT, where.

python benchmarks/signals/run.py --seeds 0,1,2 --out /tmp/signals
python benchmarks/signals/run.py --seeds 0 --out /tmp/signals_qwen2 -- --set models.base.model=tiny-qwen2

runs the recipe `signals` once for each seed and prints Markdown tables. Runs that are complete in --out are not run
again. A comparison takes the seeds as samples of each problem, so that an interval is about other problems and these
seeds; how much the seeds themselves differ stands beside it. p is that of the comparison with the control, Holm's over
all of them on a dataset; tables by subject and level have no p, as they were not what was asked first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.compute import since_common
from mra_bench.statistics import compare, holm
from mra_bench.store import read_rows
from mra_bench.verdict import p_digits, points

CONTROL, PARENT = "sft-more", "sft"
Verdicts = dict[str, list[bool]]  # problem id -> whether the answer is right, for each seed


def run(recipe: str, seed: int, out: Path, extra: Sequence[str]) -> Path:
    """One run through the command line; its folder."""
    folder = out / f"seed{seed}"
    command = [sys.executable, "-m", "mra_bench", "run", "--recipe", recipe, "--set", f"seed={seed}", "--out", folder]
    subprocess.run([*command, *extra], check=True, stdout=subprocess.DEVNULL)
    return folder


def verdicts(folders: Sequence[Path], dataset: str) -> dict[str, Verdicts]:
    """For each model the verdict on each problem in each run."""
    found: dict[str, Verdicts] = {}
    for folder in folders:
        for stage in results_of(folder)["stages"]:
            if stage["dataset"] == dataset:
                for row in read_rows(folder / stage["grades"]):
                    of_model = found.setdefault(stage["model"], {})
                    of_model.setdefault(row["problem"], []).append(row["correct"] is True)
    return found


def results_of(folder: Path) -> dict[str, Any]:
    """results.json of a run."""
    results: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return results


def problems(folder: Path, dataset: str) -> dict[str, Mapping[str, Any]]:
    """The problems of an evaluated dataset by id."""
    stage = next(s for s in results_of(folder)["stages"] if s["dataset"] == dataset)
    return {row["id"]: row for row in read_rows(folder / stage["problems"])}


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def gain(control: Verdicts, model: Verdicts) -> str:
    """The difference in points with its interval."""
    found = compare(control, model)
    return f"{points(found.difference, sign=True)} ({points(found.low)} to {points(found.high)})"


def main_table(folders: Sequence[Path], dataset: str) -> list[list[str]]:
    """Accuracy at each seed, the gain over parent and control, tokens per answer and compute: a row for each model."""
    runs = [results_of(folder) for folder in folders]
    by_model = verdicts(folders, dataset)
    control = by_model[CONTROL]
    others = [name for name in by_model if name != CONTROL]
    adjusted = dict(zip(others, holm([compare(control, by_model[name]).p for name in others]), strict=True))
    rows = [
        [
            "model",
            *(f"seed {r['run']['seed']}" for r in runs),
            f"over {PARENT}",
            f"over {CONTROL}",
            "p Holm",
            "tokens",
            "compute",
        ]
    ]
    for name, right in by_model.items():
        scores = [next(s for s in _dataset(r, dataset)["scores"] if s["model"] == name) for r in runs]
        took = [since_common(r["models"], PARENT, name)[1] for r in runs]
        whole = [since_common(r["models"], PARENT, CONTROL)[1] for r in runs]
        share = [a / b for a, b in zip(took, whole, strict=True) if a and b]
        rows.append(
            [
                name,
                *(f"{100 * s['accuracy']:.1f}" for s in scores),
                "" if name == PARENT else gain(by_model[PARENT], right),
                "" if name == CONTROL else gain(control, right),
                "" if name == CONTROL else p_digits(adjusted[name]) if adjusted[name] >= 0.001 else "< 0.001",
                f"{mean([s['tokens_mean'] for s in scores]):.1f}",
                f"{mean(share):.2f}" if share and name not in (PARENT, "base") else "",
            ]
        )
    return rows


def where_table(folders: Sequence[Path], dataset: str, what: str) -> list[list[str]]:
    """The gain over the control on the problems of each subject or level (`what`): a row for each model."""
    asked = problems(folders[0], dataset)
    of = {key: str(row.get(what)) for key, row in asked.items()}
    groups = sorted(set(of.values()), key=lambda value: (len(value), value))
    by_model = verdicts(folders, dataset)
    counts = {group: sum(value == group for value in of.values()) for group in groups}
    rows = [["model", *(f"{group} (n = {counts[group]})" for group in groups)]]
    for name, right in by_model.items():
        if name != CONTROL:
            cells = [_within(by_model[CONTROL], right, lambda key, group=group: of[key] == group) for group in groups]
            rows.append([name, *cells])
    return rows


def _within(control: Verdicts, model: Verdicts, chosen: Callable[[str], bool]) -> str:
    return gain({k: v for k, v in control.items() if chosen(k)}, {k: v for k, v in model.items() if chosen(k)})


def _dataset(results: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(d for d in results["datasets"] if d["name"] == name)
    return found


def markdown(title: str, rows: Sequence[Sequence[str]]) -> str:
    """A title and a table."""
    head, *body = rows
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
    return "\n".join([f"{title}:", "", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="signals")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("extra", nargs="*", help="further arguments of mra-bench run, behind --")
    args = parser.parse_args()
    folders = [run(args.recipe, int(seed), args.out, args.extra) for seed in args.seeds.split(",")]
    first, *further = [d["name"] for d in results_of(folders[0])["datasets"]]
    tables = [markdown(name, main_table(folders, name)) for name in (first, *further)]
    tables += [markdown(f"{first} by {what}", where_table(folders, first, what)) for what in ("subject", "level")]
    text = "\n\n".join(tables)
    (args.out / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
