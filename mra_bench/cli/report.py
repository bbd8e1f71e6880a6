"""mra-bench report"""

from __future__ import annotations

from pathlib import Path

import click

from mra_bench.cli.options import json_option


@click.command(epilog="Example: mra-bench report reports/quickstart")
@click.argument("run", type=click.Path(path_type=Path))
@json_option
def command(run: Path, as_json: bool) -> None:
    """Compute results.json and report.html of RUN again from the texts and grades stored in it."""
    from mra_bench.cli.listing import show_json
    from mra_bench.cli.outcome import outcome_data, outcome_lines
    from mra_bench.folder import check_run
    from mra_bench.run import REPORT, finish_run
    from mra_bench.store import locked

    check_run(run)  # before the lock, which is a file in the folder
    with locked(run):
        results = finish_run(run)
    if as_json:
        show_json(outcome_data(run / REPORT, results))
    else:
        click.echo("\n".join(outcome_lines(run / REPORT, results)))
