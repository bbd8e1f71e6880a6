"""mra-bench builders"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options


@click.command(epilog="Example: mra-bench builders --plugin ./my_builder.py")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List the builders of pairs and rows that plugins offer, and their options with type, default and meaning."""
    from mra_bench.cli.listing import list_registered

    list_registered("pair_builders", "row_builders", given=given)
