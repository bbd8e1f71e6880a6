"""What each option of a plugin and each key of a recipe is: type, default and meaning, read from its class.

A meaning is the part behind ``name:`` in the docstring of the class (or of a class it inherits from), or the field's
own description. ``python -m mra_bench.option_help`` prints docs/options.md.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.json_safe import json_safe
from mra_bench.option_values import option_names
from mra_bench.plugins import KINDS, Registered, Registry, word

WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "none",
    "array": "list",
    "object": "mapping",
}
BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


HEAD = """# Options

What a recipe may hold, and `--set KEY=VALUE` may change: keys of the recipe (`--set seed=1`,
`--set evaluate.samples=4`) and options of its models, trainers and graders
(`--set models.sft.options.learning_rate=1e-4`). Values are read as YAML; "none" is YAML's `null`. Written by
`python -m mra_bench.option_help > docs/options.md`, and a test compares the two; `mra-bench models`,
`mra-bench trainers` and `mra-bench graders` say the same, for plugins of your own too.
"""


@dataclass(frozen=True)
class Option:
    """One option. `default` is JSON-safe and None where `needed`; an option of an option is named ``outer.inner``."""

    name: str
    type: str
    default: Any
    needed: bool
    meaning: str

    @property
    def default_text(self) -> str:
        """The default as one would write it in a recipe, or "needed"."""
        return "needed" if self.needed else _yaml(self.default)


def options_of(thing: Registered) -> list[Option]:
    """The options of a registered thing in the order of its class; only their names where no more can be told. Raises
    UsageError where the class cannot be imported."""
    return fields_of(thing.options) if thing.options is not None else []


def fields_of(options: type) -> list[Option]:
    """The same for a dataclass or pydantic model."""
    import pydantic

    try:
        schema = pydantic.TypeAdapter(options).json_schema()
    except (pydantic.PydanticUserError, TypeError, ValueError):  # a field of a type that JSON does not know
        return [Option(name, "", None, False, "") for name in option_names(options)]
    texts = [inspect.cleandoc(c.__doc__) for c in options.__mro__[:-1] if c.__doc__]
    known = schema.get("$defs", {})
    if "$ref" in schema:  # a class that refers to itself stands among the known ones
        return _described(known[_name(schema)], known, texts, frozenset([_name(schema)]))
    return _described(schema, known, texts, frozenset())


def text_of(things: Iterable[Registered]) -> str:
    """Each thing with its full name, then a line for each option and its meaning below."""
    import textwrap

    lines = []
    for thing in things:
        options, error = _options_or_error(thing)
        said = f"  broken: {error}" if error else "" if options else "  no options"
        lines.append(f"{thing.name}  ({thing.full_name}){said}")
        if thing.missing:
            lines.append(f"    not installed: {thing.missing}")
        width = max((len(option.name) for option in options), default=0)
        for option in options:
            lines.append(f"    {option.name.ljust(width)}  {option.type}  [{_default(option)}]")
            lines += textwrap.wrap(option.meaning, 100, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(lines)


def data_of(thing: Registered) -> dict[str, Any]:
    """A registered thing and its options as JSON-safe data; with "error", what keeps it from being used."""
    found, error = _options_or_error(thing)
    names = {"kind": word(thing.kind), "name": thing.name, "full_name": thing.full_name}
    data = {**names, "missing": thing.missing, "options": [{**vars(option)} for option in found]}
    return {**data, "error": error} if error else data


def markdown(registry: Registry) -> str:
    """docs/options.md: a table for every part of a recipe and every registered thing that takes options."""
    from mra_bench.claim_schema import ClaimEntry
    from mra_bench.recipe_schema import DatasetEntry, Evaluation, Grading, ModelEntry, Recipe

    # `evaluate` and `grading` have tables of their own.
    keys = [option for option in fields_of(Recipe) if "." not in option.name]
    lines = [HEAD, "## Recipe", *_table("A recipe", keys)]
    lines += _table("An entry of `datasets`", fields_of(DatasetEntry))
    lines += _table("An entry of `models`", fields_of(ModelEntry))
    lines += _table("`evaluate`", fields_of(Evaluation))
    lines += _table("`grading`", fields_of(Grading))
    lines += _table("An entry of `claims`", fields_of(ClaimEntry))
    for kind in KINDS:
        things = [thing for thing in registry.of(kind) if thing.options is not None]
        lines += ["", f"## {word(kind).capitalize()}s"] if things else []
        for thing in things:
            lines += _table(f"`{thing.name}`", options_of(thing))
    return "\n".join(lines) + "\n"


def _options_or_error(thing: Registered) -> tuple[list[Option], str]:
    """A listing goes on past a thing whose options cannot be imported."""
    try:
        return options_of(thing), ""
    except UsageError as error:
        return [], str(error)


def _table(title: str, options: Iterable[Option]) -> list[str]:
    lines = ["", f"### {title}", "", "| option | type | default | meaning |", "|---|---|---|---|"]
    for option in options:
        cells = (f"`{option.name}`", option.type, option.default_text, option.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _described(
    schema: Mapping[str, Any], known: Mapping[str, Any], texts: Iterable[str], entered: frozenset[str]
) -> list[Option]:
    """`entered`: names among the `known` classes that this one stands inside of, and that are not told again."""
    fields: Mapping[str, Any] = schema.get("properties", {})
    meanings: dict[str, str] = {}
    for text in texts:
        meanings = {**_meanings(text, fields), **meanings}
    found = []
    for name, field in fields.items():
        needed = name in schema.get("required", ())
        meaning = meanings.get(name) or field.get("description", "")
        found.append(Option(name, _type(field), json_safe(field.get("default")), needed, meaning))
        for inner_name in _inner(field, known):
            if inner_name in entered:
                continue
            inner = known[inner_name]
            nested = _described(inner, known, [inspect.cleandoc(inner.get("description", ""))], entered | {inner_name})
            found += [Option(f"{name}.{o.name}", o.type, o.default, o.needed, o.meaning) for o in nested]
    return found


def _meanings(text: str, names: Iterable[str]) -> dict[str, str]:
    """The parts of a docstring behind ``name:`` (at the start of a line or sentence), each up to the next one or to the
    end of its paragraph."""
    any_name = "|".join(map(re.escape, names))
    if not any_name:
        return {}
    start = re.compile(rf"(?:^|(?<=[.:;]) |\n) *({any_name}): ")
    found = {}
    for paragraph in text.split("\n\n"):
        pieces = start.split(paragraph)
        found.update({name: " ".join(said.split()) for name, said in zip(pieces[1::2], pieces[2::2], strict=True)})
    return found


def _inner(field: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Names of the classes that a value of the field may be of."""
    parts = [field, *field.get("anyOf", ())]
    return [name for part in parts if "$ref" in part and "properties" in known[name := _name(part)]]


def _name(part: Mapping[str, Any]) -> str:
    name: str = part["$ref"].rpartition("/")[2]
    return name


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(part) for part in field["anyOf"])
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    word = WORDS.get(str(field.get("type", "object" if "$ref" in field else "")), "")
    if "items" in field:
        word = f"list of {_type(field['items'])}"
    bounds = [f"{sign} {field[key]:g}" for key, sign in BOUNDS.items() if key in field]
    return " ".join([word, ", ".join(bounds)]).strip()


def _default(option: Option) -> str:
    return "needed" if option.needed else f"default: {option.default_text}"


def _yaml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) or value == "" else str(value)


if __name__ == "__main__":
    from mra_bench.plugins import PluginSettings, load_plugins

    registry = load_plugins(PluginSettings())
    own = [plugin for plugin in registry.plugins if plugin.origin == "built-in"]
    print(markdown(Registry(own, [thing for thing in registry.things if thing.plugin in own])), end="")
