"""Whether the models of a run were asked under the same conditions: by what run.json records of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.drawn import not_drawn

REPRODUCIBLE = "reproducible"
"""The key under "models" of run.json of a model that is not; others have none."""


def checks(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answer to "same conditions?" from run.json: an entry for each thing that must be equal over models, `what` it
    is, whether it is the `same`, and its `values` by model.

    Prompts are told apart by any record with a "hash" under "prompts" (model, then dataset); number formats by any
    "dtype" under "models". Things that are not recorded give no entry.
    """
    found = []
    by_dataset: dict[str, dict[str, str]] = {}
    for model, dataset, digest in _prompt_hashes(record.get("prompts")):
        by_dataset.setdefault(dataset, {})[model] = digest
    for dataset, hashes in by_dataset.items():
        found.append(_check(f"prompt on {dataset}" if dataset else "prompt", hashes))
    models = record.get("models")
    dtypes = {}
    for name, identity in models.items() if isinstance(models, Mapping) else ():
        if formats := sorted({str(value) for value in _find(identity, "dtype")}):
            dtypes[name] = ", ".join(formats)
    if dtypes:
        found.append(_check("number format", dtypes))
    return [check for check in found if len(check["values"]) > 1]


def unlike(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks that fail: what was not the same for all models."""
    return [{"what": check["what"], "values": check["values"]} for check in checks(record) if not check["same"]]


def asked_alike(run: Path, record: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """For results.json: what was not the same for all models; and where there are such, models that are not
    reproducible and samples that were not drawn."""
    more = {"not_reproducible": unrepeatable(record), "not_drawn": not_drawn(run, evaluations)}
    return {"unlike_models": unlike(record), **{name: found for name, found in more.items() if found}}


def unlike_warnings(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A warning for each thing that was not the same, with the models that share a value."""
    said = []
    for check in found:
        groups: dict[str, list[str]] = {}
        for model, value in check["values"].items():
            groups.setdefault(str(value), []).append(model)
        prompt = check["what"].startswith("prompt")
        parts = [", ".join(models) if prompt else f"{', '.join(models)} {value}" for value, models in groups.items()]
        text = f"The {check['what']} was not the same for all models ({' / '.join(parts)})."
        kind = "different-prompts" if prompt else "different-conditions"
        said.append((kind, f"{text} A difference between them may come from that alone."))
    return said


def unrepeatable(record: Mapping[str, Any]) -> list[str]:
    """Names of the models whose texts may differ when they are asked again, such as one behind a network endpoint."""
    models = record.get("models")
    known = models.items() if isinstance(models, Mapping) else ()
    return [str(name) for name, one in known if _may_differ(one)]


def _may_differ(one: object) -> bool:
    """Whether a model is known to be able to write other texts; of imported texts that is said elsewhere."""
    return isinstance(one, Mapping) and one.get(REPRODUCIBLE) is False and one.get("generated") is not False


def unrepeatable_warnings(names: Sequence[str]) -> list[tuple[str, str]]:
    """The warning for models that are not reproducible, all in one."""
    if not names:
        return []
    whose = f"{', '.join(names)}: asked again, {'it' if len(names) == 1 else 'they'} may write other texts"
    so = "The stored ones can be graded again, but nobody can make them again."
    return [("not-reproducible", f"{whose}, even to the same settings. {so}")]


def _check(what: str, values: Mapping[str, str]) -> dict[str, Any]:
    return {"what": what, "same": len(set(values.values())) == 1, "values": values}


def _prompt_hashes(prompts: object) -> Iterator[tuple[str, str, str]]:
    """(model, dataset, hash) from {model: {dataset: record}}, {model: record} or [record with its names]."""
    if isinstance(prompts, Mapping):
        for model, inner in prompts.items():
            if isinstance(inner, Mapping) and "hash" in inner:
                yield str(model), "", str(inner["hash"])
            elif isinstance(inner, Mapping):
                for dataset, record in inner.items():
                    if isinstance(record, Mapping) and "hash" in record:
                        yield str(model), str(dataset), str(record["hash"])
    elif isinstance(prompts, list):
        for record in prompts:
            if isinstance(record, Mapping) and "hash" in record:
                yield str(record.get("model", "")), str(record.get("dataset", "")), str(record["hash"])


def _find(value: object, key: str) -> Iterator[object]:
    """Every value of `key` in nested mappings and lists."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key:
                yield inner
            else:
                yield from _find(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _find(inner, key)
