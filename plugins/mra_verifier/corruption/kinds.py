"""The six kinds of error. Each takes a solution apart, changes one place, and says what the text is then.

With `carry` the consequences are worked out to the final answer; without it only the place itself is changed.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from mra_bench.types import Problem
from mra_verifier.asked import asked, unit_of
from mra_verifier.corruption.carrying import Unsuitable, carried
from mra_verifier.corruption.equations import changed_equations
from mra_verifier.corruption.worked import Calculation, Step, number, numbers, plain, steps, written
from mra_verifier.introduced import given
from mra_verifier.sides import value


@dataclass(frozen=True)
class Case:
    """A problem with its solution's text, in steps; `answer`: where its final answer stands."""

    problem: Problem
    text: str
    steps: tuple[Step, ...]
    answer: tuple[int, int]


@dataclass(frozen=True)
class Change:
    """A changed text, the place in it where it goes wrong, and what was done there. steps: the dimension that sees a
    change inside of a step, "" for none."""

    text: str
    place: tuple[int, int]
    said: str
    steps: str = "arithmetic"


Attempt = Callable[[], Change]  # raises Unsuitable
Kind = Callable[[Case, random.Random, bool], Iterator[Attempt]]
_SWITCH = {"+": "-*", "-": "+", "*": "+/", "/": "*"}
_SIGNS = {"*": r"[*x×]|\\times|\\cdot", "/": r"[/÷]", "+": r"\+", "-": r"[-−–]"}


def case_of(problem: Problem, text: str, answer: tuple[int, int]) -> Case:
    """A solution taken apart; `answer` is where its final answer stands."""
    return Case(problem, text, tuple(steps(text)), answer)


def _places(case: Case, rng: random.Random) -> list[Calculation]:
    """Calculations before the answer, in random order."""
    found = [c for step in case.steps for c in step.calculations if c.end <= case.answer[1]]
    return rng.sample(found, len(found))


def _is_own(case: Case, number: Fraction, before: int) -> bool:
    """Is it a number that neither the question nor the text gave before: one that can be followed through the text?"""
    told = {float(n) for n in numbers(case.text[:before])}
    return float(number) not in told and round(float(number), 9) not in given(case.problem).numbers


def _with_result(case: Case, at: Calculation, wrong: Fraction, carry: bool, expression: str = "") -> str:
    """The text with another result of one calculation, and another expression where one is given."""
    text, right = case.text, number(case.text[slice(*at.result)])
    begin = at.start
    new = written(wrong, text[slice(*at.result)])
    if new is None:
        raise Unsuitable
    if not carry:
        tail = re.compile(r">>" + re.escape(text[slice(*at.result)])).match(text, at.result[1]) if at.marked else None
        behind = text[tail.end() :] if tail else text[at.result[1] :]
        return f"{text[: at.result[0]]}{new}{'>>' + new if tail else ''}{behind}"
    if not _is_own(case, right, begin):
        raise Unsuitable
    # The calculation itself keeps its numbers, which may equal its result by chance.
    head = text[: at.result[0]] + new
    rest = carried("\0" + text[at.result[1] :], 1, {right: wrong}, negative=wrong < 0)[1:]
    return head + rest


def wrong_operation(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """Another operation: with `carry` its result is right for that operation, without the old result stays."""
    for at in _places(case, rng):
        two = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)([-+*/])(\d+(?:\.\d+)?|\.\d+)", at.source)
        if two is None:
            continue
        sign = rng.choice(_SWITCH[two[2]])
        wrong = value(f"{two[1]}{sign}{two[3]}")
        if wrong is None or wrong <= 0 or wrong == at.value:
            continue
        yield partial(_resigned, case, at, two, sign, wrong if carry else None)


