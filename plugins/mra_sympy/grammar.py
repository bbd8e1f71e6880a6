"""A small grammar of mathematical expressions, LaTeX and ASCII, that builds unevaluated trees.

Nothing is computed here and no name is looked up anywhere but in the tables below, so no text can run code. A tree is
nested tuples: ("num", Fraction), ("sym", name), ("const", name), ("add", terms), ("mul", factors), ("pow", base,
exponent), ("fn", name, arguments).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable

Node = tuple[Any, ...]

MAX_TOKENS = 600
MAX_DEPTH = 60
MAX_NUMBER = 1000

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega Delta Gamma "
    "Theta Lambda Sigma Phi Psi Omega ell hbar Pi upsilon iota".split()
)
FUNCTIONS = {
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "arsinh": "asinh", "arcosh": "acosh", "artanh": "atanh",
    "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "coth": "coth",
    "sech": "sech", "csch": "csch", "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc",
    "log": "log", "ln": "ln", "lg": "lg", "exp": "exp", "sqrt": "sqrt", "abs": "abs", "floor": "floor",
    "ceil": "ceil", "ceiling": "ceil", "gcd": "gcd", "lcm": "lcm", "min": "min", "max": "max", "binom": "binom",
    "factorial": "factorial", "arccot": "acot", "cbrt": "cbrt",
}  # fmt: skip
DECORATIONS = frozenset("overline bar vec hat widehat tilde dot angle triangle overrightarrow mathbb mathcal".split())
INVERSE = {"sin": "asin", "cos": "acos", "tan": "atan", "sinh": "asinh", "cosh": "acosh", "tanh": "atanh"}
WIDE = frozenset("exp sqrt abs floor ceil gcd lcm min max binom factorial cbrt".split())  # need brackets
CONSTANTS = {"pi": "pi", "infty": "oo", "inf": "oo", "infinity": "oo", "e": "e", "i": "i"}
COMMANDS = frozenset({*FUNCTIONS, *GREEK, *CONSTANTS, *DECORATIONS, "frac", "lfloor", "lceil"})
_NAMES = sorted({*FUNCTIONS, "pi", "theta", "infinity", "infty", "oo", "inf", "alpha", "mod"}, key=len, reverse=True)
_ENGLISH = frozenset("minus plus times over divided equals to is or and not if from than per by".split())
_TOKEN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)|\\([a-zA-Z]+)|([a-zA-Z]+)|(\^\\circ)|(\S)")
_SPLIT = re.compile("|".join(_NAMES) + r"|[a-zA-Z](?=\d)|[a-zA-Z]")


def parse(text: str) -> Node:
    """The tree of a cleaned expression. Raises Unreadable, or TooCostly when it is too long or too deep."""
    parser = _Parser(tokens(text))
    node = parser.sum()
    if parser.here < len(parser.tokens):
        raise Unreadable(f"'{parser.tokens[parser.here][1]}' is not expected there")
    return node


def tokens(text: str) -> list[tuple[str, str]]:
    """(kind, text) pairs; kinds: num, cmd, name, deg, op. ``\\frac12`` keeps its digits apart."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(text):
        number, command, word, degree, other = match.groups()
        if number:
            glued = (
                text[match.start() - 1 : match.start()].isalpha() and len(found[-1][1]) == 1 and found[-1][0] == "name"
            )
            found.append(("sub" if glued and number.isdigit() else "num", number))
        elif command:
            found.append(("cmd", command))
        elif word:
            found.extend(("name", part) for part in _letters(word))
        else:
            found.append(("deg", degree) if degree else ("op", other))
        if len(found) > MAX_TOKENS:
            raise TooCostly(f"it has more than {MAX_TOKENS} parts")
    return found


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


