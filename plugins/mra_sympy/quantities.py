"""Numbers as exact fractions, with their unit: the path most answers take, without sympy."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from mra_sympy import decimals, number_words, units
from mra_sympy.clean import clean
from mra_sympy.compound import read_compound
from mra_sympy.decimals import MAX_DIGITS, precision
from mra_sympy.numerals import read_numeral
from mra_sympy.tails import ASIDE, MATHS, split_unit, unit_of_tail
from mra_sympy.unit_table import lookup

__all__ = ["MAX_DIGITS", "Quantity", "loose", "parse", "quick", "read_quantity", "split_unit"]

_PLAIN = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_MARK = r"(?:(?:US|U\.S\.|USD)\s*\$|\$\s*USD|\$|[€£¥₹]|USD|EUR|GBP|INR|CNY|RMB|JPY|Rs\.?)"
_YEAR = re.compile(r"(?<=\d{3}) (?:AD|A\.D|CE)\.?$")
_SIGN = re.compile(rf"(?P<sign>[+-]?)\s*(?P<mark>{_MARK})?\s*(?P<sign2>[+-]?)\s*")
_BEFORE = re.compile(
    r"(?:\\text\s*\{\s*)?(?:(?:exactly|only|about|approximately|approx\.?|roughly|around|nearly|an? (?:total|sum) of|"
    r"the year|in the year|year|一共|总共|共|约)(?:\s*\}|\s)\s*(?=\S)|[一总]?共(?=\d)|约(?=\d)|in (?=\d{4}$))",
    re.IGNORECASE,
)
_MINUS = re.compile(r"(?:\\text\s*\{\s*)?(?:minus|negative|负)\s*\}?\s*(?=\S)", re.IGNORECASE)
_WHOLE_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_EACH = re.compile(r"每([^\d\s]{1,4}?)\s*(\d[\d.,]{0,20}\s*[\u4e00-\u9fffA-Za-z]{1,6})")
_PERCENT = re.compile(r"\s*(?:\\text\s*\{\s*)?(%|‰|per ?cent(?:age points?)?\b|percents\b|per mille\b)", re.IGNORECASE)
_SHARE_OF = re.compile(r"(?:\\text\s*\{)?[A-Za-z .'/-]{0,60}\}?")
_LETTER_SCALE = re.compile(r"\s?([kKMB]|bn|mn)(?![a-zA-Z])")
_LETTERS = {"k": 1000, "K": 1000, "M": 10**6, "mn": 10**6, "B": 10**9, "bn": 10**9}
_NO_DIGITS = re.compile(r"[A-Za-z\u4e00-\u9fff]")


@dataclass(frozen=True)
class Quantity:
    """A rational number as written. digits: significant digits when it is a decimal, 0 when it is exact as written;
    places: digits behind the point. unit: as written, "" for none; percent: value is given in hundredths, as
    written. base: of a numeral that names its base, else 0, with its figures in `figures`."""

    value: Fraction
    digits: int = 0
    places: int = 0
    unit: str = ""
    percent: bool = False
    base: int = 0
    figures: str = ""


@functools.lru_cache(maxsize=16384)
def quick(text: str) -> Quantity | None:
    """The number when `text` is a plain ASCII integer or decimal, else None. Costs about a microsecond."""
    text = text.strip()
    if _PLAIN.fullmatch(text) is None:
        return None
    return Quantity(Fraction(text), *precision(text)) if "." in text else Quantity(Fraction(int(text)))


def parse(text: str) -> Quantity | None:
    """The quantity in raw `text`, cleaning it when it is not plain."""
    return quick(text) or read_quantity(clean(text))


def read_quantity(text: str) -> Quantity | None:
    """The quantity that the whole of the cleaned `text` writes, or None. Raises TooCostly for absurd sizes."""
    if "$" in text:
        text = MATHS.sub(r"\1 ", text, count=1).replace("\\$", "$")
    if text.endswith("$") and text.count("$") == 1:
        text = text[:-1].rstrip()
    if ("_" in text or "base" in text or "0" in text[:2] or "in" in text) and (numeral := read_numeral(text)):
        return Quantity(numeral[0], base=numeral[1], figures=numeral[2])
    if _NO_DIGITS.search(text):
        text = _YEAR.sub("", _stripped(text))
    if compound := read_compound(text):
        return Quantity(compound[0], unit=compound[1])
    return _single(text)


def _stripped(text: str) -> str:
    """Without words in front that do not change the number; "minus 3" as -3."""
    if text.startswith("\\text") and (whole := _WHOLE_TEXT.fullmatch(text)):
        text = whole[1].strip()
    if found := _BEFORE.match(text):
        text = text[found.end() :].rstrip("}" if "{" in found[0] and "}" not in found[0] else "")
    if found := _EACH.fullmatch(text):
        return f"{found[2]}/{found[1]}"
    if found := _MINUS.match(text):
        rest = text[found.end() :]
        text = "-" + rest if rest[0] not in "-+" else text
    return text


def _single(text: str) -> Quantity | None:
    """One number with at most one unit."""
    found = _SIGN.match(text)
    assert found is not None
    start = found.end()
    body = _number(text[start:])
    if body is None:
        return None
    (value, digits, places), tail, plain = body
    factor, tail = _scale(tail, bool(found["mark"]))
    if factor != 1:
        value, places = value * factor, max(0, places - len(str(factor)) + 1)
    percent, per_mille, tail = _percent(tail)
    tail = _without_echo(tail.strip(), value)
    unit = unit_of_tail(tail, not text.endswith(tail) or text[: -len(tail) or None].endswith(" "), plain)
    unit = _with_mark(unit, found["mark"]) if unit is not None else None
    if unit is None or (percent and _SHARE_OF.fullmatch(unit) is None):
        return None
    value = value / 10 if per_mille else value
    negative = (found["sign"] == "-") != (found["sign2"] == "-")
    return Quantity(-value if negative else value, digits, places, unit, percent)


def _number(text: str) -> tuple[decimals.Number, str, bool] | None:
    """The number at the start of `text`, the rest, and whether it is written in figures alone or in words."""
    found = decimals.BODY.match(text)
    if found is None:
        words = number_words.leading_words(text) if text[:1].isalpha() else None
        if words is None or (words[1][:1] not in ("", " ", "\\", "%") and text[0].isascii()):
            return None
        if not text[0].isascii() and words[1] and not (units.known(words[1]) or units.counts(words[1])):
            return None
        return (words[0], 0, 0), words[1], True
    number, rest = decimals.value(found), text[found.end() :]
    if number is None:
        return None
    if rest.startswith(" and ") and (share := number_words.ends_in_part(rest)) and number[0].denominator == 1:
        return (number[0] + share[0], 0, 0), share[1], True
    if rest[:1] in (" ", "-") and found["decimal"] and number[1] == 0 and (part := number_words.part_word(rest)):
        return (number[0] / part[0], 0, 0), part[1], True
    return number, rest, bool(found["decimal"])


def _scale(tail: str, money: bool) -> tuple[int, str]:
    """million, thousand, dozen, 万; behind an amount of money also k, M, B."""
    if not tail:
        return 1, tail
    if money and (letter := _LETTER_SCALE.match(tail)):
        return _LETTERS[letter[1]], tail[letter.end() :]
    return number_words.scale(tail)


def _percent(tail: str) -> tuple[bool, bool, str]:
    """(is a percentage, is per mille, rest)."""
    found = _PERCENT.match(tail) if tail else None
    if found is None:
        return False, False, tail
    rest = tail[found.end() :].strip()
    rest = rest[1:].strip() if "text" in found[0] and rest.startswith("}") else rest
    return True, found[1] == "‰" or found[1].lower() == "per mille", rest


def _without_echo(tail: str, value: Fraction) -> str:
    """ "12 (twelve)": the number said again in brackets is dropped; "(cents)" loses its brackets."""
    found = ASIDE.fullmatch(tail)
    if found is None:
        return tail
    inside = (found[1] or found[2] or "").strip()
    words = number_words.leading_words(inside) if inside[:1].isalpha() else None
    if words and not words[1].strip():
        return "" if words[0] == value else tail
    return f"\\text{{{inside}}}" if inside and not re.search(r"[\d{}]", inside) else tail


def _with_mark(unit: str, mark: str | None) -> str | None:
    """The unit of an amount with its currency mark: "$5 per can"."""
    if not mark:
        return unit
    mark = "$" if "$" in mark else mark
    if not unit or (lookup(unit.strip(" .{}").removeprefix("\\text{").strip()) == lookup(mark)):
        return mark
    readings = units.readings(unit)
    if not readings:
        return None
    one = readings[0]
    if one.dims and not one.open and lookup(mark)[0].dims != one.dims:
        return None
    return mark if one.dims == lookup(mark)[0].dims else f"{mark} {unit}"


@functools.lru_cache(maxsize=2048)
def loose(text: str) -> Quantity | None:
    """What `text` may mean beside a quantity that has a unit or a base: "5h" as five hours, 12' as twelve feet."""
    if len(text) > 60:
        return None
    if numeral := read_numeral(text, lower=True):
        return Quantity(numeral[0], base=numeral[1], figures=numeral[2])
    found = decimals.BODY.match(text.lstrip("+-"))
    if found is None or (not found["decimal"] and not found["mantissa"]):
        return None
    sign = -1 if text.startswith("-") else 1
    tail = text.lstrip("+-")[found.end() :].strip()
    number = decimals.value(found)
    if not tail or number is None:
        return None
    if tail in ("'", "''", '"'):
        return Quantity(sign * number[0], number[1], number[2], {"'": "ft", "''": "in", '"': "in"}[tail])
    if not units.readings(tail, counted=False):
        return None
    return replace(Quantity(*number, unit=tail), value=sign * number[0])
