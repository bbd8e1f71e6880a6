"""The stretches of mathematics in a sentence: whole formulas, numbers with their unit, relations, brackets.

A stretch is taken whole: of "√30", "2s", "1 1/35" or "a ≥ 2" no part is ever an answer. One pass over the tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mra_sympy.text_units import UNIT

_INT = (
    r"\d{1,3}(?:(?:,|\{,\}|\\?,\\!)\d{3})+(?!\d)"
    r"|(?<![\d.,]\s)\d{1,3}(?:[\x20\u00a0\u2009\u202f]\d{3})+(?![\d/]|\s\d|\s?-)|\d+"
)
_DECIMAL = rf"(?:(?:{_INT})(?:\.\d+)?(?:\.\.\.|…)?|\.\d+)"
_FUNCTIONS = "arcsin arccos arctan sinh cosh tanh sin cos tan cot sec csc log ln exp sqrt pi max min gcd lcm det"
_TOKEN = re.compile(
    rf"""(?P<calc><<[^<>\n]{{0,200}}>>|</?[a-zA-Z][^<>\n]{{0,30}}>)
      |(?P<formula>\$\$(?:[^$]{{1,2000}})\$\$|\$(?!\s*\d[\d.,]*\s[^$\\=]*\s\$)(?:[^$\n]{{1,1000}})\$(?!\d)
        |\\\((?:[^\\]|\\(?![()])){{1,1000}}\\\)|\\\[(?:[^\\]|\\(?![\[\]])){{1,2000}}\\\])
      |(?P<time>\d+(?:\.\d+)?(?:\s?:\s?\d+(?:\.\d+)?)+(?:\s?[aApP]\.?[mM]\b\.?)?|\d{{1,2}}\s?[aApP]\.?[mM]\b\.?)
      |(?P<num>(?:\\?[$€£¥₹]\s?)?(?:\d+\s\d+\s?/\s?\d+(?!\d)|\d+\s(?:in|out\sof)\s\d+(?![\d.,]?\d|\s?[a-zA-Z])|{_DECIMAL}(?:[eE][+-]?\d{{1,3}}(?!\w))?)(?:\s?\\?%)?)
      |(?P<cmd>\\[a-zA-Z]+|\\[{{}}%!,;: ])
      |(?P<func>(?:{_FUNCTIONS.replace(" ", "|")})(?![A-Za-z]))
      |(?P<word>[A-Za-z]{{2,}}(?:['’-][A-Za-z]+)*|[\u4e00-\u9fff]+)
      |(?P<letter>[^\W\d_])
      |(?P<rel>[=≈≤≥<>≠∈])
      |(?P<bold>(?<!\w)\*\*|\*\*(?!\w))
      |(?P<op>[-+−–*/^×·⋅÷√∞π°²³¹⁰⁴-⁹⁻₀-₉±_|∛∜½⅓⅔¼¾∪∩∅]|!(?=[\d+*/^)=]))
      |(?P<open>[(\[{{（])|(?P<close>[)\]}}）])
      |(?P<sep>[,;，；、])
      |(?P<space>[ \t]+)
      |(?P<other>.|\n)""",
    re.VERBOSE,
)
_MATHS = frozenset("time num cmd func letter rel op open close".split())
_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}")
_NUMERIC = re.compile(r"[\d∞π∅½⅓⅔¼¾]|\\(?!f?box(?:ed)?\b)[a-zA-Z]")
_OUTER = {"$$": 2, "$": 1, "\\(": 2, "\\[": 2}
_TRIM_LEFT = "=≈+*/^×·⋅÷_<>≤≥≠ \t)]}!|）°"
_TRIM_RIGHT = "=≈+-−–*/^×·⋅÷_<>≤≥≠ \t([{√（±"


@dataclass(frozen=True)
class Stretch:
    """text[start:end] is mathematics, written as text[outer_start:outer_end]; plain: not between formula marks."""

    start: int
    end: int
    outer_start: int
    outer_end: int
    plain: bool


def stretches(text: str, start: int, end: int) -> list[Stretch]:
    """All stretches of mathematics in text[start:end], in order."""
    found: list[Stretch] = []
    begin, last, depth = -1, -1, 0
    kind_before, gap = "", False
    for token in _TOKEN.finditer(text, start, end):
        kind = token.lastgroup or "other"
        if kind == "formula" and _is_formula(token.group()):
            _add(found, text, begin, last)
            found.append(_formula(text, token))
            begin, depth = -1, 0
        elif kind == "space":
            gap = True
            continue
        elif kind in _MATHS and not (begin >= 0 and gap and _apart(kind_before, kind)):
            begin = token.start() if begin < 0 else begin
            last = token.end()
            depth += (kind == "open") - (kind == "close")
        elif kind == "sep" and depth > 0 and begin >= 0:
            last = token.end()
        else:
            _add(found, text, begin, last)
            inside = kind in _MATHS
            begin, last, depth = (token.start(), token.end(), int(kind == "open")) if inside else (-1, -1, 0)
            if kind == "formula":  # a lone dollar sign: money
                found += _money(text, token)
        kind_before, gap = kind, False
    _add(found, text, begin, last)
    return found


def _apart(before: str, kind: str) -> bool:
    """Two operands with only a space between them are two things."""
    return before in ("num", "letter", "time", "close") and kind in ("num", "letter", "time", "func", "open")


def _is_formula(text: str) -> bool:
    """Between two dollar signs of money stands prose."""
    if not text.startswith("$") or text.startswith("$$"):
        return True
    inside = text[1:-1]
    if inside.endswith((" ", "(")) and inside[:1].isdigit():
        return False
    return _PROSE.search(re.sub(r"\\(?:text|mathrm|textbf|operatorname)\s*\{[^{}]*\}", "", inside)) is None


def _money(text: str, token: re.Match[str]) -> list[Stretch]:
    inner = stretches(text, token.start() + 1, token.end() - 1)
    if inner and inner[0].start == token.start() + 1:
        first = inner[0]
        inner[0] = Stretch(first.start - 1, first.end, first.start - 1, first.outer_end, True)
    return inner


def _formula(text: str, token: re.Match[str]) -> Stretch:
    mark = next(mark for mark in _OUTER if token.group().startswith(mark))
    start, end = token.start() + _OUTER[mark], token.end() - _OUTER[mark]
    while start < end and text[start].isspace():
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ".,;"):
        end -= 1
    if unit := UNIT.match(text, token.end() + (text[token.end() : token.end() + 1] == " ")):
        return Stretch(token.start(), unit.end(), token.start(), unit.end(), False)
    return Stretch(start, end, token.start(), token.end(), False)


def _add(found: list[Stretch], text: str, begin: int, last: int) -> None:
    """Add the plain stretch when, trimmed, it is mathematics; with the unit behind it."""
    if begin < 0:
        return
    start, end = _balanced(text, *_trimmed(text, begin, last))
    if "^" in text[begin:start] or "_" in text[begin:start]:
        return  # an exponent or an index of what was taken for a word
    inside = text[start:end]
    relation = any(c in "=<>≤≥≠" for c in inside) and len(inside) > 2
    if not (_NUMERIC.search(inside) or relation) or inside in ("\\", "\\ "):
        return
    if re.match(r"-[A-Za-z]{2}", text[last : last + 3]) or (text[last - 1] == "-" and text[last : last + 1].isalpha()):
        return  # 3-digit
    if unit := UNIT.match(text, end + (text[end : end + 1] == " ")):
        end = unit.end()
    found.append(Stretch(start, end, start, end, True))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _TRIM_LEFT and not _is_bound(text, start):
        start += 1
    while start < end and (text[end - 1] in _TRIM_RIGHT or (text[end - 1] == "|" and text[start:end].count("|") % 2)):
        end -= 1
    if text[start : start + 2] in ("- ", "– ") and not text[start + 2 : start + 3].isdigit():
        start += 2
    return start, end


def _is_bound(text: str, at: int) -> bool:
    """A sign that says "not", "below" or "above" is no dress of the number behind it; a quote mark or an arrow is."""
    if text[at] not in "<>≤≥≠" or text[at - 1 : at] in ("=", "-", ">", "<") or text[at + 1 : at + 2] in ("<", ">"):
        return False
    line = text.rfind("\n", max(0, at - 40), at)
    return text[at] == "≠" or text[max(line + 1, at - 40) : at].strip(" \t>*") != ""


def _balanced(text: str, start: int, end: int) -> tuple[int, int]:
    """Without brackets at the ends that are closed or opened outside."""
    pairs = {"(": ")", "[": ")", "{": "}", "（": "）"}
    while start < end:
        opened = sum(text[start:end].count(mark) for mark in pairs)
        closed = sum(text[start:end].count(mark) for mark in ")]}）")
        if opened > closed and text[start] in pairs:
            start += 1
        elif closed > opened and text[end - 1] in ")]}）":
            end -= 1
        elif closed > opened:
            start = _behind_unopened(text, start, end)
        elif (
            opened == closed == 1
            and text[start] in "(（"
            and text[end - 1] in ")）"
            and _lone(text[start + 1 : end - 1])
        ):
            start, end = start + 1, end - 1
        else:
            break
        start, end = _trimmed(text, start, end)
    return start, end


def _behind_unopened(text: str, start: int, end: int) -> int:
    """Behind the last closing bracket that nothing in text[start:end] opened."""
    depth = 0
    for k in range(start, end):
        depth += (text[k] in "([{（") - (text[k] in ")]}）")
        if depth < 0:
            start, depth = k + 1, 0
    return start


def _lone(inside: str) -> bool:
    return "," not in inside and "，" not in inside
