"""The models of a comparison: which are chosen, which are the same, what each is called, and which are put in pairs."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.compared_runs import ComparedRun
from mra_bench.errors import UsageError, unknown
from mra_bench.verdict import Models, Pairs, Spoken, spoken_pairs

Row = Mapping[str, Any]
Place = tuple[str, str]  # label of a run, name of a model in it


@dataclass(frozen=True)
class Member:
    """A model that is compared. `name`: what it is called; `places`: where it is found: of one run most often, of
    several where they hold the same weights and texts. Its texts are taken from the first."""

    name: str
    places: tuple[Place, ...]

    @property
    def runs(self) -> frozenset[str]:
        """Labels of the runs it is in."""
        return frozenset(label for label, _ in self.places)

    @property
    def models(self) -> frozenset[str]:
        """What the runs themselves call it."""
        return frozenset(model for _, model in self.places)


def chosen_models(
    runs: Sequence[ComparedRun], datasets: Mapping[str, Sequence[str]], patterns: Sequence[str]
) -> dict[str, list[str]]:
    """For each run its models that are compared: those that match a pattern (``RUN:MODEL`` or ``MODEL``, with ``*``),
    without patterns those that the run's verdict speaks of. `datasets`: the names of each run's shared datasets.

    Raises UsageError for a pattern that no model matches, and for a run of which no model is left."""
    there = {run.label: _evaluated(run, datasets[run.label]) for run in runs}
    places = [(label, model) for label, models in there.items() for model in models]
    for pattern in patterns:
        if not any(_matches(place, pattern) for place in places):
            raise unknown("model", pattern, [f"{label}:{model}" for label, model in places], where="in these runs")
    if not patterns:
        return {run.label: _in_verdict(run, there[run.label]) for run in runs}
    chosen = {
        label: [model for model in models if any(_matches((label, model), pattern) for pattern in patterns)]
        for label, models in there.items()
    }
    for label, models in chosen.items():
        if not models:
            raise UsageError(
                f"No model of {label} is chosen, so it would be compared with nothing. Models: "
                f"{', '.join(there[label])}. Name one with --model '{label}:NAME', or leave the run out"
            )
    return chosen


def _evaluated(run: ComparedRun, datasets: Sequence[str]) -> list[str]:
    """The models that have texts on one of the datasets, in the recipe's order."""
    asked = {e.model for e in run.evaluations if e.dataset in datasets}
    return [m["name"] for m in run.plan["models"] if m["name"] in asked]


def _matches(place: Place, pattern: str) -> bool:
    label, model = place
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in (model, f"{label}:{model}"))


def _in_verdict(run: ComparedRun, models: Sequence[str]) -> list[str]:
    rows = [{"a": a, "b": b} for a, b in itertools.combinations(models, 2)]
    spoken = {name for pair, _ in spoken_pairs(run.plan["models"], rows) for name in pair}
    return [name for name in models if name in spoken] or list(models)


def members_of(
    runs: Sequence[ComparedRun], chosen: Mapping[str, Sequence[str]], content: Callable[[Place], str]
) -> list[Member]:
    """The chosen models, those that are the same once. One whose name no other model of the runs has, chosen or not, is
    called by that alone. `content` tells texts and verdicts of a model from others; it is asked only of models with
    equal weights.

    Raises UsageError where no two of them are of different runs."""
    groups: dict[tuple[str, str], list[Place]] = {}
    weights = {(run.label, model): run.weights(model) for run in runs for model in chosen[run.label]}
    for place, key in weights.items():
        alike = [other for other in weights if key and weights[other] == key and other[0] != place[0]]
        groups.setdefault((key, content(place)) if alike else ("", f"{place[0]}:{place[1]}"), []).append(place)
    every = [(run.label, model["name"]) for run in runs for model in run.plan["models"]]
    members = []
    for places in groups.values():
        label, model = places[0]
        alone = all(place in places for place in every if place[1] == model)
        members.append(Member(model if alone else f"{label}:{model}", tuple(places)))
    if not any(apart(a, b) for a, b in itertools.combinations(members, 2)):
        same = ", ".join(member.name for member in members if len(member.places) > 1)
        raise UsageError(
            f"Nothing is left to compare: what these runs have of each other's models has equal weights and equal "
            f"texts and verdicts ({same}). Choose other models with --model, or compare other runs"
        )
    return members


