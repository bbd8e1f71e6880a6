"""Train/test overlap, looked for before anything is trained: what is refused, and what is done about it.

A text that a model learns from is refused where, by `normalised`,
- it is a test question ("same question");
- it has a test question of 13 words or more in it, word for word ("holds the question");
- at least half of a test question's runs of 13 words (13-grams) stand in it, and both have the same numbers
  ("half of its 13-grams, same numbers").
For a question of fewer than 13 words, which may stand in another one by chance, the first rule is all. Weaker
likenesses are listed by `listed_overlaps` and refuse nothing. Of a problem for a verifier the question is that of the
problem which it is about.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mra_bench.decisions import asked_about
from mra_bench.errors import UsageError
from mra_bench.normalised import normalise, numbers_of, words_of
from mra_bench.types import Problem

Policy = Literal["refuse", "allow", "drop"]
RUN = 13  # words in a run that two texts hardly share by chance
NAMED_IN_ERRORS = 3
SAME_QUESTION = "same question"
HOLDS_QUESTION = "holds the question"
HALF_SHARED = f"half of its {RUN}-grams, same numbers"


@dataclass(frozen=True)
class TrainingText:
    """A text that a model learns from, whatever it comes from.

    id: ``<where it is from>/<which one>``, such as ``train/train-00017``. source: what it is to a person: "question",
    "solution", "pair", "taught text". templates: the dataset whose templates made it, "" for others; texts of one
    such dataset are held to the first rule alone, as all of them share runs of words.
    """

    id: str
    text: str
    source: str = "question"
    templates: str = ""


@dataclass(frozen=True)
class Questions:
    """The problems of an evaluation dataset, by its name in the recipe; `templates` as in `TrainingText`."""

    dataset: str
    problems: Sequence[Problem]
    templates: str = ""


@dataclass(frozen=True)
class Overlap:
    """A training text (`source` says what it is) that meets, by `rule`, the test question `problem_id` of `dataset`."""

    train_id: str
    dataset: str
    problem_id: str
    rule: str
    source: str = "question"


def runs_of(words: Sequence[str], length: int = RUN) -> set[int]:
    """Hashes (of this process) of the distinct runs of `length` words."""
    return set(map(hash, zip(*(words[start:] for start in range(length)), strict=False)))


def index_runs(questions: Iterable[tuple[int, Sequence[str]]], length: int = RUN) -> dict[int, list[int]]:
    """For each run of `length` words the places of the questions (place, words) that hold it."""
    found: dict[int, list[int]] = {}
    for place, words in questions:
        for run in runs_of(words, length):
            found.setdefault(run, []).append(place)
    return found


class _Index:
    """The test questions, by their normalised text and, once a text is held to them, by their 13-grams."""

    def __init__(self, evaluations: Iterable[Questions]) -> None:
        self.asked: list[tuple[Questions, str]] = []  # of each test question its dataset and its id
        self.texts: list[str] = []
        self.same: dict[str, list[int]] = {}
        for questions in evaluations:
            for problem in questions.problems:
                text = normalise(asked_about(problem.question))
                if text:
                    self.same.setdefault(text, []).append(len(self.asked))
                self.asked.append((questions, problem.id))
                self.texts.append(text)
        self.templates = {questions.templates for questions, _ in self.asked}

    @functools.cached_property
    def of_run(self) -> dict[int, list[int]]:
        """The questions that hold a 13-gram."""
        return index_runs(enumerate(map(words_of, self.texts)))

    @functools.cached_property
    def runs(self) -> Counter[int]:
        """How many 13-grams a question has."""
        return Counter(place for places in self.of_run.values() for place in places)

    def overlaps(self, text: TrainingText) -> list[Overlap]:
        """Each test question that this text meets, under the strongest rule, in the order of the evaluations."""
        made_alike = bool(text.templates) and self.templates == {text.templates}
        if made_alike and text.source != "question":
            return []  # what is left to it is to be equal to a question, and their maker makes no such solution
        normalised = normalise(text.text)
        found = {} if made_alike else self._by_runs(normalised, text.templates)
        found |= dict.fromkeys(self.same.get(normalised, ()), SAME_QUESTION)
        return [
            Overlap(text.id, self.asked[place][0].dataset, self.asked[place][1], rule, text.source)
            for place, rule in sorted(found.items())
        ]

    def _by_runs(self, normalised: str, templates: str) -> dict[int, str]:
        found: dict[int, str] = {}
        words = words_of(normalised)
        shared = Counter(place for run in runs_of(words) for place in self.of_run.get(run, ()))
        for place, count in shared.items():
            if 2 * count < self.runs[place] or (templates and templates == self.asked[place][0].templates):
                continue
            if f" {self.texts[place]} " in f" {normalised} ":
                found[place] = HOLDS_QUESTION
            elif numbers_of(words) == numbers_of(words_of(self.texts[place])):
                found[place] = HALF_SHARED
        return found


def find_overlaps(training: Iterable[TrainingText], evaluations: Iterable[Questions]) -> list[Overlap]:
    """Every test question that a training text meets by a rule that refuses, in order of training, then of evaluation.

    Reads each text once, so the time is linear in the text; only what is needed of the evaluations is held in memory.
    """
    index = _Index(evaluations)
    return [overlap for text in training for overlap in index.overlaps(text)]


def find_duplicates(problems: Iterable[Problem]) -> list[list[str]]:
    """Ids of the problems that ask the same question once normalised, a list for each such question, in file order."""
    places: dict[str, list[str]] = {}
    for problem in problems:
        if text := normalise(problem.question):
            places.setdefault(text, []).append(problem.id)
    return [ids for ids in places.values() if len(ids) > 1]


def guard(overlaps: Sequence[Overlap], policy: Policy, sizes: Mapping[str, int]) -> frozenset[str]:
    """What to do about overlaps: the ids of the training texts to drop, empty for "allow". `sizes`: how many problems
    each evaluation dataset has. For "refuse" raises UsageError with the counts, the first pairs and both ways on."""
    if policy == "drop":
        return frozenset(overlap.train_id for overlap in overlaps)
    if policy == "allow" or not overlaps:
        return frozenset()
    count = len({overlap.train_id for overlap in overlaps})
    raise UsageError(
        f"{count:,} training row{' holds' if count == 1 else 's hold'} test questions ({met(overlaps, sizes)}): "
        f"{first_of(overlaps)}. Use --drop-contaminated to train without {'it' if count == 1 else 'them'}, or "
        "--allow-contamination to go on with every result marked."
    )


def met(overlaps: Iterable[Overlap], sizes: Mapping[str, int]) -> str:
    """How many problems of each evaluation dataset are met, e.g. ``100 of the 500 problems of test``."""
    questions = dict.fromkeys((overlap.dataset, overlap.problem_id) for overlap in overlaps)
    counts = Counter(dataset for dataset, _ in questions)
    return ", ".join(f"{count:,} of the {sizes[name]:,} problems of {name}" for name, count in counts.items())


def first_of(overlaps: Sequence[Overlap]) -> str:
    """The first overlaps, in words."""
    named = "; ".join(_in_words(overlap) for overlap in overlaps[:NAMED_IN_ERRORS])
    more = len(overlaps) - NAMED_IN_ERRORS
    return named + (f"; and {more:,} more" if more > 0 else "")


def _in_words(overlap: Overlap) -> str:
    what = "" if overlap.source == "question" else f"{overlap.source} of "
    return f"{what}{overlap.train_id} and {overlap.dataset} {overlap.problem_id} ({overlap.rule})"
