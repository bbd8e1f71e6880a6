"""Numerals with a base: 1011_2, (4210)_5, 4210_{\\text{five}}, "4210 base 5", "1011 in binary", 0xA3, 0b1011."""

from __future__ import annotations

import re
from fractions import Fraction

_NAMES = {
    "binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "hexadecimal": 16, "hex": 16,
    **{
        word: value
        for value, word in enumerate(
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(), 2
        )
    },
}  # fmt: skip
_DIGITS = r"[0-9A-Z]{1,300}(?:\.[0-9A-Z]{1,300})?"
_BASE = rf"\d{{1,2}}|{'|'.join(_NAMES)}"
_SUBSCRIPT = re.compile(
    rf"(?P<sign>-?)\s*(?:\(\s*(?P<in>{_DIGITS})\s*\)|\\overline\s*\{{\s*(?P<over>{_DIGITS})\s*\}}|(?P<bare>{_DIGITS}))"
    rf"\s*_\s*(?:\{{\s*)?(?:\\text\s*\{{\s*)?\(?\s*(?:base\s*\}}?\s*)?(?P<base>{_BASE})\s*\)?\s*\}}{{0,2}}",
    re.ASCII | re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?P<sign>-?)\s*(?P<digits>{_DIGITS})\s*(?:\\text\s*\{{\s*)?\(?\s*(?:in\s+)?"
    rf"(?:base[ -]?(?P<base>{_BASE})|(?P<name>binary|octal|hexadecimal|hex|decimal))(?:\s+notation)?\s*\)?\s*\}}?",
    re.ASCII | re.IGNORECASE,
)
_PREFIXED = re.compile(r"(?P<sign>-?)0(?P<kind>[xXbBoO])(?P<digits>[0-9a-fA-F]{1,300})", re.ASCII)
_KINDS = {"x": 16, "b": 2, "o": 8}


def read_numeral(text: str, lower: bool = False) -> tuple[Fraction, int, str] | None:
    """(value, base, digits) when all of `text` is a numeral with its base. lower: "ab_{12}" counts too; it is as
    likely a product of symbols, so it is read only beside a numeral."""
    if found := _PREFIXED.fullmatch(text):
        return _number(found["digits"], _KINDS[found["kind"].lower()], found["sign"])
    if found := _SUBSCRIPT.fullmatch(text):
        digits, base = found["in"] or found["over"] or found["bare"], found["base"]
    elif "b" in text or "hex" in text or "oct" in text or "decimal" in text:
        found = _SPOKEN.fullmatch(text)
        if found is None:
            return None
        digits, base = found["digits"], found["base"] or found["name"]
    else:
        return None
    if not lower and _may_be_a_symbol(digits):
        return None
    return _number(digits, int(base) if base.isdigit() else _NAMES[base.lower()], found["sign"])


def _may_be_a_symbol(digits: str) -> bool:
    """2a_{12} is twice a symbol, A_{12} a symbol; A3_{16}, a3_{16}, AB_{12} are not."""
    if digits != digits.upper():
        return digits[0].isdigit() or digits[-1].isalpha()
    return digits.isalpha() and len(digits) < 2


def _number(digits: str, base: int, sign: str) -> tuple[Fraction, int, str] | None:
    whole, _, part = digits.upper().partition(".")
    if not 2 <= base <= (36 if whole.isdigit() else 16) or any(int(digit, 36) >= base for digit in whole + part):
        return None
    value = Fraction(int(whole + part, base), base ** len(part))
    return (-value if sign else value), base, sign + whole.lstrip("0") + ("." + part if part else "")
