r"""Our generation engine against lm-eval's `hf` model, transformers' `generate` and continuous batching, and llama.cpp:
the same prompts, stop rules and weights, one after the other on the same machine. Seconds, rates, ratios, same texts.

python benchmarks/lm_eval/run.py --model SmolLM2-135M-Instruct.Q4_1.gguf --repeat 3 --markdown --json greedy.json
python benchmarks/lm_eval/run.py --model SmolLM2-135M-Instruct.Q4_1.gguf --samples 8 --repeat 3
python benchmarks/lm_eval/run.py --model tiny-qwen2 --systems ours,lm-eval:32,generate:16

The peers come with: pip install -r benchmarks/lm_eval/requirements.txt
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import figures
import sources
from jobs import Outcome, Setting, System, Work, measure
from mra_transformers.hardware import choose_dtype
from mra_transformers.source import locate, parameters
from systems import BATCHED, PACKAGES, SYSTEMS

from mra_bench.errors import BenchError
from mra_bench.runtime import usable_cores
from mra_bench.tables import align, markdown, printable

DEFAULT = "ours,lm-eval:16,lm-eval:32,lm-eval:64,generate:16,continuous:16,continuous:32,llama.cpp"
LIBRARIES = ("torch", "transformers", "lm-eval", "llama-cpp-python")
Runs = dict[System, list[Outcome]]


def run_all(systems: Sequence[System], one: Callable[[System], Outcome], repeat: int) -> Runs:
    """Each system once in each repetition, in an order that moves on by one place; one that failed is not asked
    again."""
    runs: Runs = {system: [] for system in systems}
    for repetition in range(repeat):
        start = repetition % len(systems)
        for system in [*systems[start:], *systems[:start]]:
            if any(outcome.error for outcome in runs[system]):
                continue
            runs[system].append(one(system))
            said = runs[system][-1].error or f"{runs[system][-1].seconds:.4g} s"
            print(f"{repetition + 1}/{repeat} {system.name}: {printable(said)}", file=sys.stderr, flush=True)
    return runs


def one_of(setting: Setting, work: Work, limit: float) -> Callable[[System], Outcome]:
    """A function that measures one system, or says that it is not installed."""

    def one(system: System) -> Outcome:
        package = PACKAGES.get(system.kind)
        if package and importlib.util.find_spec(package) is None:
            return Outcome(error="not installed")
        return measure(system, setting, work, limit)

    return one


def conditions(setting: Setting, work: Work, repeat: int) -> dict[str, str]:
    """What the figures hold for."""
    decoding = "greedy" if work.temperature == 0 else f"temperature {work.temperature:g}, seed {work.seed}"
    return {
        "model": Path(setting.gguf or setting.model).name,
        "dtype, device": f"{setting.dtype}, {setting.device}",
        "questions x samples": f"{len(work.questions)} x {work.samples}, {work.new_tokens} new tokens, {decoding}",
        "repetitions": str(repeat),
        "processor": f"{processor()}, {usable_cores()} cores usable, {setting.threads} threads",
        "versions": ", ".join([f"Python {platform.python_version()}", *map(" ".join, versions().items())]),
    }


def processor() -> str:
    """The processor's name where Linux tells it, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def versions() -> dict[str, str]:
    """Versions of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def parsed_systems(text: str, fail: Callable[[str], Any]) -> list[System]:
    """Systems from their names, as ``lm-eval:16``."""
    found = []
    for name in text.split(","):
        kind, colon, rows = name.strip().partition(":")
        if kind not in SYSTEMS:
            fail(f"unknown: '{kind}'. Known: {', '.join(SYSTEMS)}")
        if (kind in BATCHED) != bool(colon) or (colon and not (rows.isdecimal() and int(rows) > 0)):
            fail(f"'{name}': {', '.join(BATCHED)} take a number of rows, as in lm-eval:16, the others none")
        found.append(System(kind, int(rows or 0)))
    if len(set(found)) < len(found):
        fail("--systems names one twice")
    return found


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help=f"a folder, a .gguf file, {' or '.join(sources.EMBEDDED)}")
    parser.add_argument("--data", type=Path, help="a file with a JSON object with a 'question' on each line; without "
                        "it GSM8K's test split, and for an embedded model its own dataset")  # fmt: skip
    parser.add_argument("--questions", type=int, default=200, help="the first so many of the data")
    parser.add_argument("--samples", type=int, default=1, help="texts for each question")
    parser.add_argument("--new-tokens", type=int, default=256, help="at most so many for each text")
    parser.add_argument("--temperature", type=float, help="0 is greedy; without it 0 for one sample, 1 for more")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--systems", help=f"with commas between; without it {DEFAULT}, and with several samples "
                        "also generate in batches of 16 questions")  # fmt: skip
    parser.add_argument("--dtype", choices=("auto", "bf16", "fp16", "fp32"), default="auto", help="the same for all; "
                        "auto is what our engine takes for this model and machine")  # fmt: skip
    parser.add_argument("--device", default="cpu", help="cpu, or cuda")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="the same for all; all cores without it")
    parser.add_argument("--block", type=int, default=256, help="texts our engine is given at a time")
    parser.add_argument("--repeat", type=int, default=1, help="measure each system so often; figures are medians")
    parser.add_argument("--limit", type=float, default=7200.0, help="seconds for one measurement, start included")
    parser.add_argument("--differences", type=int, default=3, help="so many first differences shown for each peer")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, help="write the figures and every text to this file")
    args = parser.parse_args()
    for name in ("questions", "samples", "new_tokens", "threads", "block", "repeat"):
        if getattr(args, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if args.limit <= 0 or args.differences < 0 or (args.temperature is not None and args.temperature < 0):
        parser.error("--limit must be more than 0, --differences and --temperature at least 0")
    if args.temperature is None:
        args.temperature = 0.0 if args.samples == 1 else 1.0
    if args.samples > 1 and args.temperature == 0:
        parser.error("several greedy samples of a question are all the same: give a --temperature")
    whole = f",generate:{16 * args.samples}" if args.samples > 1 else ""
    args.systems = parsed_systems(args.systems or DEFAULT + whole, parser.error)
    return args


def prepared(args: argparse.Namespace, scratch: Path) -> tuple[Setting, Work]:
    """What is run, on what. Raises BenchError for a model or data that cannot be used."""
    data = args.data or (None if args.model in sources.EMBEDDED else sources.GSM8K)
    asked = sources.questions(data, args.questions)
    folder, gguf = sources.as_folder(args.model, scratch)
    dtype = choose_dtype(args.dtype, args.device, parameters(locate(folder)))
    setting = Setting(folder, gguf, dtype, args.device, args.threads)
    return setting, Work(asked, args.samples, args.new_tokens, args.temperature, args.seed, args.block)


def token_counter(folder: str) -> figures.Counter:
    """Counts the tokens of texts, the same way for every system: the stored text, encoded again."""
    tokenizer = sources.tokenizer_of(folder)
    return lambda texts: sum(map(len, tokenizer(list(texts), add_special_tokens=False).input_ids))


def show(titled: Mapping[str, figures.Table], as_markdown: bool) -> None:
    """Print tables, each under its title."""
    for title, table in titled.items():
        print(f"{title}:\n\n{printable((markdown if as_markdown else align)(table))}\n")


def main() -> None:
    args = parsed_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            setting, work = prepared(args, Path(scratch))
        except BenchError as error:
            sys.exit(str(error))
        runs = run_all(args.systems, one_of(setting, work, args.limit), args.repeat)
        found = figures.figures(runs, token_counter(setting.model))
    held = conditions(setting, work, args.repeat)
    titled = {"Conditions": [["", "value"], *map(list, held.items())]}
    show({**titled, **figures.tables(runs, found, work.temperature == 0, args.differences)}, args.markdown)
    if args.json:
        raw = [{"system": s.name, "repetition": k, **asdict(o)} for s, os in runs.items() for k, o in enumerate(os)]
        data = {"conditions": held, "figures": [asdict(figure) for figure in found], "runs": raw}
        args.json.write_text(json.dumps(data, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
