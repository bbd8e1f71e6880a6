"""Which problem each imported text is about: one of a named split, or of those that the file itself holds."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mra_bench.errors import UsageError
from mra_bench.imports.layouts import ImportedText
from mra_bench.imports.values import same_gold
from mra_bench.known_splits import known_splits
from mra_bench.normalised import normalise
from mra_bench.types import Problem

OPENING = 6  # words by which a question is found in a prompt
NAMED = 5  # of what does not match, in a message


@dataclass(frozen=True)
class Matched:
    """The texts of one model by problem id, in the order of the file. extra: where texts stand whose question is none
    of the problems'; repeated: texts beyond the number that every problem has; failed: samples on which the tool
    failed, so that there is no text; their problems are left out."""

    model: str
    texts: Mapping[str, Sequence[ImportedText]]
    rows: int
    extra: tuple[str, ...] = ()
    repeated: int = 0
    failed: int = 0

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
    """The texts of a model by the problems of a split. Raises UsageError where not one of them is of the split, and
    where the tool failed on all that are."""
    questions = Questions(problems)
    found: dict[str, list[ImportedText]] = defaultdict(list)
    extra = []
    for text in texts:
        problem = questions.problem_of(text)
        if problem is None:
            extra.append(text.where)
        else:
            found[problem.id].append(text)
    failed = [text for of_one in found.values() for text in of_one if text.failed]
    whole = {name: of_one for name, of_one in found.items() if not any(text.failed for text in of_one)}
    if failed and not whole:
        raise UsageError(
            f"There is nothing to grade of '{model}': what wrote the file failed on every problem; {failed[0].where}: "
            f"{failed[0].failed[:200]}"
        )
    if not found:
        first = texts[0].question or texts[0].prompt or f"id {texts[0].id}"
        raise UsageError(
            f"Not one of the {len(texts):,} texts of '{model}' is about a problem of the dataset (the first one: "
            f"{first[:80]!r}).{_from(texts)} Name the dataset that they are of with --data, or leave it out to "
            "take the problems from the file"
        )
    return Matched(model, whole, len(texts), tuple(extra), failed=len(failed))


def _from(texts: Iterable[ImportedText]) -> str:
    """Of which known splits the questions are, if they are of any."""
    likely = [one.name for one in known_splits(text.question for text in texts) if one.likely]
    return f" They are from {' or '.join(likely)}." if likely else ""


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