def _resigned(case: Case, at: Calculation, two: re.Match[str], sign: str, wrong: Fraction | None) -> Change:
    """The operator changed in the calculation and in the sentence before it; the result too where it is given."""
    text = case.text if wrong is None else _with_result(case, at, wrong, True)  # the same up to the result
    begin = max((step.start for step in case.steps if step.start <= at.start), default=0)
    spoken = re.compile(
        rf"(?<![\d.]){_digits(two[1])}([^\d=<>\n]{{0,40}}?)({_SIGNS[two[2]]})([^\d=<>\n]{{0,40}}?){_digits(two[3])}(?![\d.]*\d)"
    )
    found = list(spoken.finditer(text, begin, at.result[0]))
    if not found:
        raise Unsuitable
    for match in reversed(found):
        text = text[: match.start(2)] + sign + text[match.end(2) :]
    shift = sum(1 - (match.end(2) - match.start(2)) for match in found)
    old = case.text[slice(*at.result)]
    result = old if wrong is None else written(wrong, old) or ""
    return Change(text, (found[0].start(), at.result[0] + shift + len(result)), f"{two[2]} became {sign}")


def _digits(source: str) -> str:
    """A pattern of a number, with or without separators."""
    whole, point, rest = source.partition(".")
    return (
        "".join(f"{digit},?" for digit in whole)[:-2] + (re.escape(point) + rest if point else "")
        if whole
        else re.escape(source)
    )


