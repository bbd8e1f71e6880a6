"""What `audit` asks of names and identities: each place of run.json that speaks of a model or a dataset means the one
that the stages are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding
from mra_bench.folder import RUN
from mra_bench.store import stage_record
from mra_bench.stored import stage_of
from mra_bench.work import Stage

Found = Iterator[Finding]


def check_names(run: Path, record: Mapping[str, Any]) -> Found:
    """Findings about a finished run; of another one not everything is written yet."""
    plan = record["plan"]
    if record.get("finished") is None:
        return
    models, datasets = [m["name"] for m in plan["models"]], [d["name"] for d in plan["datasets"]]
    named = [*_same("models", record["models"], models), *_same("prompts", record["prompts"], models)]
    for model, prompts in record["prompts"].items():
        named += _same(f"prompts.{model}", prompts, datasets)
    yield from named
    if named:
        return  # nothing is found by these names
    for model in plan["models"]:
        if model["stage"] is not None:
            yield from _trained(run, record, model)
    for evaluation in plan["evaluations"]:
        yield from _evaluation(run, record, evaluation)


def _same(where: str, there: Mapping[str, Any], named: list[str]) -> Found:
    if sorted(there) != sorted(named):
        yield Finding(RUN, where, ", ".join(sorted(there)), f"{', '.join(sorted(named))} in its plan")


def _trained(run: Path, record: Mapping[str, Any], model: Mapping[str, Any]) -> Found:
    """A trained model is the one of its stage, and its weights are those that the stage left."""
    name, folder = model["name"], model["stage"]
    stage = stage_of(run, folder)
    if stage.name != name:
        yield Finding(RUN, f"plan.models.{name}", folder, f"the training of {stage.name}")
    left = (stage_record(run / folder) or {})["files"]
    weights = (record["models"].get(name) or {}).get("weights")  # what a plugin's model says of itself: any JSON
    hashes = weights.get("sha256") if isinstance(weights, Mapping) else None
    for file, told in hashes.items() if isinstance(hashes, Mapping) else ():
        if (there := left.get(f"weights/{file}", told)) != told:
            yield Finding(RUN, f"models.{name}.weights.{file}", told[:8], f"{there[:8]} in {folder}/stage.json")


def _evaluation(run: Path, record: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Found:
    """The texts are by the weights of the model, and of the problems and prompts of the dataset, that are named."""
    plan, at = record["plan"], f"{evaluation['model']} on {evaluation['dataset']}"
    problems, texts = (stage_of(run, evaluation[key]) for key in ("problems", "completions"))
    entry = next(one for one in plan["datasets"] if one["name"] == evaluation["dataset"])
    model = next(one for one in plan["models"] if one["name"] == evaluation["model"])
    told = {key: entry[key] for key in ("data", "split")}
    there = {key: problems.spec[key] for key in told}
    recorded = record["datasets"].get(entry["name"]) or {}
    if not evaluation.get("look"):
        told |= {"sha256": recorded.get("sha256"), "recorded": [recorded.get("data"), recorded.get("split")]}
        there |= {"sha256": problems.spec["hash"], "recorded": [problems.spec["data"], problems.spec["split"]]}
    if told != there:
        yield Finding(RUN, at, _in_words(told), f"{_in_words(there)} in {evaluation['problems']}")
    style = {key: entry[key] for key in ("instruction", "answer_format", "examples", "plain") if key in entry}
    if style != texts.spec["style"]:
        yield Finding(RUN, at, _in_words(style), f"{_in_words(texts.spec['style'])} in {evaluation['completions']}")
    weights = _weights(run, record, model)
    if weights != texts.spec["model"]:
        what = "another model's weights" if texts.spec["model"] else "no weights"
        yield Finding(RUN, at, f"texts by the weights of {model['name']}", f"{what} in {evaluation['completions']}")


def _weights(run: Path, record: Mapping[str, Any], model: Mapping[str, Any]) -> Any:
    """What tells the model's weights from others, as the stage of its texts records it."""
    if model["stage"] is None:
        return record["models"][model["name"]].get("weights")
    stage: Stage = stage_of(run, model["stage"])
    return {"trained": stage.fingerprint}


def _in_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value!r:.80}" for name, value in values.items())
