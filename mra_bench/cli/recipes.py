"""mra-bench recipes"""

from __future__ import annotations

from pathlib import Path

import click

STARTER = "smoke"


@click.group(
    invoke_without_command=True, epilog="Example: mra-bench recipes new mine.yaml && mra-bench run --recipe mine.yaml"
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the recipes in the package; `show` prints one, `new` writes one to start from."""
    if ctx.invoked_subcommand is None:
        list_recipes()


def list_recipes() -> None:
    """Name, models and description of every packaged recipe."""
    from mra_bench.cli.listing import show
    from mra_bench.recipe import load_recipe, recipe_names

    recipes = [load_recipe(name) for name in recipe_names()]
    rows = [[r.name, ",".join(r.models), " ".join(r.description.split())] for r in recipes]
    show(["recipe", "models", "description"], rows, as_json=False)


@command.command("list")
def list_command() -> None:
    """List the recipes in the package."""
    list_recipes()


@command.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Print a recipe as it is in the package or the file."""
    from mra_bench.recipe import recipe_text

    click.echo(recipe_text(name), nl=False)


@command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--like", "like", default=STARTER, metavar="RECIPE", help=f"Start from this recipe. [default: {STARTER}]")
def new_command(file: Path, like: str) -> None:
    """Write a commented recipe to FILE, ready to run and to change."""
    import re

    from mra_bench.errors import UsageError
    from mra_bench.recipe import recipe_text, validate_recipe

    if file.suffix not in (".yaml", ".yml"):
        raise UsageError(f"A recipe file ends in .yaml; got {file}")
    if file.exists():
        raise UsageError(f"{file} exists already; choose another name")
    name = re.sub(r"[^A-Za-z0-9._-]", "-", file.stem)
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", recipe_text(like), count=1)
    import yaml

    validate_recipe(yaml.safe_load(text), str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {file}. Try: mra-bench run --recipe {file} --dry-run")
