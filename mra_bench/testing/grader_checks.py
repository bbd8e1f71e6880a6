"""The checks that every grader must pass, one small function each: it says in sentences what is wrong, if anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mra_bench.errors import BenchError
from mra_bench.judging import GraderSpec
from mra_bench.testing.evidence import GARBAGE_TEXT, GOLD, MAX_LOST, RIGHT, UNREADABLE, WRONG, Case, Evidence, gather
from mra_bench.testing.probe import FAULTS, FIELDS, NAME, NOT_A_GRADE, PROBLEM, SPAN, faults_in
from mra_bench.types import Grade

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
NOT_BUILT = "cannot be built in a worker"
WORKER = "it runs in a worker process"
NO_GRADE = "no text for this check got a Grade"
MAX_SAID = 5  # faults of one check that are told; the rest are counted


@dataclass(frozen=True)
class Outcome:
    """One check of one thing: its name, "passed", "failed" or "skipped", and what is wrong and what to do."""

    check: str
    outcome: str
    said: str = ""


def right_texts_are_correct(evidence: Evidence) -> list[str]:
    return [_graded(case, grade, "correct") for case, grade in _judged(evidence, RIGHT) if grade.correct is not True]


def wrong_texts_are_wrong(evidence: Evidence) -> list[str]:
    return [_graded(case, grade, "wrong") for case, grade in _judged(evidence, WRONG) if grade.correct is not False]


def gold_alone_is_correct(evidence: Evidence) -> list[str]:
    return [_graded(case, grade, "correct") for case, grade in _judged(evidence, GOLD) if grade.correct is not True]


def some_gold_alone_is_correct(evidence: Evidence) -> list[str]:
    """For a grader whose answers are not known: it takes at least one kind of gold answer for what it is."""
    judged = _judged(evidence, GOLD)
    if not judged or any(grade.correct for _, grade in judged):
        return []
    tried = ", ".join(repr(case.text) for case, _ in judged)
    return [f"of the gold answers {tried} not one is correct as a text of its own"]


def unreadable_gold_is_never_correct(evidence: Evidence) -> list[str]:
    return [
        f"{case.what} is graded correct; where the gold answer cannot be read, give Grade(None, kind='unparseable')"
        for case, grade in _judged(evidence, UNREADABLE)
        if grade.correct
    ]


def every_text_gets_a_grade(evidence: Evidence) -> list[str]:
    said = []
    for case, grade in evidence.of(RIGHT, WRONG, GOLD, GARBAGE_TEXT, UNREADABLE):
        if grade.kind == "crashed":
            said.append(f"on {case.what}: {grade.reason.removeprefix(NAME).strip().rstrip('.')}")
        said += [f"on {case.what}: {what}" for kind, what in faults_in(grade) if kind == NOT_A_GRADE]
    return _given_up(evidence) + said if said else []


def every_grade_comes_in_time(evidence: Evidence) -> list[str]:
    late = [
        case for case, grade in zip(evidence.cases, evidence.first, strict=True) if grade and grade.kind == "timeout"
    ]
    said = [f"on {case.what}: stopped after {evidence.seconds:g} seconds" for case in late]
    return _given_up(evidence) + said if said else []


def fields_are_plain_data(evidence: Evidence) -> list[str]:
    return _faults(evidence, FIELDS)


def span_lies_within_the_text(evidence: Evidence) -> list[str]:
    return _faults(evidence, SPAN)


def problem_is_left_alone(evidence: Evidence) -> list[str]:
    return _faults(evidence, PROBLEM)


def same_input_gives_the_same_grade(evidence: Evidence) -> list[str]:
    said = []
    rows = zip(evidence.cases, evidence.first, evidence.again, evidence.elsewhere, strict=True)
    for case, first, *others in rows:
        places = ("a second time", "in another process and order")
        for other, where in zip(others, places, strict=True):
            if first is not None and other is not None and _both(first, other) and first != other:
                said.append(f"on {case.what}: {_words(first)}, but {where} {_words(other)}")
                break
    return said


Made = Callable[[Evidence], bool]


@dataclass(frozen=True)
class Check:
    """A check: what it says is wrong, and whether it could be made at all on what the grader gave."""

    faults: Callable[[Evidence], list[str]]
    made: Made


def _on(*groups: str) -> Made:
    return lambda evidence: any(_sound(grade) for _, grade in evidence.of(*groups))


def _on_any_grade(evidence: Evidence) -> bool:
    return any(_came(grade) for grade in evidence.first if grade is not None)


def _on_two_grades(evidence: Evidence) -> bool:
    rows = zip(evidence.first, evidence.again, evidence.elsewhere, strict=True)
    return any(_both(first, again) or _both(first, elsewhere) for first, again, elsewhere in rows)


_ALWAYS: Mapping[str, Check] = {
    "a gold answer that cannot be read is never correct": Check(unreadable_gold_is_never_correct, _on(UNREADABLE)),
    "every text gets a Grade": Check(every_text_gets_a_grade, _on_any_grade),
    "every Grade comes in time": Check(every_grade_comes_in_time, _on_any_grade),
    "the fields are plain data": Check(fields_are_plain_data, _on_any_grade),
    "the span lies within the text": Check(span_lies_within_the_text, _on_any_grade),
    "the problem is left as it was": Check(problem_is_left_alone, _on_any_grade),
    "the same input gives the same Grade": Check(same_input_gives_the_same_grade, _on_two_grades),
}

# With texts of the author, who knows what is right and what is wrong.
CHECKS: Mapping[str, Check] = {
    "right texts are graded correct": Check(right_texts_are_correct, _on(RIGHT)),
    "wrong texts are graded wrong": Check(wrong_texts_are_wrong, _on(WRONG)),
    "the gold answer alone is correct": Check(gold_alone_is_correct, _on(GOLD)),
    **_ALWAYS,
}

# Without them: not even what kind of answer the grader judges is known.
GENERAL_CHECKS: Mapping[str, Check] = {
    "a gold answer alone is correct": Check(some_gold_alone_is_correct, _on(GOLD)),
    **_ALWAYS,
}


def run_checks(spec: GraderSpec, cases: Sequence[Case], seconds: float, checks: Mapping[str, Check]) -> list[Outcome]:
    """The outcome of each check. A grader that no worker can build fails the first one, and no other is tried."""
    try:
        evidence = gather(spec, cases, seconds)
    except BenchError as error:
        return [Outcome(WORKER, FAILED, str(error).replace(f"the grader '{NAME}'", "the grader"))]
    graded = [grade for grade in evidence.first if grade is not None]
    if graded and NOT_BUILT in graded[0].reason:
        return [Outcome(WORKER, FAILED, graded[0].reason.partition(f"{NOT_BUILT}: ")[2].rstrip("."))]
    outcomes = [Outcome(WORKER, PASSED)]
    for name, check in checks.items():
        said = check.faults(evidence)
        if said:
            outcomes.append(Outcome(name, FAILED, _joined(said)))
        else:
            outcomes.append(Outcome(name, PASSED) if check.made(evidence) else Outcome(name, SKIPPED, NO_GRADE))
    return outcomes


def _judged(evidence: Evidence, group: str) -> list[tuple[Case, Grade]]:
    """Cases with a sound Grade: what crashed, hung or is no Grade is told by the checks for that."""
    return [(case, grade) for case, grade in evidence.of(group) if _sound(grade)]


def _sound(grade: Grade) -> bool:
    return grade.kind not in ("crashed", "timeout", FAULTS)


def _came(grade: Grade) -> bool:
    """Whether the grader gave a Grade, with faults or without."""
    return _sound(grade) or (grade.kind == FAULTS and all(kind != NOT_A_GRADE for kind, _ in faults_in(grade)))


def _both(first: Grade | None, other: Grade | None) -> bool:
    return first is not None and other is not None and _sound(first) and _sound(other)


def _given_up(evidence: Evidence) -> list[str]:
    """How many texts were not tried, as the grader hung or ended its process on too many."""
    count = evidence.not_tried
    return [f"{MAX_LOST} worker processes were lost to it, so {count} more texts were not tried"] if count else []


def _faults(evidence: Evidence, kind: str) -> list[str]:
    pairs = evidence.of(RIGHT, WRONG, GOLD, GARBAGE_TEXT, UNREADABLE)
    return [f"on {case.what}: {said}" for case, grade in pairs for found, said in faults_in(grade) if found == kind]


def _graded(case: Case, grade: Grade, wanted: str) -> str:
    reason = f" ({grade.reason.rstrip('.')})" if grade.reason else ""
    return f"{case.what} must be {wanted}, but is graded {_verdict(grade)}{reason}"


def _words(grade: Grade) -> str:
    return f"{_verdict(grade)}, answer {grade.answer[:40]!r}, kind {grade.kind!r}, reason {grade.reason[:80]!r}"


def _verdict(grade: Grade) -> str:
    return {True: "correct", False: "wrong", None: "None (could not be judged)"}[grade.correct]


def _joined(said: Sequence[str]) -> str:
    more = [f"and {len(said) - MAX_SAID} more"] if len(said) > MAX_SAID else []
    return "\n".join([*said[:MAX_SAID], *more])
