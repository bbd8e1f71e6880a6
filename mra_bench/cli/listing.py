"""What the listing commands share: a small aligned table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from mra_bench.plugins import Registered, option_names


def show(head: Sequence[str], rows: Sequence[Sequence[str]], as_json: bool) -> None:
    """Print rows as columns, or as a JSON list of objects."""
    if as_json:
        click.echo(json.dumps([dict(zip(head, row, strict=True)) for row in rows], indent=1))
        return
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def registered_rows(things: Sequence[Registered]) -> list[list[str]]:
    """Name, plugin and options of registered things."""
    return [[t.name, t.full_name, ", ".join(option_names(t.options)) if t.options else ""] for t in things]


def list_registered(kind: str, given: dict[str, Any]) -> None:
    """The body of ``mra-bench models`` and ``mra-bench graders``."""
    from mra_bench.cli.options import settings_of
    from mra_bench.plugins import load_plugins

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    show(["name", "full name", "options"], registered_rows(registry.of(kind)), given["as_json"])
