"""``\\begin{cases}`` and its like: functions by cases, and systems of equations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.quantities import Quantity
from mra_sympy.values import Branches, Combined, Expression, Group, Relation, Text, Value, node_of

Reader = Callable[[str, int], Value]

MAX_ROWS = 20
_CASES = re.compile(
    r"(?:(?P<name>[^={}]{1,40})=\s*)?(?:\\begin\s*\{(?P<env>d?cases|aligned|gathered)\}(?P<rows>.*)\\end\s*\{(?P=env)\}"
    r"|\\\{\s*\\begin\s*\{(?P<env2>array|matrix|aligned)\}(?:\{[lcr| ]*\})?(?P<rows2>.*)\\end\s*\{(?P=env2)\})[.,]?",
    re.DOTALL,
)
_LEAD = re.compile(r"\s*(?:\\text\s*\{\s*(?:if|for|when|where|,)*\s*\}|if\b|for\b|when\b|where\b|,)?\s*", re.I)
_OTHERWISE = re.compile(r"(?:\\text\s*\{)?\s*(?:otherwise|else|elsewhere)\s*\}?", re.I)


def read_cases(text: str, depth: int, structure: Reader) -> Value | None:
    """A function by cases (an Expression that can be worked out where its conditions can be read), a system of
    equations as a list, or None for another text."""
    if "\\begin" not in text:
        return None
    found = _CASES.fullmatch(text)
    if found is None:
        return None
    rows = [row for row in re.split(r"\\\\(?:\s*\[[^\]]*\])?", found["rows"] or found["rows2"]) if row.strip()]
    if len(rows) > MAX_ROWS:
        raise TooCostly("it has too many rows")
    cells = [[cell.strip().rstrip(",;") for cell in row.split("&") if cell.strip()] for row in rows]
    if found["env"] in ("aligned", "gathered") or all(len(row) == 1 for row in cells):
        values = tuple(structure(" ".join(row), depth + 1) for row in cells)
        return values[0] if len(values) == 1 else Group("list", values, "and")
    value = _function(cells, text, depth, structure)
    if found["name"]:
        return Relation("=", Text(found["name"], opaque=True), value, found["name"].strip())
    return value


def _function(rows: list[list[str]], text: str, depth: int, structure: Reader) -> Value:
    pairs: list[tuple[Value, Value]] = []
    for row in rows:
        when = _LEAD.sub("", " ".join(row[1:]), count=1) if len(row) > 1 else "otherwise"
        plain = _OTHERWISE.fullmatch(when.strip(" ."))
        pairs.append((structure(row[0], depth + 1), Text("otherwise") if plain else structure(when, depth + 1)))
    branches: list[tuple[Any, Any]] = []
    for value, condition in sorted(pairs, key=lambda pair: pair[1] == Text("otherwise")):
        tests = _tests(condition)
        if tests is None or not isinstance(value, Quantity | Expression):
            return Branches(tuple(pairs))
        branches.append((node_of(value), tests))
    if not branches:
        raise Unreadable("it has no case")
    return Expression(("cases", tuple(branches)), text)


def _tests(condition: Value) -> tuple[Any, ...] | None:
    """The comparisons that must all hold, None when the condition is something else."""
    if condition == Text("otherwise"):
        return ()
    parts = condition.parts if isinstance(condition, Combined) and condition.operation != "or" else (condition,)
    found = []
    for part in parts:
        if not isinstance(part, Relation):
            return None
        if not isinstance(part.left, Quantity | Expression) or not isinstance(part.right, Quantity | Expression):
            return None
        found.append((part.sign, node_of(part.left), node_of(part.right)))
    return tuple(found)
