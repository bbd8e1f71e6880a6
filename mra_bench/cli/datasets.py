"""mra-bench datasets"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import plugin_options, settings_of


@click.command(epilog="Example: mra-bench datasets --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(**given: Any) -> None:
    """List the datasets that can be named in a recipe or with --data, with their splits."""
    from mra_bench.cli.listing import show
    from mra_bench.datasets import dataset_names, dataset_spec
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    rows = []
    for name in dataset_names(registry):
        spec = dataset_spec(name, registry)
        rows.append([name, ", ".join(spec.splits), spec.licence, spec.title])
    show(["dataset", "splits", "licence", "title"], rows, given["as_json"])
