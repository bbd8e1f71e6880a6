"""What `audit` checks of repetitions: each is the evaluation that it says it repeats, in the batches that follow from
the seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding
from mra_bench.folder import RUN
from mra_bench.repetition import REPETITION, in_blocks
from mra_bench.store import read_rows, stage_record
from mra_bench.stored import stage_of
from mra_bench.stored_rows import problems_of
from mra_bench.types import Request
from mra_bench.work import Stage


def check_repeats(run: Path, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings about the repetitions of the plan that are finished."""
    first = {(e["dataset"], e["model"]): e for e in manifest["evaluations"]}
    for e in manifest.get("repeats", ()):
        original = first[e["dataset"], e["model"]]
        folders = [e["completions"], e["grades"][0], original["completions"], original["grades"][0]]
        if any(stage_record(run / folder) is None for folder in folders):
            continue
        texts, verdicts, before, judged = (stage_of(run, folder) for folder in folders)
        at = f"{e['model']} on {e['dataset']}, again {e['repetition']}"
        repetition = {"number": e["repetition"], "seed": manifest["seed"]}
        if texts.fingerprint != _with(before, {**before.spec, REPETITION: repetition}).fingerprint:
            yield Finding(RUN, at, e["completions"], f"not {original['completions']} generated again")
        if verdicts.spec != judged.spec:
            yield Finding(RUN, at, e["grades"][0], f"not graded as {original['grades'][0]}")
        yield from _order(run, texts, repetition)


def _with(stage: Stage, spec: Mapping[str, Any]) -> Stage:
    return dataclasses.replace(stage, spec=spec)


def _order(run: Path, texts: Stage, repetition: Mapping[str, int]) -> Iterator[Finding]:
    """The rows stand in the blocks in which they were generated, and those follow from the seed."""
    problems = problems_of(run / texts.inputs[0].folder)
    requests = (Request(problem, sample) for problem in problems for sample in range(texts.spec["samples"]))
    asked = in_blocks(requests, texts.spec["block_size"], repetition["seed"], repetition["number"])
    for block, path in zip(asked, sorted((run / texts.folder).glob("block-*.jsonl")), strict=True):
        keys = [(request.problem.id, request.sample) for request in block]
        if [(row["problem"], row["sample"]) for row in read_rows(path)] != keys:
            yield Finding(f"{texts.folder}/{path.name}", "", "other texts", "those of this block of the repetition")
