"""A small grammar of mathematical expressions, LaTeX and ASCII, that builds unevaluated trees.

Nothing is computed here and no name is looked up anywhere but in the tables of `tokens`, so no text can run code. A
tree is nested tuples: ("num", Fraction), ("sym", name), ("const", name), ("add", terms), ("mul", factors),
("pow", base, exponent), ("root", radicand, degree), ("fn", name, arguments) of a known function, ("call", name,
arguments) of an unknown one, ("mat", rows), ("cross", a, b), and ("series", kind, index, from, to, body) for sums,
products, integrals and limits; `piecewise` makes ("cases", branches).
"""

from __future__ import annotations

import re
from fractions import Fraction

from mra_sympy.errors import Unreadable
from mra_sympy.forms import Forms, arrangements, is_vector
from mra_sympy.token_stream import MAX_DEPTH
from mra_sympy.tokens import (
    COMMANDS,
    CONSTANTS,
    DECORATIONS,
    ELLIPSIS,
    FUNCTIONS,
    GREEK,
    INVERSE,
    SERIES,
    WIDE,
    Node,
    negate,
    number,
    power,
    product,
    tokens,
)

CALLED = frozenset("f g h F G H phi psi Phi Psi".split())  # letters that are functions wherever a bracket follows
_OFTEN_CALLED = re.compile(r"[A-Zuvwxyz]")  # functions only before one letter or one whole number: y(0), P(A)


def parse(text: str) -> Node:
    """The tree of a cleaned expression. Raises Unreadable, or TooCostly when it is too long or too deep."""
    parser = _Parser(tokens(text))
    node = parser.sum()
    if parser.here < len(parser.tokens):
        raise Unreadable(f"'{parser.tokens[parser.here][1]}' is not expected there")
    return node


