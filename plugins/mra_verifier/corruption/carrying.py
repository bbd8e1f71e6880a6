"""Carrying an error on: what follows a wrong number is calculated anew from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from mra_verifier.corruption.worked import NUMBER, PIECE, number, plain, written
from mra_verifier.sides import value

_NUMBER = re.compile(NUMBER)


class Unsuitable(Exception):
    """The change leads to something that no solution writes: a negative price, a third of a coin."""


def carried(text: str, start: int, changed: Mapping[Fraction, Fraction], *, negative: bool = False) -> str:
    """`text` with every number behind `start` that is a key of `changed` replaced, and each calculation with such a
    number worked out anew, its result replaced behind it in turn. Raises Unsuitable."""
    known = dict(changed)
    return text[:start] + PIECE.sub(lambda piece: _replaced(piece, known, negative), text[start:])


def _replaced(piece: re.Match[str], known: dict[Fraction, Fraction], negative: bool) -> str:
    if piece["number"]:
        return _other(piece["number"], known)
    expression = piece["marked"] or piece["plain"]
    changed = _NUMBER.sub(lambda found: _operand(found, known), expression)
    old = piece["written"] or piece["result"]
    if changed == expression:
        return _result(piece, expression, _other(old, known), known)
    found = value(plain(changed))
    if found is None or (found <= 0 and not negative):
        raise Unsuitable
    new = written(found, old)
    if new is None:
        raise Unsuitable
    if found == number(old):
        known.pop(number(old), None)
    else:
        known[number(old)] = found
    return _result(piece, changed, new, known)


def _result(piece: re.Match[str], expression: str, result: str, known: dict[Fraction, Fraction]) -> str:
    if piece["marked"]:
        said = _other(piece["said"], known) if piece["said"] else ""
        return f"<<{expression}={result.replace(',', '')}>>{said}"
    return f"{expression}{piece['equals']}{result}"


def _operand(found: re.Match[str], known: Mapping[Fraction, Fraction]) -> str:
    """A changed number inside an expression; a negative one in brackets."""
    new = _other(found[0], known)
    return f"({new})" if new.startswith("-") else new


def _other(digits: str, known: Mapping[Fraction, Fraction]) -> str:
    old = number(digits)
    if old not in known:
        return digits
    new = written(known[old], digits)
    if new is None:
        raise Unsuitable
    return new
