"""The verdict: extraction, reading and comparison put together, every outcome said in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mra_bench.types import Grade, Problem
from mra_sympy import choices, words
from mra_sympy.canonical import canonical_text
from mra_sympy.compare import new_trial
from mra_sympy.errors import TooCostly, Unreadable
from mra_sympy.expects import expected
from mra_sympy.extraction import Extraction, extract, ran_on
from mra_sympy.meter import verdict
from mra_sympy.moments import Moment
from mra_sympy.options import Options
from mra_sympy.quantities import Quantity, quick
from mra_sympy.reading import read
from mra_sympy.values import Group, Relation, Text, Value

_SHOWN = 60
# What arithmetic on strange but readable input may raise, besides our own errors.
_FAILURES = (Unreadable, RecursionError, ArithmeticError, ValueError)


def grade_text(problem: Problem, text: str, options: Options) -> Grade:
    """Find the answer in `text` and compare it with the problem's gold answer. Never raises."""
    with verdict():
        try:
            return _grade(problem, text, options)
        except Exception as error:  # a fault of ours costs this text, and is said
            return _fault(error)


def compare_answers(gold: str, prediction: str, options: Options) -> Grade:
    """Compare two bare answers. Never raises."""
    with verdict():
        try:
            return _compare(gold, prediction, options)
        except Exception as error:
            return _fault(error)


def _fault(error: Exception) -> Grade:
    return Grade(None, reason=f"The checker failed on it: {type(error).__name__}.", kind="crashed")


def _grade(problem: Problem, text: str, options: Options) -> Grade:
    try:
        gold = _read_gold(problem.answer)
    except _FAILURES as error:
        return _unreadable_gold(problem.answer, error)
    whole = text.strip()
    if not isinstance(gold, Quantity) and whole == problem.answer.strip():
        start = text.index(whole)
        reason = "The text is the gold answer and nothing else."
        answer = _named_answer(problem.answer, whole) or canonical_text(whole)
        return Grade(True, answer, reason, "correct", (start, start + len(whole)), "whole", whole)
    expects = expected(problem, gold)
    found = extract(text, expects, thoughts=options.answer_in_thoughts, corrections=options.corrections)
    if found is None and expects == "choice" and problem.choices:
        found = extract(text, thoughts=options.answer_in_thoughts, corrections=options.corrections)
    if found is None:
        cut = ran_on(text)
        return Grade(False, reason="The text gives no answer.", kind="ran-on" if cut else "no-answer")
    return _with_place(_verdict(gold, problem.answer, found.answer, options, problem.choices), found)


def _compare(gold: str, prediction: str, options: Options) -> Grade:
    try:
        wanted = _read_gold(gold)
    except _FAILURES as error:
        return _unreadable_gold(gold, error)
    if not prediction.strip():
        return Grade(False, reason="There is no answer to compare.", kind="no-answer")
    return replace(_verdict(wanted, gold, prediction, options), extracted=prediction)


def _read_gold(gold: str) -> Value | None:
    """The gold answer's value; None where it can only be compared as a choice or as a statement in words."""
    if not isinstance(gold, str):
        raise Unreadable("it is not a text")
    try:
        return read(gold)
    except _FAILURES:
        if choices.read(gold) is not None or words.statement(gold) is not None:
            return None
        raise


def _unreadable_gold(gold: object, error: Exception) -> Grade:
    return Grade(None, reason=f"The gold answer {_shown(gold)} cannot be read: {_why(error)}.", kind="unparseable")


def _verdict(
    gold: Value | None, gold_text: str, prediction: str, options: Options, listed: tuple[str, ...] = ()
) -> Grade:
    """Equal texts first, then choices and words, which need no reader; then what both sides are worth."""
    if gold_text.strip() == prediction.strip():
        answer = _named_answer(gold_text, prediction) or canonical_text(prediction)
        return Grade(True, answer, _equal_reason(prediction, gold_text), "correct")
    if quick(gold_text) is None or quick(prediction) is None:
        named = _by_name(gold_text, prediction, options, listed)
        if named is not None:
            answer = _named_answer(gold_text, prediction) or canonical_text(prediction)
            if named:
                return Grade(True, answer, _equal_reason(prediction, gold_text), "correct")
            return Grade(False, answer, f"{_shown(prediction)} is not {_shown(gold_text)}.", "wrong")
    if gold is None:
        return Grade(False, canonical_text(prediction), f"{_shown(prediction)} is not {_shown(gold_text)}.", "wrong")
    return _by_value(gold, gold_text, prediction, options)


def _by_name(gold: str, prediction: str, options: Options, listed: tuple[str, ...]) -> bool | None:
    """The verdict of choices and of words, or None where they do not decide."""
    equal = partial(_equal_texts, options=options)
    decided = choices.same(gold, prediction, equal, listed)
    return decided if decided is not None else _by_words(gold, prediction)


