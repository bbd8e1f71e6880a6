"""run.json: provenance, and the plan as plain data, which results, report and audit find their files by."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mra_bench import provenance
from mra_bench.claims import claims_data
from mra_bench.dev_sets import chosen_by
from mra_bench.listed_overlaps import list_overlaps
from mra_bench.plan import Evaluated, Plan
from mra_bench.recipe import to_yaml
from mra_bench.recipe_schema import Recipe
from mra_bench.training_texts import questions_of, texts_of
from mra_bench.work import PlannedModel, Stage


def run_record(plan: Plan, threads: Mapping[str, Any]) -> dict[str, Any]:
    """run.json: provenance, and under "plan" the folders that hold this run's current results."""
    return {
        "version": 1,
        "command": provenance.command(),
        "started": provenance.now(),
        "finished": None,
        "versions": provenance.versions(),
        "machine": provenance.machine(threads),
        "git": provenance.git_state(Path.cwd()),
        "datasets": {
            s.name: {
                "data": s.data,
                "split": s.split,
                "problems": len(s.problems),
                "sha256": s.hash,
                "commit": s.commit,
            }
            for s in plan.datasets.values()
        },
        "models": {},
        "prompts": {},
        "decoding": _decoding(plan),
        "reused": [],
        "recipe_sha256": hashlib.sha256(to_yaml(plan.recipe).encode()).hexdigest(),
        "plan": manifest(plan),
        "listed": _listed(plan),
    }


def _decoding(plan: Plan) -> dict[str, Any]:
    """How texts are made; nothing of imported ones, which were made elsewhere."""
    left_out = {"datasets", "until_decided", "repeat"}
    return {} if plan.imported else plan.recipe.evaluate.model_dump(mode="json", exclude=left_out)


def _listed(plan: Plan) -> list[dict[str, Any]]:
    """Likenesses of training and test questions that refuse nothing. They take a few seconds for tens of thousands of
    rows, so they are looked for when a run starts, not whenever it is planned."""
    trained_on = sorted({model.entry.data for model in plan.models if model.entry.data is not None})
    asked = questions_of(plan.datasets[name] for name in plan.recipe.evaluate.datasets)
    refused = plan.overlaps if plan.recipe.contamination == "allow" else ()
    found = list_overlaps(texts_of(plan.datasets[name] for name in trained_on), asked, refused)
    return [row.as_row() for row in found]


def manifest(plan: Plan, reached: int | None = None) -> dict[str, Any]:
    """The plan as plain data: all that results and report need to find their files. `reached`: the look with which a
    run has ended; those behind it are left out, None leaves none out."""
    recipe = plan.recipe
    parts = plan.parts if reached is None else plan.parts[: reached + 1]
    evaluated = [plan.datasets[name] for name in recipe.evaluate.datasets]
    trained_on = {model.entry.data for model in plan.models if model.entry.data is not None}
    choosers = chosen_by(recipe, [model.name for model in plan.models])
    return {
        "fingerprint": plan.fingerprint,
        "name": recipe.name,
        "description": recipe.description,
        "seed": recipe.seed,
        "graders": _graders(plan),
        **({"profilers": _profilers(plan)} if recipe.profilers else {}),
        "models": [_model_entry(model) for model in plan.models],
        "datasets": [
            {
                "name": s.name,
                "data": s.data,
                "split": s.split,
                "answer_format": s.style.answer_format,
                "instruction": s.style.instruction,
                **{key: value for key, value in s.style.record().items() if key in ("examples", "plain")},
                **({"drawn": True} if _is_drawn(recipe, s.name) else {}),
            }
            for s in evaluated
        ],
        "evaluations": [
            {**_evaluation(e), **({"look": e.look} if e.look else {})} for e in plan.evaluations if e.look < len(parts)
        ],
        **({"repeats": [{**_evaluation(e), "repetition": e.repetition} for e in plan.repeats]} if plan.repeats else {}),
        **({"looks": {"sizes": list(plan.looks), "problems": plan.look_problems}} if plan.looks else {}),
        **({"imported": dict(plan.imported)} if plan.imported else {}),
        **({"claims": claims_data(recipe.claims)} if recipe.claims else {}),
        "folders": [stage.folder for part in parts for stage in part],
        "contamination": {
            "policy": recipe.contamination,
            "checked": sum(len(plan.datasets[name].problems) for name in trained_on),
            "overlaps": [dataclasses.asdict(o) for o in plan.overlaps],
            "earlier": [{"model": model, **dataclasses.asdict(o)} for model, o in plan.earlier],
            "learnt_from": {m.name: m.entry.data for m in plan.models if m.entry.data is not None},
            **({"chosen_by": choosers} if choosers else {}),
            "problems": {data.name: len(data.problems) for data in evaluated},
        },
    }


def _evaluation(evaluated: Evaluated) -> dict[str, Any]:
    return {
        "dataset": evaluated.dataset,
        "model": evaluated.model,
        "problems": evaluated.problems.folder,
        "completions": evaluated.completions.folder,
        "grades": [g.folder for g in evaluated.grades],
        **({"profiles": [p.folder for p in evaluated.profiles]} if evaluated.profiles else {}),
        **({"verdicts": evaluated.verdicts[0].folder} if evaluated.verdicts else {}),
    }


def _graders(plan: Plan) -> list[dict[str, Any]]:
    return [_judge(stage) for stage in plan.evaluations[0].grades]


def _profilers(plan: Plan) -> list[dict[str, Any]]:
    return [_judge(stage) for stage in plan.evaluations[0].profiles]


def _judge(stage: Stage) -> dict[str, Any]:
    """The grader or profiler of a stage."""
    registered = stage.work.registered
    return {
        "name": registered.full_name,
        "version": registered.plugin.version,
        "options": stage.spec["options"],
        "limits": stage.spec["limits"],
    }


def _model_entry(model: PlannedModel) -> dict[str, Any]:
    built = {s.kind: s.folder for s in model.stage.inputs} if model.stage else {}
    return {
        "name": model.name,
        "from": model.entry.parent,
        "how": model.entry.trainer or model.entry.model,
        "control_for": model.entry.control_for,
        "parameters": model.identity.get("environment", {}).get("parameters"),
        **_hub_id(model),
        "stage": model.stage.folder if model.stage else None,
        "pairs": built.get("pair"),
        **({"rows": built["rows"]} if "rows" in built else {}),
        **({"chosen_by": model.entry.choose.data} if model.entry.choose else {}),
    }


def _is_drawn(recipe: Recipe, name: str) -> bool:
    """Whether a set is a part of its split other than the first problems: carved, or what carving has left."""
    return recipe.datasets[name].carve is not None or any(entry.carve == name for entry in recipe.datasets.values())


def _hub_id(model: PlannedModel) -> dict[str, str]:
    """What the hub calls a loaded model; nothing of one that is from elsewhere, which has no commit."""
    path = model.options.get("path")
    of_hub = model.stage is None and model.identity.get("environment", {}).get("commit")
    return {"hub": path} if of_hub and isinstance(path, str) else {}
