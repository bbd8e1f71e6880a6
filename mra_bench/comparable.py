"""Whether runs were evaluated under the same conditions: instruction, shots, decoding, grader and its version.

Problems are another matter (`shared_problems`). How a prompt is rendered, plain or as a chat, is set once for a
lineage: models from the same weights must not differ in it; others may, which is said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.compared_runs import ComparedRun, Evaluation, Row, reading
from mra_bench.errors import UsageError
from mra_bench.shared_problems import SharedDataset
from mra_bench.store import canonical

RECIPE = "Evaluate them by one recipe, or with `mra-bench run --set {setting}` as the other run was"
SHOWN = 120  # characters of a value in a message
NONE = "none"
FINISHED = "finished"
ALL = "all of them"
TEXTS = "texts for each problem"


@dataclass(frozen=True)
class Evaluated:
    """A run with those of its finished evaluations that are compared."""

    run: ComparedRun
    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Check:
    """One condition: what each run, by its label, has. `refuses`: whether a difference forbids to compare; `remedy`:
    what to do then; `wanted`: what all must have, where it is not enough that they have the same."""

    what: str
    values: Mapping[str, str]
    refuses: bool = True
    remedy: str = ""
    wanted: str = ""

    @property
    def same(self) -> bool:
        """Whether all runs have the same, and what they must have."""
        found = set(self.values.values())
        return found == {self.wanted} if self.wanted else len(found) == 1

    @property
    def forbids(self) -> bool:
        """Whether this keeps the runs from being compared."""
        return self.refuses and not self.same

    def sentence(self) -> str:
        """The values, each with its runs: ``temperature: 0.0 in a, 1.0 in b``."""
        by_value: dict[str, list[str]] = {}
        for label, value in self.values.items():
            by_value.setdefault(value, []).append(label)
        return f"{self.what}: " + ", ".join(f"{_short(value)} in {' and '.join(at)}" for value, at in by_value.items())

    def data(self) -> dict[str, Any]:
        """The same as data."""
        return {"what": self.what, "same": self.same, "refuses": self.refuses, "values": dict(self.values)}


def check_conditions(compared: Sequence[Evaluated], datasets: Sequence[SharedDataset]) -> list[Check]:
    """Every condition that is recorded, in the order in which they are to be read."""
    checks = [_finished(compared), _sequential(compared)]
    checks += [check for dataset in datasets for check in _asked(compared, dataset)]
    checks += _decoding(compared)
    checks.append(_grader(compared))
    checks += [_rendering(compared, dataset) for dataset in datasets]
    checks.append(_number_format(compared))
    return checks


def refuse(checks: Iterable[Check]) -> None:
    """Raises UsageError naming every condition that differs, its values and what to do."""
    differing = [check for check in checks if check.forbids]
    if differing:
        lines = [f"  {check.sentence()}. {check.remedy}." for check in differing]
        raise UsageError(
            "These runs were not evaluated under the same conditions, so a difference of their models could be one of "
            "the conditions:\n" + "\n".join(lines) + "\n  --anyway compares them all the same, and says so first."
        )


def common_graders(compared: Sequence[Evaluated]) -> list[Row]:
    """The graders, of equal version, options and limits, whose verdicts every compared evaluation has, in the order
    that the first run names them."""
    known = [{j.key: j.grader for j in e.judgings} for one in compared for e in one.evaluations]
    return [grader for key, grader in known[0].items() if all(key in others for others in known)] if known else []


def _finished(compared: Sequence[Evaluated]) -> Check:
    def state(run: ComparedRun) -> str:
        more = f" and {len(run.missing) - 1} more" if len(run.missing) > 1 else ""
        return f"not finished (missing: {run.missing[0]}{more})" if run.missing else FINISHED

    values = {one.run.label: state(one.run) for one in compared}
    again = "Give the command of that run again: it goes on from there"
    return Check("run", values, remedy=again, wanted=FINISHED)


def _sequential(compared: Sequence[Evaluated]) -> Check:
    looks = {one.run.label: any(e.look for e in one.evaluations) for one in compared}
    values = {label: "until it is decided" if seen else ALL for label, seen in looks.items()}
    remedy = "Run it without --until-decided, or compare on another dataset with --dataset"
    return Check("problems asked", values, remedy=remedy, wanted=ALL)


def _asked(compared: Sequence[Evaluated], dataset: SharedDataset) -> list[Check]:
    """What is put with each question: instruction, and whatever else the style of prompts may come to hold."""
    styles = _values(compared, lambda e: e.spec["style"], dataset)
    names = dict.fromkeys(["instruction", *(key for found in styles.values() for style in found for key in style)])
    remedy = RECIPE.format(setting=f"datasets.{dataset.name}.prompt.NAME=VALUE")
    return [
        Check(
            f"{name} of {dataset.name}",
            {label: _joined(style.get(name) for style in found) for label, found in styles.items()},
            remedy=remedy,
            refuses=name != "answer_format",
        )
        for name in names
    ]


def _decoding(compared: Sequence[Evaluated]) -> list[Check]:
    found = _values(compared, lambda e: {"samples": e.spec["samples"], **e.spec["decoding"]})
    names = dict.fromkeys(name for values in found.values() for value in values for name in value)
    return [
        Check(
            TEXTS if name == "samples" else name,
            {label: _joined(value.get(name) for value in values) for label, values in found.items()},
            remedy=RECIPE.format(setting=f"evaluate.{name}=VALUE"),
        )
        for name in names
    ]


def _grader(compared: Sequence[Evaluated]) -> Check:
    """The grader that figures are made by: one that has judged all runs, else each run's own."""
    common = common_graders(compared)
    if common:
        text = grader_text(common[0], common)
        return Check("grader", {one.run.label: text for one in compared})
    own = {one.run.label: one.evaluations[0].judgings[0].grader for one in compared}
    shown = {label: grader_text(grader, list(own.values())) for label, grader in own.items()}
    return Check("grader", shown, remedy=_grade_again(compared))


