"""The two graders, each as `judge(case) -> True, False or None`, and what makes a run with them fair.

The peer is asked for its bare verdict; ours works out its whole Grade (canonical answer, reason) in the time measured.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from cases import Case

Judge = Callable[[Case], bool | None]

# Caches that hold compiled patterns and tables of functions, the same for every case. All others are emptied.
TABLES = {"context", "_table", "get_extraction_regexes", "lazy_expr_regex", "lazy_latex_regex", "lazy_string_regex"}

_UNRELATED = (
    ("17", "17.0"),
    (r"\frac{7}{11}", "7/11"),
    (r"\sqrt{12}+1", r"1+2\sqrt{3}"),
    (r"\sin^2 t+\cos^2 t", "1"),
    ("(u+v)^2", "u^2+2uv+v^2"),
    (r"\{2,4,6\}", r"\{6,4,2\}"),
    (r"(-\infty,4]\cup(9,\infty)", r"(-\infty,4]\cup(9,\infty)"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&2\\3&5\end{pmatrix}"),
    (r"y=3z-2", r"2=3z-y"),
    (r"\log_2 32", "5"),
    (r"\text{red}", "red"),
    (r"25\%", "0.25"),
    ("3,1,2", "1,2,3"),
    (r"\int_0^1 w\,dw", r"\frac12"),
)
WARM_UP = tuple(Case("warm-up", str(k), "", "answer", *pair, True) for k, pair in enumerate(_UNRELATED)) + tuple(
    Case("warm-up", f"text-{k}", "", "text", pair[0], f"So we get \\boxed{{{pair[1]}}}.", True)
    for k, pair in enumerate(_UNRELATED)
)


def sympy() -> Judge:
    """Our answer checker."""
    from mra_sympy import equivalent, grade

    from mra_bench.types import Problem

    def judge(case: Case) -> bool | None:
        if case.mode == "answer":
            return equivalent(case.gold, case.prediction).correct
        return grade(Problem(case.id, "?", case.gold), case.prediction).correct

    return judge


def math_verify() -> Judge:
    """math-verify with its own defaults, its timeout off, each bare side in dollars; None where it finds nothing in
    the gold answer."""
    from mra_math_verify import Options
    from mra_math_verify.grader import read, same, wrapped

    logging.disable(logging.CRITICAL)
    options = Options()

    def judge(case: Case) -> bool | None:
        gold = read(wrapped(case.gold))
        found = read(wrapped(case.prediction) if case.mode == "answer" else case.prediction)
        return same(gold, found, options) if gold else None

    return judge


JUDGES: dict[str, Callable[[], Judge]] = {"sympy": sympy, "math-verify": math_verify}
PACKAGES = ("mra_sympy", "math_verify", "latex2sympy2_extended")


def forget_all() -> None:
    """Empty every cache that a case may have filled: those of both graders, and sympy's own."""
    forget_answers()
    if "sympy" in sys.modules:
        from sympy.core.cache import clear_cache

        clear_cache()


def forget_answers() -> None:
    """Empty the caches of both graders, but leave sympy's."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES:
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear") and getattr(thing, "__name__", "") not in TABLES:
                    thing.cache_clear()
