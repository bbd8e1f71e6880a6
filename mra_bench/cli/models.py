"""mra-bench models"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options


@click.command(epilog="Example: mra-bench models --plugin ./my_model.py")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List the model loaders that plugins offer, and their options with type, default and meaning."""
    from mra_bench.cli.listing import list_registered

    list_registered("models", given=given)
