"""A grader around the grader under test. It runs in a worker process like any other, and besides grading looks at what
cannot be seen from outside: what was returned before it was made plain, and whether the problem was left alone.
"""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.judging import GraderSpec, complete_grade
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.types import Grade, Grader, Problem

MODULE = __name__
NAME = f"{MODULE}:probe"
FAULTS = "mra_bench.testing.faults"  # the kind of a Grade whose reason is a list of faults as JSON

NOT_A_GRADE, FIELDS, SPAN, PROBLEM = "not-a-grade", "fields", "span", "problem"
Fault = tuple[str, str]  # one of the words above, and a sentence


@dataclass(frozen=True)
class ProbeOptions:
    """The grader under test: a registered name with its options, or an object as pickle in base64.

    named, blocked: where plugins come from, as in PluginSettings.
    """

    name: str = ""
    pickled: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


def spec_of_name(name: str, options: Mapping[str, Any], settings: PluginSettings) -> GraderSpec:
    """The probe around a registered grader, rebuilt in a worker by name and options as in a run."""
    asked = {"name": name, "options": dict(options), "named": settings.named, "blocked": settings.blocked}
    return _spec(asked, settings)


def spec_of_object(grade: Grader) -> GraderSpec:
    """The probe around a function or other object. Raises whatever pickle does where a worker could not have it."""
    pickled = base64.b64encode(pickle.dumps(grade)).decode("ascii")
    return _spec({"pickled": pickled}, PluginSettings())


def faults_in(grade: Grade) -> Sequence[Fault]:
    """What the probe found wrong with one answer of the grader; nothing for a sound one."""
    return [(kind, said) for kind, said in json.loads(grade.reason)] if grade.kind == FAULTS else []


def make_probe(options: ProbeOptions) -> Grader:
    """The registered factory."""
    grader = _under_test(options)

    def probe(problem: Problem, text: str) -> Grade:
        before = copy.deepcopy(vars(problem))
        given = grader(problem, text)
        faults = [*_faults_of(given, text), *_changes(before, problem)]
        if faults:
            return Grade(None, kind=FAULTS, reason=json.dumps(faults))
        return complete_grade(given, text)

    return probe


@hookimpl
def register_graders(register: Register) -> None:
    register("probe", make_probe, options=ProbeOptions)


def _spec(asked: Mapping[str, Any], settings: PluginSettings) -> GraderSpec:
    return GraderSpec(NAME, asked, PluginSettings((*settings.named, MODULE), settings.blocked))


def _under_test(options: ProbeOptions) -> Grader:
    if options.pickled:
        grader: Grader = pickle.loads(base64.b64decode(options.pickled))
        return grader
    registry = load_plugins(PluginSettings(options.named, options.blocked))
    built: Grader = registry.resolve("graders", options.name).build(options.options)
    return built


def _faults_of(given: object, text: str) -> list[Fault]:
    if not isinstance(given, Grade):
        return [(NOT_A_GRADE, f"it returned {type(given).__name__}, not a Grade")]
    try:
        complete_grade(given, text)
    except (TypeError, ValueError) as error:
        return [(SPAN if "Grade.span" in str(error) else FIELDS, str(error))]
    return []


def _changes(before: Mapping[str, Any], problem: Problem) -> list[Fault]:
    after = vars(problem)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(PROBLEM, f"it changed the problem's {name}") for name in names]
