"""Equalities in formulas: ``$a = b = c$``, rows of an aligned display, steps joined by arrows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mra_sympy.clean import clean, closing
from mra_sympy.errors import Unreadable
from mra_sympy.split import closers_match, split_relation

from mra_verifier.sides import Chain, Side

MAX_ROW = 1500
# Rows of a display, arrows and commas behind which another statement begins.
_CUT = re.compile(
    r"\\\\(?:\[[^\[\]]{0,8}\])?|\\(?:implies|Rightarrow|Longrightarrow|iff|Leftrightarrow|Longleftrightarrow|qquad|quad)"
    r"(?![a-zA-Z])|,\s*\\?\s|;|\n\s*\n"
)
_TABLE = re.compile(r"\\begin\{(?:[pbBvV]?matrix|smallmatrix|cases|array|tabular)\}|\\phantom|\\hline")
_RUNS_ON = re.compile(
    r"[\s&{}\\]{0,20}(?:\\(?:quad|qquad|times|cdot|div|,|;|!)\s{0,4}&?\s{0,4})*(?:[-+*/]|\\times|\\cdot|\\div)(?![a-z])"
)
_OPEN_END = re.compile(r"(?:[-+*/]|\\times|\\cdot|\\div)[\s&]*\Z")
_FRAMES = re.compile(r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lcr| ]*\})?|&|\\(?:nonumber|tag\{[^{}]*\}|label\{[^{}]*\})")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|textrm|textit|textbf)\s*\{([^{}]*)\}(?:\s*\^\s*\{?[23]\}?)?")
_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])")
_PAIR = re.compile(r"\(\s*\d+,\s?\d+\s*\)")
_GROUPED = re.compile(r"(?<=\d)(?:,|\{,\}|\\,|\\!)+(?=\d{3}(?!\d))")
# What the grammar would read as something else: numerals with a base, repeating decimals, congruences, cancelled terms.
_STRANGE = re.compile(
    r"\d\s*_|_\s*\{?\s*\d+\s*\}?\s*=|\\overline|\\pmod|\\bmod|\\equiv|\\not|\\cancel|\\begin|\\cdots|\\ldots|\\dots|\\pm|\\mp"
    r"|\\stackrel|\\overset|\\underset|\\underbrace|\\over(?![a-z])|\\log_|\\rule|_\{?\\text|'|gcd|lcm|max|min|\\&|\^\s?\d\d|!\s*!"
)


def formula_chains(text: str, start: int, end: int) -> Iterator[Chain]:
    """The chains of the formula text[start:end]. A row that begins with a sign goes on from the row before."""
    if _TABLE.search(text, start, end):
        return
    here, last = start, None
    for cut in [*_CUT.finditer(text, start, end), None]:
        if cut and (
            _RUNS_ON.match(text, cut.end(), end) or _OPEN_END.search(text, max(here, cut.start() - 12), cut.start())
        ):
            continue  # one side of an equality in several rows
        stop = cut.start() if cut else end
        row = text[here:stop]
        if "=" in row and len(row) <= MAX_ROW:
            for sides in _runs(row, last):
                yield Chain(tuple(sides), here + len(row) - len(row.lstrip(" &\n")), here + len(row.rstrip()), True)
                last = sides[-1]
        else:
            last = None
        if cut is None:
            break
        here = cut.end()


def _runs(row: str, last: Side | None) -> Iterator[list[Side]]:
    """Sides joined by equals signs alone; another sign ends a run."""
    found = _split(row)
    if found is None:
        return
    sides: list[Side] = [_side(found[0])] if found[0] else [last] if last else [Side("", whole=False)]
    for sign, part in zip(found[1::2], found[2::2], strict=True):
        if sign != "=":
            if len(sides) > 1:
                yield sides
            sides = []
        sides.append(_side(part))
    if len(sides) > 1:
        yield sides


def _split(row: str) -> list[str] | None:
    """[side, sign, side, ...] of a cleaned row, None where it cannot be read."""
    if "\\&" in row:
        return None
    bare = _BOX.sub("", _FRAMES.sub(" ", row))
    if not _PAIR.search(bare):  # (28,365) is a pair, or what two functions take
        bare = _GROUPED.sub("", bare)
    try:
        cleaned = clean(bare.replace("\\$", ""))
    except Unreadable:
        return None
    cleaned = cleaned.replace("\\equiv", "\\approx")  # either ends a chain of equalities
    return split_relation(cleaned) if closers_match(cleaned) else None


def _side(part: str) -> Side:
    words = list(_TEXT.finditer(part))
    source = _unbraced(_TEXT.sub(" ", part).strip().rstrip(".,;:").strip())
    behind = len(words) == 1 and not part[words[0].end() :].strip(" .,;:")
    spoken = words and (not behind or re.search(r"\d|\b(?:of|times|and)\b", words[0][1]))
    whole = not _STRANGE.search(part) and not spoken
    unit = words[-1][1].strip().lower() if words else ""
    if "%" in source:
        return Side(source, source.replace("%", ""), unit, whole, sums=_sums(source))
    return Side(source, "", unit, whole and bool(source))


def _unbraced(source: str) -> str:
    """Without the braces of a box around all of it."""
    return source[1:-1].strip() if source.startswith("{") and closing(source, 0) == len(source) - 1 else source


def _sums(source: str) -> bool:
    return re.search(r"(?<=[\w%)}])\s*[-+]", source) is not None
