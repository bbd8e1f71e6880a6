r"""What this machine can do, and what fraction of it our generation engine reaches on a model.

python benchmarks/machine.py --model SmolLM2-135M-Instruct.Q4_1.gguf --markdown --json machine.json
python benchmarks/machine.py --model tiny-qwen2 --dtype fp32 --rows 1,32

Measured: products of large square matrices, products at the shapes of the model's layers, memory copied and read;
then how fast the engine of mra_transformers reads prompts and writes texts, set against these, and the share of each
kind of operator in a step of writing. benchmarks/README.md says how it is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import machine_rates as rates
from machine_rates import Counts, Peak, Times

from mra_bench.errors import BenchError
from mra_bench.runtime import prepare_threads, usable_cores
from mra_bench.tables import align, markdown, printable

EMBEDDED = ("tiny-qwen2", "tiny-gpt2")
PROFILED = 6
Table = list[list[str]]


def peaks(found: Mapping[str, Peak]) -> Table:
    """A row for each dtype."""
    rows = [["dtype", f"products of {rates.SQUARE} x {rates.SQUARE}, GFLOP/s", "copied, GB/s", "read, GB/s"]]
    return rows + [[name, *(f"{x / 1e9:.1f}" for x in (p.products, p.copy, p.read))] for name, p in found.items()]


def layers(
    measured: Mapping[int, Sequence[Mapping[Any, float]]], count: Counts, top: Peak, number: Mapping[Any, int]
) -> Table:
    """Products at the model's shapes: for each number of rows the seconds of plain and of packed layers by shape, with
    `number` layers of it; then those of a whole run of the model."""
    head = ["rows", "inputs x outputs", "layers", "plain ms", "packed ms", "GFLOP/s", "of peak", "weights GB/s"]
    table = [[*head, "of read"]]
    for rows, (plain, packed) in measured.items():
        named = [(f"{i} x {o}", i * o * number[i, o], number[i, o], (i, o)) for i, o in plain]
        for label, weights, layers_of, shape in named:
            times = plain[shape], packed.get(shape)
            table.append([str(rows), label, str(layers_of), *product_cells(rows, weights, times, count, top)])
        times = sum(plain.values()), sum(packed.values()) or None
        everything = sum(weights for _, weights, _, _ in named)
        cells = product_cells(rows, everything, times, count, top)
        table.append([str(rows), "all", str(sum(number.values())), *cells])
    return table


def product_cells(rows: int, weights: int, times: tuple[float, float | None], count: Counts, top: Peak) -> list[str]:
    """Times, then the rates of the packed layers, or of the plain ones where nothing is packed."""
    plain, packed = times
    best = packed or plain
    operations, moved = 2 * rows * weights / best, count.size * weights / best
    cells = [f"{1e3 * plain:.3g}", "-" if packed is None else f"{1e3 * packed:.3g}", f"{operations / 1e9:.1f}"]
    return [*cells, percent(operations / top.products), f"{moved / 1e9:.2f}", percent(moved / top.read)]


def reading(found: Sequence[Times], count: Counts, top: Peak) -> Table:
    """Reading prompts. Least ms: what operations and bytes would take at the machine's best rates."""
    table = [["prompts", "tokens of each", "ms", "tokens/s", "GFLOP/s", "of peak", "least ms", "reached"]]
    for t in found:
        tokens, attended = t.rows * t.prompt, t.rows * t.prompt * (t.prompt + 1) / 2
        operations = count.operations(tokens, t.rows, attended)
        least = top.least(operations, count.moved(0))
        cells = [f"{1e3 * t.read:.4g}", f"{tokens / t.read:.0f}", f"{operations / t.read / 1e9:.1f}"]
        cells += [percent(operations / t.read / top.products), f"{1e3 * least:.4g}", percent(least / t.read)]
        table.append([str(t.rows), str(t.prompt), *cells])
    return table


def writing(found: Sequence[Times], count: Counts, top: Peak) -> Table:
    """Writing one token a row: a step is a run of the model and what the engine does between two of them."""
    head = ["rows", "context", "step ms", "model ms", "tokens/s", "GFLOP/s", "of peak", "GB/s", "of read"]
    table = [[*head, "least ms", "reached"]]
    for t in found:
        attended = t.rows * t.context
        operations, moved = count.operations(t.rows, t.rows, attended), count.moved(attended)
        least = top.least(operations, moved)
        cells = [f"{1e3 * t.step:.4g}", f"{1e3 * t.model:.4g}", f"{t.rows / t.step:.0f}"]
        cells += [f"{operations / t.step / 1e9:.1f}", percent(operations / t.step / top.products)]
        cells += [f"{moved / t.step / 1e9:.2f}", percent(moved / t.step / top.read)]
        table.append([str(t.rows), f"{t.context:.0f}", *cells, f"{1e3 * least:.4g}", percent(least / t.step)])
    return table


