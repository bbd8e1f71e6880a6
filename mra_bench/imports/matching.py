"""Which problem each imported text is about: one of a named split, or of those that the file itself holds."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.imports.layouts import ImportedText
from mra_bench.imports.values import is_cut, same_gold
from mra_bench.normalised import normalise
from mra_bench.types import Problem

OPENING = 6  # words by which a question is found in a prompt
NAMED = 5  # of what does not match, in a message


@dataclass(frozen=True)
class Matched:
    """The texts of one model by problem id, in the order of the file. extra: where texts stand whose question is none
    of the problems'; repeated: texts beyond the number that every problem has."""

    model: str
    texts: Mapping[str, Sequence[ImportedText]]
    rows: int
    extra: tuple[str, ...] = ()
    repeated: int = 0

    def limited(self, ids: Iterable[str], samples: int) -> Matched:
        """Only these problems, and of each so many texts."""
        kept = {i: self.texts[i][:samples] for i in ids}
        return dataclasses.replace(self, texts=kept, repeated=sum(len(self.texts[i]) - samples for i in kept))


class Questions:
    """Finds the problem that a question or a whole prompt is about."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.by_id = {problem.id: problem for problem in problems}
        self.by_question: dict[str, list[Problem]] = defaultdict(list)
        self.by_opening: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for problem in problems:
            self.by_question[normalise(problem.question)].append(problem)
        for question in self.by_question:
            words = tuple(question.split())
            if words:
                self.by_opening[words[:OPENING]].append(words)
        self._sizes = sorted({len(opening) for opening in self.by_opening})  # a question may be shorter
        self._given: dict[tuple[str, str], Problem] = {}
        self._taken: set[str] = set()

    def problem_of(self, text: ImportedText) -> Problem | None:
        """The problem of a text: by its question, else by the last question in its prompt, and where the file has
        neither by its id."""
        if not text.question and not text.prompt:
            return self.by_id.get(text.id)
        question = normalise(text.question)
        if question not in self.by_question:
            question = self._in(question) or (self._in(normalise(text.prompt)) if text.prompt != text.question else "")
        return self._one_of(self.by_question[question], question, text) if question else None

    def _in(self, prompt: str) -> str:
        """The question that stands last in a prompt, of two that end alike the longer one; "" where there is none."""
        words = tuple(prompt.split())
        for start in range(len(words) - 1, -1, -1):
            openings = (self.by_opening.get(words[start : start + size], ()) for size in self._sizes)
            near = itertools.chain.from_iterable(openings)
            found = [question for question in near if words[start : start + len(question)] == question]
            if found:
                return max(map(" ".join, found), key=len)
        return ""

    def _one_of(self, problems: Sequence[Problem], question: str, text: ImportedText) -> Problem:
        """Of several problems with one question that with the text's gold, and each id of the file's has its own."""
        if len(problems) == 1:
            return problems[0]
        key = (question, text.id)
        if key not in self._given:
            free = [problem for problem in problems if problem.id not in self._taken] or list(problems)
            same = [one for one in free if text.gold is not None and same_gold(one.answer, text.gold)]
            self._given[key] = (same or free)[0]
            self._taken.add(self._given[key].id)
        return self._given[key]


def match(model: str, texts: Sequence[ImportedText], problems: Sequence[Problem]) -> Matched:
    """The texts of a model by the problems of a split. Raises UsageError where not one of them is of the split."""
    questions = Questions(problems)
    found: dict[str, list[ImportedText]] = defaultdict(list)
    extra = []
    for text in texts:
        problem = questions.problem_of(text)
        if problem is None:
            extra.append(text.where)
        else:
            found[problem.id].append(text)
    if not found:
        first = texts[0].question or texts[0].prompt or f"id {texts[0].id}"
        raise UsageError(
            f"Not one of the {len(texts):,} texts of '{model}' is about a problem of the dataset (the first one: "
            f"{first[:80]!r}). Name the dataset that they are of with --data, or leave it out to take the problems "
            "from the file"
        )
    return Matched(model, found, len(texts), tuple(extra))


def own_problems(texts: Iterable[ImportedText]) -> list[Problem]:
    """The problems that the texts themselves are about: each question with its gold once. Raises UsageError for a text
    without question or gold answer."""
    found: dict[tuple[str, str], Problem] = {}
    ids: set[str] = set()
    for text in texts:
        question = text.question or text.prompt
        if not question.strip() or text.gold is None:
            lack = "gold answer" if question.strip() else "question"
            raise UsageError(
                f"{text.where}: no {lack}. Say where it stands with --field {lack.split()[0]}=PATH, or which dataset "
                "the texts are of with --data NAME"
            )
        key = (normalise(question), text.gold)
        if key not in found:
            name = text.id or f"row-{len(found) + 1:05d}"
            name = name if name not in ids else f"{name}-{len(found) + 1:05d}"
            ids.add(name)
            found[key] = Problem(name, question, text.gold)
    return list(found.values())


def common(matched: Sequence[Matched], problems: Sequence[Problem]) -> tuple[tuple[Problem, ...], list[Matched]]:
    """The problems that every model has texts for, in the order of the dataset, and the models with as many texts of
    each as all of them have. Raises UsageError where they have none in common."""
    shared = [p for p in problems if all(p.id in one.texts for one in matched)]
    if not shared:
        names = ", ".join(one.model for one in matched)
        raise UsageError(f"{names} have no problem in common, so they cannot stand in one run. Import them apart")
    samples = min(len(one.texts[p.id]) for one in matched for p in shared)
    return tuple(shared), [one.limited([p.id for p in shared], samples) for one in matched]


def gold_facts(one: Matched, problems: Iterable[Problem]) -> dict[str, Any]:
    """How the file's gold answers stand to those of the problems: how many there are, how many differ, and of those how
    many are cut."""
    pairs = [
        (text.gold, problem.answer) for problem in problems for text in one.texts[problem.id] if text.gold is not None
    ]
    other = [pair for pair in pairs if not same_gold(*pair)]
    return {"given": len(pairs), "differ": len(other), "cut": sum(is_cut(*pair) for pair in other)}
