"""mra-bench report"""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: mra-bench report reports/quickstart")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> None:
    """Compute results.json and report.html of RUN again from the texts and grades stored in it."""
    from mra_bench.run import REPORT, finish_run
    from mra_bench.store import locked

    if not run.is_dir():
        from mra_bench.errors import UsageError

        raise UsageError(f"There is no run folder {run}")
    with locked(run):
        results = finish_run(run)
    for line in results["verdict"]:
        click.echo(f"Verdict: {line}")
    for warning in results["warnings"]:
        click.echo(f"Warning: {warning['text']}")
    click.echo(f"Report: {run / REPORT}")
