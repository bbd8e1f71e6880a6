"""mra-bench profilers"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options


@click.command(epilog="Example: mra-bench profilers --plugin ./my_profiler.py")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List the profilers that plugins offer, and their options with type, default and meaning."""
    from mra_bench.cli.listing import list_registered

    list_registered("profilers", given=given)
