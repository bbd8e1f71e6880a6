"""Do two trees have the same value? A few places refute, rising precision confirms."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.numeric import SERIES_DIGITS, context, is_matrix, numeric
from mra_sympy.tokens import Node, children, kinds, renamed, symbols

FAR = 10
PRECISIONS = (30, 90, 250)  # significant digits worked with; equal means equal to two thirds of them
FINE_PLACES = 2  # of them are worked out at the higher precision too
INTEGER_KINDS = frozenset("floor ceil factorial factorial2 binom mod gcd lcm".split())
COUNTERS = frozenset("nkm")  # letters that count where something is counted with them
_SIZES = [
    (0.1, 0.8), (1.1, 2.9), (0.2, 0.9), (2.0, 5.0), (0.15, 0.85), (1.2, 3.1), (0.3, 2.2), (3.0, 7.0), (0.4, 0.95),
    (12, 24), (20, 45), (0.2, 0.7),
]  # fmt: skip
POSITIVE = 4  # at so many places all symbols are positive; then each has a sign of its own
BENDING = frozenset(
    "abs floor ceil min max mod gcd lcm sign cases binom".split()
)  # functions that change course somewhere
MOST_SPECIAL = 6
LARGEST_SPECIAL = 10_000


def agree(a: Node, b: Node) -> bool:
    """Do two trees have equal values at every place tried where both are real (at complex ones if they never are)?
    Raises TooCostly, or Unreadable when there are too few places where both have a value."""
    a, b = aligned(a, b)
    names = symbols(a) | symbols(b)
    infinite = _infinite(a) or _infinite(b)
    if not names:
        return _compared(a, b, {}, _digits(infinite))[0]
    real: list[bool] = []
    rest: list[bool] = []
    for place in _places_for(a, b, names, infinite):
        try:
            verdict, is_real = _compared(a, b, place, _digits(infinite, enough=len(real) >= FINE_PLACES))
        except TooCostly:
            raise
        except Unreadable:
            continue
        (real if is_real else rest).append(verdict)
        if real and not real[-1]:
            return False
    if len(real) >= 2:
        return True
    if len(real) + len(rest) < 2:
        raise Unreadable("it has no value where it was tried")
    return all(rest)


def may_agree(a: Node, b: Node) -> bool:
    """False when the first place where both have a real value tells them apart: cheap, and enough for most answers."""
    a, b = aligned(a, b)
    names = symbols(a) | symbols(b)
    infinite = _infinite(a) or _infinite(b)
    for place in _places_for(a, b, names, infinite) if names else [{}]:
        try:
            verdict, is_real = _compared(a, b, place, _digits(infinite, enough=True))
        except TooCostly:
            raise
        except Unreadable:
            continue
        if is_real:
            return verdict
    return True


def aligned(a: Node, b: Node) -> tuple[Node, Node]:
    """dy/dx and y' are one symbol unless both sides say by what they differentiate."""
    left, right = ({name for name in symbols(node) if "@" in name} for node in (a, b))
    if not left and not right:
        return a, b
    bases = {name.partition("@")[0] for name in left} & {name.partition("@")[0] for name in right}
    names = {name: name.partition("@")[0] for name in left | right if name.partition("@")[0] not in bases}
    return renamed(a, names), renamed(b, names)


def _digits(infinite: bool, *, enough: bool = False) -> tuple[int, ...]:
    """To how many digits values are compared, one precision after the other; 0 for two thirds of the precision."""
    return (SERIES_DIGITS - 3,) if infinite else (0,) if enough else (8, 0)


def _places_for(a: Node, b: Node, names: set[str], infinite: bool) -> list[dict[str, Any]]:
    """The places that suit what stands in the trees."""
    found = kinds(a) | kinds(b)
    whole = _counting(a, b, names, found)
    bends = bool(found & BENDING)
    special = list(dict.fromkeys([Fraction(1), *_numbers(a), *_numbers(b)]))[:MOST_SPECIAL] if bends else []
    if whole:  # only integers, from 0 up
        special = [value for value in special if value.denominator == 1]
    chosen = places(names, whole, special)
    if whole:
        chosen = [place for place in chosen if all(place[n] == int(place[n]) >= 0 for n in whole & names)]
    if infinite:  # where power series converge fast
        chosen = [{n: v if n in whole else v / 12 for n, v in place.items()} for place in chosen[:4]]
    if found & {"conj", "re", "im"}:
        chosen = [{name: context().mpc(value, value / 3 + 1) for name, value in place.items()} for place in chosen]
    return chosen


