"""How far texts depend on what they are generated beside, and on how. Prints Markdown tables.

python benchmarks/determinism/run.py differ                     # both embedded models on 1,000 problems of arith
python benchmarks/determinism/run.py differ --model FOLDER      # another model on 40 questions of GSM8K
python benchmarks/determinism/run.py price                      # what --strict-determinism costs, in medians of turns

One thread and fp32 unless a row says otherwise. A text is greedy; its verdict is mra_sympy's.
"""

from __future__ import annotations

from mra_bench.runtime import prepare_threads

prepare_threads(strict=True)  # one thread, before anything imports torch

import argparse  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Mapping, Sequence  # noqa: E402
from itertools import zip_longest  # noqa: E402
from pathlib import Path  # noqa: E402

from mra_sympy import grade  # noqa: E402
from mra_tiny import load, weights_folder  # noqa: E402
from mra_transformers.options import Options  # noqa: E402
from mra_transformers.packaged import PackagedOptions  # noqa: E402
from settings import Setting, Task, Varied, generate, settings  # noqa: E402

from mra_bench.datasets import DatasetUse, load_problems, spec_of, style  # noqa: E402
from mra_bench.plugins import PluginSettings, load_plugins  # noqa: E402
from mra_bench.types import Block, Completion, Decoding, Problem, Request  # noqa: E402

GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k" / "test.jsonl"
HEAD = (
    "| texts | held against | texts that differ | % | verdicts that differ | median token of the first difference "
    "| right | CPU seconds |\n|---|---|---|---|---|---|---|---|"
)
Texts = Mapping[str, Completion]


def read_task(data: str, path: Path | None, count: int, new_tokens: int) -> Task:
    """The first problems of a dataset's test split, or of a file of its rows."""
    registry = load_plugins(PluginSettings())
    use = DatasetUse(data, "test", str(path) if path else None)
    problems = tuple(load_problems(use, registry)[:count])
    block = min(256, max(1, len(problems) // 2))
    return Task(problems, style(spec_of(use, registry)), Decoding(new_tokens), block)


def differ(options: Options, task: Task, title: str, skipped: Sequence[str] = ()) -> None:
    """One table: every setting but the `skipped` ones against the one it is held against."""
    print(f"\n{title}: {len(task.problems):,} problems in blocks of {task.block}\n\n{HEAD}", flush=True)
    by_id = {problem.id: problem for problem in task.problems}
    models: dict[tuple[str, bool], Varied] = {}
    texts: dict[str, Texts] = {}
    for setting in (s for s in settings(task.block) if s.name not in skipped):
        key = (setting.dtype, setting.packed)
        if key not in models:
            models[key] = Varied(Options(options.path, prompt=options.prompt, dtype=setting.dtype), setting.packed)
            models[key]._loaded()
        began = time.process_time()
        texts[setting.name] = generate(models[key], setting, task)
        seconds = time.process_time() - began
        print(_row(setting, texts, by_id, models[key], seconds), flush=True)


def _row(
    setting: Setting, texts: Mapping[str, Texts], problems: Mapping[str, Problem], model: Varied, seconds: float
) -> str:
    here, there = texts[setting.name], texts[setting.against]
    apart = [i for i in problems if here[i].text != there[i].text]
    right = {i: grade(problem, here[i].text).correct is True for i, problem in problems.items()}
    flipped = sum(right[i] != (grade(problems[i], there[i].text).correct is True) for i in apart)
    places = [_first_difference(model, here[i].text, there[i].text) for i in apart]
    figures = [
        setting.name,
        setting.against if setting.name != setting.against else "-",
        f"{len(apart):,}",
        f"{100 * len(apart) / len(problems):.1f}",
        f"{flipped:,}",
        f"{statistics.median(places):.0f}" if places else "-",
        f"{sum(right.values()):,}",
        f"{seconds:.0f}",
    ]
    return f"| {' | '.join(figures)} |"


def _first_difference(model: Varied, one: str, other: str) -> int:
    """The place, from 1, of the first token in which two texts differ."""
    tokenizer = model._loaded().network.tokenizer
    pairs = zip_longest(*(tokenizer(text, add_special_tokens=False).input_ids for text in (one, other)))
    return next((place for place, (a, b) in enumerate(pairs, start=1) if a != b), 0)


def price(task: Task, turns: int) -> None:
    """Seconds to generate the texts of the embedded model as a run does, and with --strict-determinism, in turns."""
    print("| model | texts | as usual, s | strict, s | strict / usual, median of turns |\n|---|---|---|---|---|")
    for arch in ("qwen2", "gpt2"):
        models = [load(arch, PackagedOptions(strict_determinism=strict)) for strict in (False, True)]
        block = Block(tuple(map(Request, task.problems)), task.style, task.decoding, 0)
        seconds: list[list[float]] = [[], []]
        for _ in range(turns + 1):  # the first turn loads the weights
            for model, taken in zip(models, seconds, strict=True):
                began = time.process_time()
                count = sum(1 for _ in model.generate(block))
                taken.append(time.process_time() - began)
        usual, strict = ([*taken[1:]] for taken in seconds)
        ratio = statistics.median(b / a for a, b in zip(usual, strict, strict=True))
        medians = [f"{statistics.median(taken):.2f}" for taken in (usual, strict)]
        print(f"| {' | '.join([f'tiny-{arch}', f'{count:,}', *medians, f'{ratio:.1f}'])} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    table = commands.add_parser("differ", help="texts that differ when one thing is changed")
    table.add_argument("--model", type=Path, help="a folder; without it the embedded models")
    table.add_argument("--arch", action="append", choices=("qwen2", "gpt2"), help="one embedded model alone")
    table.add_argument("--problems", type=int, help="[default: 1000, with --model 40]")
    table.add_argument("--new-tokens", type=int, default=128)
    table.add_argument("--skip", action="append", default=[], metavar="ROW", help="leave a row out that none needs")
    table.add_argument("--data", type=Path, default=GSM8K, help="questions for --model, rows as GSM8K has them")
    cost = commands.add_parser("price", help="what strict determinism costs")
    cost.add_argument("--problems", type=int, default=256)
    cost.add_argument("--new-tokens", type=int, default=128)
    cost.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    if given.command == "price":
        price(read_task("arith", None, given.problems, given.new_tokens), given.turns)
    elif given.model:
        task = read_task("gsm8k", given.data, given.problems or 40, given.new_tokens)
        differ(Options(str(given.model)), task, given.model.name, given.skip)
    else:
        task = read_task("arith", None, given.problems or 1000, given.new_tokens)
        for arch in given.arch or ("qwen2", "gpt2"):
            differ(Options(str(weights_folder(arch)), prompt="plain"), task, f"tiny-{arch}", given.skip)


if __name__ == "__main__":
    main()
