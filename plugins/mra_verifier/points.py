"""Places at which two expressions are compared: the same for the same symbols and seed on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from mra_sympy.numeric import context


def places_of(symbols: Iterable[str], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` places; each symbol gets a number from 1/4 to 5/2, positive so that roots and logarithms have values."""
    mp = context()
    ordered = sorted(symbols)
    return [{name: mp.mpf(1) / 4 + mp.mpf(9) / 4 * _unit(name, k, seed) for name in ordered} for k in range(count)]


def _unit(name: str, k: int, seed: int) -> Any:
    """A number from 0 to 1 that depends on these alone."""
    digest = hashlib.sha256(f"{seed}/{k}/{name}".encode()).digest()[:4]
    return context().mpf(int.from_bytes(digest, "big")) / 2**32
