"""Numbers as exact fractions, with their unit: the path most answers take, without sympy."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

from mra_sympy.clean import clean
from mra_sympy.errors import TooCostly

MAX_DIGITS = 1000  # longer numbers are compared as text: Python itself refuses to print more than 4300 digits

_PLAIN = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_GROUP = r"\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ ]\d{3})+|\d{1,3}(?:\{,\}\d{3})+"
_DECIMAL = rf"(?:(?:{_GROUP}|\d+)(?:\.\d*)?|\.\d+)"
_EUROPEAN = r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}"
_MARK = r"(?:\\?\$|[€£¥₹]|US\$|USD|EUR|Rs\.?)"
_BODY = re.compile(
    rf"""(?P<sign>[+-]?)\s*(?P<mark>{_MARK})?\s*(?P<sign2>[+-]?)\s*(?:
        (?P<european>{_EUROPEAN})(?![\d.,])
      | (?P<whole>\d+)\s*\\frac\s*\{{\s*(?P<mn>\d+)\s*\}}\s*\{{\s*(?P<md>\d+)\s*\}}
      | (?P<whole2>\d+)\s*\\frac\s*(?P<mn2>\d)\s*(?P<md2>\d)
      | (?P<whole3>\d+)(?:\s+|\s+and\s+)(?P<mn3>\d+)\s*/\s*(?P<md3>\d+)
      | \\frac\s*\{{\s*(?P<fn>[+-]?{_DECIMAL})\s*\}}\s*\{{\s*(?P<fd>[+-]?{_DECIMAL})\s*\}}
      | \\frac\s*(?P<fn2>\d)\s*(?P<fd2>\d)
      | (?P<an>{_DECIMAL})\s*/\s*(?P<ad>[+-]?{_DECIMAL})(?!\s*[/^!])
      | (?P<mantissa>{_DECIMAL})\s*(?:[eE]\s*|(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*)
            (?P<brace>\{{)?\s*\(?(?P<exponent>[+-]?\d{{1,6}})\)?\s*(?(brace)\}})
      | 10\s*\^\s*(?P<brace2>\{{)?\s*(?P<power>[+-]?\d{{1,6}})\s*(?(brace2)\}})
      | (?P<head>\d*\.\d*)\s*\\(?:overline|bar|dot)\s*\{{?\s*(?P<period>\d+)\s*\}}?
      | (?P<numeral>[0-9A-F]+(?:\.[0-9A-F]+)?)\s*_\s*(?P<brace3>\{{)?\s*(?:\\text\{{\s*)?(?P<base>\d{{1,2}})
            \s*(?:\}})?(?(brace3)\}})
      | (?P<repeat>\d+\.\d+)(?:\.\.\.|…|\\ldots|\\dots)
      | (?P<decimal>{_DECIMAL})
    )""",
    re.VERBOSE | re.ASCII,
)
_WORD = r"(?:[a-zA-Z]{2,}\.?|[a-zA-Z]\b)"
_TEXT_UNIT = re.compile(r"\\text\s*\{([^{}0-9]*)\}\s*(?:\^\s*\{?\s*([23])\s*\}?)?")
_WORD_UNIT = re.compile(rf"{_WORD}(?:[ /·*-]+{_WORD}){{0,5}}(?:\s*\^\s*\{{?\s*([23])\s*\}}?)?")
_SPECIAL_UNIT = re.compile(r"(?:\^\\circ\s*(?:\\text\{\s*)?[CFK]?\}?|[^\x00-\x7f]{1,8})")
_NOT_UNITS = frozenset(
    "and or minus plus times over divided by if when to not but is are as for each because since so mod pi sin cos tan "
    "log ln exp sqrt e i x y z n k t a b c r equals where with in than less more".split()
)
_SMALL_UNITS = frozenset(
    "cm mm km dm nm kg mg ml mi ft in yd lb lbs oz hr hrs min mins sec secs ms mph kph hz kw kwh ev kj pa kpa".split()
)


@dataclass(frozen=True)
class Quantity:
    """A rational number as written. digits: significant digits when it is a decimal, 0 when it is exact as written;
    places: digits behind the point. unit: "" for none; percent: value is given in hundredths, as written."""

    value: Fraction
    digits: int = 0
    places: int = 0
    unit: str = ""
    percent: bool = False


@functools.lru_cache(maxsize=16384)
def quick(text: str) -> Quantity | None:
    """The number when `text` is a plain ASCII integer or decimal, else None. Costs about a microsecond."""
    text = text.strip()
    if _PLAIN.fullmatch(text) is None:
        return None
    return Quantity(Fraction(text), *_precision(text)) if "." in text else Quantity(Fraction(int(text)))


def read_quantity(text: str) -> Quantity | None:
    """The quantity that the whole of the cleaned `text` writes, or None. Raises TooCostly for absurd sizes."""
    text = text.replace("\\$", "$").removesuffix("$") if "$" in text else text
    found = _BODY.match(text)
    if found is None:
        return None
    number = _value(found)
    tail = text[found.end() :].strip()
    if number is None:
        return None
    value, digits, places = number
    percent, tail = _percent(tail)
    unit = _unit(tail, text[found.end() : found.end() + 1] == " ", bool(found["an"] or found["decimal"]))
    if unit is None:
        return None
    mark = (found["mark"] or "").replace("\\", "")
    if mark and unit in ("", "dollars", "dollar", "usd"):
        unit = mark
    negative = (found["sign"] == "-") != (found["sign2"] == "-")
    return Quantity(-value if negative else value, digits, places, unit, percent)


def _value(found: re.Match[str]) -> tuple[Fraction, int, int] | None:
    """The unsigned value of a match, its significant digits when decimal, and its decimal places."""
    part = found.groupdict()
    if sum(c.isdigit() for c in found.group()) > MAX_DIGITS:
        raise TooCostly(f"it has more than {MAX_DIGITS} digits")
    if part["european"]:
        text = part["european"].replace(".", "").replace(",", ".")
        return Fraction(text), *_precision(text)
    for whole, top, bottom in (("whole", "mn", "md"), ("whole2", "mn2", "md2"), ("whole3", "mn3", "md3")):
        if part[whole]:
            n, d = int(part[top]), int(part[bottom])
            return (int(part[whole]) + Fraction(n, d), 0, 0) if 0 < n < d else None
    for top, bottom in (("fn", "fd"), ("fn2", "fd2"), ("an", "ad")):
        if part[top]:
            d2 = _fraction(part[bottom])
            return (_fraction(part[top]) / d2, 0, 0) if d2 else None
    if part["exponent"] or part["power"]:
        return _scientific(part)
    if part["repeat"]:
        return _repeating(part["repeat"])
    if part["period"]:
        return _periodic(part["head"], part["period"]), 0, 0
    if part["base"]:
        return _numeral(part["numeral"], int(part["base"]))
    text = _ungrouped(part["decimal"])
    return Fraction(text), *_precision(text)


def _scientific(part: dict[str, str]) -> tuple[Fraction, int, int]:
    exponent = int(part["exponent"] or part["power"])
    if abs(exponent) > MAX_DIGITS:
        raise TooCostly(f"its exponent {exponent} is too large")
    mantissa = _ungrouped(part["mantissa"] or "1")
    digits, places = _precision(mantissa)
    return Fraction(mantissa) * Fraction(10) ** exponent, digits, max(0, places - exponent) if digits else 0


def _repeating(text: str) -> tuple[Fraction, int, int] | None:
    """0.333... is 1/3: the digits behind the point must end in a block that is written at least twice."""
    whole, _, digits = text.partition(".")
    for size in range(1, len(digits) // 2 + 1):
        block = digits[-size:]
        start = len(digits)
        while digits[max(0, start - size) : start] == block:
            start -= size
        if (len(digits) - start) // size >= 2 and len(digits) - start >= 3:
            head = Fraction(f"{whole}.{digits[:start] or '0'}")
            return head + Fraction(int(block), 10**size - 1) / 10**start, 0, 0
    return None


def _periodic(head: str, period: str) -> Fraction:
    """0.1 and period 6 is 1/6."""
    places = len(head.partition(".")[2])
    return Fraction("0" + head + "0") + Fraction(int(period), 10**places * (10 ** len(period) - 1))


def _numeral(text: str, base: int) -> tuple[Fraction, int, int] | None:
    """204 in base 5 is 54."""
    whole, _, part = text.partition(".")
    if not 2 <= base <= 16 or any(int(digit, 16) >= base for digit in whole + part):
        return None
    return Fraction(int(whole + part, base), base ** len(part)), 0, 0


def _ungrouped(text: str) -> str:
    """Without separators between groups of three digits, and readable by Fraction ("5." and ".5" too)."""
    text = text.replace("{,}", "").replace(",", "").replace(" ", "")
    return text + "0" if text.endswith(".") else text


def _fraction(text: str) -> Fraction:
    return Fraction(_ungrouped(text))


def _precision(text: str) -> tuple[int, int]:
    """(significant digits, decimal places) of a decimal; (0, 0) for an integer or a decimal that is one."""
    head, point, tail = text.partition(".")
    if not point or not tail.strip("0"):
        return 0, 0
    return len((head.lstrip("+-") + tail).lstrip("0")), len(tail)


def _percent(tail: str) -> tuple[bool, str]:
    for mark in ("%", "\\text{%}", "percent", "\\text{ percent}", "\\text{percent}", "per cent"):
        if tail.startswith(mark):
            return True, tail[len(mark) :].strip()
    return False, tail


def _unit(tail: str, spaced: bool, plain: bool) -> str | None:
    """The unit written in `tail`, "" for none, None when the tail is no unit (then the text is no quantity)."""
    if not tail:
        return ""
    if text := _TEXT_UNIT.fullmatch(tail):
        return (text[1].strip().lower() + (text[2] or "")).strip()
    if _SPECIAL_UNIT.fullmatch(tail):
        return "degree" if tail.startswith("^") and not tail.rstrip("}").endswith(("C", "F", "K")) else tail.strip()
    if _WORD_UNIT.fullmatch(tail):
        words = re.findall(r"[a-zA-Z]+", tail.lower())
        known = words[0] in _SMALL_UNITS or (len(words[0]) > 2 and (spaced or len(words[0]) > 3))
        if (known or (spaced and plain)) and not _NOT_UNITS.intersection(words):
            return "".join(tail.lower().translate({ord(c): None for c in "{}^."}).split())
        if words[0] in _SMALL_UNITS and len(words) == 1:
            return str(words[0])
    return None


def parse(text: str) -> Quantity | None:
    """The quantity in raw `text`, cleaning it when it is not plain."""
    return quick(text) or read_quantity(clean(text))
