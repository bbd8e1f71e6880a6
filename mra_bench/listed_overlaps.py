"""Likenesses of training and test questions that are listed and counted, and refuse nothing.

Strongest first: a run of 13 words in common; near-duplicates (`near_duplicates`); the same template with other numbers;
a run of 8 words in common. Each test question is listed once, under the strongest rule that holds for it. Between
questions made from the same templates (`TrainingText.templates`) the third alone is looked for: nearly all of them have
runs of words in common, which says nothing.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.contamination import Overlap, Questions, TrainingText, index_runs, runs_of
from mra_bench.decisions import asked_about
from mra_bench.near_duplicates import near_duplicates
from mra_bench.normalised import normalise, template_of, words_of

LONG_RUN, NEAR, TEMPLATE, SHORT_RUN = "13-gram", "near-duplicate", "same template, other numbers", "8-gram"
RULES = (LONG_RUN, NEAR, TEMPLATE, SHORT_RUN)
EXAMPLES = 10


@dataclass(frozen=True)
class Listed:
    """Test questions of `dataset` like a training question by `rule` and by no stronger one: how many (`questions`),
    how many the rule holds for at all (`in_all`), and the first of them, each with the first training question."""

    dataset: str
    rule: str
    questions: int
    in_all: int
    examples: tuple[tuple[str, str], ...]  # (id of the training text, id of the test question)

    def as_row(self) -> dict[str, Any]:
        """As run.json and results.json have it."""
        examples = [{"train_id": train, "problem_id": problem} for train, problem in self.examples]
        return {**dataclasses.asdict(self), "examples": examples}


@dataclass(frozen=True)
class _Question:
    """A test question. `text`: normalised."""

    dataset: str
    problem_id: str
    templates: str
    text: str


def list_overlaps(
    training: Iterable[TrainingText], evaluations: Sequence[Questions], refused: Collection[Overlap] = ()
) -> list[Listed]:
    """What there is of each dataset and rule, strongest rule first; only questions among the training texts are looked
    at. Test questions of `refused`, which are trained on, are not listed again. The time is linear in the text but for
    runs that many test questions have in common."""
    done = {(overlap.dataset, overlap.problem_id) for overlap in refused}
    asked = [
        _Question(questions.dataset, problem.id, questions.templates, normalise(asked_about(problem.question)))
        for questions in evaluations
        for problem in questions.problems
        if (questions.dataset, problem.id) not in done
    ]
    found: dict[str, dict[int, str]] = {rule: {} for rule in RULES}
    prompts = [(text, normalise(text.text)) for text in training if text.source == "question"]
    for rule, train_id, place in _hits(prompts, asked):
        found[rule].setdefault(place, train_id)
    return list(_summed(found, asked))


def _hits(prompts: Sequence[tuple[TrainingText, str]], asked: Sequence[_Question]) -> Iterator[tuple[str, str, int]]:
    """Rule, training id and place of the question, in order of training for each rule."""
    templates: dict[str, list[int]] = {}
    for place, question in enumerate(asked):
        templates.setdefault(template_of(question.text), []).append(place)
    for text, normalised in prompts:
        for place in templates.get(template_of(normalised), ()):
            if asked[place].text != normalised:
                yield TEMPLATE, text.id, place
    for made_by in sorted({text.templates for text, _ in prompts}):
        others = [place for place, question in enumerate(asked) if not made_by or question.templates != made_by]
        if others:
            own = [(text.id, words_of(normalised)) for text, normalised in prompts if text.templates == made_by]
            yield from _hits_of_words(own, {place: words_of(asked[place].text) for place in others})


def _hits_of_words(
    prompts: Sequence[tuple[str, Sequence[str]]], asked: Mapping[int, Sequence[str]]
) -> Iterator[tuple[str, str, int]]:
    """The rules that go by runs of words."""
    for rule, length in ((LONG_RUN, 13), (SHORT_RUN, 8)):
        index = index_runs(asked.items(), length)
        for train_id, words in prompts:
            for place in {place for run in runs_of(words, length) for place in index.get(run, ())}:
                yield rule, train_id, place
    places = list(asked)
    near = near_duplicates(list(asked.values()), (words for _, words in prompts))
    for (train_id, _), found in zip(prompts, near, strict=True):
        for place in found:
            yield NEAR, train_id, places[place]


def _summed(found: Mapping[str, Mapping[int, str]], asked: Sequence[_Question]) -> Iterator[Listed]:
    datasets = dict.fromkeys(question.dataset for question in asked)
    strongest = {place: rule for rule in reversed(RULES) for place in found[rule]}
    for dataset in datasets:
        for rule in RULES:
            of_rule = [place for place in sorted(found[rule]) if asked[place].dataset == dataset]
            here = [place for place in of_rule if strongest[place] == rule]
            examples = tuple((found[rule][place], asked[place].problem_id) for place in here[:EXAMPLES])
            if of_rule:
                yield Listed(dataset, rule, len(here), len(of_rule), examples)


def questions_listed(rows: Iterable[Mapping[str, Any]], rules: Collection[str] = RULES) -> Counter[str]:
    """How many questions of each dataset stand in the listing (as rows of results.json) under one of `rules`."""
    counts: Counter[str] = Counter()
    for row in rows:
        if row["rule"] in rules:
            counts[row["dataset"]] += row["questions"]
    return counts
