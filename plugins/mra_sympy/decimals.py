"""The ways to write a rational number in figures: separators, fractions, powers of ten, periods."""

from __future__ import annotations

import re
from fractions import Fraction

from mra_sympy.errors import TooCostly

MAX_DIGITS = 1000  # longer numbers are compared as text: Python itself refuses to print more than 4300 digits

_GROUP = (
    r"\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])|\d{1,3}(?:[ ]\d{3})+(?!\d)"
    r"|\d{1,3}(?:\{[ ,.]?\}\d{3})+(?!\d)|\d{1,3}(?:'\d{3})+(?![\d'])|\d{1,3}(?:_\d{3})+(?![\d_])"
)
_DECIMAL = rf"(?:(?:{_GROUP}|\d+)(?:\.\d*)?|\.\d+)"
_EUROPEAN = (
    r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}"
    r"|\d{1,3}(?:[ ']\d{3})+,(?:\d{1,2}(?!\d)|\d{4,})|\d{1,3}(?:[ ']\d{3}){2,},\d+"
)
BODY = re.compile(
    rf"""(?:
        (?P<european>{_EUROPEAN})(?![\d.,])
      | (?P<whole>\d+)\s*\\frac\s*\{{\s*(?P<mn>\d+)\s*\}}\s*\{{\s*(?P<md>\d+)\s*\}}
      | (?P<whole2>\d+)\s*\\frac\s*(?P<mn2>\d)\s*(?P<md2>\d)
      | (?P<whole3>\d+)(?:\s+|\s+and\s+)(?P<mn3>\d+)\s*/\s*(?P<md3>\d+)
      | \\frac\s*\{{\s*(?P<fn>[+-]?{_DECIMAL})\s*\}}\s*\{{\s*(?P<fd>[+-]?{_DECIMAL})\s*\}}
      | \\frac\s*\{{\s*(?P<fn3>[+-]?\d+)\s*\}}\s*(?P<fd3>\d)
      | \\frac\s*(?P<fn4>\d)\s*\{{\s*(?P<fd4>[+-]?\d+)\s*\}}
      | \\frac\s*(?P<fn2>\d)\s*(?P<fd2>\d)
      | (?P<an>{_DECIMAL})\s*/\s*(?P<ad>[+-]?{_DECIMAL})(?!\s*[/^!])
      | (?P<mantissa>{_DECIMAL})\s*(?:[eE]\s*|(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*)
            (?P<brace>\{{)?\s*\(?(?P<exponent>[+-]?\d{{1,6}})\)?\s*(?(brace)\}})
      | 10\s*\^\s*(?P<brace2>\{{)?\s*(?P<power>[+-]?\d{{1,6}})\s*(?(brace2)\}})
      | (?P<head>\d*\.\d*)\s*\\(?:overline|bar)\s*\{{?\s*(?P<period>\d+)\s*\}}?
      | (?P<head2>\d+\.\d*)\((?P<period2>\d+)\)(?!\s*[\d(^/])
      | (?P<dotted>\d*\.\d*\\dot(?:\d|\ |\\dot|\{{\s*\d\s*\}}){{1,60}})
      | (?P<repeat>\d+\.\d+)(?:\.\.\.|…|\\ldots|\\dots)
      | (?P<decimal>{_DECIMAL})
    )""",
    re.VERBOSE | re.ASCII,
)
Number = tuple[Fraction, int, int]


def value(found: re.Match[str]) -> Number | None:
    """(value, significant digits when decimal, decimal places) of a match of BODY, unsigned."""
    part = found.groupdict()
    if sum(c.isdigit() for c in found.group()) > MAX_DIGITS:
        raise TooCostly(f"it has more than {MAX_DIGITS} digits")
    if part["european"]:
        text = re.sub(r"[.' ]", "", part["european"]).replace(",", ".")
        return Fraction(text), *precision(text)
    for whole, top, bottom in (("whole", "mn", "md"), ("whole2", "mn2", "md2"), ("whole3", "mn3", "md3")):
        if part[whole]:
            n, d = int(part[top]), int(part[bottom])
            return (int(part[whole]) + Fraction(n, d), 0, 0) if 0 < n < d else None
    for top, bottom in (("fn", "fd"), ("fn2", "fd2"), ("fn3", "fd3"), ("fn4", "fd4"), ("an", "ad")):
        if part[top]:
            d2 = _fraction(part[bottom])
            return (_fraction(part[top]) / d2, 0, 0) if d2 else None
    if part["exponent"] or part["power"]:
        return _scientific(part)
    if part["repeat"]:
        return _repeating(part["repeat"])
    if part["dotted"]:
        return _under_dots(part["dotted"])
    for head, period in (("head", "period"), ("head2", "period2")):
        if part[period]:
            return _periodic(part[head], part[period]), 0, 0
    text = _ungrouped(part["decimal"])
    return Fraction(text), *precision(text)


def _scientific(part: dict[str, str]) -> Number:
    exponent = int(part["exponent"] or part["power"])
    if abs(exponent) > MAX_DIGITS:
        raise TooCostly(f"its exponent {exponent} is too large")
    mantissa = _ungrouped(part["mantissa"] or "1")
    digits, places = precision(mantissa)
    return Fraction(mantissa) * Fraction(10) ** exponent, digits, max(0, places - exponent) if digits else 0


def _repeating(text: str) -> Number | None:
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


def _under_dots(text: str) -> Number | None:
    """Dots stand over the first and the last digit of the period: 0.\\dot{1}4285\\dot{7}, 0.1\\dot6."""
    bare = re.sub(r"[{} ]", "", text)
    head, _, period = bare.partition("\\dot")
    digits = period.replace("\\dot", "")
    last = re.fullmatch(r"\d+(?:\\dot\d)?", period)
    if last is None or ("\\dot" not in period and len(digits) > 1):
        return None
    return _periodic(head, digits), 0, 0


def _ungrouped(text: str) -> str:
    """Without separators between groups of digits, and readable by Fraction ("5." and ".5" too)."""
    text = re.sub(r"[{}, '_]|\{\.\}", "", text.replace("{.}", "")) if not text.isdigit() else text
    return text + "0" if text.endswith(".") else text


def _fraction(text: str) -> Fraction:
    return Fraction(_ungrouped(text))


def precision(text: str) -> tuple[int, int]:
    """(significant digits, decimal places) of a decimal; (0, 0) for an integer or a decimal that is one."""
    head, point, tail = text.partition(".")
    if not point or not tail.strip("0"):
        return 0, 0
    return len((head.lstrip("+-") + tail).lstrip("0")), len(tail)
