"""mra-bench plugins"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import plugin_options, settings_of


@click.command(epilog="Example: mra-bench plugins --plugin ./last_word.py")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(**given: Any) -> None:
    """List every plugin found: where it comes from, its version, what it offers, and what is broken."""
    from mra_bench.cli.listing import show
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    rows = []
    for plugin in registry.plugins:
        offered = [f"{t.kind[:-1]} {t.name}" for t in registry.things if t.plugin.name == plugin.name]
        state = f"broken: {plugin.error}" if plugin.error else ", ".join(offered)
        rows.append([plugin.name, plugin.origin, plugin.version, state])
    show(["plugin", "origin", "version", "offers"], rows, given["as_json"])
