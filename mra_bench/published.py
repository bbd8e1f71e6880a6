"""Figures of imported texts: what the tool that wrote them says beside what our grader says, golds, equal texts."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.imports.golds import is_other
from mra_bench.imports.reasons import REASONS, reason
from mra_bench.imports.values import is_cut
from mra_bench.store import read_rows, stage_record
from mra_bench.stored_rows import problems_of

LISTED = 20  # texts on which verdicts differ, and golds, that results.json lists for each model
ALIKE = 0.5  # share of equal texts from which two models are said to share them
AT_LEAST = 10  # and so many of them


def published_results(
    run: Path, manifest: Mapping[str, Any], evaluations: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """For each model the tool's verdicts beside ours; models that share texts; how the file's rows stand to the split.

    Texts count one by one, whether or not their gold can be read: the tool has counted them all.
    """
    done = [e for e in evaluations if _finished(run, e)]
    imported = manifest["imported"]
    return {
        "problems": imported["problems"],
        "split": imported["split"],
        "models": [{**imported["models"][e["model"]], **_beside(run, e)} for e in done],
        "alike": _alike(run, done),
    }


def _finished(run: Path, evaluation: Mapping[str, Any]) -> bool:
    folders = (evaluation["problems"], evaluation["completions"], evaluation["grades"][0], evaluation["verdicts"])
    return all(stage_record(run / folder) is not None for folder in folders)


def _beside(run: Path, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The tool's verdict on each text against ours."""
    counts: Counter[str] = Counter(dict.fromkeys(("both", "published_only", "derived_only", "neither"), 0))
    judged: Counter[str] = Counter(dict.fromkeys(("texts", "published", "derived"), 0))
    texts = unsaid = not_judged = 0
    for theirs, ours, _ in _side_by_side(run, evaluation):
        texts += 1
        unsaid += theirs["correct"] is None
        not_judged += ours["correct"] is None
        if theirs["correct"] is None:
            continue
        counts[_cell(theirs["correct"], ours["correct"] is True)] += 1
        if ours["correct"] is not None:
            judged.update(texts=1, published=theirs["correct"], derived=ours["correct"])
    found = list(differing(run, evaluation))
    why = Counter(text["why"] for text in found)
    return {
        "model": evaluation["model"],
        "dataset": evaluation["dataset"],
        "texts": texts,
        "unsaid": unsaid,
        "not_judged": not_judged,
        "judged_by_both": dict(judged),
        **counts,
        "why": {name: why[name] for name in REASONS if why[name]},
        "differ": found[:LISTED],
        **_golds(run, evaluation),
    }


def differing(run: Path, evaluation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each text on which the tool's verdict is not ours, with what both took for its answer and the reason, a key of
    `reasons.REASONS`. `evaluation`: an entry of run.json's plan."""
    golds = _gold_answers(run, evaluation)
    for theirs, ours, text in _side_by_side(run, evaluation):
        if theirs["correct"] is None or theirs["correct"] == (ours["correct"] is True):
            continue
        yield {
            "problem": ours["problem"],
            "sample": ours["sample"],
            "why": reason(theirs, ours, text["text"], is_other(theirs, golds[ours["problem"]])),
            "published": {"correct": theirs["correct"], "answer": theirs["answer"]},
            "derived": {key: ours[key] for key in ("correct", "answer", "kind", "rule", "reason")},
        }


def _side_by_side(run: Path, evaluation: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], ...]]:
    """For each text the tool's verdict, our grade, and the text."""
    folders = (evaluation["verdicts"], evaluation["grades"][0], evaluation["completions"])
    return zip(*(read_rows(run / folder) for folder in folders), strict=True)


def _cell(published: bool, derived: bool) -> str:
    if published == derived:
        return "both" if published else "neither"
    return "published_only" if published else "derived_only"


def _gold_answers(run: Path, evaluation: Mapping[str, Any]) -> dict[str, str]:
    return {problem.id: problem.answer for problem in problems_of(run / evaluation["problems"])}


def _golds(run: Path, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """How the file's gold answers stand to those of the problems, each problem's counted once, and the first of those
    that are others."""
    ours = _gold_answers(run, evaluation)
    rows = [row for row in read_rows(run / evaluation["verdicts"]) if row["gold"] is not None and row["sample"] == 0]
    found = [
        {
            "problem": row["problem"],
            "published": row["gold"],
            "gold": ours[row["problem"]],
            "cut": is_cut(row["gold"], ours[row["problem"]]),
        }
        for row in rows
        if is_other(row, ours[row["problem"]])
    ]
    counted = {"given": len(rows), "differ": len(found), "cut": sum(one["cut"] for one in found)}
    return {"golds": counted, "other_golds": found[:LISTED]}


def _alike(run: Path, evaluations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pairs of models that have the same text for the same problem and sample in at least half of them. Texts of fewer
    than three words, such as a bare answer, say nothing."""
    hashes = {e["model"]: _hashes(run / e["completions"]) for e in evaluations}
    found = []
    for (a, of_a), (b, of_b) in itertools.combinations(hashes.items(), 2):
        both = of_a.keys() & of_b.keys()
        same = sum(of_a[key] == of_b[key] for key in both)
        if same >= AT_LEAST and same >= ALIKE * len(both):
            found.append({"a": a, "b": b, "same": same, "texts": len(both)})
    return found


def _hashes(folder: Path) -> dict[tuple[str, int], bytes]:
    return {
        (row["problem"], row["sample"]): hashlib.sha256(row["text"].strip().encode()).digest()
        for row in read_rows(folder)
        if len(row["text"].split()) > 2
    }
