"""What the page's script reads of one dataset: an index that filters and list need, and the texts in parts.

An index, so that a hundred thousand samples are filtered before any text is unpacked; it names each sample's state
(verdict, kind, end, further verdicts) by a number, as few different ones come up. Parts, so that only what is looked at
or searched is unpacked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.report.data import Profiled, Sample, Verdict
from mra_bench.report.evidence import places
from mra_bench.report.latex import Converter, find_formulas, is_latex

FIELDS = ("index", "text", "tokens", "answer", "reason", "span", "rule", "others", "profiles")
VERDICT = ("answer", "kind", "reason")  # of each further grader, in "others"
GROUPS = ("subject", "level", "answer_type", "steps")  # what problems are sorted by
RICH = ("question", "solution")  # where formulas are looked for

Answers = Mapping[str, Sequence[Sample]]  # of one model, by problem id


@dataclass(frozen=True)
class Labels:
    """What a dataset's samples refer to: models with their place in the run, names of further graders and of profilers,
    and the ids of problems that nobody can grade."""

    models: Sequence[Mapping[str, Any]]
    graders: Sequence[str]
    profilers: Sequence[str]
    unreadable: frozenset[str]


@dataclass(frozen=True)
class Packed:
    """The index and the parts of one dataset's samples, each a text."""

    index: str
    parts: tuple[str, ...]

    @property
    def size(self) -> int:
        """Characters of all."""
        return len(self.index) + sum(map(len, self.parts))


def packed(
    problems: Sequence[Mapping[str, Any]],
    answers: Sequence[Answers],
    labels: Labels,
    formulas: Converter,
    part: int,
) -> Packed:
    """JSON that is safe between script tags. A part ends once it has `part` characters. Spans count UTF-16 units, as
    the script does."""
    latex = any(_has_latex(problem) for problem in problems)
    starts, parts, held, size = [0], [], [], 0
    for place, problem in enumerate(problems):
        held.append(place)
        size += _size(problem, [of_model.get(problem["id"], ()) for of_model in answers])
        if size >= part or place == len(problems) - 1:
            inside = [problems[number] for number in held]
            parts.append(_safe(_part(inside, answers, formulas if latex else None)))
            starts.append(place + 1)
            held, size = [], 0
    return Packed(_safe(_index(problems, answers, labels, starts)), tuple(parts))


def _index(
    problems: Sequence[Mapping[str, Any]], answers: Sequence[Answers], labels: Labels, starts: Sequence[int]
) -> dict[str, Any]:
    """A state is [correct, kind, finish, [for each further grader None or [correct]]]. A cell, for each model and
    problem, is the number of its one sample's state, a list of them, or None where it has none."""
    states = _Numbered()
    cells = [
        [_cell([states.number(_state(sample)) for sample in of_model.get(p["id"], ())]) for p in problems]
        for of_model in answers
    ]
    groups = {name: _Numbered() for name in GROUPS}
    columns = {name: [found.number(_text(p, name)) for p in problems] for name, found in groups.items()}
    return {
        "models": labels.models,
        "graders": labels.graders,
        "profilers": labels.profilers,
        "fields": FIELDS,
        "verdict": VERDICT,
        "ids": [problem["id"] for problem in problems],
        "groups": {name: {"values": list(groups[name].places), "of": columns[name]} for name in GROUPS},
        "unreadable": [place for place, problem in enumerate(problems) if problem["id"] in labels.unreadable],
        "states": [json.loads(state) for state in states.places],
        "cells": cells,
        "starts": starts,
    }