def constant_ratio(a: Node, b: Node, *, positive: bool) -> bool:
    """Is a/b the same constant everywhere, not zero, and with `positive` above zero?"""
    mp = context()
    a, b = aligned(a, b)
    names = symbols(a) | symbols(b)
    if not names:
        return False
    ratios: list[Any] = []
    for place in places(names, frozenset()):
        try:
            x, y = numeric(a, place, mp), numeric(b, place, mp)
        except TooCostly:
            raise
        except Unreadable:
            continue
        small = mp.mpf(10) ** -20
        if is_matrix(x) or is_matrix(y) or abs(x) < small or abs(y) < small:
            return False
        ratios.append(x / y)
    if len(ratios) < 3 or (positive and (abs(mp.im(ratios[0])) > small or mp.re(ratios[0]) < 0)):
        return False
    return all(close(ratio, ratios[0], mp) for ratio in ratios)


def _counting(a: Node, b: Node, names: set[str], found: set[str]) -> frozenset[str]:
    """The symbols that can only be integers: those that count in a factorial, a binomial coefficient, a sum, under
    floor or ceiling, or in a power of -1."""
    if found & INTEGER_KINDS or "series" in found or _alternates(a) or _alternates(b):
        if found & {"factorial", "factorial2", "binom", "gcd", "lcm", "series"}:
            return frozenset(names & _counted(a, names) | names & _counted(b, names) | names & COUNTERS)
        return frozenset(names & COUNTERS)
    return frozenset()


def _counted(node: Node, names: set[str]) -> set[str]:
    """Symbols inside functions of integers and in the bounds of sums."""
    if node[0] == "fn" and node[1] in INTEGER_KINDS - {"floor", "ceil", "mod"}:
        return symbols(node)
    own: set[str] = set()
    if node[0] == "series" and node[1] in ("sum", "prod"):
        own = symbols(node[3]) | (symbols(node[4]) if node[4] else set())
    return own.union(*(_counted(child, names) for child in children(node)))


def _alternates(node: Node) -> bool:
    """Does it hold a power of a negative number with a symbol in the exponent?"""
    if node[0] == "pow" and node[1][0] == "num" and node[1][1] < 0 and symbols(node[2]):
        return True
    return any(_alternates(child) for child in children(node))


def _infinite(node: Node) -> bool:
    """Does it hold an infinite sum, an integral or a limit?"""
    if node[0] == "series" and (node[1] in ("int", "lim") or "oo" in kinds(node[4] or node[3])):
        return True
    return any(_infinite(child) for child in children(node))


def places(names: set[str], whole: frozenset[str], special: Sequence[Fraction] = ()) -> list[dict[str, Any]]:
    """Where expressions in these symbols are compared: small, large, positive, negative, each symbol with a sign of its
    own, always the same places. `whole` get positive integers. special: values at which something may change; they and
    their neighbours are tried too."""
    mp = context()
    ordered = sorted(names)
    found = []
    for k, (low, high) in enumerate(_SIZES):
        place = {}
        for number, name in enumerate(ordered):
            seed = _seed(name, k)
            negative = (k >> number) & 1 if number < 3 else (seed >> 8) & 1
            sign = -1 if k >= POSITIVE and negative else 1
            size = low + (high - low) * mp.mpf(seed) / 2**32
            place[name] = mp.mpf(2 + k + seed % 4) if name in whole else sign * size
        found.append(place)
    for number, value in enumerate(_neighbours(special)):
        exact_value = mp.mpf(value.numerator) / value.denominator
        found.append(
            {name: exact_value + (mp.mpf(_seed(name, number) % 7) if name != ordered[0] else 0) for name in ordered}
        )
    return found