def carried_digit(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """A result that is off by one in one of its digits; where a solution solves an equation, a number of that."""
    for at in _places(case, rng):
        right = number(case.text[slice(*at.result)])
        if right.denominator != 1 or right < 2:
            continue
        digits = len(str(int(right)))
        wrong = right + rng.choice((1, -1)) * 10 ** rng.randrange(min(digits, 3))
        if wrong > 0:
            yield partial(_replaced, case, at, wrong, carry)
    yield from _equations(case, rng, carry, lambda n: n + rng.choice((1, -1)))
    if carry:
        yield from _final(case, lambda n: max(0, n + rng.choice((1, -1)) * 10 ** rng.randrange(min(len(str(n)), 3))))


def sign(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """A result, or the number on one side of an equation, with the other sign."""
    for at in _places(case, rng):
        right = number(case.text[slice(*at.result)])
        if "-" in at.source and right:
            yield partial(_replaced, case, at, -right, carry)
    yield from _equations(case, rng, carry, lambda n: -n)
    if carry:
        yield from _final(case, lambda n: -n)


def _replaced(case: Case, at: Calculation, wrong: Fraction, carry: bool) -> Change:
    text = _with_result(case, at, wrong, carry)
    shown = written(wrong, case.text[slice(*at.result)])
    return Change(text, (at.start, at.result[0] + len(shown or "")), f"{case.text[slice(*at.result)]} became {shown}")


def _final(case: Case, change: Callable[[int], int]) -> Iterator[Attempt]:
    """A boxed whole number or the numerator of a boxed fraction, where nothing that leads to it can be followed."""
    start, end = case.answer
    if any(case.text[slice(*c.result)] == case.text[start:end] for c in _places(case, random.Random(0))):
        return  # it can
    found = re.fullmatch(r"(-?(?:\\[dt]?frac\{)?-?)(\d{1,6})((?:\}\{\d{1,6}\})?)", case.text[start:end])
    if found is None or not case.text.rfind("\\boxed{", start - 12, start) >= 0:
        return
    new = change(int(found[2]))
    if new != int(found[2]) and not (new < 0 and "-" in found[1]):
        put = f"{found[1]}{new}{found[3]}"
        text = case.text[:start] + put + case.text[end:]
        yield partial(Change, text, (start, start + len(put)), f"the answer {case.text[start:end]} became {put}", "")


def _equations(case: Case, rng: random.Random, carry: bool, change: Callable[[int], int]) -> Iterator[Attempt]:
    for text, place, said in changed_equations(case.text, case.answer, rng, carry, change):
        yield partial(Change, text, place, said, "algebraic")


def swapped_step(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """Two steps in the wrong order, the second using what the first gives; with `carry` the last two, and the answer is
    what then comes last."""
    worked = [step for step in case.steps if step.calculations and step.end <= case.answer[0]]
    pairs = list(itertools.pairwise(worked))
    for one, other in pairs[-1:] if carry else rng.sample(pairs, len(pairs)):
        result = number(case.text[slice(*one.calculations[-1].result)])
        uses = {n for c in other.calculations for n in numbers(c.source)}
        if result not in uses or not _is_own(case, result, one.calculations[-1].start):
            continue
        yield partial(_swapped, case, one, other, result if carry else None)


def _swapped(case: Case, one: Step, other: Step, result: Fraction | None) -> Change:
    first, second = case.text[one.start : one.end], case.text[other.start : other.end]
    text = case.text[: one.start] + second + case.text[one.end : other.start] + first + case.text[other.end :]
    if result is not None:
        text = carried(text, other.end, {number(case.text[slice(*other.calculations[-1].result)]): result})
    return Change(text, (one.start, other.end), "two steps changed places")


def dropped_step(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """A step is left out; with `carry` what it started from is taken on in place of its result."""
    worked = [step for step in case.steps if step.calculations and step.end <= case.answer[0]]
    for step in rng.sample(worked, len(worked)):
        last = step.calculations[-1]
        result = number(case.text[slice(*last.result)])
        used = any(result in numbers(c.source) for s in worked if s.start >= step.end for c in s.calculations)
        if not _is_own(case, result, last.start) or not (used or (carry and step is worked[-1])):
            continue
        start = next((n for n in numbers(last.source) if n != result and n > 0), None) if carry else None
        if start is not None or not carry:
            yield partial(_dropped, case, step, {result: start} if start is not None else {})


def _dropped(case: Case, step: Step, changed: Mapping[Fraction, Fraction]) -> Change:
    after = next((other.start for other in case.steps if other.start >= step.end), len(case.text))
    text = carried(case.text[: step.start] + case.text[after:], step.start, changed)
    return Change(text, (step.start, step.start), "a step is missing")


def unit(case: Case, rng: random.Random, carry: bool) -> Iterator[Attempt]:
    """The answer in another unit than the one asked for: with `carry` converted, without only called so."""
    wants = asked(case.problem).unit
    mine = unit_of(wants) if wants else None
    old = case.text[slice(*case.answer)].strip(" $")
    if mine is None or not re.fullmatch(r"-?[\d,]+(?:\.\d+)?", old):
        return
    for name in rng.sample(_UNITS, len(_UNITS)):
        other = unit_of(name)
        if other is None or other.dims != mine.dims or other.factor == mine.factor:
            continue
        new = written(number(old) * mine.factor / other.factor, old) if carry else old
        if new is None or new == "0":
            continue
        text, place = _renamed(case, wants, name, old, new)
        if text:
            yield partial(Change, text, place, f"{wants} became {name}")


_UNITS = (
    "cents dollars minutes hours seconds days weeks months years inches feet yards cm km meters ounces pounds grams "
    "kilograms"
).split()


def _renamed(case: Case, unit: str, name: str, old: str, new: str) -> tuple[str, tuple[int, int]]:
    """The last mention of the answer with its unit, and the answer itself, changed."""
    head = case.text[: case.answer[0]]
    behind = re.compile(rf"([\s}}$]{{0,3}})({re.escape(unit)}|{re.escape(unit.rstrip('s'))}s?)\b", re.I)
    direct = behind.match(case.text, case.answer[1])
    if direct:
        text = head + new + direct[1] + name + case.text[direct.end() :]
        return text, (case.answer[0], case.answer[0] + len(new + direct[1] + name))
    said = list(
        re.finditer(rf"(?<![\d.,]){re.escape(old)}\s({re.escape(unit)}|{re.escape(unit.rstrip('s'))}s?)\b", head, re.I)
    )
    if not said:
        money = (
            list(re.finditer(rf"\$(<<[^<>]*>>)?{re.escape(old)}(?![\d.,]*\d)", head))
            if unit in ("dollars", "dollar")
            else []
        )
        if not money:
            return "", (0, 0)
        last, marked = money[-1], money[-1][1] or ""
    else:
        last, marked = said[-1], ""
    put = f"{marked}{new} {name}"
    text = head[: last.start()] + put + head[last.end() :] + new + case.text[case.answer[1] :]
    return text, (last.start(), last.start() + len(put))


ALL: dict[str, Kind] = {
    "wrong-operation": wrong_operation,
    "carried-digit": carried_digit,
    "swapped-step": swapped_step,
    "dropped-step": dropped_step,
    "sign": sign,
    "unit": unit,
}
__all__ = ["ALL", "Case", "Change", "Kind", "case_of", "plain"]
