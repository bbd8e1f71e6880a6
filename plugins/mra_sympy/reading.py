"""What kind of thing a text writes, read from its outermost structure inwards."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable
from fractions import Fraction

from mra_sympy import grammar
from mra_sympy.clean import clean
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.piecewise import read_cases
from mra_sympy.quantities import Quantity, quick, split_unit
from mra_sympy.realsets import NoSet, is_range, same_set
from mra_sympy.relations import NAME, read_relation
from mra_sympy.same_quantity import read_measure
from mra_sympy.sets import read_builder, read_domain, read_indexed_union, read_operations
from mra_sympy.split import closers_match, matching, split_at, split_joined, split_list, split_relation
from mra_sympy.tokens import BARE_FUNCTIONS, ELLIPSIS
from mra_sympy.values import Combined, Domain, Expression, Family, Group, Interval, Relation, Text, Value, node_of

MAX_ITEMS = 50
MAX_NESTING = 6
MAX_SIGNS = 3

_EMPTY = ("\\emptyset", "\\{\\}", "\\{ \\}", "{}")
_WORDS = re.compile(r"[A-Za-z][A-Za-z'.\-]*(?:[ ,]+[A-Za-z0-9][A-Za-z0-9'.\-]*)*")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?")
_SHORT_WORDS = frozenset("yes no odd one two six ten all red day".split())
_MATH = re.compile(r"[\\^_={}<>|]|\d\s*[a-zA-Z(]|[*/+]")
_DECLARED = re.compile(
    r"""(?<![\s,;(])(?:[\s,;(]|\\text\{)+ (?:where\s+|for\s+|with\s+)? (?:all\s+|any\s+|every\s+|some\s+)?
    (?:integers?\s+|real\s+(?:numbers?\s+)?)?
    ([a-zA-Z](?:_\d)?(?:\s*,\s*[a-zA-Z](?:_\d)?)*) \s*\}?\s*
    (?:\\in\s*\\?(?:mathbb\s*)?\{?\s*([ZNR])\s*\}?(?:\^?\s*\{?(\+)\}?)?\s*
      |(?:is|are|being)\s+(?:an?\s+|any\s+)*(?:arbitrary\s+)?(integer|real|constant|natural)s?
        (?:\s+(?:number|constant|integer)s?)?)
    \s*[)}.]*$""",
    re.VERBOSE,
)
_PLUS_MINUS = re.compile(r"\\(?:pm|mp)(?![a-zA-Z])")
_COLUMN = re.compile(r"(\(.*\)|\[.*\]|\\langle.*\\rangle)\s*\^\s*\{?\s*(?:T|\\top|\\text\{T\})\s*\}?", re.DOTALL)
_LEAD_IN = re.compile(
    r"\\text\s*\{(?![^{}]*\b(?:not|no|less|more|greater|except|outside|without|until|than)\b)[^{}0-9\\]*(?::|\b(?:is|are|equals|at))\s*\}\s*(?P<text>.+)"
    r"|(?:the )?(?:solutions?|answers?|results?)(?: sets?)?(?: is| are)?\s*:\s*(?P<plain>.+)",
    re.I | re.DOTALL,
)
_FOR_ALL = re.compile(
    r",?\s*(?:\\text\s*\{)?\s*for (?:all|any|every)\s*(?:real\s*(?:numbers?\s*)?|values? of\s*)?\}?\s*[a-z]?"
    r"(?:\s*\\in\s*\\mathbb\s*\{?[RQZNC]\}?(?:\^?\{?[+*]\}?)?)?\s*$"
)
_BOTH = re.compile(r"(.*(?:[<>]|\\[gl]e).*?)\s*(?::|,? or|;)\s*(?:\\text\{[^{}]*\}\s*)?([(\[][^<>]*[)\]])")
_POINT = re.compile(
    r"(?:[A-Z][_0-9']*|(?!Outside|Except|Without|Inside|Beyond)[A-Z][a-z]{3,15}:?)\s*(?=\(.*,.*\)$)", re.DOTALL
)


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
    if (measure := read_measure(text)) is not None:
        return measure
    if (reversed_ends := _reversed_interval(text, depth)) is not None:
        return reversed_ends
    if (cases := read_cases(text, depth, structure)) is not None:
        return cases
    if not closers_match(text):
        raise Unreadable("its brackets do not match")
    for reader in _READERS:
        if (value := reader(text, depth)) is not None:
            return value
    return _expression(text)


def _reversed_interval(text: str, depth: int) -> Value | None:
    """``]a, b[`` and its like: brackets that open outwards."""
    if len(text) < 5 or (text[0] != "]" and text[-1] != "[") or text[0] not in "]([" or text[-1] not in "[)]":
        return None
    inside = text[1:-1]
    if not closers_match(inside) or len(parts := split_list(inside, words=False)) != 2:
        return None
    low, high = (structure(part, depth + 1) for part in parts)
    return Interval(low, high, text[0] == "[", text[-1] == "]")


def _domain(text: str, depth: int) -> Value | None:
    return read_domain(text)


def _operations(text: str, depth: int) -> Value | None:
    return read_indexed_union(text, depth, structure) or read_operations(text, depth, structure)


def _builder(text: str, depth: int) -> Value | None:
    return read_builder(text, depth, structure)


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
    if plain == text and any(word in BARE_FUNCTIONS or word in ("pi", "infinity") for word in words):
        return None
    if re.search(r"\b(?:and|or)\b", plain) and max((len(w) for w in words if w not in ("and", "or")), default=0) < 2:
        return None
    return Text(" ".join(plain.split()).lower())


def _declared(text: str, depth: int) -> Value | None:
    """A value whose parameter is declared behind it: ``2k\\pi, k \\in \\mathbb{Z}``."""
    found = _DECLARED.search(text)
    if found is not None and "," in found[1] and (first := found[1].split(",")[0].strip()) in found[1][len(first) :]:
        found = _DECLARED.search(
            text, found.end(1) - 1 - len(found[1].split(",")[-1])
        )  # "\pi k, k \in Z" declares one k
    if found is None or not found.start():
        return None
    names = tuple(name.strip() for name in found[1].split(","))
    value = structure(text[: found.start()], depth + 1)
    domain = found[2] + (found[3] or "") if found[2] else {"integer": "Z", "natural": "N"}.get(found[4], "R")
    if isinstance(value, Text) or not all(
        re.search(rf"(?<![a-zA-Z\\]){name}", text[: found.start()]) for name in names
    ):
        return None
    if isinstance(value, Relation) and value.sign != "=":
        return None
    return Family(value, names, domain)


def _lead_in(text: str, depth: int) -> Value | None:
    """ "\\text{Center: } (1, 2)", "Solution is: x = 3": words that only announce the value."""
    found = _LEAD_IN.fullmatch(text)
    return structure(found["text"] or found["plain"], depth + 1) if found else None


def _for_all(text: str, depth: int) -> Value | None:
    """ "f(x) = x + 1 for all x": what is said for all x is said."""
    found = _FOR_ALL.search(text) if "for " in text else None
    return structure(text[: found.start()], depth + 1) if found and found.start() else None


def _twice(text: str, depth: int) -> Value | None:
    """ "x < 2: (-oo, 2)": one set in both notations."""
    found = _BOTH.fullmatch(text)
    if found is None or not closers_match(found[1]) or not closers_match(found[2]):
        return None
    one, other = structure(found[1], depth + 1), structure(found[2], depth + 1)
    try:
        return one if isinstance(other, Interval | Group) and is_range(one) and same_set(one, other) else None
    except NoSet:
        return None


def _plus_minus(text: str, depth: int) -> Value | None:
    if _PLUS_MINUS.search(text) is None:
        return None
    braced = text.startswith(("\\{", "{", "[")) and matching(text) >= len(text) - 2
    if len(split_list(text)) > 1 or (braced and "," in text):
        return None
    if "\\mp" in text:
        variants = [_signed(text, "+-"), _signed(text, "-+")]
    else:
        signs = _PLUS_MINUS.findall(text)
        if len(signs) > MAX_SIGNS:
            raise TooCostly("it has too many plus-minus signs")
        variants = [_signed_each(text, chosen) for chosen in itertools.product("+-", repeat=len(signs))]
    return Group("list", _flat(structure(variant, depth + 1) for variant in variants), "or")


def _signed_each(text: str, signs: tuple[str, ...]) -> str:
    """Without a minus-plus sign among them, plus-minus signs are chosen one by one."""
    left = iter(signs)
    return _PLUS_MINUS.sub(lambda found: next(left), text)


def _signed(text: str, signs: str) -> str:
    return _PLUS_MINUS.sub(lambda found: signs[found.group() == "\\mp"], text)


def _listed(text: str, depth: int) -> Value | None:
    """Parts separated by commas, semicolons, "and" or "or" outside all brackets."""
    parts, joins = split_joined(text)
    if len(parts) < 2:
        return None
    if len(parts) > MAX_ITEMS:
        raise TooCostly(f"it lists more than {MAX_ITEMS} values")
    values = _flat(structure(part, depth + 1) for part in parts)
    joined = "or" if "or" in joins else ";" if set(joins) == {";"} else "and" if "and" in joins else ","
    if _is_condition(values):
        return Combined(joined if joined in ("or", "and") else ",", values)
    return Group("list", values, joined)


def _is_condition(values: tuple[Value, ...]) -> bool:
    """Inequalities, intervals and single values of the variable that together describe one set of numbers."""
    ranges = [isinstance(v, Interval | Combined | Domain) or _is_inequality(v) for v in values]
    return any(ranges) and all(r or (isinstance(v, Relation) and v.name) for r, v in zip(ranges, values, strict=True))


def _is_inequality(value: Value) -> bool:
    return isinstance(value, Relation) and value.sign != "="


def _flat(values: Iterable[Value]) -> tuple[Value, ...]:
    """The values, with lists among them (from a plus-minus sign) opened up."""
    items: list[Value] = []
    for value in values:
        items.extend(value.items if isinstance(value, Group) and value.kind == "list" else (value,))
    if len(items) > 2 * MAX_ITEMS:
        raise TooCostly(f"it lists more than {2 * MAX_ITEMS} values")
    return tuple(items)


def _ratio(text: str, depth: int) -> Value | None:
    """``1 : \\sqrt{2}``, ``a : b : c``: a ratio of expressions."""
    parts = split_at(text, (":",))[::2] if ":" in text else []
    if not 2 <= len(parts) <= 4 or not all(parts) or len(split_relation(text)) > 1:
        return None
    items = tuple(structure(part, depth + 1) for part in parts)
    return Group("ratio", items) if all(isinstance(item, Quantity | Expression) for item in items) else None


def _related(text: str, depth: int) -> Value | None:
    return read_relation(text, depth, structure)


def _bracketed(text: str, depth: int) -> Value | None:
    """Tuples, intervals, sets and plain grouping; a capital letter before a point only names it."""
    if (
        (name := _POINT.match(text))
        and not _choose(text)
        and matching(text[name.end() :]) == len(text) - name.end() - 1
    ):
        label = name.group().strip(" :")
        return Relation("=", Text(label, opaque=True), structure(text[name.end() :], depth + 1), label)
    if (column := _COLUMN.fullmatch(text)) and matching(column[1]) == len(column[1]) - 1:
        text = column[1]
    if (rows := _rows(text, depth)) is not None:
        return rows
    for left, rights in (("(", ")]"), ("[", ")]"), ("\\{", ("\\}",)), ("{", "}"), ("\\langle", ("\\rangle",))):
        if not text.startswith(left):
            continue
        for right in rights:
            closes = matching(text) == len(text) - len(right) or left == "\\langle"
            if text.endswith(right) and closes:
                return _bracket(left, right, text[len(left) : -len(right)].strip(), depth)
    return None


def _choose(text: str) -> bool:
    """C(6,3) and P(6,3) count choices; C(3,6) is a point."""
    found = re.fullmatch(r"[CP]\s*\(\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\)", text)
    return found is not None and int(found[1]) >= int(found[2])


def _rows(text: str, depth: int) -> Value | None:
    """``[[1, 2], [3, 4]]``: a matrix row by row."""
    if not re.fullmatch(r"[\[(]\s*[\[(].*[\])]\s*[\])]", text, re.DOTALL) or matching(text) != len(text) - 1:
        return None
    rows = split_list(text[1:-1], words=False)
    if text[0] != "[" or len(rows) > MAX_ITEMS or not all(re.fullmatch(r"\[.*\]", row) for row in rows):
        return None
    cells = [[structure(cell, depth + 1) for cell in split_list(row[1:-1], words=False)] for row in rows]
    nodes = [[node_of(cell) for cell in row if isinstance(cell, Expression | Quantity)] for row in cells]
    if not cells[0] or [len(row) for row in nodes] != [len(cells[0])] * len(cells):
        return None  # a cell that is no expression, or rows of different lengths
    return Expression(("mat", tuple(tuple(row) for row in nodes)), text)


def _bracket(left: str, right: str, inside: str, depth: int) -> Value | None:
    if left == "[" and inside.startswith("\\begin"):
        return structure(inside, depth + 1)
    parts = [part for part in split_list(inside, words=False) if part]
    if len(parts) > MAX_ITEMS:
        raise TooCostly(f"it lists more than {MAX_ITEMS} values")
    if left == "\\{" or (left == "{" and len(parts) > 1):
        return Group("set", _filled(_flat(_members(parts, depth))))
    if left + right != "()" and len(parts) == 2 and left not in ("{", "\\langle"):
        low, high = (structure(part, depth + 1) for part in parts)
        return Interval(low, high, left == "[", right == "]")
    if len(parts) > 1 or (left == "[" and right == "]") or inside.endswith(",") or left == "\\langle":
        return Group("tuple", _filled(tuple(structure(part, depth + 1) for part in parts)))
    return structure(inside, depth + 1) if inside else None


def _members(parts: list[str], depth: int) -> list[Value]:
    """The members of a set: a set among them stays a member."""
    return [structure(part, depth + 1) for part in parts]


def _filled(items: tuple[Value, ...]) -> tuple[Value, ...]:
    """1, 2, ..., 10 written out; other dots are kept as they are."""
    dots = [k for k, item in enumerate(items) if isinstance(item, Expression) and item.source.lstrip("\\") in _DOTS]
    if len(dots) != 1 or not 2 <= dots[0] < len(items) - 1:
        return items
    place = dots[0]
    numbers = [item.value for k, item in enumerate(items) if k != place and isinstance(item, Quantity)]
    if len(numbers) < len(items) - 1 or any(number.denominator != 1 for number in numbers):
        return items
    head, last = numbers[:place], numbers[place]
    step = head[1] - head[0]
    count = (last - head[-1]) / step if step else Fraction(0)
    even = all(b - a == step for a, b in itertools.pairwise(head))
    if not even or count.denominator != 1 or not 1 <= count <= MAX_ITEMS:
        return items
    between = tuple(Quantity(head[-1] + step * k) for k in range(1, int(count)))
    return items[:place] + between + items[place + 1 :]


_DOTS = frozenset({*ELLIPSIS, "..."})


def _expression(text: str) -> Value:
    """A tree by our grammar, with the unit behind it, or words that only compare as text."""
    try:
        body, unit = split_unit(text)
        return Expression(grammar.parse(body), body, unit)
    except TooCostly:
        raise
    except Unreadable:
        words = " ".join(re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text).split())
        opaque = _MATH.search(words) is not None and _TIME.fullmatch(words) is None
        return Text(words if opaque else words.lower(), opaque)


_READERS = (
    _boxes, _domain, _words, _lead_in, _declared, _for_all, _twice, _builder, _operations, _plus_minus, _listed,
    _ratio, _related, _bracketed,
)  # fmt: skip

__all__ = ["MAX_ITEMS", "NAME", "read", "split_at", "structure"]