def apart(a: Member, b: Member) -> bool:
    """Whether two models are compared: no run holds both, so that their own reports do not compare them."""
    return a.runs.isdisjoint(b.runs)


def every_pair(members: Sequence[Member]) -> list[tuple[str, str]]:
    """Names of every two models that can be compared, the earlier first."""
    return [(a.name, b.name) for a, b in itertools.combinations(members, 2) if apart(a, b)]


def telling_pairs(members: Sequence[Member]) -> list[tuple[str, str]]:
    """Those of every pair that a reader asks about: models of one name, and models that have no namesake in the other
    one's run; every one where there are none of these."""
    pairs = [(a, b) for a, b in itertools.combinations(members, 2) if apart(a, b)]

    def lone(one: Member, other: Member) -> bool:
        others = {model for member in members if member.runs & other.runs for model in member.models}
        return one.models.isdisjoint(others)

    chosen = [(a, b) for a, b in pairs if not a.models.isdisjoint(b.models) or (lone(a, b) and lone(b, a))]
    return [(a.name, b.name) for a, b in chosen or pairs]


def spoken_of(told: Collection[tuple[str, str]]) -> Callable[[Models, Pairs], Spoken]:
    """The comparisons that the verdict is about, for `verdict.Speech`."""
    return lambda models, pairs: [((r["a"], r["b"]), r) for r in pairs if (r["a"], r["b"]) in told]


def same_sentences(runs: Sequence[ComparedRun], members: Sequence[Member]) -> list[str]:
    """Of each model that several runs hold that it is one; of models with equal weights whose texts differ, that."""
    said = []
    for m in members:
        if len(m.places) > 1:
            places = " and ".join(":".join(place) for place in m.places)
            said.append(f"{places} are the same: equal weights, equal texts and verdicts. Shown once, as {m.name}.")
    weights = {run.label: run.weights for run in runs}
    for a, b in itertools.combinations(members, 2):
        (label, model), (other_label, other) = a.places[0], b.places[0]
        key = weights[label](model)
        if key and key == weights[other_label](other) and apart(a, b):
            said.append(f"{a.name} and {b.name} have equal weights, but not all of their texts and verdicts are equal.")
    return said


def lineage(runs: Sequence[ComparedRun], members: Sequence[Member], made: Mapping[Place, Row]) -> list[dict[str, Any]]:
    """All models of all runs as one family for `compute.since_common`: each with its name, the one it comes from, and
    its "making" of `made`. A model with the weights of one in an earlier run comes from that one, at no cost."""
    shown = {place: member.name for member in members for place in member.places}
    first: dict[str, Place] = {}
    entries: dict[str, dict[str, Any]] = {}
    for run in runs:
        for model in run.plan["models"]:
            place = (run.label, model["name"])
            key = run.weights(model["name"])
            earlier = first.setdefault(key, place) if key else place
            name = shown.get(place, ":".join(place))
            if earlier[0] != run.label:
                origin = shown.get(earlier, ":".join(earlier))
                if origin != name:
                    entries[name] = {"name": name, "from": origin, "making": {"operations": 0}}
                continue
            entries.setdefault(name, {"name": name, "from": parent_name(run, model, shown), "making": made.get(place)})
    return list(entries.values())


def parent_name(run: ComparedRun, model: Row, shown: Mapping[Place, str]) -> str | None:
    """What the model that one comes from is called in the comparison; None for a loaded one."""
    if not model["from"]:
        return None
    parent = (run.label, model["from"])
    return shown.get(parent, ":".join(parent))
