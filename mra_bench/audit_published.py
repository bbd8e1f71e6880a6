"""What `audit` says of imported texts: published verdicts against re-derived ones, rows and golds against the named
split, equal texts under different names. None of it is a fault of the folder, whose figures follow from its texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_checks import Finding, difference, read_safely
from mra_bench.imports.golds import equal_golds
from mra_bench.imports.reasons import REASONS
from mra_bench.imports.words import published_sentences
from mra_bench.known_splits import known_splits, said_of_label
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.problem_rows import problems_hash
from mra_bench.store import stage_record
from mra_bench.stored import Judge, stage_of
from mra_bench.stored_rows import problems_of, verdict_facts
from mra_bench.types import Problem
from mra_bench.workers import GraderSpec, Limits

SHOWN = 5  # texts on which verdicts differ


def check_published(run: Path, manifest: Mapping[str, Any], plugins: PluginSettings) -> Iterator[Finding]:
    """The stored verdicts of another tool stand one beside each text, and are counted right; whether its gold answers
    are the problems' follows from both."""
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
        yield from _check_golds(run, evaluation, rows, plugins)


def _check_golds(
    run: Path, evaluation: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], plugins: PluginSettings
) -> Iterator[Finding]:
    """What the rows say of the tool's gold answers, against what the grader says of them now."""
    judge = Judge.of(stage_of(run, evaluation["grades"][0]))
    problems = {problem.id: problem for problem in problems_of(run / evaluation["problems"])}
    told = [row for row in rows if row.get("same_gold") is not None and row["problem"] in problems]
    same = equal_golds(
        ((problems[row["problem"]], row["gold"]) for row in told),
        GraderSpec(judge.name, judge.options, plugins, judge.kind),
        Limits(judge.limits["seconds"], judge.limits["memory_mb"]),
    )
    for row in told:
        derived = same[row["problem"], row["gold"]]
        if row["same_gold"] != derived:
            where = f"{row['problem']} sample {row['sample']}"
            yield Finding(f"{evaluation['verdicts']}/verdicts.jsonl", where, f"same_gold {not derived}", str(derived))


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
            why = f"{REASONS[text['why']]}; " if text.get("why") in REASONS else ""
            said.append(
                f"{one['model']}, {text['problem']} sample {text['sample']}: published {_word(published['correct'])}"
                f"{_answer(published['answer'])}, graded again {_word(derived['correct'])}{_answer(derived['answer'])}"
                f" ({why}{derived['reason']:.160})"
            )
        said += [
            f"{one['model']}, {gold['problem']}: the gold answer is {gold['published']!r:.60} in the file, "
            f"{gold['gold']!r:.60} in the dataset{', cut' if gold['cut'] else ''}"
            for gold in one["other_golds"]
        ]
    for entry in manifest["datasets"]:
        folder = next(e["problems"] for e in manifest["evaluations"] if e["dataset"] == entry["name"])
        said += _splits(problems_of(run / folder), entry["data"], entry["split"], registry)
    return said


def _splits(problems: Sequence[Problem], data: str, split: str, registry: Registry) -> list[str]:
    """Which known splits the problems are from, by the checksums of all specs and the samples of their questions, and
    whether that is the one that the import names."""
    found = known_splits(problem.question for problem in problems)
    named, label = f"named {data}, {split}", said_of_label(data, split, found)
    now = problems_hash(problems)
    exact = [f"{one}, {part}" for one, part, checksum in _checksums(registry) if checksum == now]
    if exact:
        those = " and of ".join(exact)
        return [f"The problems ({named}) and golds are those of {those}, to the last character", *label]
    if not found:
        return [f"The problems ({named}) are of no split whose questions are known here"]
    shares = [
        f"The problems ({named}): of {one.comparable:,} questions that a sample of {one.name} would show, "
        f"{one.shown:,} are in it; they are about {one.covered:.0%} of that split"
        for one in found[:2]
    ]
    return [*shares, *label]


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
