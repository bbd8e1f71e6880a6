"""Seeds of their own for what must not draw the same numbers."""

from __future__ import annotations

import hashlib


def derived_seed(seed: int, name: str) -> int:
    """A seed below 2^31 for `name`, from the recipe's."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1
