"""Options of math-verify that change verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge


@dataclass(frozen=True)
class Options:
    """Options of the grader "math-verify", named as in the library and with its defaults.

    strict: variables must have the same names, and a set never equals a tuple.
    float_rounding: decimal places to which decimals are rounded.
    numeric_precision: decimal places that a numerical comparison looks at.
    allow_set_relation_comp: 1 < x < 2 as the gold answer equals (1, 2).
    """

    strict: bool = True
    float_rounding: Annotated[int, Ge(0)] = 6
    numeric_precision: Annotated[int, Ge(1)] = 15
    allow_set_relation_comp: bool = False
