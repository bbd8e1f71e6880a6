"""Options of the builders."""

from __future__ import annotations

from dataclasses import dataclass

from mra_bench.own_rows import Choose


@dataclass(frozen=True)
class OwnCorrectOptions:
    """choose: which of a problem's correct samples: drawn at random, or the shortest ones in tokens."""

    choose: Choose = "random"
