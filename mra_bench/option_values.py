"""Values for the options of a plugin's thing, held against its options class."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from mra_bench.errors import UsageError, meant, nearest


def parse_options(options: type | None, values: Mapping[str, Any], owner: str) -> Any:
    """An instance of `options` with these values, or None where `owner` takes none.

    Raises UsageError naming the option and the nearest one, or what is wrong with its value.
    """
    import pydantic

    if options is None:
        if values:
            raise UsageError(f"The {owner} takes no options, but was given: {', '.join(sorted(values))}")
        return None
    fields = option_names(options)
    for key in values:
        if key not in fields:
            close = nearest(key, fields)
            hint = f"Did you mean '{close}'?" if close else f"It takes: {', '.join(fields)}."
            raise UsageError(f"Unknown option '{key}' of the {owner}. {hint}")
    try:
        parsed: Any = pydantic.TypeAdapter(options).validate_python(dict(values))
    except pydantic.ValidationError as error:
        raise UsageError(_option_error(error.errors()[0], owner, options)) from None
    for option, value in _booleans_as_numbers(values, parsed):
        raise UsageError(f"Option '{option}' of the {owner}: must be a number (got {value})")
    return parsed


def option_names(options: type) -> list[str]:
    """Names of the fields of an options class (dataclass or pydantic model)."""
    if dataclasses.is_dataclass(options):
        return [field.name for field in dataclasses.fields(options)]
    return list(getattr(options, "model_fields", {}))


def _booleans_as_numbers(given: Any, taken: Any, where: str = "") -> Iterator[tuple[str, bool]]:
    """Where, in options as given, a boolean was taken for a number: Python takes true for 1, and nobody means that."""
    if isinstance(given, bool):
        if isinstance(taken, int | float) and not isinstance(taken, bool):
            yield where, given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            inner = taken.get(key) if isinstance(taken, Mapping) else getattr(taken, str(key), None)
            yield from _booleans_as_numbers(value, inner, f"{where}.{key}" if where else str(key))
    elif isinstance(given, list | tuple) and isinstance(taken, list | tuple):
        for number, (value, inner) in enumerate(zip(given, taken, strict=False)):
            yield from _booleans_as_numbers(value, inner, f"{where}.{number}")


def _option_error(first: Mapping[str, Any], owner: str, options: type) -> str:
    """What is wrong with a value, from pydantic's description of the first error."""
    from mra_bench.plain_errors import in_words, place

    where = place(first["loc"])
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        from mra_bench.option_help import fields_of

        names = [field.name for field in fields_of(options)]
        return f"Unknown option '{where}' of the {owner}.{meant(where, names)}"
    if first["type"] == "missing":
        return f"The {owner} needs the option '{where}'"
    option = f"Option '{where}' of the {owner}" if where else f"The options of the {owner}"
    return f"{option}: {in_words(first)}"
