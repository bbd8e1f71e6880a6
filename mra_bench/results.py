"""results.json: every figure of a run, computed from the files of its folder and from nothing else."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench import statistics
from mra_bench.agreement import agreement_results
from mra_bench.claims import claim_results
from mra_bench.conditions import differences
from mra_bench.contamination import find_duplicates
from mra_bench.decision_results import decision_results
from mra_bench.efficiency import efficiency_results
from mra_bench.groups import answer_type, steps_of
from mra_bench.looks import asked_so_far, counting, finished, gold_unreadable, read_looks, sequential_results
from mra_bench.model_results import built_results, model_results, training_results
from mra_bench.problem_sets import look_name
from mra_bench.profiled import profile_results
from mra_bench.published import published_results
from mra_bench.repeated import missing_repeats, repeated_results
from mra_bench.same_conditions import asked_alike
from mra_bench.scored import Judged, Scored
from mra_bench.stamps import contamination_results
from mra_bench.store import read_rows, stage_record
from mra_bench.stored_rows import problems_of
from mra_bench.types import LENGTH, Problem
from mra_bench.verdict import ALPHA, adjusted, sentences, warnings_of

VERSION = 1
RESULTS = "results.json"


def compute(run: Path) -> dict[str, Any]:
    """All of results.json for a run folder. Evaluations whose stages are not complete are listed as missing."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    manifest = record["plan"]
    counted = counting(run, manifest)
    missing = missing_of(run, manifest)
    datasets = [
        dataset_results(run, entry, [e for e in counted if e["dataset"] == entry["name"]], manifest)
        for entry in manifest["datasets"]
    ]
    results: dict[str, Any] = {
        "version": VERSION,
        "run": {key: manifest[key] for key in ("name", "description", "seed", "fingerprint")},
        "grader": manifest["graders"][0],
        "partial": bool(missing),
        "missing": missing,
        "models": [model_results(run, model) for model in manifest["models"]],
        "datasets": datasets,
        "training": [t for m in manifest["models"] if (t := training_results(run, m)) is not None],
        "pairs": [p for m in manifest["models"] if (p := built_results(run, m, "pairs", "no_pair")) is not None],
        "contamination": contamination_results(run, record),
        **asked_alike(run, record, counted),
        "mixed_conditions": differences(made_with_of(run, manifest["folders"])),
        "stages": [
            {
                "dataset": e["dataset"],
                "model": e["model"],
                "problems": e["problems"],
                "completions": e["completions"],
                "grades": e["grades"][0],
                "other_grades": e["grades"][1:],
                **({"profiles": e["profiles"]} if e.get("profiles") else {}),
            }
            for e in counted
            if finished(run, e)
        ],
    }
    if rows := [r for m in manifest["models"] if (r := built_results(run, m, "rows", "no_row")) is not None]:
        results["rows"] = rows
    for dataset in datasets if "profilers" in manifest else ():
        of_dataset = [e for e in counted if e["dataset"] == dataset["name"] and finished(run, e)]
        dataset["profiles"] = profile_results(run, manifest, of_dataset, dataset["unreadable"])
    if "repeats" in manifest:
        for dataset in datasets:
            dataset["repeated"] = repeated_results(run, manifest, dataset["name"], dataset["unreadable"])
    if "looks" in manifest:
        results["sequential"] = sequential_results(run, manifest)
    if "imported" in manifest:
        results["published"] = published_results(run, manifest, counted)
    if "claims" in manifest:
        results["claims"] = claim_results(run, manifest, datasets)
    results["warnings"] = warnings_of(results)
    results["verdict"] = [] if missing else sentences(results)
    return results