class _Numbered:
    """Numbers different texts in the order they come."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


def _state(sample: Sample) -> str:
    others = [other and [other.correct] for other in sample.others]
    return json.dumps([sample.correct, sample.kind, sample.finish, others])


def _cell(states: list[int]) -> int | list[int] | None:
    return states[0] if len(states) == 1 else states or None


def _part(
    problems: Sequence[Mapping[str, Any]], answers: Sequence[Answers], formulas: Converter | None
) -> dict[str, Any]:
    """ "answers" is [problem][model][sample][field], None where a model has none. "formulas" has a JSON text for each
    different one; a problem's "math" has [start, end, number] of those in its texts, "latex" the number of each answer
    that is LaTeX."""
    trees = _Numbered()
    latex: dict[str, int] = {}

    def note(answer: str) -> None:
        if formulas and answer not in latex and is_latex(answer) and (tree := formulas.tree(answer)):
            latex[answer] = trees.number(tree)

    rows = []
    for problem in problems:
        row = {name: _text(problem, name) for name in (*RICH, "answer")}
        note(row["answer"])
        math = {name: list(_found(row[name], formulas, trees.number)) for name in RICH} if formulas else {}
        rows.append(row | ({"math": math} if any(math.values()) else {}))
    shown = [[of_model.get(problem["id"], ()) for of_model in answers] for problem in problems]
    for sample in _all(shown) if formulas else ():
        note(sample.answer)
    return {
        "problems": rows,
        "answers": [[[_fields(s) for s in samples] or None for samples in row] for row in shown],
        "formulas": list(trees.places),
        "latex": latex,
    }


def _found(text: str, formulas: Converter, number: Callable[[str], int]) -> Iterator[list[int]]:
    for formula in find_formulas(text):
        if tree := formulas.tree(formula.source, formula.display):
            yield [*_utf16(text, (formula.start, formula.end)), number(tree)]


def _all(rows: Iterable[Iterable[Iterable[Sample]]]) -> Iterator[Sample]:
    return (sample for row in rows for samples in row for sample in samples)


def _has_latex(problem: Mapping[str, Any]) -> bool:
    return is_latex(_text(problem, "answer")) or any(find_formulas(_text(problem, name)) for name in RICH)


def _text(problem: Mapping[str, Any], name: str) -> str:
    return str(problem.get(name) or "")


def _fields(sample: Sample) -> list[Any]:
    values = {
        "span": _span(sample),
        "others": [other and _verdict(other) for other in sample.others],
        "profiles": [found and _profile(found, sample.text) for found in sample.profiles],
    }
    return [values[name] if name in values else getattr(sample, name) for name in FIELDS]


def _verdict(verdict: Verdict) -> list[str]:
    return [getattr(verdict, name) for name in VERDICT]


def _profile(found: Profiled, text: str) -> list[Any]:
    """[for each dimension [name, error, sentences, places that they quote], for each score [name, value], failure]."""
    dimensions = []
    for name, error in found.errors.items():
        said = list(found.evidence.get(name, ()))
        dimensions.append([name, error, said, [_utf16(text, place) for place in places(said, text)]])
    return [dimensions, list(map(list, found.scores.items())), found.failure]


def _span(sample: Sample) -> list[int] | None:
    if sample.span is None or not 0 <= sample.span[0] < sample.span[1] <= len(sample.text):
        return None
    return _utf16(sample.text, sample.span)


def _utf16(text: str, span: Sequence[int]) -> list[int]:
    if text.isascii():
        return list(span)
    return [len(text[:place].encode("utf-16-le", "surrogatepass")) // 2 for place in span]


def _size(problem: Mapping[str, Any], rows: Iterable[Sequence[Sample]]) -> int:
    """About how many characters of JSON a problem takes."""
    own = sum(len(_text(problem, name)) for name in (*RICH, "answer"))
    return own + 50 + sum(len(s.text) + len(s.reason) + len(s.answer) + 60 for samples in rows for s in samples)


def _safe(value: Any) -> str:
    """ASCII JSON that is safe between script tags; lone surrogates survive as escapes."""
    from jinja2.utils import htmlsafe_json_dumps

    return str(htmlsafe_json_dumps(value, ensure_ascii=True, separators=(",", ":")))
