"""How far the further repetitions of an evaluation differ from the first one: the same problems, decoding, seeds and
streams, with other texts generated beside each.

Headline figures stay those of the first time; nothing is averaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.looks import finished
from mra_bench.store import read_rows
from mra_bench.verdict import counted, points

Judged = tuple[tuple[str, int], bytes, bool]  # (problem id, sample), digest of the text, whether it is right


def repeated_results(
    run: Path, manifest: Mapping[str, Any], dataset: str, left_out: Collection[str]
) -> list[dict[str, Any]]:
    """A row for each finished repetition on a dataset, `manifest` being the plan as run.json has it. `left_out`: ids of
    problems that no figure counts."""
    first = {e["model"]: e for e in manifest["evaluations"] if e["dataset"] == dataset}
    return [
        {"model": e["model"], "repetition": e["repetition"], **_compared(run, first[e["model"]], e, set(left_out))}
        for e in manifest["repeats"]
        if e["dataset"] == dataset and finished(run, e) and finished(run, first[e["model"]])
    ]


def missing_repeats(run: Path, manifest: Mapping[str, Any]) -> list[str]:
    """The repetitions that are not finished, in words."""
    repeats = [e for e in manifest.get("repeats", ()) if not finished(run, e)]
    return [f"{e['model']} on {e['dataset']}, again {e['repetition']}" for e in repeats]


def _compared(
    run: Path, first: Mapping[str, Any], again: Mapping[str, Any], left_out: Collection[str]
) -> dict[str, Any]:
    """How many texts there are, how many differ, and which change their verdict, one that is not judged not being
    right. Rows are told apart by problem and sample: a repetition has them in another order."""
    before = {key: (text, right) for key, text, right in _judged(run, first)}
    texts = differ = correct = 0
    flips = []
    for key, text, right in _judged(run, again):
        if key[0] in left_out:
            continue
        texts, correct, differ = texts + 1, correct + right, differ + (text != before[key][0])
        if right != before[key][1]:
            flips.append({"problem": key[0], "sample": key[1], "right": "again" if right else "first"})
    return {
        "texts": texts,
        "texts_differ": differ,
        "gained": sum(flip["right"] == "again" for flip in flips),
        "lost": sum(flip["right"] == "first" for flip in flips),
        "accuracy": correct / texts if texts else 0.0,
        "flips": sorted(flips, key=lambda flip: (flip["problem"], flip["sample"])),
    }


def _judged(run: Path, evaluation: Mapping[str, Any]) -> Iterator[Judged]:
    """The texts of an evaluation with the first grader's verdicts, a row at a time."""
    rows = zip(read_rows(run / evaluation["completions"]), read_rows(run / evaluation["grades"][0]), strict=True)
    for text, verdict in rows:
        digest = hashlib.blake2b(text["text"].encode("utf-8", "surrogatepass"), digest_size=16).digest()
        yield (text["problem"], text["sample"]), digest, verdict["correct"] is True


def repeated_sentences(results: Mapping[str, Any]) -> list[str]:
    """What the repetitions of a run show, a sentence for each model, dataset and time; none for a run without any."""
    return [repeated_sentence(row, dataset) for dataset in results["datasets"] for row in dataset.get("repeated", ())]


def repeated_sentence(row: Mapping[str, Any], dataset: Mapping[str, Any]) -> str:
    """How far one repetition of a model on a dataset differs from the first time."""
    flips = row["gained"] + row["lost"]
    texts = counted(row["texts"], "text")
    what = f"{row['texts_differ']:,} of {texts} and {counted(flips, 'verdict') if flips else 'no verdict'} differ"
    if not row["texts_differ"]:
        what = f"none of {texts} differs" + (f", but {counted(flips, 'verdict')} did" if flips else "")
    first = next((s["accuracy"] for s in dataset["scores"] if s["model"] == row["model"]), row["accuracy"])
    rate = f"; {points(row['accuracy'])} % right instead of {points(first)} %" if flips else ""
    when = "" if row["repetition"] == 2 else f" (time {row['repetition']})"
    problems = "the same problems are generated in other batches"
    return f"{row['model']} on {dataset['name']}: {what} when {problems}{when}{rate}."
