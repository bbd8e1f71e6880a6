"""The checks behind `mra-bench plugins check`: everything that one plugin offers, as far as it can be seen without
work. Graders are graded with; models are built but load no weights; trainers and datasets are not called.
"""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mra_bench.builders import BuildJob, PairRule, PairSet, RowRule, RowSet
from mra_bench.contracts import PluginFault, build_model, check_trainer, run_builder
from mra_bench.errors import BenchError, UsageError, nearest, unknown
from mra_bench.judging import GraderSpec
from mra_bench.option_help import options_of
from mra_bench.option_values import option_names
from mra_bench.plugins import SECTIONS, Plugin, PluginSettings, Registered, Registry, word
from mra_bench.report.section import rendered, section_of
from mra_bench.testing.builder_cases import sampled_cases
from mra_bench.testing.evidence import MAX_LOST, make_cases, shown
from mra_bench.testing.garbage import GARBAGE
from mra_bench.testing.grader_checks import FAILED, GENERAL_CHECKS, PASSED, SKIPPED, Outcome, run_checks
from mra_bench.testing.probe import spec_of_name
from mra_bench.testing.report_cases import TAG, report_cases
from mra_bench.types import Problem
from mra_bench.workers import Limits, profile_all

# Any grader takes one of these for what it is, as a text of its own: a number, a choice, a word, a set, an interval.
GOLDS = ("4", "37", "-1/2", "B", "yes", "CORRECT", "x = 4", "{1, 2}", "[0, 1)")
HEAVY = ("torch", "transformers", "trl", "datasets", "pandas", "pyarrow", "sympy", "scipy", "statsmodels", "peft")
SECONDS_TO_IMPORT = 120.0
OPTIONS, LIGHT = "its options parse", "it imports nothing heavy"

_IMPORT = """
import importlib.util, sys
name, file = sys.argv[1:]
before = set(sys.modules)
if file:
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
else:
    importlib.import_module(name)
print(*sorted(set({heavy!r}) & set(sys.modules) - before))
"""


@dataclass(frozen=True)
class Checked:
    """One outcome and what it is about: the plugin itself, or one thing that it offers, such as "grader last-word"."""

    what: str
    outcome: Outcome


def find_plugins(name: str, registry: Registry) -> list[Plugin]:
    """Plugins of this name or module, else those that offer something called so.

    Raises UsageError naming the nearest.
    """
    found = [plugin for plugin in registry.plugins if name in (plugin.name, plugin.package)]
    offering = {thing.plugin.package for thing in registry.things if name in (thing.name, thing.full_name)}
    found = found or [plugin for plugin in registry.plugins if plugin.package in offering]
    if found:
        return found
    known = [*(plugin.name for plugin in registry.plugins), *(thing.name for thing in registry.things)]
    error = unknown("plugin", name, known, "mra-bench plugins")
    raise UsageError(f"{error}. One that is not installed is named by --plugin FILE")


def check_plugin(
    plugin: Plugin, registry: Registry, settings: PluginSettings, values: Mapping[str, Any], seconds: float
) -> Iterator[Checked]:
    """The outcome of every check, as it comes. `values`: options for whatever takes an option of that name.

    Raises UsageError for a value that nothing takes.
    """
    things = [thing for thing in registry.things if thing.plugin.package == plugin.package]
    _check_values(values, things, plugin)
    if plugin.error:
        yield Checked("plugin", Outcome("it can be loaded", FAILED, plugin.error))
        return
    yield Checked("plugin", Outcome("it can be loaded", PASSED))
    yield Checked("plugin", _light(plugin))
    for thing in things:
        for outcome in _check_thing(thing, settings, values, seconds):
            yield Checked(f"{word(thing.kind)} {thing.name}", outcome)


def _check_values(values: Mapping[str, Any], things: list[Registered], plugin: Plugin) -> None:
    if not values:
        return
    known = {name for thing in things if thing.options is not None for name in option_names(thing.options)}
    for key in values:
        if key not in known:
            close = nearest(key, known)
            hint = f"Did you mean '{close}'?" if close else f"They take: {', '.join(sorted(known)) or 'no options'}."
            raise UsageError(f"Nothing in the plugin {plugin.name} takes the option '{key}'. {hint}")


