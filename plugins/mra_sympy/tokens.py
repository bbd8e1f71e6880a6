"""The words of the grammar, and how a cleaned expression is cut into them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable

Node = tuple[Any, ...]

MAX_TOKENS = 600
MAX_NUMBER = 1000

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega Delta Gamma "
    "Theta Lambda Sigma Phi Psi Omega ell hbar Pi upsilon iota imath jmath".split()
)
FUNCTIONS = {
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "coth": "coth",
    "sech": "sech", "csch": "csch", "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc",
    "tg": "tan", "ctg": "cot", "arctg": "atan", "arcctg": "acot", "cosec": "csc", "cis": "cis",
    "log": "log", "ln": "ln", "lg": "lg", "exp": "exp", "sqrt": "sqrt", "abs": "abs", "floor": "floor",
    "ceil": "ceil", "ceiling": "ceil", "gcd": "gcd", "lcm": "lcm", "min": "min", "max": "max", "binom": "binom",
    "factorial": "factorial", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc", "cbrt": "cbrt", "sgn": "sign",
    "sign": "sign", "det": "det", "Re": "re", "Im": "im", "conj": "conj", "norm": "norm",
}  # fmt: skip
BARE_FUNCTIONS = frozenset(FUNCTIONS) - {"tg", "min", "max", "Re", "Im", "norm", "conj", "sign"}
DECORATIONS = frozenset("bar hat widehat tilde widetilde angle triangle overrightarrow mathcal mathbb vec".split())
INVERSE = {"sin": "asin", "cos": "acos", "tan": "atan", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh"}
WIDE = frozenset("exp abs floor ceil gcd lcm min max binom factorial sign det re im conj norm".split())  # need brackets
CONSTANTS = {"pi": "pi", "infty": "oo", "inf": "oo", "infinity": "oo", "e": "e", "i": "i"}
SERIES = frozenset("sum prod int lim".split())
ELLIPSIS = frozenset("cdots ldots dots dotsc dotsb".split())
ENVIRONMENTS = frozenset("pmatrix bmatrix Bmatrix matrix smallmatrix vmatrix array".split())
COMMANDS = frozenset(
    {*FUNCTIONS, *GREEK, *CONSTANTS, *DECORATIONS, *SERIES, *ELLIPSIS,
     "frac", "lfloor", "lceil", "overline", "dot", "ddot", "begin", "langle", "partial"}
)  # fmt: skip
_NAMES = sorted({*BARE_FUNCTIONS, "pi", "theta", "infinity", "infty", "oo", "inf", "alpha", "mod"}, key=len)[::-1]
_ENGLISH = frozenset(
    "minus plus times over divided equals to is or and not if from than per by the for with are all yes that this only "
    "any each more less between until".split()
)
_TOKEN = re.compile(
    r"\\(begin|end)\s*\{\s*([a-zA-Z]+)\*?\s*\}(?:\s*\{[lcr|@ ]*\})?"
    r"|(\d+(?:\.\d+)?|\.\d+)|(\.\.\.)|\\([a-zA-Z]+)|([a-zA-Z]+)|(\^\\circ)|(\\[{}\\|]|\S)"
)
_SPLIT = re.compile("|".join(_NAMES) + r"|[a-zA-Z](?=\d)|[a-zA-Z]")


def tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) pairs of a cleaned expression; kinds: num, cmd, name, sub (a digit glued to a letter), env, deg, op.
    Raises TooCostly when there are too many, Unreadable for an English word."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(text):
        frame, environment, number, dots, command, word, degree, other = match.groups()
        if frame:
            found += [("cmd", frame), ("env", environment)]
        elif number:
            found.append(("sub" if _glued(text, match, found) else "num", number))
        elif dots:
            found.append(("cmd", "ldots"))
        elif command:
            found.append(("cmd", command))
        elif word:
            found.extend(("name", part) for part in _letters(word))
        else:
            found.append(("deg", degree) if degree else ("op", other))
        if len(found) > MAX_TOKENS:
            raise TooCostly(f"it has more than {MAX_TOKENS} parts")
    return found


def _glued(text: str, match: re.Match[str], found: list[tuple[str, str]]) -> bool:
    """x2 and the 2 in x2^3 is an index, but the 2 of n2^n is a factor."""
    before = text[match.start() - 1 : match.start()]
    letter = before.isalpha() and found[-1][0] == "name" and len(found[-1][1]) == 1
    factor = re.match(r"\s*\^\s*\{?\s*[^\d\s{]", text[match.end() :])
    return letter and match.group().isdigit() and not factor


def _letters(word: str) -> list[str]:
    """Known names and single letters; an English word is not a product of its letters."""
    parts = _SPLIT.findall(word)
    if word.lower() in _ENGLISH or (len(word) > 4 and all(len(part) == 1 for part in parts)):
        raise Unreadable(f"'{word}' is a word")
    return parts


def number(text: str) -> Node:
    """A number node. Raises TooCostly for absurdly long ones."""
    if len(text) > MAX_NUMBER:
        raise TooCostly(f"it holds a number of {len(text)} digits")
    return ("num", Fraction(text))


def product(factors: list[Node]) -> Node:
    """The product of one or more factors."""
    return factors[0] if len(factors) == 1 else ("mul", tuple(factors))


def power(base: Node, exponent: int | Fraction) -> Node:
    """`base` to a rational exponent."""
    return ("pow", base, ("num", Fraction(exponent)))


def negate(node: Node) -> Node:
    """Minus `node`."""
    return ("num", -node[1]) if node[0] == "num" else ("mul", (("num", Fraction(-1)), node))


def difference(a: Node, b: Node) -> Node:
    """`a` minus `b`."""
    return ("add", (a, negate(b)))


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node that are nodes themselves."""
    kind = node[0]
    if kind in ("add", "mul"):
        return tuple(node[1])
    if kind in ("fn", "call"):
        return tuple(node[2])
    if kind == "mat":
        return tuple(cell for row in node[1] for cell in row)
    if kind == "series":
        return tuple(part for part in node[3:] if part is not None)
    if kind == "cases":
        tests = [(test[1], test[2]) for _, conditions in node[1] for test in conditions]
        return tuple(expression for expression, _ in node[1]) + tuple(side for test in tests for side in test)
    return tuple(part for part in node[1:] if isinstance(part, tuple))


