"""mra-bench recipes"""

from __future__ import annotations

from pathlib import Path

import click

from mra_bench.cli.options import json_option

STARTER = "smoke"


@click.group(
    invoke_without_command=True, epilog="Example: mra-bench recipes new mine.yaml && mra-bench run --recipe mine.yaml"
)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the recipes in the package; `show` prints one, `new` writes one to start from."""
    ctx.obj = as_json
    if ctx.invoked_subcommand is None:
        list_recipes(as_json)


def list_recipes(as_json: bool) -> None:
    """Name, models and description of every packaged recipe; as text its first sentence."""
    from mra_bench.cli.listing import show, show_json
    from mra_bench.recipes import read_recipe, recipe_names

    recipes = [read_recipe(name) for name in recipe_names()]
    rows = [(r["name"], list(r["models"]), " ".join(r["description"].split())) for r in recipes]
    if as_json:
        show_json([{"recipe": name, "models": models, "description": said} for name, models, said in rows])
    else:
        short = [[name, ",".join(models), said.partition(". ")[0].rstrip(".")] for name, models, said in rows]
        show(["recipe", "models", "description"], short)


@command.command("list")
@json_option
@click.pass_obj
def list_command(before: bool, as_json: bool) -> None:
    """List the recipes in the package."""
    list_recipes(as_json or before)


@command.command("show")
@click.argument("name", metavar="NAME|FILE")
@json_option
@click.pass_obj
def show_command(before: bool, name: str, as_json: bool) -> None:
    """Print a recipe as it is in the package or the file; with --json, its data."""
    from mra_bench.cli.listing import show_json
    from mra_bench.recipes import read_recipe, recipe_text

    if as_json or before:
        show_json(read_recipe(name))
    else:
        click.echo(recipe_text(name), nl=False)


@command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--like", "like", default=STARTER, metavar="NAME|FILE", show_default=True, help="Start from this recipe.")
@json_option
@click.pass_obj
def new_command(before: bool, file: Path, like: str, as_json: bool) -> None:
    """Write a commented recipe to FILE, ready to run and to change."""
    import re

    from mra_bench.cli.listing import show_json
    from mra_bench.errors import UsageError
    from mra_bench.recipe import validate_recipe
    from mra_bench.recipes import read_recipe, recipe_text
    from mra_bench.yaml_text import read_yaml

    if file.suffix not in (".yaml", ".yml"):
        raise UsageError(f"A recipe file ends in .yaml; got {file}")
    if file.exists():
        raise UsageError(f"{file} exists already; choose another name")
    if not file.parent.is_dir():
        raise UsageError(f"There is no folder {file.parent} to write {file.name} to; make it first, or name another")
    read_recipe(like)  # says what is wrong in it by its own name, not by that of the new file
    name, origin = (re.sub(r"[^A-Za-z0-9._-]", "-", what) for what in (file.stem, Path(like).name))
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", recipe_text(like), count=1)
    own = f"description: A recipe of my own, begun from {origin}.\n"
    text = re.sub(r"(?m)^description:.*\n(?:[ \t]+.*\n)*", own, text, count=1)
    text = re.sub(r"\A(?:#.*\n)*", f"# Written by `mra-bench recipes new` from {origin}: change what you like.\n", text)
    try:
        data = read_yaml(text, str(file))
    except UsageError:
        raise UsageError(f"The name in {like} must stand on one line, to be changed to {name}") from None
    validate_recipe(data, str(file))
    file.write_text(text, encoding="utf-8")
    if as_json or before:
        show_json({"recipe": name, "file": str(file)})
    else:
        click.echo(f"Wrote {file}. Try: mra-bench run --recipe {file} --dry-run")