def _neighbours(special: Sequence[Fraction]) -> list[Fraction]:
    """Numbers from the trees, what lies beside them, and small integers."""
    own = [value for c in special for value in (c, -c, c + 1, c - 1, 2 * c, c + Fraction(1, 2), c - Fraction(1, 2))]
    return list(dict.fromkeys([*own, *(Fraction(k) for k in range(-3, 4))])) if special else []


def _numbers(node: Node) -> list[Fraction]:
    """The rational numbers in a tree, each once, not too large and not too many."""
    if node[0] == "num":
        return [abs(node[1])] if abs(node[1]) <= LARGEST_SPECIAL else []
    found: list[Fraction] = []
    for child in children(node):
        found += [number for number in _numbers(child) if number not in found]
    return found[:MOST_SPECIAL]


@functools.cache
def _seed(name: str, k: int) -> int:
    """32 bits that depend on the name and the number of the place alone."""
    return int.from_bytes(hashlib.sha256(f"{name}/{k}".encode()).digest()[:4], "big")


def _compared(a: Node, b: Node, place: dict[str, Any], digits: tuple[int, ...]) -> tuple[bool, bool]:
    """Are both equal there, to `digits` at each of PRECISIONS in turn; and are both real?"""
    mp = context(PRECISIONS[0])
    left, right = numeric(a, place, mp), numeric(b, place, mp)
    real = is_real(left, mp) and is_real(right, mp)
    if not close(left, right, mp, digits[0]):
        return _cancelled(a, b, place), real
    if len(digits) == 1 and not _tiny(left, right, mp):
        return True, real
    fine = context(PRECISIONS[1])
    x, y = numeric(a, place, fine), numeric(b, place, fine)
    if not close(x, y, fine):
        return False, real
    return not _tiny(left, right, mp) or _vanish(left, right, x, y, fine), real


def _cancelled(a: Node, b: Node, place: dict[str, Any]) -> bool:
    """Far out, large terms may cancel: there only many digits tell values apart."""
    if all(abs(value) < FAR for value in place.values()):
        return False
    mp = context(PRECISIONS[2])
    return close(numeric(a, place, mp), numeric(b, place, mp), mp, PRECISIONS[0])


def _tiny(left: Any, right: Any, mp: Any) -> bool:
    if is_matrix(left) or is_matrix(right):
        return False
    return bool(max(abs(left), abs(right)) < mp.mpf(10) ** (-mp.dps * 2 // 3))


def _vanish(left: Any, right: Any, x: Any, y: Any, fine: Any) -> bool:
    """Two values near 0: both 0, which shows in their shrinking as precision grows, or equal relative to their size."""
    coarse, size = max(abs(left), abs(right)), max(abs(x), abs(y))
    if size == 0 or size < coarse * fine.mpf(10) ** -20:
        return True
    return bool(abs(x - y) <= size * fine.mpf(10) ** -20)


def close(a: Any, b: Any, mp: Any, digits: int = 0) -> bool:
    """Equal to `digits` (two thirds of the precision of `mp` for 0), relative to the larger; of matrices each cell."""
    if is_matrix(a) or is_matrix(b):
        if not (is_matrix(a) and is_matrix(b)) or (a.rows, a.cols) != (b.rows, b.cols):
            return False
        return all(close(x, y, mp, digits) for x, y in zip(a, b, strict=True))
    if mp.isnan(a) or mp.isnan(b):
        return False
    if mp.isinf(a) or mp.isinf(b):
        return bool(a == b)
    tolerance = mp.mpf(10) ** -(digits or mp.dps * 2 // 3)
    scale = max(abs(a), abs(b))
    return bool(abs(a - b) <= scale * tolerance) or bool(scale < tolerance)


def is_real(value: Any, mp: Any) -> bool:
    """Is the value (of a matrix each cell) finite and without an imaginary part?"""
    if is_matrix(value):
        return all(is_real(cell, mp) for cell in value)
    return bool(mp.isfinite(value)) and bool(abs(mp.im(value)) <= abs(mp.re(value)) * mp.mpf(10) ** (-mp.dps * 2 // 3))
