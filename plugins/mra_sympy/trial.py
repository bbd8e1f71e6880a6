"""One comparison: its options, and what its verdict rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mra_sympy.options import Options
from mra_sympy.values import Value


@dataclass
class Trial:
    """rule: how two values of any kind are compared. notes: what the verdict rests on where that is less than proof.
    hidden: it met something that could not be read, so that "different" is not sure."""

    options: Options
    rule: Callable[[Value, Value, Trial], bool]
    notes: list[str] = field(default_factory=list)
    hidden: bool = False

    def same(self, a: Value, b: Value) -> bool:
        """Are parts of what is compared the same? Raises Unreadable or TooCostly when it cannot be decided."""
        return self.rule(a, b, self)

    def note(self, text: str) -> None:
        """Say once what the verdict rests on."""
        if text not in self.notes:
            self.notes.append(text)
