"""mra-bench predict"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mra_bench.cli.options import json_option

EPILOG = """
\b
Examples:
  mra-bench predict reports/quickstart --texts sft-test             how well can it be told?
  mra-bench predict reports/quickstart --texts sft-train-sampled --out sft.json
  mra-bench run --recipe quickstart --set models.dpo.pairs.predictor=sft.json --set 'models.dpo.pairs.chance=[0.2, 0.8]'
  mra-bench run --recipe quickstart --set models.dpo.pairs.predictor=sft.json --set models.dpo.pairs.budget=0.95
\b
Exit codes: 0 done; 2 bad usage, or too few problems.
"""


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--texts",
    multiple=True,
    metavar="NAME",
    help="Which texts of the run, such as sft-test; of one model only. Repeatable.  [default: those that training data "
    "was built from]",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the predictor to this JSON file.")
@json_option
def command(run: Path, texts: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Fit, on the graded texts of RUN, a predictor of how long a model's text on a question will be and whether it will
    be right, and say how well it predicts questions left out.

    A recipe can use it to sample only problems of some difficulty and to give each a length limit of its own:
    `predictor`, `chance` and `budget` of `pairs` and `rows`.
    """
    from mra_bench.cli.listing import show_json
    from mra_bench.errors import UsageError
    from mra_bench.predictor import fit, observe, summary
    from mra_bench.verifier_data import graded_texts

    if out is not None and not out.resolve().parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.resolve().parent}")
    chosen = graded_texts(run, texts)
    models = {t.name.partition("-")[0] for t in chosen}
    predictor, errors = fit(observe(chosen))
    if out is not None:
        predictor.save(out)
    if as_json:
        data: dict[str, Any] = {"run": str(run), "texts": [t.name for t in chosen], **errors}
        show_json({**data, "out": None if out is None else str(out)})
        return
    click.echo(f"{', '.join(t.name for t in chosen)}: {summary(errors)}")
    if len(models) > 1:
        click.echo(f"Note: these are texts of several models ({', '.join(sorted(models))}).", err=True)