def symbols(node: Node) -> set[str]:
    """Names of the free symbols of a tree. The index of a sum is not free."""
    if node[0] == "sym":
        return {node[1]}
    inside: set[str] = set().union(*(symbols(child) for child in children(node)))
    return inside - {node[2]} if node[0] == "series" else inside


def kinds(node: Node) -> set[str]:
    """The kinds of all nodes of a tree; of functions and constants their names too."""
    own = {node[0], str(node[1])} if node[0] in ("fn", "const", "series") else {node[0]}
    return own.union(*(kinds(child) for child in children(node)))


def renamed(node: Node, names: dict[str, str]) -> Node:
    """The tree with its free symbols renamed."""
    kind = node[0]
    if kind == "sym":
        return ("sym", names.get(node[1], node[1]))
    if kind in ("add", "mul"):
        return (kind, tuple(renamed(child, names) for child in node[1]))
    if kind in ("fn", "call"):
        return (kind, node[1], tuple(renamed(child, names) for child in node[2]))
    if kind == "mat":
        return (kind, tuple(tuple(renamed(cell, names) for cell in row) for row in node[1]))
    if kind == "series":
        inner = {name: new for name, new in names.items() if name != node[2]}
        return (*node[:3], *(None if part is None else renamed(part, inner) for part in node[3:]))
    if kind == "cases":
        return (kind, tuple((renamed(e, names), tuple((s, renamed(a, names), renamed(b, names)) for s, a, b in tests))
                            for e, tests in node[1]))  # fmt: skip
    return tuple(renamed(part, names) if isinstance(part, tuple) else part for part in node)
