"""mra-bench plugins"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.plugins import Registered


@click.command(epilog="Example: mra-bench plugins --plugin ./last_number.py")
@click.option("--options", "with_options", is_flag=True, help="Every option of what they offer, too.")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List every plugin found: where it comes from, its version, what it offers, and what is broken."""
    from mra_bench.cli.listing import show, show_json
    from mra_bench.option_help import data_of, text_of
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    found = [(plugin, [t for t in registry.things if t.plugin.name == plugin.name]) for plugin in registry.plugins]
    if given["as_json"]:
        keys = ("name", "origin", "version", "error")
        show_json(
            [{**{key: getattr(p, key) for key in keys}, "offers": [data_of(t) for t in things]} for p, things in found]
        )
        return
    rows = []
    for plugin, things in found:
        offered = ", ".join(map(_offered, things))
        rows.append(
            [plugin.name, plugin.origin, plugin.version, f"broken: {plugin.error}" if plugin.error else offered]
        )
    show(["plugin", "origin", "version", "offers"], rows)
    if given["with_options"]:
        click.echo("\n" + text_of(registry.things))


def _offered(thing: Registered) -> str:
    missing = f" (not installed: {thing.missing})" if thing.missing else ""
    return f"{thing.kind[:-1]} {thing.name}{missing}"
