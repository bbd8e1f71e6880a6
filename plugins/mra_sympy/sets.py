"""Sets written with signs or in words: domains, unions, differences, set builders."""

from __future__ import annotations

import re
from collections.abc import Callable

from mra_sympy.split import matching, split_at, split_list, split_relation
from mra_sympy.values import Builder, Combined, Domain, Family, Group, Relation, Value

Reader = Callable[[str, int], Value]

_LETTER = re.compile(
    r"\\mathbb\s*\{?\s*([RZNQC])\s*\}?\s*(?:\^\s*\{?\s*([+-])\s*\}?|_\s*\{?\s*([+-])\s*\}?|_\s*\{?\s*>\s*0\s*\}?)?"
)
_REALS = r"(?:the set of )?(?:all )?(?:of )?(?:the )?real(?:s| numbers?)|any real number|every real number"
_ALL = re.compile(rf"(?:{_REALS})(?: for)?(?: [a-z])?", re.I)
_EXCEPT = re.compile(
    rf"(?:{_REALS})(?: [a-z])? ?,? ?(?:except|other than|but|excluding|apart from)(?: for)? (.+)", re.I
)
_PLAIN_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_UNIONS = ("\\cup", "\x03")
_CAPITAL_U = re.compile(r"(?<=[)\]}])\s*U\s*(?=[(\[{\\])")
_INDEXED = re.compile(
    r"\\bigcup_\s*\{?\s*([a-zA-Z])\s*(?:=\s*-\s*\\infty\s*\}\s*\^\s*\{?\s*\+?\\infty\s*\}?|\\in\s*\\mathbb\s*\{?Z\}?\s*\})\s*"
)
_BAR = ("\\mid", "|", ":")


def read_domain(text: str) -> Value | None:
    """``\\mathbb{R}``, "all real numbers", "all real numbers except 3"."""
    if (letter := _LETTER.fullmatch(text)) is not None:
        sign = letter[2] or letter[3] or ("+" if ">" in text else "")
        return Domain(letter[1] + sign)
    plain = " ".join(_PLAIN_TEXT.sub(r" \1 ", text).split()) if "real" in text else ""
    if plain and _ALL.fullmatch(plain):
        return Domain("R")
    if plain and (found := _EXCEPT.fullmatch(plain)):
        from mra_sympy.reading import structure

        return Combined("minus", (Domain("R"), structure(found[1], 1)))
    return None


def read_indexed_union(text: str, depth: int, structure: Reader) -> Value | None:
    """``\\bigcup_{k=-\\infty}^{\\infty} (a_k, b_k)``: a family of intervals."""
    found = _INDEXED.match(text)
    return Family(structure(text[found.end() :], depth + 1), (found[1],), "Z") if found else None


def read_operations(text: str, depth: int, structure: Reader) -> Value | None:
    """Unions, intersections and differences of sets; union binds least."""
    if len(split_relation(text)) > 1 and not text.startswith(("\\{", "{")) and "=" in text:
        return None
    text = _CAPITAL_U.sub("\x03", text)
    for operation, signs in (("or", _UNIONS), ("and", ("\\cap",)), ("minus", ("\\setminus", "\\backslash"))):
        if not any(sign in text for sign in signs):
            continue
        parts = split_at(text, signs)[::2]
        if len(parts) > 1 and all(parts):
            if operation == "and" and any(re.fullmatch(r"[A-Z]'?", part) for part in parts):
                return None
            return Combined(operation, tuple(structure(part, depth + 1) for part in parts))
    return None


def read_builder(text: str, depth: int, structure: Reader) -> Value | None:
    """``\\{x \\mid condition\\}``: the condition when the head is a variable, else all values of the head."""
    for left, right in (("\\{", "\\}"), ("{", "}")):
        if text.startswith(left) and text.endswith(right) and matching(text) == len(text) - len(right):
            parts = split_at(text[len(left) : -len(right)], _BAR)
            if len(parts) < 3 or not parts[0]:
                return None
            return _built(parts[0], "".join(parts[2:]), depth, structure)
    return None


def _built(head: str, conditions: str, depth: int, structure: Reader) -> Value:
    variable, _, domain = (part.strip() for part in head.partition("\\in"))
    extra = (structure(domain, depth + 1),) if domain else ()
    if re.fullmatch(r"[A-Za-z]|\\[a-z]+", variable):
        return _conditioned(variable, conditions, extra, depth, structure)
    pieces = split_list(conditions)
    declared = [re.fullmatch(r"([a-zA-Z])\s*\\in\s*\\?(?:mathbb)?\s*\{?\s*([ZNR])\s*\}?", piece) for piece in pieces]
    value = structure(head, depth + 1)
    if len(declared) == 1 and declared[0]:
        return Family(value, (declared[0][1],), declared[0][2])
    return Builder(value, tuple(structure(piece, depth + 1) for piece in pieces))


def _conditioned(variable: str, conditions: str, extra: tuple[Value, ...], depth: int, structure: Reader) -> Value:
    declared = re.search(r"(.*)[,;]\s*([a-zA-Z])\s*\\in\s*\\?(?:mathbb)?\s*\{?\s*([ZN])\s*\}?$", conditions)
    if declared and declared[2] != variable:  # {x | x = 2k, k in Z}
        value = structure(declared[1], depth + 1)
        if isinstance(value, Relation) and value.sign == "=":
            return Family(value.right, (declared[2],), declared[3])
    found = structure(conditions, depth + 1)
    if isinstance(found, Group) and found.kind == "list" and all(isinstance(item, Relation) for item in found.items):
        found = Combined("or" if found.joined == "or" else "and", found.items)
    if isinstance(found, Combined) and found.operation == ",":
        found = Combined("and", found.parts)
    return Combined("and", (*extra, found))
