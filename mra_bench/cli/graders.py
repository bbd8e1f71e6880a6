"""mra-bench graders"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options


@click.command(epilog="Example: mra-bench graders --plugin ./my_grader.py")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List the graders that plugins offer, and their options with type, default and meaning."""
    from mra_bench.cli.listing import list_registered

    list_registered("graders", given=given)