def _light(plugin: Plugin) -> Outcome:
    """Import the plugin alone in a fresh process and see what came with it."""
    assert plugin.module is not None
    from_file = plugin.origin.endswith(".py")
    arguments = ["plugin_under_test", str(plugin.module.__file__)] if from_file else [plugin.package, ""]
    code = _IMPORT.replace("{heavy!r}", repr(HEAVY))
    paths = f"import sys; sys.path[:] = {sys.path!r}\n"
    try:
        done = subprocess.run(
            [sys.executable, "-c", paths + code, *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_IMPORT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(LIGHT, FAILED, f"importing it took longer than {SECONDS_TO_IMPORT:g} seconds")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Outcome(LIGHT, FAILED, f"it cannot be imported by itself in a fresh process: {last}")
    found = done.stdout.splitlines()[-1].split() if done.stdout.strip() else []
    if found:
        advice = "import these inside the functions that need them; every command waits for it otherwise"
        return Outcome(LIGHT, FAILED, f"importing it imports {', '.join(found)}: {advice}")
    return Outcome(LIGHT, PASSED)


def _check_thing(
    thing: Registered, settings: PluginSettings, values: Mapping[str, Any], seconds: float
) -> Iterator[Outcome]:
    try:
        options = options_of(thing)
    except UsageError as error:
        yield Outcome(OPTIONS, FAILED, str(error))
        return
    given = {name: value for name, value in values.items() if name in {option.name for option in options}}
    needed = [option.name for option in options if option.needed and "." not in option.name]
    if missing := [name for name in needed if name not in given]:
        example = " ".join(f"--set {name}=VALUE" for name in missing)
        yield Outcome(OPTIONS, SKIPPED, f"it needs values for {', '.join(missing)}: give {example}")
        return
    try:
        thing.parse_options(given)
    except UsageError as error:
        yield Outcome(OPTIONS, FAILED, str(error))
        return
    yield Outcome(OPTIONS, PASSED)
    if thing.kind == "graders":
        spec = spec_of_name(thing.full_name, given, settings)
        yield from run_checks(spec, make_cases((), (), GOLDS), seconds, GENERAL_CHECKS)
    elif thing.kind == "profilers":
        yield _check_profiler(thing, settings, given, seconds)
    else:
        yield from _OTHERS[thing.kind](thing, given)


def _check_model(thing: Registered, values: Mapping[str, Any]) -> Iterator[Outcome]:
    built = "it builds a model with all methods, each called as mra-bench calls it"
    try:
        model = build_model(thing, values)
    except BenchError as error:
        yield Outcome(built, FAILED, str(error))
        return
    yield Outcome(built, PASSED)
    yield _holds("identity() gives what JSON can hold", model.identity)
    yield _holds("checkpoint() gives a folder or None", model.checkpoint)


def _check_trainer(thing: Registered, values: Mapping[str, Any]) -> Iterator[Outcome]:
    yield _holds("it is called as train(job)", lambda: check_trainer(thing))
    options = thing.parse_options(values)
    if hasattr(options, "examples_seen"):
        yield _holds("examples_seen(examples) counts", lambda: _count(options.examples_seen(64)))


def _check_builder(thing: Registered, values: Mapping[str, Any]) -> Iterator[Outcome]:
    samples, options = sampled_cases(thing.consumes == "samples"), thing.parse_options(values)
    if thing.kind == "pair_builders":
        of_pairs = BuildJob(samples, PairRule(), options, 0)
        yield _holds("build(job) gives a PairSet", lambda: run_builder(thing, of_pairs, PairSet))
    else:
        of_rows = BuildJob(samples, RowRule(), options, 0)
        yield _holds("build(job) gives a RowSet", lambda: run_builder(thing, of_rows, RowSet))


def _check_profiler(thing: Registered, settings: PluginSettings, given: Mapping[str, Any], seconds: float) -> Outcome:
    """Every text of the hostile ones gets a profile, in time."""
    spec = GraderSpec(thing.full_name, given, settings, "profilers")
    items = [(Problem("problem-0", "What is 2 + 2?", "4"), text) for text in GARBAGE.values()]
    failures = []
    for (_, text), profile in zip(items, profile_all(spec, items, limits=Limits(seconds, workers=1)), strict=True):
        if profile.failure:
            failures.append(f"{shown(text)}: {profile.failure}")
        if len(failures) >= MAX_LOST:
            break
    check = "every text gets a Profile"
    return Outcome(check, FAILED, "; ".join(failures)) if failures else Outcome(check, PASSED)


def _check_section(thing: Registered, values: Mapping[str, Any]) -> Iterator[Outcome]:
    section = section_of(thing)
    for what, run in report_cases().items():
        make = functools.partial(rendered, section, run)
        yield _holds(f"render(run) gives Markup or text for {what}", make)
    small = report_cases()["a small run"]
    yield _holds("texts of models stand in the page as text", lambda: _no_markup(str(rendered(section, small))))


def _no_markup(html: str) -> None:
    if f"<{TAG}" in html:
        raise PluginFault(
            "a text of the run was let in as HTML: fill it in by mra_bench.report.html or markupsafe.escape"
        )


def _check_dataset(thing: Registered, values: Mapping[str, Any]) -> Iterator[Outcome]:
    def call() -> None:
        try:
            inspect.signature(thing.target).bind("test", None)
        except TypeError as error:
            raise PluginFault(f"the loader cannot be called as load(split, options): {error}") from None

    yield _holds("it is called as load(split, options)", call)


_OTHERS: Mapping[str, Callable[[Registered, Mapping[str, Any]], Iterator[Outcome]]] = {
    "models": _check_model,
    "trainers": _check_trainer,
    "pair_builders": _check_builder,
    "row_builders": _check_builder,
    "datasets": _check_dataset,
    SECTIONS: _check_section,
}


def _count(found: object) -> None:
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise PluginFault(f"examples_seen(64) gave {found!r:.60}; it must give a whole number from 0 up")


def _holds(check: str, call: Callable[[], object]) -> Outcome:
    """Passed when `call` returns."""
    try:
        call()
    except Exception as error:
        said = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        return Outcome(check, FAILED, said)
    return Outcome(check, PASSED)
