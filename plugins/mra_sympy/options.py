"""What reasonable people decide differently about two answers being equal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of the grader "sympy".

    percent_as_number: 50% equals both 1/2 and 50. Otherwise it equals 1/2 only.
    ignore_missing_unit: "5 cm" equals "5". Two units that differ never equal each other unless they convert.
    ignore_name: "x = 5" equals "5".
    rounding_digits: a decimal with at least so many significant digits equals every value that rounds to it;
    0 switches rounding off. Shorter decimals are exact: 0.33 is not 1/3.
    ratio_as_number: 3:4 equals 3/4 and 0.75.
    ignore_missing_base: a numeral equals its bare figures, 4210_5 equals 4210. Otherwise only values count: 1011_2 is
    11.
    rename_constants: constants of integration may be called C, c_1, K, and absorb numbers: "x^2/2 + C" equals
    "(x^2 + K)/2".
    degrees_as_radians: 90 degrees equal pi/2, where the other side is written with pi.
    answer_in_thoughts: an answer inside a <think> that is never closed counts. Otherwise such a text has no answer.
    corrections: "Wait, it is actually 6" behind an answer replaces it. Otherwise the stated answer stays.
    ordered_blanks: values separated by semicolons on both sides are the blanks of a question, in order.
    """

    percent_as_number: bool = True
    ignore_missing_unit: bool = True
    ignore_name: bool = True
    rounding_digits: int = 6
    ratio_as_number: bool = True
    ignore_missing_base: bool = False
    rename_constants: bool = True
    ordered_blanks: bool = True
    answer_in_thoughts: bool = False
    corrections: bool = True
    degrees_as_radians: bool = True

    def __post_init__(self) -> None:
        if self.rounding_digits < 0:
            raise ValueError("rounding_digits must be 0 (no rounding) or more")
