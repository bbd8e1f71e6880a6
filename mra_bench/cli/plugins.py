"""mra-bench plugins"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Choice, Number, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.plugins import Plugin, PluginSettings, Registered, Registry

EPILOG = """
\b
Examples:
  mra-bench plugins --plugin ./last_number.py
  mra-bench plugins new grader last-number
  mra-bench plugins check --plugin ./last_number.py
"""


@dataclass(frozen=True)
class Given:
    """The options that `plugins` and its subcommands share, wherever on the line they stand."""

    as_json: bool = False
    plugin_files: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def and_(self, as_json: bool, plugin_files: tuple[str, ...] = (), blocked: tuple[str, ...] = ()) -> Given:
        return Given(self.as_json or as_json, self.plugin_files + plugin_files, self.blocked + blocked)

    @property
    def settings(self) -> PluginSettings:
        return settings_of(self.plugin_files, self.blocked)


@click.group(invoke_without_command=True, epilog=EPILOG)
@click.option("--options", "with_options", is_flag=True, help="Every option of what they offer, too.")
@json_option
@plugin_options
@click.pass_context
def command(ctx: click.Context, /, with_options: bool, **shared: Any) -> None:
    """List every plugin found: where it comes from, its version, what it offers, and what is broken. `check` tests
    one, `new` writes one to start from."""
    ctx.obj = Given(**shared)
    if ctx.invoked_subcommand is None:
        list_plugins(ctx.obj, with_options)
    elif with_options:
        raise click.UsageError("--options goes with the list: mra-bench plugins --options", ctx)


def list_plugins(given: Given, with_options: bool) -> None:
    """A row for each plugin, or JSON."""
    from mra_bench.cli.listing import show, show_json
    from mra_bench.plugins import load_plugins

    registry = load_plugins(given.settings)
    found = [(plugin, [t for t in registry.things if t.plugin.name == plugin.name]) for plugin in registry.plugins]
    if given.as_json:
        from mra_bench.option_help import data_of

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
    if with_options:
        from mra_bench.option_help import text_of

        click.echo("\n" + text_of(registry.things))


def _offered(thing: Registered) -> str:
    from mra_bench.plugins import word

    missing = f" (not installed: {thing.missing})" if thing.missing else ""
    return f"{word(thing.kind)} {thing.name}{missing}"


@command.command("check", epilog="Example: mra-bench plugins check --plugin ./last_number.py")
@click.argument("name", required=False)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="OPTION=VALUE",
    help="Check what takes this option with this value, read as YAML; needed where there is no default. Repeatable.",
)
@click.option(
    "--seconds",
    type=Number(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long a grader may take for one text before it is stopped.",
)
@json_option
@plugin_options
@click.pass_obj
def check_command(before: Given, /, name: str | None, settings: tuple[str, ...], seconds: float, **shared: Any) -> int:
    """Check everything that the plugin NAME offers, or the one that offers something called NAME, or each plugin named
    by --plugin: one line for each check, exit code 1 when one fails.

    Graders judge some fifty texts in processes that can be killed; a check that could not be made, as the grader gave
    no Grade, is skipped. Models are built but load no weights; trainers and
    datasets are not run.
    """
    from mra_bench.plugins import load_plugins
    from mra_bench.settings import apply_setting
    from mra_bench.testing.plugins import check_plugin, find_plugins

    given = before.and_(**shared)
    names = [name] if name else [Path(file).stem if file.endswith(".py") else file for file in given.plugin_files]
    if not names:
        raise click.UsageError("Name the plugin to check, or --plugin FILE. List them with: mra-bench plugins")
    registry = load_plugins(given.settings)
    values: dict[str, Any] = {}
    for setting in settings:
        apply_setting(values, setting)
    plugins = [plugin for each in names for plugin in find_plugins(each, registry)]
    if not given.as_json:
        _say_how_long(plugins, registry, seconds)
    rows = ((p.name, c) for p in plugins for c in check_plugin(p, registry, given.settings, values, seconds))
    return _show_checks(rows, given.as_json)


def _say_how_long(plugins: Sequence[Plugin], registry: Registry, seconds: float) -> None:
    """Before graders are tried, on standard error: nothing is printed meanwhile."""
    from mra_bench.tables import printable
    from mra_bench.testing.evidence import MAX_LOST, make_cases
    from mra_bench.testing.plugins import GOLDS

    packages = {plugin.package for plugin in plugins}
    graders = [t.name for t in registry.things if t.kind == "graders" and t.plugin.package in packages]
    if graders:
        number = len(make_cases((), (), GOLDS))
        text = (
            f"Trying {', '.join(graders)}: {number} texts, three times each. That takes seconds, "
            f"longer for a slow grader (a text is stopped after {seconds:g} seconds, the grader given up "
            f"after {MAX_LOST} texts that hang or end its process)."
        )
        click.echo(printable(text), err=True)


def _show_checks(rows: Any, as_json: bool) -> int:
    """Print outcomes as they come, then their count. The exit code: 1 when one failed."""
    from mra_bench.cli.listing import show_json
    from mra_bench.tables import printable

    found = []
    for plugin, checked in rows:
        found.append({"plugin": plugin, "what": checked.what, **vars(checked.outcome)})
        if not as_json:
            said = "; ".join(checked.outcome.said.splitlines())
            line = f"{checked.outcome.outcome:8}{checked.what}: {checked.outcome.check}"
            click.echo(printable(f"{line}: {said}" if said else line))
    counts = {word: sum(row["outcome"] == word for row in found) for word in ("passed", "failed", "skipped")}
    if as_json:
        show_json(found)
    else:
        click.echo(", ".join(f"{count} {word}" for word, count in counts.items() if count))
    return 1 if counts["failed"] else 0


@command.command("new", epilog="Example: mra-bench plugins new grader last-number")
@click.argument("kind", type=Choice(["grader"]))
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder to write.  [default: mra-bench-NAME]"
)
@json_option
@click.pass_obj
def new_command(before: Given, kind: str, name: str, out: Path | None, as_json: bool) -> None:
    """Write a package with a grader called NAME: module, pyproject.toml, test and README, ready to test, to change and
    to publish as mra-bench-NAME."""
    from mra_bench.cli.listing import show_json
    from mra_bench.plugins import load_plugins
    from mra_bench.scaffold import new_grader

    package = new_grader(name, out, load_plugins(before.settings))
    if before.as_json or as_json:
        show_json({kind: name, "folder": str(package.folder), "files": [str(file) for file in package.files]})
        return
    for file in package.files:
        click.echo(f"Wrote {file}")
    click.echo(
        f"Try: mra-bench plugins check --plugin {package.module}\n"
        f"     python -m pytest {package.folder}\n"
        f"     mra-bench run --recipe smoke --plugin {package.module} --grader {name} --out reports/{name}"
    )
