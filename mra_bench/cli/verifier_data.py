"""mra-bench verifier-data"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from mra_bench.cli.options import Integer, Number, json_option

EPILOG = """
\b
Examples:
  mra-bench verifier-data reports/quickstart --out verifier
  mra-bench verifier-data reports/quickstart --texts sft-train-sampled --balance 1 --holdout 0.1 --out verifier
\b
In a recipe: train: {data: verifier, split: train, path: verifier/train.jsonl}, test: the same with test.jsonl, and
graders: [decision]. The report's table by subject then shows the share of right decisions on correct solutions and on
wrong ones: what is missing to 100 % are false negatives and false positives.
Exit codes: 0 done; 2 bad usage, or a run without graded samples.
"""


@click.command("verifier-data", epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--texts",
    multiple=True,
    metavar="NAME",
    help="Which texts of the run, such as sft-train-sampled. Repeatable.  [default: those that training data was built "
    "from]",
)
@click.option("--holdout", type=Number(0, 1), default=0.2, show_default=True, help="Share of questions kept for test.")
@click.option("--balance", type=Integer(1), metavar="N", help="At most N times as many of one word as of the other.")
@click.option("--seed", type=Integer(0), default=0, show_default=True, help="Of the choice that --balance makes.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="For train and test.jsonl."
)
@json_option
def command(run: Path, texts: tuple[str, ...], holdout: float, out: Path, **given: Any) -> None:
    """Make problems for a verifier from the graded texts of RUN: is this solution CORRECT, INCORRECT or UNCLEAR?"""
    import dataclasses

    from mra_bench.cli.listing import show_json
    from mra_bench.store import write_rows
    from mra_bench.verifier_data import graded_texts, held_out, verifier_problems

    chosen = graded_texts(run, texts)
    parts = held_out(verifier_problems(chosen, given["balance"], given["seed"]), holdout)
    counts = {}
    for name, problems in zip(("train", "test"), parts, strict=True):
        counts[name] = dict(sorted(Counter(p.answer for p in problems).items()))
        rows = (dataclasses.asdict(p) for p in problems)
        write_rows(out / f"{name}.jsonl", ({k: v for k, v in row.items() if v not in (None, "", ())} for row in rows))
    if given["as_json"]:
        show_json({"run": str(run), "texts": [t.name for t in chosen], "out": str(out), "counts": counts})
        return
    for name, words in counts.items():
        told = ", ".join(f"{count:,} {word}" for word, count in words.items()) or "nothing"
        click.echo(f"{out / f'{name}.jsonl'}: {told}")
