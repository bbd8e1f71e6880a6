"""Finds LaTeX in the texts of a dataset and makes MathML of it: small trees from an allow-list, never markup.

What cannot be converted, or is no mathematics after all (sums of money between dollar signs), stays source.
"""

from __future__ import annotations

import contextlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 2_000
DEEPEST = 60
SIZE = re.compile(r"-?[0-9.]+(em|ex|pt|mm|cm|px|%)?\Z")
WORD = re.compile(r"[a-z -]{1,40}\Z")
# The script builds nothing else, and checks again (math.js).
ATTRIBUTES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "mrow": {},
    "mi": {"mathvariant": WORD},
    "mn": {"mathvariant": WORD},
    "mo": dict.fromkeys(("stretchy", "fence", "form", "accent", "movablelimits", "mathvariant"), WORD)
    | dict.fromkeys(("minsize", "maxsize"), SIZE),
    "mtext": {"mathvariant": WORD},
    "mspace": {"width": SIZE},
    "msup": {},
    "msub": {},
    "msubsup": {},
    "mover": {"accent": WORD},
    "munder": {},
    "munderover": {},
    "mfrac": {"linethickness": SIZE},
    "msqrt": {},
    "mroot": {},
    "mstyle": {"displaystyle": WORD, "scriptlevel": SIZE},
    "mpadded": dict.fromkeys(("width", "height", "depth"), SIZE),
    "mphantom": {},
    "mtable": {"columnlines": WORD, "rowlines": WORD, "displaystyle": WORD},
    "mtr": {},
    "mtd": {"columnalign": WORD},
    "menclose": {"notation": WORD},
}
_ENVIRONMENTS = "align|aligned|equation|gather|gathered|multline|eqnarray|array|cases|[pbvBV]?matrix"
_TOKENS = re.compile(
    r"\\\\|\\\$|\$\$|\$|\\[()\[\]]|\[/?asy\]|\n[ \t]*\n"
    rf"|\\(?P<edge>begin|end)\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}"
)
_CLOSERS = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]", "[asy]": "[/asy]"}
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}[,;]?\s+[A-Za-z]{2,}|<<|[-+*/=]\Z")
_UNKNOWN = re.compile(r"\\[A-Za-z]")  # a command that the converter leaves as it is
_WORDS_ALLOWED = re.compile(r"\\(text|textbf|textit|textrm|mbox|mathrm|operatorname|hbox)\s*\{[^{}]*\}")
_FORMULA_IN_TEXT = re.compile(r"\\text\{([^{}$]*)\$([^$]+)\$([^{}$]*)\}")
_MACROS = re.compile(r"\\(?:re|provide)?(?:newcommand|def|let|newenvironment)(?![A-Za-z])")
_ENTITY = re.compile(r"&#x([0-9A-Fa-f]{1,6});")
_ALPHABETS = {  # Unicode's names of letters whose style is another letter to a browser
    "double-struck": ("MATHEMATICAL DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "script": ("MATHEMATICAL SCRIPT", "SCRIPT"),
    "fraktur": ("MATHEMATICAL FRAKTUR", "BLACK-LETTER"),
}


@dataclass(frozen=True)
class Formula:
    """A formula in a text: [start, end) with its delimiters, in code points; its source; whether it stands on a line of
    its own."""

    start: int
    end: int
    source: str
    display: bool


def find_formulas(text: str) -> list[Formula]:
    r"""The formulas of `text` in order: $...$, $$...$$, \(...\), \[...\] and environments such as align; no drawing of
    asy. A dollar opens one before anything but a space and closes it behind anything but a space, no digit following
    (Pandoc's rule), so sums of money are left alone. Takes time linear in the text."""
    return [formula for formula in _delimited(text) if _looks_right(formula)]


def _delimited(text: str) -> Iterator[Formula]:
    opened: re.Match[str] | None = None
    for token in _TOKENS.finditer(text):
        mark = token.group()
        if opened is None:
            opened = token if _opens(token, text) else None
        elif _closes(opened, token, text):
            if opened.group() != "[asy]":
                yield _formula(opened, token, text)
            opened = None
        elif opened.group() == "$" and mark not in ("\\\\", "\\$"):
            opened = token if _opens(token, text) else None  # the first was no opening one


def _opens(token: re.Match[str], text: str) -> bool:
    mark = token.group()
    if mark == "$":
        return text[token.end() : token.end() + 1].strip() != ""
    return mark in _CLOSERS or token["edge"] == "begin"


def _closes(opened: re.Match[str], token: re.Match[str], text: str) -> bool:
    if opened["edge"]:
        return token["edge"] == "end" and token["name"] == opened["name"]
    if token.group() != _CLOSERS[opened.group()]:
        return False
    return token.group() != "$" or not (
        text[token.start() - 1].isspace() or text[token.end() : token.end() + 1].isdigit()
    )


def _formula(opened: re.Match[str], closed: re.Match[str], text: str) -> Formula:
    inside = (opened.start(), closed.end()) if opened["edge"] else (opened.end(), closed.start())
    return Formula(opened.start(), closed.end(), text[slice(*inside)].strip(), opened.group() not in ("$", "\\("))


def _looks_right(formula: Formula) -> bool:
    return 0 < len(formula.source) <= LONGEST and not _PROSE.search(_WORDS_ALLOWED.sub(" ", formula.source))


def is_latex(answer: str) -> bool:
    """Whether a bare answer is written in LaTeX: a command, a power or an index, and no sentence."""
    return any(sign in answer for sign in "\\^_") and _looks_right(Formula(0, 0, answer, False))


@dataclass
class Converter:
    """Makes trees of formulas, of equal ones once."""

    known: dict[tuple[str, bool], str] = field(default_factory=dict)

    def tree(self, source: str, display: bool = False) -> str:
        """The MathML tree of LaTeX as JSON, ["tag", {attributes, where there are any}, children and texts...]; "" where
        it cannot be made."""
        key = (source, display)
        if key not in self.known:
            self.known[key] = _convert(source, display)
        return self.known[key]


def _convert(source: str, display: bool) -> str:
    from latex2mathml.converter import convert_to_element

    if len(source) > LONGEST or _MACROS.search(source) or _too_deep(source) or not _seen(source):
        return ""
    plain = _FORMULA_IN_TEXT.sub(r"\\text{\1}{\2}\\text{\3}", source)
    try:
        made = convert_to_element(plain, display="block" if display else "inline")
        inside = [_node(child, 0) for child in made]
    except Exception:  # the converter raises errors of many classes on what it cannot read
        return ""
    root = ["math", {"display": "block"}, *inside] if display else ["math", *inside]
    return json.dumps(root, ensure_ascii=True, separators=(",", ":"))


def _seen(source: str) -> bool:
    """Whether every character is one that can be seen; the others are shown by their code points, in the source."""
    return not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in source if letter not in "\t\n")


