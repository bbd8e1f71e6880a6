"""The profiler "verifier": a six-dimensional error profile with wrongness and absurdity scores, a generator of labelled
errors, and hard-negative mining, as described in the abstract of arXiv 2512.19728. The definitions are ours.

Usable alone: ``from mra_verifier import profile``, ``from mra_verifier.corruption import corrupt``,
``from mra_verifier.mining import mine, hardest, importance``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.builders import BuildJob, PairSet
    from mra_bench.types import Problem, Profile, Profiler
    from mra_verifier.options import DIMENSIONS, Options, Weights

__all__ = ["DIMENSIONS", "Options", "Weights", "profile", "register_profilers"]
__getattr__ = names(__name__, dict.fromkeys(("DIMENSIONS", "Options", "Weights"), "mra_verifier.options"))


def profile(problem: Problem, text: str, options: Options | None = None) -> Profile:
    """The error profile of `text` as a solution of `problem`: each dimension from 0 to 1, None where it does not apply,
    with evidence that quotes the text."""
    from mra_bench.types import Problem
    from mra_verifier.options import Options
    from mra_verifier.profiling import profile_text

    if not isinstance(problem, Problem) or not isinstance(text, str):
        raise TypeError(f"profile() takes a mra_bench.Problem and a text, got {problem!r:.60} and {text!r:.60}")
    return profile_text(problem, text, options or Options())


def make_profiler(options: Options) -> Profiler:
    """The registered factory: a profiler with these options."""
    from mra_verifier.profiling import profile_text

    return partial(profile_text, options=options)


def hard_negatives(job: BuildJob) -> PairSet:
    """Pairs whose rejected text is close to right, hardest first."""
    from mra_verifier import builders

    return builders.hard_negatives(job)


def easy_negatives(job: BuildJob) -> PairSet:
    """Pairs whose rejected text has an absurd answer, the most absurd first."""
    from mra_verifier import builders

    return builders.easy_negatives(job)


def corrupted(job: BuildJob) -> PairSet:
    """Pairs of a reference solution and the same with one error in it."""
    from mra_verifier import builders

    return builders.corrupted(job)


@hookimpl
def register_profilers(register: Register) -> None:
    register("verifier", make_profiler, options="mra_verifier.options:Options")


@hookimpl
def register_pair_builders(register: Register) -> None:
    options = "mra_verifier.builders"
    register("hard-negatives", hard_negatives, options=f"{options}:HardOptions", consumes="samples")
    register("easy-negatives", easy_negatives, options=f"{options}:EasyOptions", consumes="samples")
    register("corrupted", corrupted, options=f"{options}:CorruptedOptions", consumes="problems")
