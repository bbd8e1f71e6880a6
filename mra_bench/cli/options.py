"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mra_bench.plugins import PluginSettings

Decorated = Callable[..., Any]


class Integer(click.IntRange):
    """A whole number between bounds."""

    name = "integer"  # what messages and help call it


class Number(click.FloatRange):
    """A finite number between bounds."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error for anything else."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Choice(click.Choice[str]):
    """One of a few names."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What is wrong, the nearest name where one is close, and all of them."""
        from mra_bench.errors import meant

        return f"{value!r} is not known.{meant(str(value), self.choices)} It takes: {', '.join(self.choices)}."


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")


def plugin_options(function: Decorated) -> Decorated:
    """``--plugin FILE`` and ``--no-plugin NAME``, both repeatable."""
    function = click.option(
        "--no-plugin", "blocked", multiple=True, metavar="NAME", help="Do not load this plugin. Repeatable."
    )(function)
    return click.option(
        "--plugin",
        "plugin_files",
        multiple=True,
        metavar="FILE",
        help="Load a plugin from a file or module. Repeatable.",
    )(function)


def settings_of(plugin_files: tuple[str, ...], blocked: tuple[str, ...]) -> PluginSettings:
    """Plugin settings from the options and the environment."""
    from mra_bench.plugins import PluginSettings

    return PluginSettings.from_environment(plugin_files, blocked)