def dataset_results(
    run: Path, entry: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Scores, paired comparisons and breakdowns on one dataset, over the problems whose gold can be read."""
    scored, unreadable = without_unreadable(read_scored(run, evaluations))
    looks = read_looks(run, evaluations, manifest)
    level = looks.level if looks else statistics.LEVEL
    pairs = looks.comparisons() if looks else paired(scored, manifest["seed"])
    headline = entry["name"] == manifest["datasets"][0]["name"]
    return {
        **dataset_figures({**entry, "headline": headline}, scored, unreadable, pairs, level),
        "other_graders": [
            {**grader, "scores": other_scores(run, scored, evaluations, place, level)}
            for place, grader in enumerate(manifest["graders"])
            if place
        ],
    }


def dataset_figures(
    entry: Mapping[str, Any],
    scored: Sequence[Scored],
    unreadable: Sequence[str],
    pairs: Sequence[Mapping[str, Any]],
    level: float = statistics.LEVEL,
) -> dict[str, Any]:
    """What follows of one dataset from models that were scored on the same problems, of one run or of several. `entry`:
    "name", "data", "split", "headline" and "answer_format" of the dataset; `pairs`: see `paired`."""
    problems = scored[0].problems if scored else ()
    duplicates = find_duplicates(problems)
    decisions, lengths, votes = (of(scored, level) for of in (decision_results, efficiency_results, agreement_results))
    by_level, by_type, by_steps = (breakdown(scored, of, level) for of in (lambda p: p.level, answer_type, steps_of))
    return {
        **{key: entry[key] for key in ("name", "data", "split", "headline", "answer_format")},
        "n": len(problems),
        "unreadable": list(unreadable),
        "duplicates": {"repeated": sum(len(ids) - 1 for ids in duplicates), "groups": duplicates},
        "scores": [score(s, entry["answer_format"], level) for s in scored],
        "pairs": list(pairs),
        "by_subject": breakdown(scored, lambda p: p.subject, level),
        "by_level": by_level,
        "by_answer_type": by_type if len(by_type) > 1 else [],
        "by_steps": by_steps if len(by_steps) > 1 and by_steps != by_level else [],
        **({"decisions": decisions} if decisions else {}),
        **({"efficiency": lengths} if lengths else {}),
        **({"agreement": votes} if votes else {}),
    }


def read_scored(run: Path, evaluations: Sequence[Mapping[str, Any]]) -> list[Scored]:
    """Each model on all problems of these evaluations, as far as they are finished."""
    done = [e for e in evaluations if finished(run, e)]
    asked = {folder: problems_of(run / folder) for folder in dict.fromkeys(e["problems"] for e in done)}
    read = []
    for model in dict.fromkeys(e["model"] for e in done):
        of_model = [e for e in done if e["model"] == model]  # several where the problems were asked in looks
        problems = [p for e in of_model for p in asked[e["problems"]]]
        read.append(Scored(model, problems, read_judged(run, of_model, (p.id for p in problems))))
    return read


def without_unreadable(read: Sequence[Scored]) -> tuple[list[Scored], list[str]]:
    """The models on the problems whose gold can be read, and the ids of those whose cannot."""
    unreadable = [p.id for p in read[0].problems if _gold_unreadable(p.id, read)] if read else []
    return [_without(s, frozenset(unreadable)) for s in read], unreadable


def score(scored: Scored, answer_format: str, level: float = statistics.LEVEL) -> dict[str, Any]:
    """One row of the scoreboard. Rates are over samples; intervals over problems."""
    flat = list(scored.flat())
    correct = scored.correct
    means = [sum(c) / len(c) for c in correct.values()]
    samples = len(next(iter(correct.values()))) if correct else 0
    interval = accuracy_interval(means, samples, level)
    right = sum(s.correct is True for s in flat)
    unjudged = sum(s.correct is None for s in flat)
    in_format = [s for s in flat if answer_format and s.rule == answer_format]
    row: dict[str, Any] = {
        "model": scored.model,
        "n": len(means),
        "samples": samples,
        "correct": sum(means),
        "accuracy": _ratio(right, len(flat)),
        "low": interval.low,
        "high": interval.high,
        "worst": _ratio(right, len(flat)),
        "best": _ratio(right + unjudged, len(flat)),
        "in_format": len(in_format),
        "right_in_format": sum(s.correct is True for s in in_format),
        "empty": sum(s.empty for s in flat),
        "truncated": sum(s.truncated for s in flat),
        "tokens_mean": _ratio(sum(s.tokens for s in flat), len(flat)),
        "kinds": dict(sorted(Counter(s.kind for s in flat).items())),
        "truncated_kinds": dict(sorted(Counter(s.kind for s in flat if s.truncated).items())),
        "pass_at_k": {},
        "maj_at_k": {},
    }
    if (crashed := next((s for s in flat if s.kind == "crashed"), None)) is not None:
        row["first_crash"] = crashed.crash
    if samples > 1:
        row["pass_at_k"], row["maj_at_k"] = several_samples(scored, samples)
    return row


def other_scores(
    run: Path, scored: Sequence[Scored], evaluations: Sequence[Mapping[str, Any]], place: int, level: float
) -> list[dict[str, Any]]:
    """Each model by the grader at `place` of the recipe's list, on the texts and problems of the headline's figures."""
    rows = []
    for headline in scored:
        of_model = [e for e in evaluations if e["model"] == headline.model]
        if any(stage_record(run / e["grades"][place]) is None for e in of_model):
            continue
        other = Scored(headline.model, headline.problems, read_judged(run, of_model, headline.samples, place))
        means = [sum(c) / len(c) for c in other.correct.values()]
        interval = accuracy_interval(means, len(headline.samples[headline.problems[0].id]) if means else 0, level)
        rows.append(
            {
                "model": headline.model,
                "correct": sum(means),
                "accuracy": _ratio(sum(means), len(means)),
                "low": interval.low,
                "high": interval.high,
                "agreement": agreement(headline.flat(), other.flat()),
            }
        )
    return rows


def agreement(headline: Iterable[Judged], other: Iterable[Judged]) -> dict[str, int]:
    """Texts by what two graders say of them; a text that either could not judge is in "not_judged" only."""
    counts = dict.fromkeys(("both", "headline_only", "other_only", "neither", "not_judged"), 0)
    for a, b in zip(headline, other, strict=True):
        if a.correct is None or b.correct is None:
            counts["not_judged"] += 1
        elif a.correct == b.correct:
            counts["both" if a.correct else "neither"] += 1
        else:
            counts["headline_only" if a.correct else "other_only"] += 1
    return counts


def several_samples(scored: Scored, samples: int) -> tuple[dict[str, float], dict[str, float]]:
    """pass@k and maj@k, means over problems, for k = 1, 2, 4, ... and all samples."""
    sizes = sorted({*(2**i for i in range(samples.bit_length()) if 2**i <= samples), samples})
    rows = [scored.samples[p.id] for p in scored.problems]
    passes, votes = {}, {}
    correct = [scored.correct[p.id] for p in scored.problems]
    for k in sizes:
        passes[str(k)] = _ratio(sum(statistics.pass_at_k(samples, sum(c), k) for c in correct), len(rows))
        voted = (statistics.majority_at_k([s.answer for s in row], c, k) for row, c in zip(rows, correct, strict=True))
        votes[str(k)] = _ratio(sum(voted), len(rows))
    return passes, votes


def accuracy_interval(means: Sequence[float], samples: int, level: float = statistics.LEVEL) -> statistics.Interval:
    """Wilson's interval; for several samples a problem with the effective number of them (statistics.clustered)."""
    return statistics.clustered(means, samples, level) if means else statistics.Interval(0.0, 1.0)


def paired(
    scored: Sequence[Scored], seed: int, wanted: Callable[[str, str], bool] = lambda a, b: True
) -> list[dict[str, Any]]:
    """Every pair of models (of those that are `wanted`) in run order, the later against the earlier; p adjusted by Holm
    over all of them.

    `detectable` is about Holm's strictest step, so that it goes with the adjusted p that the verdict follows.
    """
    rows: list[dict[str, Any]] = []
    if not scored or not scored[0].problems:
        return rows
    pairs = [(a, b) for a, b in itertools.combinations(scored, 2) if wanted(a.model, b.model)]
    for a, b in pairs:
        comparison = statistics.compare(a.correct, b.correct, seed, ALPHA / len(pairs))
        rows.append({"a": a.model, "b": b.model, **vars(comparison)})
    return adjusted(rows)


def breakdown(
    scored: Sequence[Scored], key: Callable[[Problem], str | None], level: float = statistics.LEVEL
) -> list[dict[str, Any]]:
    """Accuracy of each model on each value of a property of the problems."""
    if not scored:
        return []
    groups: dict[str, list[str]] = {}
    for problem in scored[0].problems:
        value = key(problem)
        if value is not None:
            groups.setdefault(value, []).append(problem.id)
    correct = {s.model: s.correct for s in scored}
    rows = []
    for value in sorted(groups, key=_natural):
        scores = []
        for s in scored:
            means = [sum(correct[s.model][i]) / len(correct[s.model][i]) for i in groups[value]]
            interval = accuracy_interval(means, len(next(iter(correct[s.model].values()))), level)
            scores.append(
                {
                    "model": s.model,
                    "correct": sum(means),
                    "accuracy": _ratio(sum(means), len(means)),
                    "low": interval.low,
                    "high": interval.high,
                }
            )
        rows.append({"value": value, "n": len(groups[value]), "scores": scores})
    return rows


def read_judged(
    run: Path, evaluations: Iterable[Mapping[str, Any]], ids: Iterable[str], grader: int = 0
) -> dict[str, list[Judged]]:
    """The graded samples of one model's evaluations, of one look or of several, for each of their problems `ids`;
    `grader` counts in the recipe's list. Only one text is in memory at a time."""
    samples: dict[str, list[Judged]] = {i: [] for i in ids}
    for evaluation in evaluations:
        texts = read_rows(run / evaluation["completions"])
        grades = read_rows(run / evaluation["grades"][grader])
        for text, verdict in zip(texts, grades, strict=True):
            samples[text["problem"]].append(judged(text, verdict))
    return samples


def judged(text: Mapping[str, Any], verdict: Mapping[str, Any]) -> Judged:
    """From a stored text and its stored grade; equal words are kept once."""
    return Judged(
        verdict["correct"],
        sys.intern(verdict["answer"]),
        sys.intern(verdict["kind"]),
        sys.intern(verdict["rule"]),
        text["tokens"],
        text["finish"] == LENGTH,
        not text["text"].strip(),
        verdict["reason"] if verdict["kind"] == "crashed" else "",
    )


def missing_of(run: Path, manifest: Mapping[str, Any]) -> list[str]:
    """What a run still lacks of what its plan asks for, in words."""
    missing = [what for e in asked_so_far(run, manifest) for what in _missing(run, e, manifest["graders"])]
    return missing + missing_repeats(run, manifest)


def made_with_of(run: Path, folders: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Under which conditions each finished stage was made; none where an older mra-bench did not record them."""
    records = {folder: stage_record(run / folder) for folder in folders}
    return {folder: record.get("made_with", []) for folder, record in records.items() if record is not None}


def _missing(run: Path, evaluation: Mapping[str, Any], graders: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What an evaluation still lacks, in words: all of it, or the verdicts of a further grader."""
    what = f"{evaluation['model']} on {look_name(evaluation['dataset'], evaluation.get('look', 0))}"
    if not finished(run, evaluation):
        yield what
        return
    for grader, folder in zip(graders[1:], evaluation["grades"][1:], strict=True):
        if stage_record(run / folder) is None:
            yield f"{what}, graded by {grader['name']}"
    for folder in evaluation.get("profiles", ()):
        if stage_record(run / folder) is None:
            yield f"{what}, profiled"


def _gold_unreadable(problem: str, read: Sequence[Scored]) -> bool:
    return gold_unreadable((sample.correct, sample.kind) for scored in read for sample in scored.samples[problem])


def _natural(value: str) -> tuple[int, float, str]:
    return (0, float(value), "") if value.replace(".", "", 1).isdigit() else (1, 0.0, value)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _without(scored: Scored, removed: frozenset[str]) -> Scored:
    if not removed:
        return scored
    return Scored(scored.model, [p for p in scored.problems if p.id not in removed], scored.samples)
