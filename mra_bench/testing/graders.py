"""`check_grader`, for the tests of a grader's author."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.judging import GraderSpec
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.tables import printable
from mra_bench.testing.evidence import Judged, make_cases
from mra_bench.testing.grader_checks import CHECKS, FAILED, SKIPPED, WORKER, Outcome, run_checks
from mra_bench.testing.probe import spec_of_name, spec_of_object
from mra_bench.types import Grader, Problem

SECONDS = 10.0  # what a recipe gives a text unless it says otherwise


def problem(answer: str, question: str = "What is asked?", **fields: Any) -> Problem:
    """A Problem with this gold answer; `fields` are further ones, such as ``level="5"``."""
    return Problem(**{"id": "problem-0", "question": question, "answer": answer, **fields})


def check_grader(
    grade: Grader | str,
    *,
    right: Sequence[Judged] = (),
    wrong: Sequence[Judged] = (),
    options: Mapping[str, Any] | None = None,
    plugin: str = "",
    seconds: float = SECONDS,
) -> None:
    """Raise AssertionError with everything that is wrong with a grader; nothing happens to a sound one.

    grade: the function ``(problem, text) -> Grade``, or the name under which a plugin registers it.
    right, wrong: pairs (problem, text) that must be graded True and False. The gold answer of each problem in `right`,
    alone, must be correct too.
    options: the values of a registered grader's options. plugin: the file or module that registers the name, where it
    is not installed.
    seconds: how long one text may take; a text that takes longer is stopped with its process.

    The grader runs in worker processes, as in a run. A name is rebuilt there from plugin and options, just as a run
    does it. A function goes there by pickle, so it must be importable: give the name for one that a factory makes.
    Worker processes run the main script once more, so a script of your own calls this under
    ``if __name__ == '__main__':``; a test that pytest runs needs no such guard.
    Raises UsageError for a name that no plugin registers, options that it does not take, or texts without a Problem.
    """
    _check_pairs("right", right)
    _check_pairs("wrong", wrong)
    try:
        spec = _spec(grade, options or {}, plugin)
    except _NotPicklable as error:
        outcomes = [Outcome(WORKER, FAILED, str(error))]
    else:
        cases = make_cases(right, wrong, [judged.answer for judged, _ in right])
        outcomes = run_checks(spec, cases, seconds, CHECKS)
    failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
    if failed:
        raise AssertionError(printable(_report(_label(grade), outcomes)))


def _check_pairs(name: str, pairs: Sequence[Judged]) -> None:
    for number, pair in enumerate(pairs):
        given: object = pair
        if not isinstance(given, tuple | list) or len(given) != 2 or not isinstance(given[1], str):
            raise UsageError(f"`{name}[{number}]` is {given!r:.60}; it must be a pair (problem, text)")
        if not isinstance(given[0], Problem):
            raise UsageError(
                f"`{name}[{number}]` begins with {given[0]!r:.60}, which is no Problem. Write "
                "(problem(answer=...), text), with `problem` from mra_bench.testing"
            )


class _NotPicklable(Exception):
    """A grader that no other process can have as it is."""


def _spec(grade: Grader | str, options: Mapping[str, Any], plugin: str) -> GraderSpec:
    if isinstance(grade, str):
        settings = PluginSettings.from_environment((plugin,) if plugin else ())
        registered = load_plugins(settings).resolve("graders", grade)
        registered.parse_options(options)
        return spec_of_name(registered.full_name, options, settings)
    if options or plugin:
        raise UsageError("`options` and `plugin` go with the name of a registered grader, not with a function")
    try:
        return spec_of_object(grade)
    except Exception as error:
        raise _NotPicklable(
            f"{type(error).__name__}: {error}\nA run rebuilds the grader in each worker from its plugin and options, "
            "so a factory may make it. Give check_grader the name it is registered by, and options=, plugin="
        ) from error


def _label(grade: Grader | str) -> str:
    if isinstance(grade, str):
        return f"'{grade}'"
    return f"{getattr(grade, '__module__', '')}.{getattr(grade, '__qualname__', type(grade).__name__)}".strip(".")


def _report(label: str, outcomes: Sequence[Outcome]) -> str:
    failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
    skipped = [outcome for outcome in outcomes if outcome.outcome == SKIPPED]
    tried = len(outcomes)
    more = f" ({len(skipped)} skipped)" if skipped else ""
    lines = [f"The grader {label} fails {len(failed)} of {tried} check{'s' if tried > 1 else ''}{more}."]
    for outcome in failed:
        lines += [f"- {outcome.check}:", *(f"    {line}" for line in outcome.said.splitlines())]
    lines += [f"- {outcome.check}: skipped, {outcome.said}" for outcome in skipped]
    return "\n".join(lines)
