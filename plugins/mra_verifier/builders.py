"""Builders of preference pairs from profiles and from labelled errors. All definitions are ours."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, MinLen

from mra_bench.builders import REFERENCE, BuildJob, PairRule, PairSet, Sampled, collapse, usable
from mra_bench.types import LENGTH, Completion, Grade, Pair, Profile
from mra_verifier.mining import NO_PROFILE, Thresholds, Verdict, Weighting, importance, mine, profiled


@dataclass(frozen=True)
class HardOptions(Thresholds, Weighting):
    """Hard negatives, hardest first.

    weighted: give each pair an importance weight by its hardness; else all weigh 1.
    """

    needs_profiles: ClassVar[bool] = True
    weighted: bool = False


@dataclass(frozen=True)
class EasyOptions:
    """Wrong texts that are easy to tell from right ones, the most absurd first.

    absurdity: only texts with at least so much.
    """

    needs_profiles: ClassVar[bool] = True
    absurdity: Annotated[float, Ge(0), Le(1)] = 0.3


@dataclass(frozen=True)
class CorruptedOptions:
    """Reference solutions against themselves with one error in them.

    kinds: the kinds of error; those that fit a solution are tried in an order drawn for each problem.
    """

    kinds: Annotated[tuple[str, ...], MinLen(1)] = (
        "wrong-operation", "carried-digit", "swapped-step", "dropped-step", "sign", "unit"
    )  # fmt: skip

    def __post_init__(self) -> None:
        from mra_verifier.corruption import KINDS

        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"'{kind}' is no kind of error; these are: {', '.join(KINDS)}")


@dataclass(frozen=True)
class _Candidate:
    """A wrong text with what makes it worth choosing: higher comes first."""

    completion: Completion
    worth: float


def hard_negatives(job: BuildJob) -> PairSet:
    """Chosen graded correct, rejected a wrong text that is close to right: see `mra_verifier.mining`."""
    options: HardOptions = job.options

    def judge(completion: Completion, grade: Grade, profile: Profile) -> Verdict:
        return mine(profile, grade, completion.tokens, options)

    built, worths = _build(job, judge)
    if not options.weighted:
        return built
    weights = importance(worths, options)
    pairs = tuple(dataclasses.replace(p, weight=w) for p, w in zip(built.pairs, weights, strict=True))
    return dataclasses.replace(built, pairs=pairs)


def easy_negatives(job: BuildJob) -> PairSet:
    """Chosen graded correct, rejected a wrong text whose answer is absurd."""
    least = job.options.absurdity

    def judge(completion: Completion, grade: Grade, profile: Profile) -> Verdict:
        if grade.correct is not False:
            return Verdict(None, "its answer is right" if grade.correct else "its answer could not be judged")
        if not profiled(profile):
            return Verdict(None, NO_PROFILE)
        absurd = profile.scores["absurdity"]
        return Verdict(absurd) if absurd >= least else Verdict(None, f"absurdity under {least:g}")

    return _build(job, judge)[0]


def corrupted(job: BuildJob) -> PairSet:
    """Chosen the reference solution, rejected the same with an error worked out to a wrong answer."""
    from mra_verifier.corruption import corrupt

    rule = _rule(job)
    pairs: list[Pair] = []
    counts, no_pair = Counter[str](problems=0, problems_with_pairs=0), Counter[str]()
    for one in job.sampled:
        counts["problems"] += 1
        kinds = list(job.options.kinds)
        random.Random(f"corrupted/{job.seed}/{one.problem.id}").shuffle(kinds)
        made = (corrupt(one.problem, kind, job.seed) for kind in kinds)
        found = [error for error in made if error is not None and error.rejected][: rule.pairs_per_problem]
        counts["problems_with_pairs"] += bool(found)
        for error in found:
            pairs.append(_pair(one, one.problem.solution or "", error.text, REFERENCE, f"corrupted:{error.kind}"))
            counts[error.kind] += 1
        if not found:
            no_pair["no handle for an error" if one.problem.solution else "no reference solution"] += 1
    return PairSet(tuple(pairs), dict(counts), dict(no_pair))


def _build(job: BuildJob, judge: Callable[[Completion, Grade, Profile], Verdict]) -> tuple[PairSet, list[float]]:
    """Pairs of the wrong texts that `judge` takes, those of most worth first, with that worth of each."""
    rule = _rule(job)
    pairs: list[Pair] = []
    worths: list[float] = []
    counts = Counter[str](problems=0, problems_with_pairs=0, samples=0, candidates=0, from_reference=0)
    no_pair = Counter[str]()
    for one in job.sampled:
        right, source = _right(one, rule)
        refused = Counter[str]()
        wrong = _wrong(one, rule, judge, refused)
        counts.update(problems=1, samples=len(one.samples), candidates=len(wrong))
        if not right or not wrong:
            no_pair[_why(one, right, refused)] += 1
            continue
        counts["problems_with_pairs"] += 1
        for number, candidate in enumerate(wrong[: rule.pairs_per_problem]):
            chosen = right[number % len(right)]
            rejected = candidate.completion
            pairs.append(_pair(one, chosen[0], rejected.text, chosen[1], f"sample:{rejected.sample}"))
            worths.append(candidate.worth)
            counts["from_reference"] += source == REFERENCE
    return PairSet(tuple(pairs), {**counts, "pairs": len(pairs)}, dict(no_pair)), worths


def _rule(job: BuildJob) -> PairRule:
    assert isinstance(job.rule, PairRule)
    return job.rule


def _right(one: Sampled, rule: PairRule) -> tuple[list[tuple[str, str]], str]:
    """Texts that may be chosen, each with its source, by sample index; the reference where none is right."""
    right = [c for c, grade in _by_index(one) if grade.correct is True and c.finish != LENGTH]
    if texts := usable(right, rule):
        return [(c.text, f"sample:{c.sample}") for c in texts], "samples"
    solution = one.problem.solution or ""
    solved = any(grade.correct is True for _, grade in one.samples)
    if solved or not rule.reference_when_unsolved or len(collapse(solution)) < rule.min_characters:
        return [], ""
    return [(solution, REFERENCE)], REFERENCE


def _wrong(
    one: Sampled, rule: PairRule, judge: Callable[[Completion, Grade, Profile], Verdict], refused: Counter[str]
) -> list[_Candidate]:
    """Wrong texts that `judge` takes, of most worth first; `refused`: why others were not taken."""
    never = {collapse(c.text) for c, grade in one.samples if grade.correct is True}
    never.add(collapse(one.problem.solution or ""))
    kept = {c.sample for c in usable([c for c, _ in _by_index(one)], rule, never)}
    found = []
    for (completion, grade), profile in zip(one.samples, one.profiles, strict=True):
        if completion.sample not in kept or (completion.finish == LENGTH and not rule.include_truncated):
            continue
        verdict = judge(completion, grade, profile)
        if verdict.hardness is None:
            refused[verdict.reason] += 1
        else:
            found.append(_Candidate(completion, verdict.hardness))
    return sorted(found, key=lambda candidate: (-candidate.worth, candidate.completion.sample))


def _by_index(one: Sampled) -> Sequence[tuple[Completion, Grade]]:
    return sorted(one.samples, key=lambda item: item[0].sample)


def _why(one: Sampled, right: Sequence[object], refused: Counter[str]) -> str:
    """Why a problem gave no pair, in words; of several reasons against its wrong texts the most frequent."""
    verdicts = {grade.correct for _, grade in one.samples}
    if False not in verdicts:
        return "no samples" if not one.samples else "no wrong text"
    if refused:
        return f"no candidate: {refused.most_common(1)[0][0]}"
    return "no usable wrong text" if right else "nothing right to choose"


def _pair(one: Sampled, chosen: str, rejected: str, chosen_source: str, rejected_source: str) -> Pair:
    return Pair(one.problem.id, one.prompt, chosen, rejected, 1.0, chosen_source, rejected_source)
