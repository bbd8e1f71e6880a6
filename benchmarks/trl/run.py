"""Our trainers against plain trl: the same texts, weights, steps and threads, seconds and losses, ratios of one run.

python benchmarks/trl/run.py --only sft,dpo --repeat 3 --markdown --json trl.json
python benchmarks/trl/run.py --only lora --model SmolLM2-135M-Instruct --steps 5
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import figures
import work
from child import EQUAL
from work import Work

from mra_bench.errors import BenchError
from mra_bench.runtime import threads
from mra_bench.tables import align, markdown, printable

SETTINGS = (EQUAL, "defaults")
SIDES = ("trl", "ours")


@dataclass(frozen=True)
class Outcome:
    """What one process measured. losses: by step. peak_memory: bytes, of the whole process."""

    seconds: float
    cpu_seconds: float
    losses: Mapping[str, float]
    peak_memory: int


Runs = dict[tuple[str, str, str], list[Outcome]]  # (training, settings, side) -> repetitions


def measure(training: Work, settings: str, side: str, steps: int) -> Outcome:
    """One side of one comparison, in a process of its own. Raises BenchError when it fails."""
    options = {**training.options, "save_every": 0, "max_steps": steps}
    if settings == EQUAL:
        options |= {"logging_every": 1, "dtype": "fp32"}
    job = {**asdict(training), "options": options, "side": side, "settings": settings, "steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "job.json", Path(folder) / "outcome.json"
        given.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).with_name("child.py")), str(given), str(made)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
        if done.returncode:
            raise BenchError(f"{training.name}, {settings}, {side} failed:\n{printable(done.stderr[-3000:])}")
        return Outcome(**json.loads(made.read_text(encoding="utf-8")))


def environment() -> dict[str, str]:
    """The same threads for both sides, and nothing looked for on the network."""
    count = str(threads())
    return {**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "HF_HUB_OFFLINE": "1"}


def run_all(trainings: Sequence[Work], settings: Sequence[str], steps: int | None, repeat: int) -> Runs:
    """Every comparison once in each repetition; the two sides follow each other, and who is first alternates."""
    runs: Runs = {(t.name, kind, side): [] for t in trainings for kind in settings for side in SIDES}
    for repetition in range(repeat):
        for training in trainings:
            for kind in settings:
                for side in SIDES if repetition % 2 else SIDES[::-1]:
                    count = min(training.steps, steps or training.steps)
                    outcome = measure(training, kind, side, count)
                    runs[training.name, kind, side].append(outcome)
                    said = f"{training.name} {kind} {side}: {outcome.seconds:.1f} s, {outcome.cpu_seconds:.1f} s of CPU"
                    print(f"{repetition + 1}/{repeat} {said}", file=sys.stderr, flush=True)
    return runs


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(work.NAMES), help=f"of {', '.join(work.NAMES)}")
    parser.add_argument("--settings", default=",".join(SETTINGS), help=f"of {', '.join(SETTINGS)}")
    parser.add_argument("--model", type=Path, help="folder of the model that 'lora' trains: SmolLM2-135M-Instruct")
    parser.add_argument("--gsm8k", type=Path, default=work.GSM8K, help="GSM8K's training problems, a JSON Lines file")
    parser.add_argument("--run", type=Path, default=Path("reports/trl-benchmark"), help="folder of the run that makes "
                        "what 'dpo' starts from; made, or gone on with, where it is not complete")  # fmt: skip
    parser.add_argument("--steps", type=int, help="at most so many of each training")
    parser.add_argument("--texts", type=int, help="only the first so many of each training")
    parser.add_argument("--repeat", type=int, default=1, help="measure each side so often; figures are medians")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, help="write every figure and loss to this file")
    args = parser.parse_args()
    args.only, args.settings = args.only.split(","), args.settings.split(",")
    for name, known in [*((n, work.NAMES) for n in args.only), *((n, SETTINGS) for n in args.settings)]:
        if name not in known:
            parser.error(f"unknown: '{name}'. Known: {', '.join(known)}")
    if any(number is not None and number < 1 for number in (args.repeat, args.steps, args.texts)):
        parser.error("--repeat, --steps and --texts must be at least 1")
    if "lora" in args.only:
        if args.model is None or not (args.model / "config.json").is_file():
            parser.error("'lora' needs --model, the folder of SmolLM2-135M-Instruct; or name others with --only")
        if not args.gsm8k.is_file():
            parser.error(f"No such file: {args.gsm8k}. Name GSM8K's training problems with --gsm8k")
    return args


def main() -> None:
    args = parsed_arguments()
    try:
        trainings = [work.read_work(name, args.run, str(args.model), args.gsm8k) for name in args.only]
        trainings = [replace(training, texts=training.texts[: args.texts]) for training in trainings]
        runs = run_all(trainings, args.settings, args.steps, args.repeat)
    except BenchError as error:
        sys.exit(str(error))
    show = markdown if args.markdown else align
    for title, table in {"Time": figures.times(runs), "Losses": figures.losses(runs)}.items():
        print(f"{title} ({threads()} threads, {args.repeat} repetitions):\n\n{show(table)}\n")
    print(f"Tokens with padding / tokens, one epoch:\n\n{show(figures.padding(trainings))}\n")
    print("What differs:\n")
    print("\n".join(f"- {line}" for line in figures.differences(trainings, args.settings)))
    if args.json:
        args.json.write_text(json.dumps(as_data(runs), indent=1), encoding="utf-8")


def as_data(runs: Runs) -> list[dict[str, Any]]:
    """Every repetition, JSON-safe."""
    names = ("training", "settings", "side")
    return [
        {**dict(zip(names, key, strict=True)), **asdict(outcome)} for key, found in runs.items() for outcome in found
    ]


if __name__ == "__main__":
    main()