class _Parser:
    """Recursive descent over the tokens; one method for each level of precedence."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.tokens = found
        self.here = 0
        self.depth = 0
        self.bars = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.here] if self.here < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        if token[0] == "end":
            raise Unreadable("it stops in the middle")
        self.here += 1
        return token

    def accept(self, *texts: str) -> bool:
        if self.peek()[0] in ("op", "cmd") and self.peek()[1] in texts:
            self.here += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unreadable(f"'{text}' is missing")

    def sum(self) -> Node:
        terms = [self.product()]
        while self.peek() in (("op", "+"), ("op", "-")):
            minus = self.take()[1] == "-"
            term = self.product()
            terms.append(negate(term) if minus else term)
        return terms[0] if len(terms) == 1 else ("add", tuple(terms))

    def product(self) -> Node:
        factors = [self.unary()]
        while True:
            if self.accept("*", "cdot", "times"):
                factors.append(self.unary())
            elif self.accept("/", "div"):
                factors.append(("pow", self.unary(), ("num", Fraction(-1))))
            elif self.peek()[1] in ("mod", "bmod", "pmod") and self.peek()[0] != "op":
                self.take()
                factors = [("fn", "mod", (product(factors), self.unary()))]
            elif self._starts_factor():
                self._no_number_after_number()
                factors.append(self.power())
            else:
                return product(factors)

    def _starts_factor(self) -> bool:
        kind, text = self.peek()
        if kind == "cmd":
            return text in COMMANDS
        return kind in ("num", "name") or (
            kind == "op" and (text in ("(", "[", "{") or (text == "|" and not self.bars))
        )

    def _no_number_after_number(self) -> None:
        before = self.tokens[self.here - 1][0]
        if self.peek()[0] == "num" and before == "num":
            raise Unreadable("two numbers stand side by side")

    def unary(self) -> Node:
        minus = False
        while self.peek() in (("op", "+"), ("op", "-")):
            minus ^= self.take()[1] == "-"
        return negate(self.power()) if minus else self.power()

    def power(self) -> Node:
        base = self.postfix()
        if not self.accept("^"):
            return base
        return ("pow", base, self._exponent())

    def _exponent(self) -> Node:
        self._deeper()
        minus = False
        while self.peek() in (("op", "+"), ("op", "-")):
            minus ^= self.take()[1] == "-"
        node = self.postfix()
        if self.accept("^"):
            node = ("pow", node, self._exponent())
        self.depth -= 1
        return negate(node) if minus else node

    def postfix(self) -> Node:
        node = self.atom()
        while True:
            if self.accept("!"):
                node = ("fn", "factorial", (node,))
            elif self.accept("%"):
                node = product([node, ("num", Fraction(1, 100))])
            elif self.peek()[0] == "deg":
                self.take()
                node = ("fn", "deg", (node,))
            else:
                return node

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooCostly(f"it is nested more than {MAX_DEPTH} deep")

    def atom(self) -> Node:
        self._deeper()
        node = self._atom()
        self.depth -= 1
        return node

    def _atom(self) -> Node:
        kind, text = self.take()
        if kind == "num":
            return self._mixed(text)
        if text in FUNCTIONS and kind in ("name", "cmd"):
            return self.function(FUNCTIONS[text])
        if kind == "name":
            return self.symbol(text)
        if kind == "cmd":
            return self.command(text)
        for left, right in (("(", ")"), ("[", "]"), ("{", "}")):
            if text == left:
                node = self.sum()
                self.expect(right)
                return node
        if text == "|":
            self.bars += 1
            node = self.sum()
            self.expect("|")
            self.bars -= 1
            return ("fn", "abs", (node,))
        raise Unreadable(f"'{text}' is not expected there")

    def _mixed(self, text: str) -> Node:
        """A number, or with a proper fraction of plain numbers right behind it, the mixed number."""
        start, whole = self.here, number(text)
        if text.isdigit() and self.accept("frac"):
            top, bottom = self.argument(), self.argument()
            if top[0] == bottom[0] == "num" and 0 < top[1] < bottom[1]:
                return ("num", whole[1] + top[1] / bottom[1])
            self.here = start
        return whole

    def symbol(self, name: str) -> Node:
        if name in ("oo", "inf", "infinity", "infty"):
            return ("const", "oo")
        subscript = self.subscript()
        while self.accept("'"):
            subscript += "'"
        if not subscript and name in CONSTANTS:
            return ("const", CONSTANTS[name])
        return ("sym", name + subscript)

    def subscript(self) -> str:
        """``_{max}``, ``_1`` or a digit glued to a letter, as "_max", "_1"."""
        if self.peek()[0] == "sub":
            return "_" + self.take()[1]
        if not self.accept("_"):
            return ""
        if not self.accept("{"):
            return "_" + self.take()[1]
        parts: list[str] = []
        while not self.accept("}"):
            parts.append(self.take()[1])
        return "_" + "".join(part for part in parts if part not in ("{", "text"))

    def command(self, name: str) -> Node:
        if name == "frac":
            top, bottom = self.argument(), self.argument()
            return product([top, ("pow", bottom, ("num", Fraction(-1)))])
        if name in ("lfloor", "lceil"):
            node = self.sum()
            self.expect("r" + name[1:])
            return ("fn", "floor" if name == "lfloor" else "ceil", (node,))
        if name in GREEK or name in CONSTANTS:
            return self.symbol(name)
        if name in DECORATIONS:
            return self._decorated(name)
        raise Unreadable(f"'\\{name}' is not known")

    def _decorated(self, name: str) -> Node:
        """``\\overline{CD}``, ``\\vec v``, ``\\angle ABC``: one symbol, whatever the decoration means."""
        closed = self.accept("{")
        letters = ""
        while self.peek()[0] in ("name", "sub") and (closed or name in ("angle", "triangle") or not letters):
            letters += self.take()[1]
        if closed:
            self.expect("}")
        if not letters:
            raise Unreadable(f"'\\{name}' has no letters")
        return ("sym", f"{name}({letters}){self.subscript()}")

    def argument(self, digitwise: bool = True) -> Node:
        """What a LaTeX command takes: a group, or the next digit or symbol. ``\\sqrt17`` takes 17."""
        if self.accept("{"):
            node = self.sum()
            self.expect("}")
            return node
        kind, text = self.peek()
        if digitwise and kind == "num" and len(text) > 1 and text.isdigit():
            self.tokens[self.here : self.here + 1] = [("num", digit) for digit in text]
        return number(self.take()[1]) if self.peek()[0] == "num" else self.atom()

    def function(self, name: str) -> Node:
        if name in ("sqrt", "cbrt"):
            return self.root(name)
        if name == "binom":
            return ("fn", "binom", (self.argument(), self.argument()))
        base: tuple[Node, ...] = ()
        power: Node | None = None
        if name == "log" and self.accept("_"):
            base = (self.argument(),)
        if self.accept("^"):
            power = self._exponent()
        if power == ("num", Fraction(-1)) and name in INVERSE:
            name, power = INVERSE[name], None
        node: Node = ("fn", name, self.arguments(name) + base)
        return ("pow", node, power) if power is not None else node

    def root(self, name: str) -> Node:
        degree: Node = ("num", Fraction(3 if name == "cbrt" else 2))
        if name == "sqrt" and self.accept("["):
            degree = self.sum()
            self.expect("]")
        inside = self.arguments(name)[0] if self.peek() == ("op", "(") else self.argument(digitwise=False)
        return ("pow", inside, ("pow", degree, ("num", Fraction(-1))))

    def arguments(self, name: str) -> tuple[Node, ...]:
        """In brackets, separated by commas, or the juxtaposed factors that follow."""
        for left, right in (("(", ")"), ("{", "}"), ("[", "]")):
            if self.accept(left):
                found = [self.sum()]
                while self.accept(","):
                    found.append(self.sum())
                self.expect(right)
                return tuple(found)
        if name in WIDE:
            return (self.argument(),)
        factors = [self.unary()]
        while self._starts_factor() and self.peek()[1] not in FUNCTIONS and self.peek() not in (("op", "("),):
            self._no_number_after_number()
            factors.append(self.power())
        return (product(factors),)


def product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else ("mul", tuple(factors))


def negate(node: Node) -> Node:
    return ("num", -node[1]) if node[0] == "num" else ("mul", (("num", Fraction(-1)), node))


def symbols(node: Node) -> set[str]:
    """Names of the free symbols of a tree."""
    if node[0] == "sym":
        return {node[1]}
    children = node[1] if node[0] in ("add", "mul") else node[2] if node[0] == "fn" else node[1:]
    return set().union(*(symbols(child) for child in children if isinstance(child, tuple)))