def _too_deep(source: str) -> bool:
    """Whether braces, \\left or environments nest deeper than a person writes: the converter calls itself for each."""
    depth = deepest = 0
    for token in re.finditer(r"\\left\b|\\right\b|\\begin\b|\\end\b|\\.|[{}^_]", source, re.DOTALL):
        depth += {"{": 1, "\\left": 1, "\\begin": 1, "}": -1, "\\right": -1, "\\end": -1}.get(token.group(), 0)
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def _node(element: Any, depth: int) -> list[Any]:
    if element.tag not in ATTRIBUTES or depth > 4 * DEEPEST:
        raise ValueError(element.tag)
    allowed = ATTRIBUTES[element.tag]
    attributes = {
        name: value for name, value in element.attrib.items() if name in allowed and allowed[name].match(value)
    }
    children = [_node(child, depth + 1) for child in element]
    if element.tag == "mrow" and len(children) == 1 and not attributes:
        return children[0]
    text = _ENTITY.sub(lambda found: chr(int(found[1], 16)), element.text or "")
    style = attributes.get("mathvariant", "")
    if style in _ALPHABETS:
        text = "".join(_styled(letter, _ALPHABETS[style]) for letter in text)
        del attributes["mathvariant"]
    if _UNKNOWN.search(text):
        raise ValueError(text)
    return [element.tag, *([attributes] if attributes else []), *([text] if text else []), *children]


def _styled(letter: str, alphabet: Sequence[str]) -> str:
    """The letter in another alphabet; as it is where that has none."""
    case = "CAPITAL" if letter.isupper() else "SMALL"
    for name in alphabet:
        with contextlib.suppress(KeyError):
            return unicodedata.lookup(f"{name} {case} {letter.upper()}")
    return letter
