"""What the listing commands share: a small aligned table, or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


def show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as columns."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show_json(data: Any) -> None:
    """Print data as JSON, a list's items on lines of their own; what JSON does not know is text."""
    import json

    from mra_bench.json_safe import json_safe

    click.echo(json.dumps(json_safe(data), indent=1, allow_nan=False))


def list_registered(*kinds: str, given: dict[str, Any]) -> None:
    """The body of ``mra-bench models``, ``trainers``, ``graders``, ...: everything of these kinds, with its options."""
    from mra_bench.cli.options import settings_of
    from mra_bench.option_help import data_of, text_of
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    things = [thing for kind in kinds for thing in registry.of(kind)]
    if given["as_json"]:
        show_json([data_of(thing) for thing in things])
    else:
        click.echo(text_of(things))