def _grade_again(compared: Sequence[Evaluated]) -> str:
    """The commands that give each run the verdicts of the first one's grader."""
    first, *others = compared
    wanted = first.evaluations[0].judgings[0]
    commands = []
    for one in others:
        if any(wanted.key not in {j.key for j in e.judgings} for e in one.evaluations):
            own, seconds = one.evaluations[0].judgings[0].grader["limits"], wanted.grader["limits"].get("seconds")
            limit = "" if own.get("seconds") == seconds else f" --seconds {seconds}"
            commands.append(f"`mra-bench grade {one.run.path} --grader {wanted.grader['name']}{limit}`")
    return (
        f"Let one grader judge all of them: {' and '.join(commands)}; the same for {first.run.path}, if another "
        "version of it is installed by now. Verdicts that are added so are taken"
    )


def grader_text(grader: Row, others: Sequence[Row]) -> str:
    """A grader's name and version; with those options and limits in which some of `others` of its name differ."""
    others = [other for other in others if other["name"] == grader["name"]]
    differing = [
        f"{name}={json.dumps(value, sort_keys=True)}"
        for part in ("options", "limits")
        for name, value in sorted(grader[part].items())
        if any(other[part].get(name) != value for other in others)
    ]
    return " ".join([f"{grader['name']} {grader['version']}", *differing])


def _rendering(compared: Sequence[Evaluated], dataset: SharedDataset) -> Check:
    """How each model's prompts are rendered. Equal records and, where the problems are the same, equal prompts."""
    with_prompts = dataset.whole and all(check.same for check in _asked(compared, dataset))
    by_run: dict[str, str] = {}
    by_root: dict[str, set[str]] = {}
    for one in compared:
        shown = set()
        for evaluation in (e for e in one.evaluations if e.dataset == dataset.names[one.run.label]):
            with reading(one.run.path):
                value = _rendered(one.run, evaluation, with_prompts=with_prompts)
                root = one.run.weights(_root(one.run, evaluation.model)) or f"{one.run.label}:{evaluation.model}"
            shown.add(value)
            by_root.setdefault(root, set()).add(value)
        by_run[one.run.label] = " and ".join(sorted(shown)) or NONE
    within = any(len(values) > 1 for values in by_root.values())
    remedy = "Give models from the same weights the same option `prompt`"
    return Check(f"prompts of {dataset.name}", by_run, within, remedy)


def _rendered(run: ComparedRun, evaluation: Evaluation, *, with_prompts: bool) -> str:
    record = evaluation.spec["conditions"].get("prompt")
    prompts = ((run.record.get("prompts") or {}).get(evaluation.model) or {}).get(evaluation.dataset) or {}
    found = [record, prompts.get("hash") if with_prompts else None]
    kind = record.get("kind", "rendered") if isinstance(record, Mapping) else "rendered by the loader"
    return f"{kind} ({hashlib.sha256(canonical(found).encode()).hexdigest()[:8]})"


def _root(run: ComparedRun, model: str) -> str:
    """The loaded model that one comes from."""
    parents = {m["name"]: m["from"] for m in run.plan["models"]}
    while parents.get(model):
        model = parents[model]
    return model


def _number_format(compared: Sequence[Evaluated]) -> Check:
    found = _values(compared, lambda e: str(e.spec["conditions"].get("dtype", "not recorded")))
    return Check("number format", {label: _joined(values) for label, values in found.items()}, refuses=False)


def _values(
    compared: Sequence[Evaluated], value: Callable[[Evaluation], Any], dataset: SharedDataset | None = None
) -> dict[str, list[Any]]:
    """Of each run the value of every compared evaluation, on one dataset or on all."""
    found = {}
    for one in compared:
        with reading(one.run.path):
            found[one.run.label] = [
                value(e) for e in one.evaluations if dataset is None or e.dataset == dataset.names[one.run.label]
            ]
    return found


def _joined(values: Iterable[Any]) -> str:
    """The different ones of some values in words, most often a single one."""
    texts = dict.fromkeys(value if isinstance(value, str) else json.dumps(value, sort_keys=True) for value in values)
    return " and ".join(text if text not in ("", "[]", "null") else NONE for text in texts) or NONE


def _short(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
