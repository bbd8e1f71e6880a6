"""How figures are written in the report. Each function takes a plain value and gives a short text."""

from __future__ import annotations

import math
import re

from mra_bench.verdict import p_digits

NARROW = "\u202f"  # keeps a number and its unit together
MINUS = "\u2212"
DASH = "\u2013"
_INSEPARABLE = re.compile(r"(?<=\b[np]) (?=[=<])|(?<=[=<]) (?=\d)|(?<=\d) (?=%)|(?<=%) (?=CI\b)")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def percent(value: float | None, digits: int = 1) -> str:
    """A share in 0..1 as a percentage, e.g. ``67.3 %``; a dash when there is none."""
    return DASH if value is None else f"{100 * value:.{digits}f}{NARROW}%"


def bare(value: float | None, digits: int = 1) -> str:
    """A share in 0..1 in per cent without the sign, for where the sign stands close by, e.g. ``67.3``."""
    return DASH if value is None else f"{100 * value:.{digits}f}"


def share(part: float, whole: float, digits: int = 1) -> str:
    """`part` of `whole` as a percentage; a dash when the whole is zero."""
    return percent(part / whole if whole else None, digits)


def points(value: float | None) -> str:
    """A difference of shares, in percentage points with its sign, e.g. ``+4.3``."""
    if value is None:
        return DASH
    text = f"{abs(100 * value):.1f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else MINUS) + text


def size(value: float | None) -> str:
    """A share as a number of percentage points without sign, e.g. ``4.4``."""
    return DASH if value is None else f"{abs(100 * value):.1f}"


def p_value(p: float | None) -> str:
    """A p value as the verdict writes it, e.g. ``0.012``; never ``0``."""
    if p is None:
        return DASH
    return f"<{NARROW}0.001" if p < 0.001 else p_digits(p)


def count(value: float | None) -> str:
    """A count with separators; one decimal when it is a mean over samples."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def significant(value: float, digits: int = 4) -> str:
    """`value` with its significant digits, without an exponent where that stays short."""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{digits}g}"
    if "e" in text and 1e4 <= abs(value) < 1e15:
        text = f"{value:,.0f}"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def duration(seconds: float | None) -> str:
    """A length of time: ``0.4 s``, ``3 min 12 s``, ``2 h 05 min``."""
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.1f}{NARROW}s"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}{NARROW}h {minutes:02d}{NARROW}min"
    return f"{minutes}{NARROW}min {whole % 60:02d}{NARROW}s"


def scalar(value: object) -> str:
    """A leaf of the provenance tree as text."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return repr(value)
    return str(value)


def unbroken(text: str) -> str:
    """`text` with the spaces inside ``n = 5``, ``p < 0.001`` and ``95 % CI`` kept from breaking a line."""
    return _INSEPARABLE.sub("\u00a0", text)


def verdict_parts(sentence: str) -> tuple[str, str]:
    """A sentence of the verdict as what it says, and the figures in brackets (with what follows) behind it."""
    lead, bracket, rest = sentence.partition(" (")
    return (lead, "(" + rest) if bracket else (sentence, "")


def visible(text: str) -> str:
    """`text` with control characters, bidi controls and lone surrogates written as ``[U+202E]``: seen, and harmless."""
    return _UNSAFE.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def shortened(text: str, letters: int) -> str:
    """`text` as it is, or its beginning and end with an ellipsis between, in so many letters."""
    return text if len(text) <= letters else f"{text[: letters - 6]}…{text[-5:]}"


def bytes_used(value: float | None) -> str:
    """Memory, e.g. ``698 MiB`` or ``1.4 GiB``; a dash when it is not known."""
    if not value:
        return DASH
    mib = value / 2**20
    return f"{mib:.0f}{NARROW}MiB" if mib < 1000 else f"{mib / 1024:.1f}{NARROW}GiB"
