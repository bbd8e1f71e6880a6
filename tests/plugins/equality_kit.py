"""Checks shared by the tests of the answer checker: pairs that are equal and pairs that are not."""

from __future__ import annotations

from mra_sympy import Options, equivalent

Pairs = list[tuple[str, str]]


def judged(a: str, b: str, options: Options | None = None) -> bool:
    """The verdict, which must be the same both ways round."""
    one, other = equivalent(a, b, options), equivalent(b, a, options)
    assert (one.correct is True) == (other.correct is True), (a, b, one.reason, other.reason)
    return one.correct is True


def check(equal: Pairs, different: Pairs) -> None:
    """All of `equal` are equal and all of `different` are not."""
    wrong = [(a, b) for a, b in equal if not judged(a, b)] + [("!=", a, b) for a, b in different if judged(a, b)]
    assert wrong == [], wrong
