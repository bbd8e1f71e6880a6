"""mra-bench datasets"""

from __future__ import annotations

from typing import Any

import click

from mra_bench.cli.options import json_option, plugin_options, settings_of


@click.command(epilog="Example: mra-bench datasets --json")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """List the datasets that can be named in a recipe or with --data, with their splits."""
    from mra_bench.cli.listing import show, show_json
    from mra_bench.datasets import dataset_names, dataset_spec
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    specs = {name: dataset_spec(name, registry) for name in dataset_names(registry)}
    if given["as_json"]:
        show_json(
            [
                {"dataset": name, "splits": list(s.splits), "licence": s.licence, "title": s.title}
                for name, s in specs.items()
            ]
        )
        return
    rows = [[name, ", ".join(s.splits), s.licence, s.title] for name, s in specs.items()]
    show(["dataset", "splits", "licence", "title"], rows)
