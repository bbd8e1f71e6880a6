"""A run that ends once it knows: which looks count, what they say of each pair of models, and whether more are needed.

Everything follows from the stored grades and the plan alone, so that a resumed run, a report made anew and an audit
come to the same end. `manifest` is the plan as run.json has it, with "looks" in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.manifest import manifest as manifest_of
from mra_bench.plan import Plan
from mra_bench.sequential import compare_in_looks, repeated_level, sequential_p
from mra_bench.statistics import holm
from mra_bench.store import read_rows, stage_record
from mra_bench.verdict import ALPHA, adjusted, spoken_pairs
from mra_bench.work import Stage

Evaluations = Sequence[Mapping[str, Any]]
Verdicts = Mapping[str, Sequence[bool | None]]


@dataclass(frozen=True)
class Looks:
    """The looks so far. `verdicts`: for each look and model by problem id, without problems whose gold cannot be read;
    `fractions`: problems seen by each look over all problems."""

    verdicts: tuple[Mapping[str, Verdicts], ...]
    fractions: tuple[float, ...]

    @property
    def level(self) -> float:
        """The level that intervals at the last look need to hold together with those of the looks before it."""
        return repeated_level(self.fractions)

    def pairs(self) -> list[tuple[str, str]]:
        """Every pair of models in run order, the earlier first; none where no problem is left."""
        seen = any(verdicts for look in self.verdicts for verdicts in look.values())
        return list(itertools.combinations(self.verdicts[0], 2)) if seen else []

    def comparisons(self) -> list[dict[str, Any]]:
        """Each pair with its sequential figures, as results.json has it."""
        rows, pairs = [], self.pairs()
        for a, b in pairs:
            of_a, of_b = ([look[model] for look in self.verdicts] for model in (a, b))
            found = compare_in_looks(of_a, of_b, self.fractions, ALPHA / len(pairs))
            rows.append({"a": a, "b": b, **vars(found)})
        return adjusted(rows)

    def decided(self, models: Sequence[Mapping[str, Any]]) -> bool:
        """Whether every comparison that the verdict speaks of is decided, after Holm's correction over all pairs."""
        ps = [sequential_p(self._differences(a, b), self.fractions) for a, b in self.pairs()]
        rows = [{"a": a, "b": b, "p_holm": p} for (a, b), p in zip(self.pairs(), holm(ps), strict=True)]
        spoken = [row for _, row in spoken_pairs(models, rows)]
        return bool(spoken) and all(row["p_holm"] < ALPHA for row in spoken)

    def _differences(self, a: str, b: str) -> list[list[int]]:
        return [
            [sum(v is True for v in look[b][i]) - sum(v is True for v in look[a][i]) for i in look[a]]
            for look in self.verdicts
        ]


def read_looks(run: Path, evaluations: Evaluations, manifest: Mapping[str, Any]) -> Looks | None:
    """The looks that these evaluations are of, from their stored grades; None where they are of none."""
    numbers = sorted({e["look"] for e in evaluations if "look" in e})
    if not numbers:
        return None
    sizes = manifest["looks"]["sizes"]
    read = [{e["model"]: _graded(run, e) for e in evaluations if e["look"] == number} for number in numbers]
    return Looks(tuple(map(_readable, read)), tuple(sizes[number - 1] / sizes[-1] for number in numbers))


Graded = Mapping[str, Sequence[tuple[bool | None, str]]]  # problem id -> verdict and kind of each sample


def _graded(run: Path, evaluation: Mapping[str, Any]) -> Graded:
    found: dict[str, list[tuple[bool | None, str]]] = {}
    for row in read_rows(run / evaluation["grades"][0]):
        found.setdefault(row["problem"], []).append((row["correct"], row["kind"]))
    return found


def _readable(look: Mapping[str, Graded]) -> Mapping[str, Verdicts]:
    ids = next(iter(look.values()))
    kept = [i for i in ids if not gold_unreadable(grade for graded in look.values() for grade in graded[i])]
    return {model: {i: [correct for correct, _ in graded[i]] for i in kept} for model, graded in look.items()}


def gold_unreadable(grades: Iterable[tuple[bool | None, str]]) -> bool:
    """Whether the grader says so of a problem, by verdict and kind of every model's texts for it, and has judged none
    of them: no model can talk a problem away."""
    found = list(grades)
    return all(correct is None for correct, _ in found) and any(kind == "unparseable" for _, kind in found)


def counting(run: Path, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The evaluations that figures come from: of looks those that are finished for every model."""
    reached = _first_unfinished(run, manifest)
    return [e for e in manifest["evaluations"] if e.get("look", 0) < reached]


def asked_so_far(run: Path, manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The evaluations of a run but for those of looks behind one that is not finished: they may never be asked for."""
    reached = _first_unfinished(run, manifest)
    return [e for e in manifest["evaluations"] if e.get("look", 0) <= reached]


def _first_unfinished(run: Path, manifest: Mapping[str, Any]) -> float:
    """The first look that is not finished for every model; infinite where there is none."""
    return min((e["look"] for e in manifest["evaluations"] if "look" in e and not finished(run, e)), default=math.inf)


def finished(run: Path, evaluation: Mapping[str, Any]) -> bool:
    """Whether the texts of an evaluation are there, with the first grader's verdicts."""
    folders = [evaluation["problems"], evaluation["completions"], evaluation["grades"][0]]
    return all(stage_record(run / folder) is not None for folder in folders)


def decided(run: Path, manifest: Mapping[str, Any], look: int) -> bool:
    """Whether the looks up to this one, whose grades are complete, decide every comparison of the verdict."""
    of_looks = [e for e in manifest["evaluations"] if 1 <= e.get("look", 0) <= look]
    found = read_looks(run, of_looks, manifest)
    return found is not None and found.decided(manifest["models"])


def needed_stages(out: Path, plan: Plan) -> list[Stage]:
    """The stages of the plan, but for those of looks that the grades in `out` show not to be needed."""
    return [stage for part in plan.parts[: reached_look(out, plan) + 1] for stage in part]


def reached_look(out: Path, plan: Plan) -> int:
    """The look with which the run in `out` ends, as far as its grades tell: the first after which every comparison is
    decided, else the last; 0 where a plan has none."""
    record = manifest_of(plan)
    for look, part in enumerate(plan.parts[1:], start=1):
        if any(stage_record(out / stage.folder) is None for stage in part) or look == len(plan.looks):
            break
        if decided(out, record, look):
            return look
    return len(plan.looks)


def sequential_results(run: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What results.json says of a run that ends once it knows. "decided" of a look that was not reached is null; tokens
    are generated ones, those saved are estimated from the problems seen and null where the run went to its end."""
    sizes = manifest["looks"]["sizes"]
    used = [e for e in counting(run, manifest) if "look" in e]
    reached = max((e["look"] for e in used), default=0)
    tokens = sum((stage_record(run / e["completions"]) or {})["facts"]["tokens"] for e in used)
    seen = sizes[reached - 1] if reached else 0
    return {
        "dataset": manifest["datasets"][0]["name"],
        "alpha": ALPHA,
        "problems": sizes[-1],
        "seen": seen,
        "look": reached,
        "looks": [
            {"problems": size, "decided": decided(run, manifest, number) if number <= reached else None}
            for number, size in enumerate(sizes, start=1)
        ],
        "level": repeated_level(tuple(size / sizes[-1] for size in sizes[:reached])) if reached else None,
        "tokens": tokens,
        "saved_tokens": round(tokens * (sizes[-1] - seen) / seen) if 0 < seen < sizes[-1] else None,
        "leaderboard": False,
    }
