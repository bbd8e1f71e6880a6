"""The answer checker: finds the answer in a model's text and decides whether it equals the gold answer.

Usable alone: ``from mra_sympy import grade, equivalent, extract``. Numbers are decided as exact fractions; sympy is
imported only when an answer holds symbols.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.types import Grade, Grader, Problem
    from mra_sympy.extraction import Extraction
    from mra_sympy.options import Options

__all__ = ["Options", "equivalent", "extract", "grade", "register_graders"]
__getattr__ = names(__name__, {"Options": "mra_sympy.options"})


def grade(problem: Problem, text: str, options: Options | None = None) -> Grade:
    """Find the answer in a model's `text` and compare it with `problem.answer`."""
    from mra_bench.types import Problem
    from mra_sympy.grader import grade_text
    from mra_sympy.options import Options

    _must_be(problem, Problem, "grade() takes a mra_bench.Problem and a text (for two bare answers: equivalent())")
    _must_be(text, str, "grade() takes a mra_bench.Problem and a text")
    return grade_text(problem, text, options or Options())


def equivalent(gold: str, prediction: str, options: Options | None = None) -> Grade:
    """Compare two bare answers. Whether they are equal does not depend on which of the two is called gold;
    what cannot be read is not judged as gold, and wrong as a prediction."""
    from mra_sympy.grader import compare_answers
    from mra_sympy.options import Options

    _must_be(gold, str, "equivalent() compares two texts")
    _must_be(prediction, str, "equivalent() compares two texts")
    return compare_answers(gold, prediction, options or Options())


def extract(text: str, expects: str = "") -> Extraction | None:
    """The final answer in a model's text with its span and the rule that found it, or None. expects: "number",
    "expression", "choice", "set", "tuple", "interval", "matrix", "text" or "list" decides ties; "" leaves them open."""
    from mra_sympy.extraction import extract as find

    _must_be(text, str, "extract() takes a text")
    return find(text, expects)


def _must_be(value: object, kind: type, message: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{message}, got {type(value).__name__}: {value!r:.60}")


def make_grader(options: Options) -> Grader:
    """The registered factory: a grader with these options."""
    from mra_sympy.grader import grade_text

    return partial(grade_text, options=options)


@hookimpl
def register_graders(register: Register) -> None:
    register("sympy", make_grader, options="mra_sympy.options:Options")
