"""Typed answers: what kind of thing a text writes, read from its outermost structure inwards."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mra_sympy import grammar, symbolic
from mra_sympy.clean import clean
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.grammar import Node
from mra_sympy.quantities import Quantity, quick, read_quantity
from mra_sympy.split import RELATION, closers_match, matching, split_list, split_relation

MAX_ITEMS = 50
MAX_NESTING = 6


@dataclass(frozen=True)
class Expression:
    """A mathematical expression with symbols, roots or constants."""

    node: Node
    source: str


@dataclass(frozen=True)
class Group:
    """Several values. kind: "tuple" (order matters), "list" (as a bag) or "set" (as a set)."""

    kind: str
    items: tuple[Value, ...]


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`; closed ends are part of it. name: the variable of an inequality, else ""."""

    low: Value
    high: Value
    low_closed: bool
    high_closed: bool
    name: str = ""


@dataclass(frozen=True)
class Union:
    """A union of intervals and sets."""

    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Relation:
    """`left` sign `right`; signs: =, <, \\le, \\ne. name: the left side when it only names the right."""

    sign: str
    left: Value
    right: Value
    name: str = ""


@dataclass(frozen=True)
class Matrix:
    """Rows of values."""

    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Text:
    """Words. opaque: it looks like mathematics but could not be read, so only equal strings say anything."""

    text: str
    opaque: bool = False


Value = Quantity | Expression | Group | Interval | Union | Relation | Matrix | Text

_EMPTY = ("\\emptyset", "\\{\\}", "\\{ \\}", "{}")
_MATRIX = re.compile(r"\\begin\s*\{([pbBvV]?matrix|array)\}(?:\{[lcr| ]*\})?(.*)\\end\s*\{\1\}", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z][A-Za-z'.\-]*(?:[ ,]+[A-Za-z0-9][A-Za-z0-9'.\-]*)*")
_NAME = re.compile(
    r"""\|?[A-Za-z]{1,3}\|? | [A-Za-z][A-Za-z ]{3,30} | \\text\{[^{}]*\}
    | (?:[A-Za-z]|\\(?!pi|infty)[A-Za-z]+)(?:\s+[A-Za-z])?
    | (?:[A-Za-z]|\\[A-Za-z]+) \s* (?: ' | _\s*\{?[\\A-Za-z0-9\ ]+\}? | \^\{?\*\}? | _\{\\text\{[^}]*\}\s*\} )
    | (?:[A-Za-z]|\\[A-Za-z]+) \s*'?\s* \([\sA-Za-z,0-9]*\)
    | [A-Za-z]{1,3}\s*:\s*[A-Za-z]{1,3}
    | \\(?:angle|triangle|overline|widehat|vec)\s*\{?\s*[A-Za-z]+\s*\}?
    | \(\s*[A-Za-z](?:\s*,\s*[A-Za-z])+\s*\)""",
    re.VERBOSE,
)
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?")
_SHORT_WORDS = frozenset("yes no odd one two six ten all red day".split())
_MATH = re.compile(r"[\\^_={}<>|]|\d\s*[a-zA-Z(]|[*/+]")


def read(text: str) -> Value:
    """The value that `text` writes. Raises Unreadable when it is empty or broken, TooCostly when it is absurdly big."""
    return quick(text) or _cached(text)


@functools.lru_cache(maxsize=8192)
def _cached(text: str) -> Value:
    cleaned = clean(text)
    if not cleaned:
        raise Unreadable("it is empty")
    if not any(character.isalnum() for character in cleaned) and cleaned not in _EMPTY:
        raise Unreadable("it holds no letter and no digit")
    return structure(cleaned, 0)


def structure(text: str, depth: int) -> Value:
    """Read cleaned text: the first form that fits, from the outermost inwards."""
    if depth > MAX_NESTING:
        raise TooCostly("its brackets are nested too deep")
    text = text.strip().rstrip(".") if not text.strip().endswith("...") else text.strip()
    if text in _EMPTY:
        return Group("set", ())
    if (quantity := read_quantity(text)) is not None:
        return quantity
    if not closers_match(text):
        raise Unreadable("its brackets do not match")
    for reader in (_matrix, _boxes, _words, _plus_minus, _listed, _related, _united, _bracketed):
        if (value := reader(text, depth)) is not None:
            return value
    return _expression(text)


