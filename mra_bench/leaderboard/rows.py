"""What a run publishes for leaderboards: one row for each model and dataset, with all that a board needs, so that its
texts need not be read again. No clock: the date stands in run.json."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.compute import training_operations
from mra_bench.errors import UsageError
from mra_bench.folder import RECIPE
from mra_bench.results import RESULTS
from mra_bench.store import canonical, file_hash, fingerprint, read_rows, stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.verdict import judged
from mra_bench.yaml_text import read_yaml

VERSION = 1
ROWS = "leaderboard_rows.json"
PARTIAL = "the run is not complete, so it has no headline and no row"
SEQUENTIAL = "a run that ends once it knows (--until-decided) enters no leaderboard"
SILENT = "the grader could not judge a single text"
NO_PROMPT = "how it was asked is not recorded"


@dataclasses.dataclass(frozen=True)
class Prompt:
    """How the problems were put to the model. sha256: of all prompts as they were rendered, in the order of the
    problems; kind: "plain", "chat" or "" where the model does not say; shots: worked examples in each; first: the
    prompt of the first problem."""

    sha256: str
    kind: str
    instruction: str
    answer_format: str
    shots: int
    first: str


@dataclasses.dataclass(frozen=True)
class Decoded:
    """How texts were made, as the stage of the texts records it. temperature 0 is greedy; max_new_tokens 0 says that
    the texts were imported, and nobody knows."""

    max_new_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]
    stop_after_answer: bool
    samples: int


@dataclasses.dataclass(frozen=True)
class GradedBy:
    """The first grader of the recipe. settings: fingerprint of its options and limits."""

    name: str
    version: str
    settings: str


@dataclasses.dataclass(frozen=True)
class Ancestor:
    """A model and how it was made. weights: fingerprint of the hashes of its weights, None where nobody knows them."""

    model: str
    how: str
    weights: str | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One model on one dataset.

    part: "" for a whole split, else which part of it the recipe takes. problems: how many were asked, `sha256` over
    them; unreadable: places (from 0) of those whose gold answer the grader could not read, which count for nobody.
    n: those that count. verdicts: base64 of one bit for each text, problem by problem and sample by sample, the
    unreadable too, 1 for correct, the first in the highest bit. texts: sha256 over problem, sample and text of each.
    compute: floating-point operations of the training that the run did for this model and those it comes from, None
    where that is not known. contaminated: how many of the problems it was trained on, None where that is not known;
    trained: whether the run trained it at all. lineage: the model itself first.
    """

    model: str
    dataset: str
    data: str
    split: str
    part: str
    problems: int
    sha256: str
    unreadable: tuple[int, ...]
    prompt: Prompt
    decoding: Decoded
    grader: GradedBy
    n: int
    correct: float
    accuracy: float
    low: float
    high: float
    tokens_mean: float
    verdicts: str
    texts: str
    parameters: int | None
    compute: int | None
    contaminated: int | None
    trained: bool
    lineage: tuple[Ancestor, ...]
    device: str
    dtype: str


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Why a model has no row on a dataset; both "" for the whole run."""

    model: str
    dataset: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Published:
    """All of leaderboard_rows.json. results: sha256 of the results.json that the rows go with."""

    version: int
    run: str
    seed: int
    fingerprint: str
    results: str
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]


def published(run: Path, record: Mapping[str, Any], results: Mapping[str, Any], results_sha256: str) -> Published:
    """The rows of a run folder from its own files; `record`: its run.json, `results`: its results.json."""
    plan = record["plan"]
    left_out: list[LeftOut] = []
    rows: list[Row] = []
    if results["partial"]:
        left_out.append(LeftOut("", "", PARTIAL))
    elif "sequential" in results:
        left_out.append(LeftOut("", "", SEQUENTIAL))
    else:
        parts = _parts(run, plan.get("imported"))
        for evaluation in plan["evaluations"]:
            made = _row(run, record, results, evaluation, parts.get(evaluation["dataset"], ""))
            if isinstance(made, Row):
                rows.append(made)
            else:
                left_out.append(made)
    return Published(
        VERSION, plan["name"], plan["seed"], plan["fingerprint"], results_sha256, tuple(rows), tuple(left_out)
    )


def published_data(run: Path, record: Mapping[str, Any], results: Mapping[str, Any], of: Path) -> dict[str, Any]:
    """The same as plain data; `of`: the folder whose results.json it goes with."""
    return dataclasses.asdict(published(run, record, results, file_hash(of / RESULTS)))


def _row(
    run: Path, record: Mapping[str, Any], results: Mapping[str, Any], evaluation: Mapping[str, Any], part: str
) -> Row | LeftOut:
    model, name = evaluation["model"], evaluation["dataset"]
    entry = _one(results["datasets"], "name", name)
    score = _one(entry["scores"], "model", model)
    asked = record.get("prompts", {}).get(model, {}).get(name)
    if not entry["n"] or not judged(score):
        return LeftOut(model, name, SILENT)
    if asked is None:
        return LeftOut(model, name, NO_PROMPT)
    described = _one(record["plan"]["datasets"], "name", name)
    made = stage_record(run / evaluation["completions"]) or {}
    problems = problems_of(run / evaluation["problems"])
    ids = [problem.id for problem in problems]
    unreadable = set(entry["unreadable"])
    conditions = made["spec"]["conditions"]
    of_results = _one(results["models"], "name", model)
    samples = made["spec"]["samples"]
    verdicts, texts = _verdicts(run, evaluation, ids, samples)
    return Row(
        model=model,
        dataset=name,
        data=described["data"],
        split=described["split"],
        part=part,
        problems=len(ids),
        sha256=(stage_record(run / evaluation["problems"]) or {})["spec"]["hash"],
        unreadable=tuple(place for place, i in enumerate(ids) if i in unreadable),
        prompt=Prompt(
            asked["hash"],
            str((conditions.get("prompt") or {}).get("kind", "")),
            described["instruction"],
            described["answer_format"],
            len(described.get("examples", ())),
            asked["text"],
        ),
        decoding=_decoded(made["spec"]),
        grader=_graded_by(record["plan"]["graders"][0]),
        n=score["n"],
        correct=float(score["correct"]),
        accuracy=float(score["accuracy"]),
        low=float(score["low"]),
        high=float(score["high"]),
        tokens_mean=float(score["tokens_mean"]),
        verdicts=verdicts,
        texts=texts,
        parameters=of_results["parameters"],
        compute=training_operations(results["models"], model),
        contaminated=_contaminated(results["contamination"], model, name),
        trained=of_results["from"] is not None,
        lineage=tuple(_lineage(record, results["models"], model)),
        device=str(conditions.get("device", "")),
        dtype=str(conditions.get("dtype", "")),
    )


def _one(entries: Sequence[Mapping[str, Any]], key: str, name: str) -> Mapping[str, Any]:
    """The entry of that name. Raises UsageError where results and record do not speak of the same things."""
    for entry in entries:
        if entry[key] == name:
            return entry
    raise UsageError(f"{RESULTS} and run.json do not agree: one has no {key} {name!r:.80}")


def _decoded(spec: Mapping[str, Any]) -> Decoded:
    decoding = spec["decoding"]
    return Decoded(
        decoding["max_new_tokens"],
        float(decoding["temperature"]),
        float(decoding["top_p"]),
        tuple(decoding["stop"]),
        decoding["stop_after_answer"],
        spec["samples"],
    )


def _graded_by(grader: Mapping[str, Any]) -> GradedBy:
    settings = fingerprint({"options": grader["options"], "limits": grader["limits"]})
    return GradedBy(grader["name"], grader["version"], settings)


def _verdicts(run: Path, evaluation: Mapping[str, Any], ids: Sequence[str], samples: int) -> tuple[str, str]:
    """The packed verdicts, and the hash over the texts; one text is in memory at a time."""
    correct = {i: bytearray(samples) for i in ids}
    digest = hashlib.sha256()
    texts, grades = read_rows(run / evaluation["completions"]), read_rows(run / evaluation["grades"][0])
    for text, grade in zip(texts, grades, strict=True):
        correct[grade["problem"]][grade["sample"]] = grade["correct"] is True
        digest.update(canonical([text["problem"], text["sample"], text["text"]]).encode() + b"\n")
    return pack(bit for i in ids for bit in correct[i]), digest.hexdigest()


def pack(bits: Iterable[int]) -> str:
    """Bits (0 or 1) as base64, eight to a byte, the first one highest; the last byte is filled up with 0."""
    digits = "".join("1" if bit else "0" for bit in bits)
    size = -(-len(digits) // 8)
    return base64.b64encode(int(digits.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")).decode()


def _contaminated(found: Mapping[str, Any], model: str, dataset: str) -> int | None:
    if "stamped" not in found:  # an older mra-bench did not say
        return None
    met = [row for row in found["stamped"] if (row["model"], row["dataset"]) == (model, dataset)]
    return sum(int(row["questions"]) for row in met)


def _lineage(record: Mapping[str, Any], models: Sequence[Mapping[str, Any]], model: str) -> Iterator[Ancestor]:
    by_name = {one["name"]: one for one in models}
    name: str | None = model
    while name is not None:
        weights = record["models"].get(name, {}).get("weights")
        yield Ancestor(name, by_name[name]["how"] or "", fingerprint(weights) if weights else None)
        name = by_name[name]["from"]


def _parts(run: Path, imported: Mapping[str, Any] | None) -> dict[str, str]:
    """For each dataset of the recipe that is no whole split, which part of one it is."""
    path = run / RECIPE
    recipe = read_yaml(path.read_text(encoding="utf-8"), RECIPE) if path.is_file() else {}
    entries = recipe.get("datasets") if isinstance(recipe, dict) else {}
    found = {name: _part(entry) for name, entry in (entries or {}).items() if isinstance(entry, dict)}
    for entry in (entries or {}).values():  # what is carved out of a split is missing in it
        if isinstance(entry, dict) and (source := entry.get("carve")) in found:
            less = f"less {entry.get('count')} carved out"
            found[source] = f"{found[source]}, {less}" if found[source] else less
    if imported and imported["problems"] < imported["split"]:
        return dict.fromkeys(found, f"{imported['problems']:,} imported")
    return found


def _part(entry: Mapping[str, Any]) -> str:
    said = [f"{entry.get('count')} carved out"] if entry.get("carve") else []
    said += [f"first {entry['limit']}"] if entry.get("limit") else []
    return ", ".join(said)
