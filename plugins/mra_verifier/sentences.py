"""Equalities in sentences: "48/2 = 24 clips", "7 stickers * 6 pages = 42", "so 5x = 7200".

One pass cuts the text into tokens of a few types; a pattern over the types finds the chains. What is said in words
("half of 48 = 24") has no side that could be checked, and is left alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from mra_verifier.sides import Chain, Side

CALCULATOR = re.compile(r"<<[^<>\n]{0,200}>>")
_TOKEN = re.compile(
    r"""[ \t]*(?:(?P<run>(?<=[a-z][ ])(?:[A-Za-z]{2,}[ ]){3,40}(?=[A-Za-z]{2}))
      |(?P<word>[A-Za-z][A-Za-z'’]+)
      |(?P<num>(?:\\?[$€£¥₹][ ]?-?)?(?:\d{1,9}\s[1-9]\d{0,5}/\d{1,6}(?![\d.])|\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?
         |\d{1,3}(?:\s000)+(?![\d/])|\d+(?:\.\d+)?|\.\d+)(?:\s?\\?%)?)
      |(?P<eq>(?<![<>!=:])=(?![=>]))
      |(?P<calc><<[^<>\n]{0,200}>>)
      |(?P<rate>(?<=[\w%])\s?/\s?[A-Za-z]{2,})
      |(?P<bold>\*\*)
      |(?P<op>[-+*/^×÷·⋅−–]|\\times(?![a-z])|\\cdot(?![a-z])|\\div(?![a-z]))
      |(?P<var>[A-Za-z])
      |(?P<open>[(\[])|(?P<close>[)\]])
      |(?P<frac>\\[dt]?frac\s?\{\d{1,9}\}\s?\{\d{1,9}\})
      |(?P<root>[√∛∑∫|])
      |(?P<skip>\\boxed\s?\{|[{}])
      |(?P<other>.|\n|\Z))""",
    re.VERBOSE,
)
# Words that continue a calculation: a number behind or before one is only a part of what is calculated.
_BINDING = frozenset(
    "times plus minus of by over than twice half thrice double triple from less squared cubed root square cube divided "
    "multiplied added subtracted third thirds quarter quarters fourth fourths fifth fifths sixth sixths eighth "
    "tenth tenths halves power more fewer between choose modulo mod".split()
)
_SCALE = frozenset("dozen dozens hundred hundreds thousand thousands million billion remainder pm am o'clock".split())
_STOP = frozenset(
    "the is are was were be been so then thus hence total totals he she they it we you this that which who what if and "
    "or but for in on at to with as because since therefore when will would has have had can could make makes giving "
    "gives means get gets got his her their its our my your answer equals there step equation sum difference product "
    "only about around into until".split()
)
_RANGED = frozenset(
    "weeks days pages years months hours problems questions chapters levels grades rounds numbers steps".split()
)
_WORDS = {**dict.fromkeys(_STOP, "#"), **dict.fromkeys(_SCALE, "c"), **dict.fromkeys(_BINDING, "b")}
_OPERAND = r"\(*s?(?:nv{0,2}|v{1,2})w{0,4}(?:\)+w{0,3})?"
_SIDE = rf"{_OPERAND}(?:o{_OPERAND}){{0,30}}"
_CHAIN = re.compile(rf"{_SIDE}(?:={_SIDE}){{1,30}}")
_OPERATOR = {"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "\\times": "*", "\\cdot": "*", "\\div": "/"}
# Where a calculation may begin.
_BEGIN = re.compile(r"[\d√∛∑∫|=]|(?<![A-Za-z'’])[B-HJ-Zb-z](?![A-Za-z'’])")
_LABEL = re.compile(r"[ \t]*(?:[-*+•–]\s+|\d{1,3}[.)]\s+|(?:step|day|case)\s+\d{1,3}\s*[:.)-]\s*)", re.I)


class _Token(NamedTuple):
    """A piece of a line and its type; a tuple, because there are dozens a line."""

    type: str
    text: str
    start: int
    end: int


_SIMPLE = re.compile(r"[-+*/().\d]+(?:=[-+*/().\d]+)+")


def calculator_chain(text: str, start: int, end: int) -> Iterator[Chain]:
    """The chain in ``<<48/2=24>>``."""
    inside = text[start:end]
    if _SIMPLE.fullmatch(inside):
        yield Chain(tuple(Side(part, whole=_balanced(part)) for part in inside.split("=")), start, end)
    else:
        yield from sentence_chains(text, start, end)


def sentence_chains(text: str, start: int, end: int) -> Iterator[Chain]:
    """The chains of text[start:end], line by line."""
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if text.find("=", start, stop) >= 0:
            label = _LABEL.match(text, start, stop)
            begin = label.end() if label else start
            first = _BEGIN.search(text, begin, stop)
            yield from _in_line(text, _word_before(text, begin, first.start() if first else begin), stop)
        start = stop + 1


def _word_before(text: str, start: int, at: int) -> int:
    """Where the last word in front of text[at] begins: what stands before it is in no chain."""
    end = at - 1
    while end > start and text[end] in " ($\\":
        end -= 1
    return max(start, text.rfind(" ", start, max(start, end)))


def _in_line(text: str, start: int, stop: int) -> Iterator[Chain]:
    tokens = _tokens(text, start, stop)
    types = "".join(token.type for token in tokens)
    here = 0
    for part in types.split("#"):
        if "=" in part:
            for found in _CHAIN.finditer(types, here, here + len(part)):
                if chain := _chain(tokens, types, *found.span()):
                    yield chain
        here += len(part) + 1


def _tokens(text: str, start: int, stop: int) -> list[_Token]:
    """One token a piece; types: n(umber) v(ariable) o(perator) s(ign) = ( ) w(ord) b(inding word) c(scale) #(end)."""
    found: list[_Token] = []
    last, ends = "#", start
    for match in _TOKEN.finditer(text, start, stop):
        kind = match.lastgroup or "other"
        if kind in ("skip", "calc"):
            continue
        piece = match[kind]
        here, behind = match.span(kind)
        if kind == "open" and last in "n)" and ends == here:
            found.append(_Token("o", "*", here, here))  # 4(5) is a product, "4 (5" is not
        last, ends = _type(kind, piece, text, here, behind, last), behind
        found.append(_Token(last, piece, here, behind))
    return found


_FIXED = {"rate": "w", "root": "b", "eq": "=", "open": "(", "close": ")"}


def _type(kind: str, piece: str, text: str, start: int, end: int, last: str) -> str:
    if kind == "word":
        word = piece.lower()
        return "#" if word == "of" and last in "#w" else _WORDS.get(word, "w")  # "a total of", but "half of"
    if kind in ("num", "frac"):
        return "#" if _is_clock(piece, text, start, end) else "n"
    if kind == "op":
        return _operator_type(piece, text, end, last)
    if kind == "var":
        return _letter_type(piece, text, start, end, last)
    return _FIXED.get(kind, "#")


def _is_clock(piece: str, text: str, start: int, end: int) -> bool:
    """A part of a time of day, an index, or the end of a badly grouped number: none of these is a number of its own."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    if before.endswith("_") or behind.startswith("_") or (piece[0] == "0" and piece[1:2].isdigit()):
        return True
    split = len(before) == 2 and before[1] in ":," and before[0].isdigit()
    return split or (behind[:1] == ":" and behind[1:].isdigit())


def _operator_type(piece: str, text: str, end: int, last: str) -> str:
    if piece not in "-−–":
        return "o"
    if last in "=(os":
        return "s"
    spaced = text[end : end + 1].isspace()
    return "s" if last == "#" and not spaced else "o"


def _letter_type(piece: str, text: str, start: int, end: int, last: str) -> str:
    """A letter is an unknown, an article, or the cross of a multiplication."""
    behind = text[end : end + 12].lstrip(" ")
    if piece in "xX" and last in "nw)" and behind[:1] and (behind[0].isdigit() or behind[0] in "$(.€£\\"):
        return "o"
    if piece in "aAIei" or text[start - 1 : start] in ("'", "’", "_") or behind[:1] in ("'", "’", "_"):
        return "#"
    return "v"


def _chain(tokens: list[_Token], types: str, first: int, last: int) -> Chain | None:
    """The chain of tokens[first:last], without brackets that are closed or opened outside of it."""
    while first < last and types[first] == "(" and types.count("(", first, last) > types.count(")", first, last):
        first += 1
    while last > first and types[last - 1] == ")" and types.count(")", first, last) > types.count("(", first, last):
        last -= 1
    bounds = [first - 1, *(k for k in range(first, last) if types[k] == "="), last]
    parts = [tokens[a + 1 : b] for a, b in itertools.pairwise(bounds)]
    if not all(parts) or any(t.type == "#" for part in parts for t in part):
        return None
    sides = [_side(part) for part in parts]
    if _goes_before(tokens, types, first):
        sides[0] = Side(sides[0].source, whole=False)
    if _goes_on(tokens, types, last):
        sides[-1] = Side(sides[-1].source, whole=False)
    return Chain(tuple(sides), tokens[first].start, tokens[last - 1].end)


def _goes_before(tokens: list[_Token], types: str, first: int) -> bool:
    """Has the calculation begun before the chain, in words or in something that could not be read?"""
    before = tokens[first - 1] if first else None
    if types[first] == "s":
        return before is not None
    if before is None:
        return False
    if before.type in "w#" and (before.end < tokens[first].start or before.text in ":.,;$"):
        tight = types[first + 1 : first + 2] == "o" and tokens[first].end == tokens[first + 1].start
        return tight and tokens[first + 1].text in "-–" and before.text.lower() in _RANGED  # "weeks 1-2 = ..."
    return before.type not in "=("


def _goes_on(tokens: list[_Token], types: str, last: int) -> bool:
    """Does the calculation go on behind the chain, in words or in something that could not be read?"""
    behind = types[last : last + 3]
    if behind[:1] in ("c", "n", "v", "(") and behind:
        return behind[0] != "("
    if behind[:1] == "b":
        return tokens[last].text.lower() in ("squared", "cubed") or behind[1:2] in ("n", "v", "(") or "n" in behind
    if behind[:1] == "o":
        return tokens[last].text not in "-–−" or behind[1:2] in ("n", "v", "b")
    return behind[:1] == "#" and tokens[last].text.lower() == "and" and behind[1:2] in ("n", "b")


def _side(part: list[_Token]) -> Side:
    """The side with its numbers as the grammar reads them; words behind a number are its unit."""
    source, plain, unit, units, percents, sums = [], [], "", set(), False, False
    for k, token in enumerate(part):
        if token.type == "w":
            if not k or part[k - 1].type != "w":
                unit = token.text.strip(" /").lower()
                units.add(unit)
            continue
        if token.type == "n":
            number, percent, mark = _number(token.text)
            percents |= percent
            unit = mark or unit
            units |= {mark} - {""}
            source.append(f"({number}/100)" if percent else number)
            plain.append(number)
            continue
        sums |= token.type == "o" and token.text in "+-−–"
        piece = {"[": "(", "]": ")"}.get(
            token.text, _OPERATOR.get(token.text, "*" if token.text in "xX" and token.type == "o" else token.text)
        )
        source.append(piece)
        plain.append(piece)
    whole = "".join(source)
    return Side(whole, "".join(plain) if percents else "", unit, _balanced(whole), sums, frozenset(units))


def _balanced(source: str) -> bool:
    return source.count("(") == source.count(")")


_MIXED = re.compile(r"(\d+)\s(\d+)/(\d+)")
_SPACED = re.compile(r"(?<=\d)\s(?=000(?![\d/]))")
_FRACTION = re.compile(r"\\[dt]?frac\s?\{(\d+)\}\s?\{(\d+)\}")


def _number(text: str) -> tuple[str, bool, str]:
    """(digits as the grammar reads them, is a percentage, currency mark)."""
    if found := _FRACTION.fullmatch(text):
        return f"({found[1]}/{found[2]})", False, ""
    mark = next((m for m in "$€£¥₹" if m in text), "")
    bare = text.strip(" \\$€£¥₹%").replace(",", "")
    bare = _SPACED.sub("", bare)
    if found := _MIXED.fullmatch(bare):
        return f"({found[1]}+{found[2]}/{found[3]})", "%" in text, mark
    return bare, "%" in text, mark
