"""What tells a part of a known split under another label: for each split the smallest hashes of its questions.

Of a file that holds a share f of a split, about f x 512 of the 512 hashes in the split's sample turn up, and nearly all
hashes of the file that are as small as those are among them. A file of other questions has none of them, but for
questions that both have. Samples are kept beside the dataset's spec; to write one (rows as the spec reads them):

    python -m mra_bench.split_samples gsm8k train=TRAIN.jsonl test=TEST.jsonl > datasets_spec/gsm8k.samples.json
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from mra_bench.dataset_spec import PACKAGE
from mra_bench.normalised import normalise
from mra_bench.types import Problem

SIZE = 512
ENOUGH = 2  # hashes that must turn up: one question may well stand in two splits

Samples = Mapping[str, Sequence[str]]


def question_hash(question: str) -> str:
    """The first 64 bits of the SHA-256 of the normalised question, in 16 hex digits."""
    return hashlib.sha256(normalise(question).encode()).hexdigest()[:16]


def sample_of(problems: Iterable[Problem]) -> list[str]:
    """The sample of a split: its `SIZE` smallest question hashes in order, all of a smaller one."""
    return sorted({question_hash(problem.question) for problem in problems})[:SIZE]


def split_of(problems: Iterable[Problem], samples: Samples) -> str | None:
    """The split that at least half of the problems are from, as far as samples tell; None where none is known."""
    hashes = {question_hash(problem.question) for problem in problems}
    for split, sample in samples.items():
        comparable = {one for one in hashes if one <= sample[-1]}
        shown = len(comparable.intersection(sample))
        if shown >= ENOUGH and 2 * shown >= len(comparable):
            return split
    return None


@functools.cache
def built_in_samples() -> Mapping[str, Samples]:
    """The samples of each split of the datasets that have any, by the names of datasets and splits."""
    files = [file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".samples.json")]
    return {
        file.name.removesuffix(".samples.json"): {
            split: sample.split() for split, sample in json.loads(file.read_text(encoding="utf-8")).items()
        }
        for file in sorted(files, key=lambda file: file.name)
    }


def main(arguments: Sequence[str]) -> None:
    """Print the samples of a dataset: its name, then SPLIT=FILE for local rows or SPLIT for those of its source."""
    from mra_bench.datasets import DatasetUse, load_problems
    from mra_bench.plugins import PluginSettings, load_plugins

    name, *given = arguments
    registry = load_plugins(PluginSettings())
    found = {}
    for split, _, path in (part.partition("=") for part in given):
        found[split] = " ".join(sample_of(load_problems(DatasetUse(name, split, path or None), registry)))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
