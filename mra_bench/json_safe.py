"""Any plain data as JSON that every reader takes: what JSON has no value for becomes text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any


def json_safe(value: Any) -> Any:
    """`value` with numbers that are not finite as YAML writes them (".inf", "-.inf", ".nan"), and with dates, paths and
    whatever else JSON does not know as their text, keys of mappings too."""
    if isinstance(value, Mapping):
        return {_key(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _key(key: Any) -> Any:
    return key if key is None or isinstance(key, str | bool | int) else str(json_safe(key))


def plain_options(options: Any) -> Any:
    """Validated options, defaults filled in, as JSON-safe data."""
    if options is None:
        return {}
    if dataclasses.is_dataclass(options) and not isinstance(options, type):
        return dataclasses.asdict(options)
    return options.model_dump(mode="json")
