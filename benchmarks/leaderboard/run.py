r"""What a leaderboard of many runs costs: time, memory and size.

python benchmarks/leaderboard/run.py                        # 1,000 runs
python benchmarks/leaderboard/run.py --runs 100,1000 --out /tmp/boards --json figures.json

One real run of an embedded model is made and copied; each copy has a name of its own, another accuracy and other
verdicts. Each leaderboard is made by the command, in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench import statistics
from mra_bench.leaderboard.marks import VERSION, Checked, FolderMarks, Marks, content_hash, write_marks
from mra_bench.leaderboard.rows import ROWS, pack
from mra_bench.store import file_hash, fingerprint, write_json

COMMAND = [sys.executable, "-m", "mra_bench"]
MODEL = "tiny"


def real_run(folder: Path, problems: int) -> Path:
    """A finished run of an embedded model on so many problems."""
    run = folder / "real"
    given = ["--model", f"{MODEL}=tiny-qwen2", "--data", "arith", "--limit", str(problems), "--set", "block_size=1000"]
    subprocess.run([*COMMAND, "run", *given, "--out", str(run), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return run


def copy_varied(run: Path, target: Path, number: int) -> None:
    """A copy of `run` (its stages linked) in which the row has another name, and verdicts drawn by `number`."""
    shutil.copytree(run, target, copy_function=os.link)
    draw = random.Random(number)
    rows = json.loads((run / ROWS).read_text(encoding="utf-8"))
    (row,) = rows["rows"]
    skill = draw.uniform(0.2, 0.9)
    bits = [draw.random() < skill for _ in range(row["problems"])]
    interval = statistics.wilson(sum(bits), len(bits))
    accuracy = sum(bits) / len(bits)
    row |= {"model": f"model-{number:04d}", "correct": float(sum(bits)), "accuracy": accuracy, "low": interval.low}
    row |= {"high": interval.high, "verdicts": pack(bits), "texts": fingerprint(number)}
    row |= {"parameters": draw.choice([None, 10**6, 7 * 10**9]), "compute": draw.choice([None, 0, 10**15])}
    row["contaminated"] = draw.choice([0, 0, 0, 3])
    (target / ROWS).unlink()
    write_json(target / ROWS, rows | {"fingerprint": fingerprint([number, "run"])})
    assert rows["results"] == file_hash(target / "results.json")


def mark_all(out: Path, runs: Sequence[Path]) -> None:
    """Marks as `verify` would leave them, so that making the page has to look at every file."""
    found = {}
    for run in runs:
        row = json.loads((run / ROWS).read_text(encoding="utf-8"))["rows"][0]
        checked = Checked(row["model"], row["dataset"], "verified", "drawn", row["sha256"], row["texts"])
        found[content_hash(run)] = FolderMarks(run.name, "0", "", (checked,), True, "")
    write_marks(out, Marks(VERSION, found))


def measured(out: Path) -> dict[str, Any]:
    """The command on a folder of runs: seconds, peak memory and the sizes of its files."""
    before = time.perf_counter()
    process = subprocess.Popen([*COMMAND, "leaderboard", str(out)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"mra-bench leaderboard {out} failed")
    seconds = time.perf_counter() - before
    sizes = {path.name: path.stat().st_size for path in sorted(out.glob("leaderboard.*"))}
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": round(seconds, 2),
        "cpu": round(usage.ru_utime + usage.ru_stime, 2),
        "memory": usage.ru_maxrss * unit,
        "bytes": sizes,
    }


def measure(sizes: Sequence[int], problems: int, folder: Path) -> dict[str, Any]:
    """A leaderboard of each size, without marks and with one for each folder."""
    run = real_run(folder, problems)
    found: dict[str, Any] = {}
    for size in sizes:
        out = folder / f"boards-{size}"
        for number in range(size):
            copy_varied(run, out / f"run-{number:04d}", number)
        plain = measured(out)
        mark_all(out, sorted(out.glob("run-*")))
        found[str(size)] = {"plain": plain, "marked": measured(out)}
    return found


def table(found: Mapping[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| runs | marks | seconds | processor | memory | page | JSON |", "|---|---|---|---|---|---|---|"]
    for size, both in found.items():
        for marks, one in both.items():
            page, data = (one["bytes"][f"leaderboard.{kind}"] / 1e6 for kind in ("html", "json"))
            cells = (f"{int(size):,}", marks, f"{one['seconds']:.1f}", f"{one['cpu']:.1f} s",
                     f"{one['memory'] / 2**20:.0f} MiB", f"{page:.2f} MB", f"{data:.2f} MB")  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", default="1000", help="how many, separated by commas (%(default)s)")
    parser.add_argument("--problems", type=int, default=1000, help="problems of each run (%(default)s)")
    parser.add_argument("--out", type=Path, help="a new folder to keep everything in")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    given = parser.parse_args()
    try:
        sizes = [int(part) for part in given.runs.split(",")]
    except ValueError:
        parser.error(f"--runs takes whole numbers separated by commas, got {given.runs!r}")
    if given.out is not None and given.out.exists():
        parser.error(f"{given.out} is there already; --out takes a new folder")
    with tempfile.TemporaryDirectory(prefix="mra-bench-boards-") as temporary:
        folder = given.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = measure(sizes, given.problems, folder)
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
