"""mra-bench graders"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import plugin_options


@click.command(epilog="Example: mra-bench graders --plugin ./my_grader.py")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(**given: Any) -> None:
    """List the graders that plugins offer, with their full names and options."""
    from mra_bench.cli.listing import list_registered

    list_registered("graders", given)
