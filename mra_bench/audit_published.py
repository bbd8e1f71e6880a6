"""What `audit` says of imported texts: published verdicts against re-derived ones, rows and golds against the named
split, equal texts under different names. None of it is a fault of the folder, whose figures follow from its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference, read_safely
from mra_bench.datasets import problems_hash
from mra_bench.imports.words import published_sentences
from mra_bench.plugins import Registry
from mra_bench.split_samples import built_in_samples, question_hash
from mra_bench.store import stage_record
from mra_bench.stored_rows import problems_of, verdict_facts
from mra_bench.types import Problem

SHOWN = 5  # texts on which verdicts differ


def check_published(run: Path, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """The stored verdicts of another tool stand one beside each text, and are counted right."""
    for evaluation in manifest["evaluations"] if "imported" in manifest else ():
        folder = evaluation["verdicts"]
        broken: list[Finding] = []
        rows = list(read_safely(run / folder / "verdicts.jsonl", run, broken))
        yield from broken
        facts = (stage_record(run / folder) or {})["facts"]
        for path, stored, derived in difference(facts, verdict_facts(rows)):
            yield Finding(f"{folder}/stage.json", path, str(stored), str(derived))
        texts = (
            row
            for path in sorted((run / evaluation["completions"]).glob("*.jsonl"))
            for row in read_safely(path, run, [])
        )
        if [(row["problem"], row["sample"]) for row in texts] != [(row["problem"], row["sample"]) for row in rows]:
            yield Finding(f"{folder}/verdicts.jsonl", "", f"{len(rows)} verdicts", "not one for each text, in order")


def said_of_published(
    run: Path, manifest: Mapping[str, Any], results: Mapping[str, Any], registry: Registry
) -> list[str]:
    """Sentences about imported texts; none for a run whose texts were generated."""
    if "published" not in results:
        return []
    said = published_sentences(results["published"])
    for one in results["published"]["models"]:
        for text in one["differ"][:SHOWN]:
            published, derived = text["published"], text["derived"]
            said.append(
                f"{one['model']}, {text['problem']} sample {text['sample']}: published {_word(published['correct'])}"
                f"{_answer(published['answer'])}, graded again {_word(derived['correct'])}{_answer(derived['answer'])}"
                f" ({derived['reason']:.160})"
            )
    for entry in manifest["datasets"]:
        folder = next(e["problems"] for e in manifest["evaluations"] if e["dataset"] == entry["name"])
        said += known_splits(problems_of(run / folder), entry["data"], entry["split"], registry)
    return said


def known_splits(problems: Sequence[Problem], data: str, split: str, registry: Registry) -> list[str]:
    """Which known splits the problems are from, by the checksums of all specs and the samples of their questions."""
    now = problems_hash(problems)
    exact = [f"{one}, {part}" for one, part, checksum in _checksums(registry) if checksum == now]
    if exact:
        return [f"The problems and golds are those of {' and of '.join(exact)}, to the last character"]
    hashes = {question_hash(problem.question) for problem in problems}
    found = []
    for name, samples in built_in_samples().items():
        for part, sample in samples.items():
            near = {one for one in hashes if one <= sample[-1]}
            if shown := len(near.intersection(sample)):
                found.append((shown / len(near), name, part, shown, len(near)))
    named = f"named {data}, {split}"
    if not found:
        return [f"The problems ({named}) are of no split whose questions are known here"]
    best = sorted(found, reverse=True)[:2]
    return [
        f"The problems ({named}): of {near:,} questions that a sample of {name}, {part} would show, {shown:,} are in it"
        for _, name, part, shown, near in best
    ]


def _checksums(registry: Registry) -> Iterator[tuple[str, str, str]]:
    from mra_bench.datasets import dataset_names, dataset_spec

    for name in dataset_names(registry):
        for layout in dataset_spec(name, registry).layouts:
            for part, facts in layout.splits.items():
                yield name, part, facts.checksum


def _word(correct: bool | None) -> str:
    return {True: "right", False: "wrong", None: "not judged"}[correct]


def _answer(answer: str | None) -> str:
    return f" ({answer!r:.60})" if answer else ""
