"""Plugin: math-verify as a second grader, to compare verdicts with. Needs the extra ``mra-bench[math-verify]``.

The library, and sympy with it, is imported with the first text that is graded.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.types import Grade, Grader, Problem
    from mra_math_verify.options import Options

__all__ = ["NEEDS", "Options", "equivalent", "grade", "register_graders"]

__getattr__ = names(__name__, {"Options": "mra_math_verify.options"})

NEEDS = {"math_verify": "mra-bench[math-verify]"}


def grade(problem: Problem, text: str, options: Options | None = None) -> Grade:
    """math-verify's verdict on a model's `text`, out of which it picks the answer by its own rules."""
    from mra_math_verify.grader import grade_text
    from mra_math_verify.options import Options

    return grade_text(problem, text, options or Options())


def equivalent(gold: str, prediction: str, options: Options | None = None) -> Grade:
    """math-verify's verdict on two bare answers. It may change when the two are swapped."""
    from mra_math_verify.grader import compare_answers
    from mra_math_verify.options import Options

    return compare_answers(gold, prediction, options or Options())


def make_grader(options: Options) -> Grader:
    """The registered factory: a grader with these options."""
    return partial(grade, options=options)


@hookimpl
def register_graders(register: Register) -> None:
    register("math-verify", make_grader, options="mra_math_verify.options:Options", needs=NEEDS)