def kinds(found: Mapping[int, Mapping[str, float]]) -> Table:
    """Shares of a step of writing, a column for each number of rows."""
    table = [["kind of operator", *(f"{rows} row{'s' * (rows > 1)}" for rows in found)]]
    names = next(iter(found.values()))
    return table + [[name, *(percent(shares[name]) for shares in found.values())] for name in names]


def percent(share: float) -> str:
    """A share of 1."""
    return f"{100 * share:.0f} %"


def measured(args: argparse.Namespace) -> tuple[dict[str, Table], dict[str, Any]]:
    """The tables by title, and the same as data. Raises BenchError for a model that cannot be used."""
    import torch
    from mra_transformers.loading import load_causal_lm, load_tokenizer
    from mra_transformers.packed import pack, packed, usable

    path = model_path(args.model)
    tokenizer = load_tokenizer(path)
    model = load_causal_lm(path, dtype=args.dtype, device="cpu", tokenizer=tokenizer)
    name = str(model.dtype).removeprefix("torch.")
    dtypes = {str(d).removeprefix("torch."): d for d in (torch.float32, torch.bfloat16, model.dtype)}
    tops = {label: rates.peak(dtype, args.seconds) for label, dtype in dtypes.items()}
    plain, count = rates.linear_layers(model), rates.counted(model)
    sizes = [shape for _, *shape in plain]
    number = {tuple(shape): sizes.count(shape) for shape in sizes}
    times = {rows: [rates.layer_times(plain, model.dtype, rows, args.seconds)] for rows in args.rows}
    twins = [(packed(layer), *shape) for layer, *shape in plain] if usable(model.dtype) else []
    for rows in args.rows:
        times[rows].append(rates.layer_times(twins, model.dtype, rows, args.seconds) if twins else {})
    del plain, twins
    pack(model)
    engine = [rates.timed(model, tokenizer, (rows, args.prompt, args.new)) for rows in args.rows]
    short = rates.SKIPPED + PROFILED + 2
    shares = {rows: rates.profiled(model, tokenizer, (rows, args.prompt, short)) for rows in args.rows}
    top = tops[name]
    tables = {
        "This machine": peaks(tops),
        f"Products at the model's shapes, {name}": layers(
            {r: (a, b) for r, (a, b) in times.items()}, count, top, number
        ),
        f"Reading prompts, {name}": reading(engine, count, top),
        f"Writing, {name}": writing(engine, count, top),
        "Where a step of writing goes": kinds(shares),
    }
    data = {
        "peaks": {label: asdict(p) for label, p in tops.items()},
        "counts": asdict(count),
        "times": [asdict(t) for t in engine],
        "shares": shares,
    }
    return tables, data


def model_path(name: str) -> str:
    """The path of a model: an embedded one's folder, or what was given."""
    if name not in EMBEDDED:
        return name
    from mra_tiny import weights_folder

    return str(weights_folder(name.removeprefix("tiny-")))


def row_counts(text: str) -> list[int]:
    """Numbers of rows from ``1,8,32``. Raises ValueError."""
    found = [int(part) for part in text.split(",")]
    if min(found) < 1:
        raise ValueError(text)
    return found


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help=f"a folder, a .gguf file, {' or '.join(EMBEDDED)}")
    parser.add_argument("--dtype", choices=("auto", "bf16", "fp16", "fp32"), default="auto", help="auto is what the "
                        "engine takes for this model and machine")  # fmt: skip
    parser.add_argument("--rows", type=row_counts, default=[1, 8, 32, 128], help="rows written at a time, 1,8,32,128")
    parser.add_argument("--prompt", type=int, default=128, help="tokens of each prompt")
    parser.add_argument("--new", type=int, default=32, help="tokens written behind each prompt")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="all cores without it")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement of the machine")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    args = parser.parse_args()
    if min(args.threads, args.prompt) < 1 or args.seconds <= 0:
        parser.error("--threads and --prompt must be at least 1, --seconds more than 0")
    if args.new < rates.SKIPPED + 4:
        parser.error(f"--new must be at least {rates.SKIPPED + 4}: the first {rates.SKIPPED} steps are not counted")
    return args


def show(tables: Mapping[str, Table], form: Callable[[Table], str]) -> None:
    """Print tables, each under its title."""
    for title, table in tables.items():
        print(f"{title}:\n\n{printable(form(table))}\n")


def main() -> None:
    args = parsed_arguments()
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)
    prepare_threads()
    try:
        tables, data = measured(args)
    except BenchError as error:
        sys.exit(str(error))
    show(tables, markdown if args.markdown else align)
    if args.json:
        args.json.write_text(json.dumps({"threads": args.threads, **data}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