def _matrix(text: str, depth: int) -> Value | None:
    inside = text[1:-1].strip() if text[:1] in "([" and text[-1:] in ")]" else text
    found = _MATRIX.fullmatch(inside)
    if found is None:
        return None
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?", found[2]) if row.strip()]
    if len(rows) > MAX_ITEMS:
        raise TooCostly("it has too many rows")
    return Matrix(tuple(tuple(structure(cell, depth + 1) for cell in row.split("&")) for row in rows))


def _boxes(text: str, depth: int) -> Value | None:
    """Boxes inside an answer ("\\boxed{1} and \\boxed{2}") are only frames."""
    if "\\boxed" not in text and "\\fbox" not in text:
        return None
    return structure(re.sub(r"\\(?:boxed|fbox)(?![a-zA-Z])", "", text), depth + 1)


def _words(text: str, depth: int) -> Value | None:
    """Plain words, or words in \\text{}; a single letter is a symbol."""
    plain = re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text).strip() if "\\text" in text else text
    if _WORDS.fullmatch(plain) is None:
        return None
    words = re.findall(r"[A-Za-z]+", plain)
    if plain != text and len(words) == 1 and len(words[0]) == 1:
        return Expression(("sym", words[0]), words[0])
    longest = max(map(len, words))
    if plain.lower() in _SHORT_WORDS:
        return Text(plain.lower())
    if plain == text and (longest == 1 or (longest < 4 and not re.search(r"\s", text))):
        return None  # abc is a product of symbols as likely as a word
    if plain == text and any(word in grammar.FUNCTIONS or word in ("pi", "infinity") for word in words):
        return None
    if re.search(r"\b(?:and|or)\b", plain) and max((len(w) for w in words if w not in ("and", "or")), default=0) < 2:
        return None
    return Text(" ".join(plain.split()).lower())


def _plus_minus(text: str, depth: int) -> Value | None:
    if "\\pm" not in text and "\\mp" not in text:
        return None
    if len(split_list(text)) > 1:
        return None
    upper = re.sub(r"\\pm", "+", re.sub(r"\\mp", "-", text))
    lower = re.sub(r"\\pm", "-", re.sub(r"\\mp", "+", text))
    return Group("list", (structure(upper, depth + 1), structure(lower, depth + 1)))


def _listed(text: str, depth: int) -> Value | None:
    """Parts separated by commas, semicolons, "and" or "or" outside all brackets."""
    parts = split_list(text)
    if len(parts) < 2:
        return None
    if len(parts) > MAX_ITEMS:
        raise TooCostly(f"it lists more than {MAX_ITEMS} values")
    return Group("list", _flat(structure(part, depth + 1) for part in parts))


def _flat(values: Iterable[Value]) -> tuple[Value, ...]:
    """The values, with lists among them (from a plus-minus sign) opened up."""
    items: list[Value] = []
    for value in values:
        items.extend(value.items if isinstance(value, Group) and value.kind == "list" else (value,))
    return tuple(items)


def _related(text: str, depth: int) -> Value | None:
    """Equations, inequalities and memberships."""
    parts = split_relation(text)
    if len(parts) < 3:
        return None
    if any(not part for part in parts[::2]):
        raise Unreadable("a side of its relation is missing")
    if "\\approx" in parts[1::2]:
        cut = parts.index("\\approx")
        if cut == 1 and _NAME.fullmatch(parts[0]):
            return Relation("=", structure_name(parts[0]), structure(parts[2], depth + 1), parts[0])
        return structure(" ".join(parts[:cut]), depth + 1)
    signs, sides = parts[1::2], parts[0::2]
    if signs == ["\\in"]:
        return structure(sides[1], depth + 1)
    if len(signs) == 2 and all(sign in ("<", "\\le") for sign in signs):
        low, high = structure(sides[0], depth + 1), structure(sides[2], depth + 1)
        return Interval(low, high, signs[0] == "\\le", signs[1] == "\\le", sides[1])
    if len(signs) == 2 and all(sign in (">", "\\ge") for sign in signs):
        low, high = structure(sides[2], depth + 1), structure(sides[0], depth + 1)
        return Interval(low, high, signs[1] == "\\ge", signs[0] == "\\ge", sides[1])
    if len(signs) == 1:
        return _relation(signs[0], sides[0], sides[1], depth)
    if set(signs) == {"="}:  # a chain of steps ends in its value
        return _relation("=", sides[0], sides[-1], depth)
    return Text(text.lower(), opaque=True)


