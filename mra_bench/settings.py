"""Changes to a recipe's plain data before it is validated: ``--set a.b.c=value``."""

from __future__ import annotations

from typing import Any

from mra_bench.errors import UsageError, unknown
from mra_bench.recipe import number
from mra_bench.yaml_text import read_yaml

BEGIN = {"models": ("model", "from", "trainer", "data"), "datasets": ("data", "carve", "path")}  # keys of a new entry


def apply_setting(data: dict[str, Any], setting: str) -> None:
    """Put ``a.b.c=value`` (value read as YAML) into nested mappings. Raises UsageError for a malformed setting, and for
    one inside a model or dataset that the recipe does not have."""
    path, equals, value = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(f"--set takes key=value, as in --set models.sft.options.learning_rate=1e-3; got {setting!r}")
    _check_entry(data, keys, setting)
    target: Any = data
    for depth, key in enumerate(keys):
        if not isinstance(target, dict):
            raise UsageError(_no_mapping(target, keys[:depth], setting))
        if depth < len(keys) - 1:
            target = target.setdefault(key, {})
    target[keys[-1]] = number(read_yaml(value, f"--set {setting}: the value"))


def _check_entry(data: dict[str, Any], keys: list[str], setting: str) -> None:
    """A key inside a model or dataset that is not there begins a new one only where it can; else it is misspelt."""
    kind, there = keys[0], data.get(keys[0])
    if kind not in BEGIN or len(keys) < 3 or not isinstance(there, dict) or keys[1] in there:
        return
    if keys[2] not in BEGIN[kind]:
        raise unknown(kind[:-1], keys[1], map(str, there), where=f"in --set {setting}")


def _no_mapping(found: Any, keys: list[str], setting: str) -> str:
    """Why a setting has no place to go: what stands on its way holds no keys."""
    where = ".".join(keys)
    if isinstance(found, list):
        return f"--set {setting}: '{where}' is a list; give the whole of it, as in --set '{where}=[ONE, TWO]'"
    return f"--set {setting}: '{where}' holds no keys in this recipe, but {'nothing' if found is None else found!r}"
