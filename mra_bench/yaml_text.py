"""YAML that people write: read without its constructors, refused in one line where it cannot be what they mean."""

from __future__ import annotations

from typing import Any

import yaml

from mra_bench.errors import UsageError

MERGE = "tag:yaml.org,2002:merge"


class _Twice(yaml.MarkedYAMLError):
    """A key that a mapping has already; YAML's own reader silently takes the last one."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            if (name := (key.tag, key.value)) in lines:
                twice = f"the key '{key.value}' is there twice, first in line {lines[name]}; keep one of them"
                raise _Twice(problem=twice, problem_mark=key.start_mark)
            lines[name] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


def read_yaml(text: str, source: str) -> Any:
    """The data in `text`. Raises UsageError beginning with `source`, with the line where the text has several."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None and "\n" in text.strip() else ""
        what = error.problem or error.context or "it cannot be read"
        said = what if isinstance(error, _Twice) else f"not valid YAML ({what})"
        raise UsageError(f"{source}{line}: {said}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date such as 2024-99-99, a character that is none
        first = str(error).strip().partition("\n")[0]
        raise UsageError(f"{source}: not valid YAML ({first})") from None