def _by_words(gold: str, prediction: str) -> bool | None:
    """The verdict of words. What reads as mathematics ("ln(2)", "-pi") is compared by value, unless it makes a fixed
    statement."""
    decided = words.same(gold, prediction)
    stated = words.statement(gold) or words.statement(prediction)
    if decided and not stated and not (_is_text(gold) and _is_text(prediction)):
        return None
    return decided


def _is_text(text: str) -> bool:
    """Does it read as words, names or a day, or not at all?"""
    if re.fullmatch(r"\d{1,3}(?:st|nd|rd|th)", text.strip()):
        return True
    try:
        value = read(text)
    except _FAILURES:
        return True
    items = value.items if isinstance(value, Group) else (value,)
    return all(isinstance(item, Text | Moment) for item in items)


def _equal_texts(one: str, other: str, options: Options) -> bool:
    """Are two texts equal as words or as values? Never raises."""
    if _by_words(one, other):
        return True
    try:
        return new_trial(options).same(read(one), read(other))
    except _FAILURES:
        return False


def _named_answer(gold: str, prediction: str) -> str:
    """The canonical string of a choice or of a statement in words, "" of anything else."""
    if choices.read(gold) and (choice := choices.read(prediction)):
        return choice.name
    return words.canonical(prediction)


def _by_value(gold: Value, gold_text: str, prediction: str, options: Options) -> Grade:
    try:
        value = read(prediction)
    except _FAILURES as error:
        reason = f"{_shown(prediction)} cannot be read ({_why(error)}) and differs from {_shown(gold_text)}."
        return Grade(False, canonical_text(prediction), reason, "wrong")
    answer = _named_answer(gold_text, prediction) or canonical_text(prediction)
    trial = new_trial(options)
    try:
        equal = trial.same(gold, value)
    except _FAILURES as error:
        return _undecided(gold, gold_text, prediction, answer, error)
    if equal:
        return Grade(True, answer, _equal_reason(prediction, gold_text, trial.notes), "correct")
    if trial.hidden and _opaque(gold):
        reason = f"The gold answer {_shown(gold_text)} can only be compared as text, and {_shown(prediction)} differs."
        return Grade(None, answer, reason, "unjudged")
    return Grade(False, answer, f"{_shown(prediction)} is not {_shown(gold_text)}.", "wrong")


def _undecided(gold: Value, gold_text: str, prediction: str, answer: str, error: Exception) -> Grade:
    """A value that cannot be worked out: equal only if written alike; wrong against a plain number; else no verdict."""
    if canonical_text(gold_text) == answer:
        return Grade(True, answer, _equal_reason(prediction, gold_text), "correct")
    if isinstance(gold, Quantity):
        return Grade(False, answer, f"{_shown(prediction)} is not {_shown(gold_text)}: {_why(error)}.", "wrong")
    reason = f"{_shown(prediction)} and {_shown(gold_text)} cannot be compared: {_why(error)}."
    return Grade(None, answer, reason, "unjudged")


def _with_place(verdict: Grade, found: Extraction) -> Grade:
    notes = []
    if found.boxes > 1:
        notes.append(f"The text boxes {found.boxes} different answers; the last one counts.")
    if found.rule == "correction":
        notes.append("The text corrects an answer it gave before.")
    if found.ran_on:
        notes.append("The text ran on after its answer; what follows was not read.")
    kind = "ran-on" if found.ran_on and verdict.kind == "wrong" else verdict.kind
    reason = " ".join([verdict.reason, *notes])
    return Grade(verdict.correct, verdict.answer, reason, kind, found.span, found.rule, found.answer)


def _opaque(value: Value) -> bool:
    """Is it, or does it hold, something that only compares as text?"""
    if isinstance(value, Group):
        return any(_opaque(item) for item in value.items)
    if isinstance(value, Relation):
        return _opaque(value.right)
    return isinstance(value, Text) and value.opaque


def _equal_reason(prediction: str, gold: str, notes: Sequence[str] = ()) -> str:
    if prediction.strip() == gold.strip():
        return f"{_shown(prediction)} is the gold answer."
    how = f", {'; '.join(notes)}" if notes else ""
    return f"{_shown(prediction)} equals {_shown(gold)}{how}."


def _why(error: Exception) -> str:
    if isinstance(error, Unreadable):
        return str(error)
    return "it is nested too deep" if isinstance(error, RecursionError) else "its value cannot be worked out"


def _shown(text: object) -> str:
    line = " ".join(str(text).split())
    return repr(line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "...")


__all__ = ["TooCostly", "compare_answers", "grade_text"]