def _relation(sign: str, left: str, right: str, depth: int) -> Value:
    if sign in (">", "\\ge"):
        sign, left, right = ("<" if sign == ">" else "\\le"), right, left
    if sign in ("<", "\\le"):
        infinity = Expression(("const", "oo"), "\\infty")
        minus = Expression(grammar.negate(("const", "oo")), "-\\infty")
        if _NAME.fullmatch(left) and not _NAME.fullmatch(right):
            return Interval(minus, structure(right, depth + 1), False, sign == "\\le", left)
        if _NAME.fullmatch(right) and not _NAME.fullmatch(left):
            return Interval(structure(left, depth + 1), infinity, sign == "\\le", False, right)
    if sign == "=" and _NAME.fullmatch(right) and not _NAME.fullmatch(left):
        left, right = right, left
    name = left if sign == "=" and _NAME.fullmatch(left) else ""
    return Relation(
        sign, structure_name(left) if name else structure(left, depth + 1), structure(right, depth + 1), name
    )


def structure_name(text: str) -> Value:
    """The left side of "name = value": an expression where it is one, else its text."""
    try:
        return _expression(text)
    except Unreadable:
        return Text(text, opaque=True)


def _united(text: str, depth: int) -> Value | None:
    parts = [part.strip() for part in RELATION["\\cup"].split(text)] if "\\cup" in text else []
    if len(parts) < 2 or not all(parts) or not all(closers_match(part) for part in parts):
        return None
    return Union(tuple(structure(part, depth + 1) for part in parts[:MAX_ITEMS]))


def _bracketed(text: str, depth: int) -> Value | None:
    """Tuples, intervals, sets and plain grouping."""
    for left, rights in (("(", ")]"), ("[", ")]"), ("\\{", ("\\}",)), ("{", "}")):
        if not text.startswith(left):
            continue
        for right in rights:
            if text.endswith(right) and matching(text) == len(text) - len(right):
                return _bracket(left, right, text[len(left) : -len(right)].strip(), depth)
    return None


def _bracket(left: str, right: str, inside: str, depth: int) -> Value | None:
    parts = [part for part in split_list(inside, words=False) if part]
    if len(parts) > MAX_ITEMS:
        raise TooCostly(f"it lists more than {MAX_ITEMS} values")
    if left == "\\{" or (left == "{" and len(parts) > 1):
        items = tuple(structure(part, depth + 1) for part in parts)
        return Group(
            "set", tuple(i for v in items for i in (v.items if isinstance(v, Group) and v.kind == "list" else (v,)))
        )
    if left + right != "()" and len(parts) == 2 and left != "{":
        low, high = (structure(part, depth + 1) for part in parts)
        return Interval(low, high, left == "[", right == "]")
    if len(parts) > 1 or (left == "[" and right == "]") or inside.endswith(","):
        return Group("tuple", tuple(structure(part, depth + 1) for part in parts))
    return structure(inside, depth + 1) if inside else None


def _expression(text: str) -> Value:
    """A tree by our grammar, a leaf by latex2sympy for sums and integrals, or words that only compare as text."""
    try:
        node = symbolic.heavy(text) if symbolic.is_heavy(text) else grammar.parse(text)
        return Expression(node, text)
    except TooCostly:
        raise
    except Unreadable:
        unit = re.fullmatch(r"(.+?)\s*(?:\\text\s*\{([^{}]*)\}(?:\^\s*\{?[23]\}?)?)", text)
        if unit and not re.search(r"\d", unit[2]):
            return _expression(unit[1])
        words = " ".join(re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text).split()).lower()
        return Text(words, opaque=_MATH.search(words) is not None and _TIME.fullmatch(words) is None)