class _Parser(Forms):
    """Recursive descent over the tokens; one method for each level of precedence."""

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
            if self.accept("times"):
                right = self.unary()
                factors = [("cross", product(factors), right)] if is_vector(right) else [*factors, right]
            elif self.accept("*", "cdot"):
                factors.append(self.unary())
            elif self.accept("/", "div"):
                factors.append(power(self.unary(), -1))
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
        if self.peek()[0] == "num" and self.tokens[self.here - 1][0] == "num":
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
        if (special := self._special_power(base)) is not None:
            return special
        return ("pow", base, self._exponent())

    def _special_power(self, base: Node) -> Node | None:
        """``^T`` transposes, ``y^{(3)}`` is a third derivative, ``C_5^2`` is a binomial coefficient."""
        ahead = [self.peek(k)[1] for k in range(5)]
        if base[0] == "mat" and (ahead[0] == "T" or ahead[:3] == ["{", "T", "}"]):
            self.here += 1 if ahead[0] == "T" else 3
            return ("fn", "transpose", (base,))
        if base[0] == "sym" and ahead[:2] == ["{", "("] and ahead[3:] == [")", "}"] and ahead[2].isdigit():
            self.here += 5
            return ("sym", base[1] + "'" * min(int(ahead[2]), 50))
        if base[0] == "sym" and re.fullmatch(r"[CAP]_\w+", base[1]):
            start = self.here
            lower, upper = base[1][2:], self.group()
            if lower.isdigit() and upper.isdigit() and 0 < int(upper) <= int(lower):
                return arrangements(base[1][0], number(lower), number(upper))
            if base[1][0] == "C" and lower.isalpha() and (upper.isdigit() or upper.isalpha()):
                return arrangements("C", ("sym", lower), number(upper) if upper.isdigit() else ("sym", upper))
            self.here = start
        return None

    def _exponent(self) -> Node:
        self.deeper()
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
                marks = 1
                while self.accept("!"):
                    marks += 1
                if marks > 2:
                    raise Unreadable("three '!' in a row are no factorial that is known")
                node = ("fn", "factorial" if marks == 1 else "factorial2", (node,))
            elif self.accept("%"):
                node = product([node, ("num", Fraction(1, 100))])
            elif self.peek()[0] == "deg":
                self.take()
                node = ("fn", "deg", (node,))
            else:
                return node

    def atom(self) -> Node:
        self.deeper()
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
            return self._name(text)
        if kind == "cmd":
            return self.command(text)
        for left, right in (("(", ")"), ("[", "]"), ("{", "}")):
            if text == left:
                if left == "{" and self.accept("}"):
                    return self._before("_") if self.peek()[1] == "_" else self.atom()
                node = self.sum()
                if left != "{" and self.peek() == ("op", ","):
                    return self._column(node, right) if left == "(" else self._row(node)
                self.expect(right)
                return node
        if text == "|":
            return self._bars()
        if text == "_":
            return self._before("")
        raise Unreadable(f"'{text}' is not expected there")

    def _bars(self) -> Node:
        double = self.accept("|")
        self.bars += 1
        node = self.sum()
        self.expect("|")
        if double:
            self.expect("|")
        self.bars -= 1
        return ("fn", "norm" if double else "abs", (node,))

    def _mixed(self, text: str) -> Node:
        """A number, or with a proper fraction of plain numbers right behind it, the mixed number."""
        start, whole = self.here, number(text)
        if text.isdigit() and self.accept("frac"):
            top, bottom = self.argument(), self.argument()
            if top[0] == bottom[0] == "num" and 0 < top[1] < bottom[1]:
                return ("num", whole[1] + top[1] / bottom[1])
            self.here = start
        return whole

    def _name(self, name: str) -> Node:
        """A symbol, a constant, or an unknown function with its arguments."""
        if name in ("oo", "inf", "infinity", "infty"):
            return ("const", "oo")
        index = self.index()
        inverse = self._inverse_mark(name)
        if self._calls(name):
            return self._call(name + index + inverse)
        if inverse:
            self.here -= 3 if self.peek(-1)[1] != "}" else 5
        if not index and name in CONSTANTS and name not in self.bound:
            return ("const", CONSTANTS[name])
        return ("sym", name + index)

    def _inverse_mark(self, name: str) -> str:
        """``f^{-1}`` before its argument is the inverse function."""
        ahead = [self.peek(k)[1] for k in range(6)]
        if name in CALLED and ahead == ["^", "{", "-", "1", "}", "("]:
            self.here += 5
            return "^-1"
        return ""

    def _calls(self, name: str) -> bool:
        """Is the bracket that follows an argument, rather than a factor?"""
        if self.peek() != ("op", "(") or name in CONSTANTS:
            return False
        if name in CALLED:
            return True
        inside, closing = self.peek(1), self.peek(2)
        if closing == ("op", ")") and inside == ("num", "0"):
            return True
        if closing == ("op", ",") and name in ("C", "P") and inside[0] == "num" and self.peek(3)[0] == "num":
            return True
        alone = inside[0] in ("name", "num") and len(inside[1]) == 1 and closing == ("op", ")")
        return alone and _OFTEN_CALLED.fullmatch(name) is not None

    def _call(self, name: str) -> Node:
        arguments = self.arguments("f")
        if name in ("C", "P") and len(arguments) == 2:
            return arrangements(name, *arguments)
        return ("call", name, arguments)

    def command(self, name: str) -> Node:
        if name == "frac":
            return self._fraction()
        if name in ("lfloor", "lceil"):
            node = self.sum()
            self.expect("r" + name[1:])
            return ("fn", "floor" if name == "lfloor" else "ceil", (node,))
        if name in GREEK or name in CONSTANTS:
            return self._name(name)
        if name in ("overline", "bar") and (conjugate := self._conjugate()) is not None:
            return conjugate
        if name in DECORATIONS or name == "overline":
            return self._decorated(name)
        if name in ("dot", "ddot"):
            return ("sym", self.group() + "'" * len(name.removesuffix("ot")))
        if name == "begin":
            return self._matrix()
        if name in SERIES:
            return self._series(name)
        if name in ELLIPSIS:
            return ("sym", "...")
        raise Unreadable(f"'\\{name}' is not known")

    def argument(self, digitwise: bool = True) -> Node:
        """What a LaTeX command takes: a group, or the next digit or symbol. ``\\sqrt17`` takes 17."""
        if self.accept("{"):
            node = self.sum()
            self.expect("}")
            return node
        kind, text = self.peek()
        if digitwise and kind == "name" and self.peek(1)[0] == "sub":  # \frac n2
            self.tokens[self.here + 1] = ("num", self.peek(1)[1])
        if digitwise and kind == "num" and len(text) > 1 and text.isdigit():
            self.tokens[self.here : self.here + 1] = [("num", digit) for digit in text]
        return number(self.take()[1]) if self.peek()[0] == "num" else self.atom()

    def function(self, name: str) -> Node:
        if name in ("sqrt", "cbrt"):
            return self.root(name)
        if name == "binom":
            return ("fn", "binom", (self.argument(), self.argument()))
        base: tuple[Node, ...] = ()
        exponent: Node | None = None
        if name == "log" and self.accept("_"):
            base = (self.argument(),)
        if self.accept("^"):
            exponent = self._exponent()
        if exponent == ("num", Fraction(-1)) and name in INVERSE:
            name, exponent = INVERSE[name], None
        node: Node = ("fn", name, self.arguments(name) + base)
        return ("pow", node, exponent) if exponent is not None else node

    def root(self, name: str) -> Node:
        degree: Node = ("num", Fraction(3 if name == "cbrt" else 2))
        if name == "sqrt" and self.accept("["):
            degree = self.sum()
            self.expect("]")
        inside = self.arguments(name)[0] if self.peek() == ("op", "(") else self.argument(digitwise=False)
        return ("root", inside, degree)

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


__all__ = ["MAX_DEPTH", "Node", "parse"]
