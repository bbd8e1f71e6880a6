"""mra-bench report"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options, settings_of

EPILOG = """
\b
Examples:
  mra-bench report reports/quickstart
  mra-bench report reports/quickstart --plugin ./my_section.py      with a section of your own
"""


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Stop when a plugin's section fails, instead of saying so in its place.")
@json_option
@plugin_options
def command(run: Path, strict: bool, as_json: bool, **given: Any) -> None:
    """Compute results.json and report.html of RUN again from the texts and grades stored in it."""
    from mra_bench.cli.listing import show_json
    from mra_bench.cli.outcome import outcome_data, outcome_lines
    from mra_bench.folder import check_run
    from mra_bench.plugins import load_plugins
    from mra_bench.run import REPORT, finish_run
    from mra_bench.store import locked
    from mra_bench.tables import printable

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    check_run(run)  # before the lock, which is a file in the folder
    with locked(run):
        results = finish_run(run, registry, lambda said: click.echo(printable(said), err=True), strict=strict)
    if as_json:
        show_json(outcome_data(run / REPORT, results))
    else:
        click.echo("\n".join(outcome_lines(run / REPORT, results)))
