"""The tokens of an expression, and the place of a parser in them."""

from __future__ import annotations

from mra_sympy.errors import TooCostly, Unreadable

MAX_DEPTH = 60


class TokenStream:
    """The tokens and the place in them."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        self.tokens = found
        self.here = 0
        self.depth = 0
        self.bars = 0
        self.bound: set[str] = set()  # indices of sums: i is no imaginary unit there

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self.here + ahead
        return self.tokens[place] if place < len(self.tokens) else ("end", "")

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

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooCostly(f"it is nested more than {MAX_DEPTH} deep")

    def group(self) -> str:
        """The plain text of a braced group, or of one token."""
        if not self.accept("{"):
            return self.take()[1]
        parts: list[str] = []
        while not self.accept("}"):
            parts.append(self.take()[1])
        return "".join(part for part in parts if part not in ("{", "text"))
