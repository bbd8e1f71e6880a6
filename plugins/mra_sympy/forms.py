"""The larger forms of the grammar: fractions and derivatives, matrices, sums, decorated and indexed symbols."""

from __future__ import annotations

import re
from fractions import Fraction

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.token_stream import TokenStream
from mra_sympy.tokens import (
    ENVIRONMENTS,
    GREEK,
    Node,
    number,
    power,
    product,
)

MAX_CELLS = 400
_UNIT_VECTORS = {"i": 0, "j": 1, "k": 2, "imath": 0, "jmath": 1}


class Forms(TokenStream):
    """What stands behind a command. The levels of precedence are the parser's, which builds on this."""

    def sum(self) -> Node:
        """Terms with signs between them."""
        raise NotImplementedError

    def product(self) -> Node:
        """Factors."""
        raise NotImplementedError

    def argument(self, digitwise: bool = True) -> Node:
        """What a command takes."""
        raise NotImplementedError

    def _before(self, mark: str) -> Node:
        """An index in front: ``{}_8C_3`` or ``_8C_3`` is a binomial coefficient."""
        if mark:
            self.expect(mark)
        lower = self.argument()
        letter = self.take()[1]
        if letter not in ("C", "P", "A"):
            raise Unreadable("an index stands before nothing that is known")
        if self.peek()[0] == "sub":
            return arrangements(letter, lower, number(self.take()[1]))
        self.expect("_")
        return arrangements(letter, lower, self.argument())

    def index(self) -> str:
        """``_{max}``, ``_1`` or a digit glued to a letter, as "_max", "_1"; then primes."""
        found = ""
        if self.peek()[0] == "sub":
            found = "_" + self.take()[1]
        elif self.accept("_"):
            found = "_" + self.group()
        primes = 0
        while True:
            if self.accept("'"):
                primes += 1
            elif self.peek() == ("op", "^") and (count := self._prime_power()):
                primes += count
            else:
                return found + "'" * primes

    def _prime_power(self) -> int:
        """``^\\prime``, ``^{\\prime\\prime}``: how many primes, taken when there are some."""
        place = 1
        braced = self.peek(place)[1] == "{"
        place += braced
        count = 0
        while self.peek(place)[1] in ("prime", "'"):
            place, count = place + 1, count + 1
        if not count or (braced and self.peek(place)[1] != "}"):
            return 0
        self.here += place + braced
        return count

    def _fraction(self) -> Node:
        start = self.here
        top, bottom = self.group_text(), self.group_text()
        if (derivative := _derivative(top, bottom)) is not None:
            return derivative
        if top in ("d", "partial") and bottom.startswith(top):
            raise Unreadable("a derivative in it is not worked out")
        self.here = start
        return product([self.argument(), power(self.argument(), -1)])

    def group_text(self) -> str:
        """The text of the braced group here, or "" when there is none or it is nested."""
        if not self.accept("{"):
            self.here += self.here < len(self.tokens)
            return ""
        parts: list[str] = []
        level = 1
        while level:
            text = self.take()[1]
            level += (text == "{") - (text == "}")
            parts.append(text)
        return "".join(parts[:-1])

    def _conjugate(self) -> Node | None:
        """``\\overline{3+2i}``: the complex conjugate, when what is under the bar holds the imaginary unit or is z."""
        start = self.here
        if self.peek()[1] in ("z", "w") or [self.peek(k)[1] for k in range(3)] in (["{", "z", "}"], ["{", "w", "}"]):
            return ("fn", "conj", (self.argument(),))
        depth, place = 0, 0
        while self.peek(place)[0] != "end":
            text = self.peek(place)[1]
            depth += (text == "{") - (text == "}")
            if depth == 0:
                break
            if text in ("i", "overline", "bar"):
                return ("fn", "conj", (self.argument(),))
            place += 1
        self.here = start
        return None

    def _decorated(self, name: str) -> Node:
        """``\\overline{CD}``, ``\\vec v``, ``\\angle ABC``: one symbol, whatever the decoration means. ``\\hat i`` and
        ``\\vec{i}`` are unit vectors."""
        closed = self.accept("{")
        letters = ""
        many = closed or name in ("angle", "triangle")
        while (self.peek()[0] in ("name", "sub") or self.peek()[1] in GREEK) and (many or not letters):
            letters += self.take()[1]
        if closed:
            self.expect("}")
        if not letters:
            raise Unreadable(f"'\\{name}' has no letters")
        if name in ("vec", "hat") and letters in _UNIT_VECTORS:
            place = _UNIT_VECTORS[letters]
            return ("mat", tuple((("num", Fraction(int(row == place))),) for row in range(3)))
        name = "vec" if name == "overrightarrow" else name
        return ("sym", f"{name}({letters}){self.index()}")

    def _matrix(self) -> Node:
        kind = self.take()[1]
        if kind not in ENVIRONMENTS:
            raise Unreadable(f"'{kind}' is no matrix")
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while True:
            row.append(self.sum())
            if self.accept("&"):
                continue
            rows.append(tuple(row))
            row = []
            ends = self.accept("\\\\")
            if self.accept("end"):
                break
            if not ends:
                raise Unreadable("a matrix in it is not closed")
        if self.take()[1] != kind or len({len(cells) for cells in rows}) != 1:
            raise Unreadable("the rows of a matrix in it differ in length")
        if len(rows) * len(rows[0]) > MAX_CELLS:
            raise TooCostly("a matrix in it is too large")
        return ("fn", "det", (("mat", tuple(rows)),)) if kind == "vmatrix" else ("mat", tuple(rows))

    def _column(self, first: Node, closing: str) -> Node:
        """(1, 2, 3) among other factors: a vector."""
        cells = [first]
        while self.accept(","):
            cells.append(self.sum())
        self.expect(closing)
        return ("mat", tuple((cell,) for cell in cells))

    def _row(self, first: Node) -> Node:
        """[1, 2] among other factors: a row, and rows in brackets: a matrix."""
        column = self._column(first, "]")[1]
        if all(cell[0] == "mat" and len(cell[1]) == 1 for (cell,) in column):
            rows = tuple(cell[1][0] for (cell,) in column)
            if len({len(row) for row in rows}) == 1:
                return ("mat", rows)
        return ("mat", (tuple(cell for (cell,) in column),))

    def _series(self, kind: str) -> Node:
        """``\\sum_{k=1}^{n} body``, ``\\int_a^b body dx``, ``\\lim_{x \\to a} body``."""
        index, low, high = "", None, None
        if self.accept("_"):
            index, low = self._lower(kind)
            self.bound.add(index)
        if kind != "lim" and self.accept("^"):
            high = self.argument()
        if kind == "int":
            body, index = self._integrand()
        else:
            body = self.product()
        if low is None or not index or (high is None and kind != "lim"):
            raise Unreadable(f"'\\{kind}' lacks its bounds")
        return ("series", kind, index, low, high, body)

    def _lower(self, kind: str) -> tuple[str, Node]:
        if kind == "int":
            return "", self.argument()
        self.expect("{")
        index = self.take()[1]
        if not self.accept("=" if kind != "lim" else "to", "rightarrow"):
            raise Unreadable(f"'\\{kind}' has no index that can be read")
        low = self.sum()
        self.expect("}")
        return index, low

    def _integrand(self) -> tuple[Node, str]:
        """The integrand and its variable: what stands behind the last d."""
        places = [k for k in range(self.here, len(self.tokens)) if self.tokens[k] == ("name", "d")]
        if not places or places[-1] + 1 >= len(self.tokens):
            raise Unreadable("an integral in it has no variable")
        place = places[-1]
        inner = type(self)(self.tokens[self.here : place])
        body: Node = inner.sum() if inner.tokens else ("num", Fraction(1))
        if inner.here < len(inner.tokens):
            raise Unreadable("an integral in it cannot be read")
        self.here = place + 2
        return body, self.tokens[place + 1][1]


def is_vector(node: Node) -> bool:
    return node[0] == "mat" or (node[0] == "sym" and str(node[1]).startswith("vec("))


def arrangements(letter: str, n: Node, k: Node) -> Node:
    """C: binomial coefficient; P and A: permutations, n!/(n-k)!."""
    chosen: Node = ("fn", "binom", (n, k))
    return chosen if letter == "C" else ("mul", (chosen, ("fn", "factorial", (k,))))


def _derivative(top: str, bottom: str) -> Node | None:
    """``\\frac{dy}{dx}``, ``\\frac{d^2y}{dx^2}``: y with primes; a partial derivative: f with an index."""
    found = re.fullmatch(r"(d|partial)(?:\^\{?(\d)\}?)?([A-Za-z]|phi|theta|rho)", top)
    below = re.fullmatch(r"(d|partial)([a-zA-Z]|theta)(?:\^\{?(\d)\}?)?", bottom)
    if not found or not below or found[1] != below[1] or (found[2] or "1") != (below[3] or "1"):
        return None
    order = int(found[2] or 1)
    if found[1] == "d":
        return ("sym", found[3] + "'" * order + "@" + below[2])
    return ("sym", found[3] + "_" + below[2] * order)
