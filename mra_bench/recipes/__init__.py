"""The recipes of the package, and the text and plain data of any recipe: nothing here validates, so it is light."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError, unknown
from mra_bench.yaml_text import read_yaml


def recipe_names() -> list[str]:
    """Names of the recipes in the package."""
    return sorted(
        p.name.removesuffix(".yaml") for p in files("mra_bench.recipes").iterdir() if p.name.endswith(".yaml")
    )


def recipe_text(name_or_file: str) -> str:
    """The YAML of a packaged recipe or a file. Raises UsageError when there is neither."""
    if name_or_file in recipe_names():
        return files("mra_bench.recipes").joinpath(f"{name_or_file}.yaml").read_text(encoding="utf-8")
    path = Path(name_or_file)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not a text file in UTF-8") from None
    if path.suffix in (".yaml", ".yml") or "/" in name_or_file:
        missing = "" if path.parent.is_dir() else f", not even the folder {path.parent}"
        hint = "" if missing else f". Write one with: mra-bench recipes new {name_or_file}"
        raise UsageError(f"There is no recipe file {name_or_file}{missing}{hint}")
    raise unknown("recipe", name_or_file, recipe_names(), "mra-bench recipes")


def read_recipe(name_or_file: str) -> dict[str, Any]:
    """The plain data of a recipe, not validated yet. Raises UsageError for text that is not a YAML mapping."""
    data = read_yaml(recipe_text(name_or_file), name_or_file)
    if not isinstance(data, dict):
        raise UsageError(f"{name_or_file} must hold a mapping of keys such as name, datasets, models, evaluate")
    return data
