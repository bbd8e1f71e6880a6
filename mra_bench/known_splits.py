"""Of which known splits questions are, by the samples that dataset specs have of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mra_bench.split_samples import ENOUGH, built_in_samples, question_hash

MOST = 0.9  # a share from which questions are taken for those of a split, or for all of it


@dataclass(frozen=True)
class Known:
    """How questions stand to one split of a dataset. comparable: those that its sample would show if they were its
    questions; shown: those that it shows; sample: how many questions are in it."""

    data: str
    split: str
    shown: int
    comparable: int
    sample: int

    @property
    def share(self) -> float:
        """Of the questions those that are the split's, as far as the sample tells."""
        return self.shown / self.comparable

    @property
    def covered(self) -> float:
        """Of the split's questions those that are there, as far as the sample tells."""
        return self.shown / self.sample

    @property
    def likely(self) -> bool:
        """Whether the questions are this split's, or a part of them."""
        return self.shown >= ENOUGH and self.share >= MOST

    @property
    def name(self) -> str:
        """As it is told: ``gsm8k, test``."""
        return f"{self.data}, {self.split}"


def known_splits(questions: Iterable[str]) -> list[Known]:
    """The splits that some of the questions are from, those that tell most of them first."""
    hashes = {question_hash(question) for question in questions}
    found = []
    for data, samples in built_in_samples().items():
        for split, sample in samples.items():
            comparable = {one for one in hashes if one <= sample[-1]}
            if shown := len(comparable.intersection(sample)):
                found.append(Known(data, split, shown, len(comparable), len(sample)))
    return sorted(found, key=lambda one: (one.share, one.covered), reverse=True)


def said_of_label(data: str, split: str, found: Sequence[Known]) -> list[str]:
    """That questions named `data`, `split` are not that split's, or are the whole of another one that is a part of it;
    nothing where its questions are not known."""
    if split not in built_in_samples().get(data, {}):
        return []
    likely = [one for one in found if one.likely]
    others = [one for one in likely if (one.data, one.split) != (data, split)]
    own = next((one for one in likely if (one.data, one.split) == (data, split)), None)
    named = f"The problems are named {data}, {split}"
    if own is None:
        return [f"{named}, but are from {' or '.join(one.name for one in others)}"] if others else []
    whole = [one.name for one in others if one.covered >= MOST]
    if own.covered < MOST and whole:
        return [f"{named}, of which they are about {own.covered:.0%}; they are those of {' or '.join(whole)}"]
    return []
