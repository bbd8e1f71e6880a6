"""The rewards by name. Each takes a Context and its options and gives a number for each text, or None where nothing can
be told: such a text takes no part in its group and teaches nothing. Light: read when a recipe is checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mra_decision import decision
from mra_transformers.stops import BOXED, closed_box

from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.plugins import Plugin, Registered
from mra_bench.types import Problem

from . import length_rewards, repo_rewards
from .context import Context

Values = list[float | None]
THOUGHT = "</think>"


@dataclass(frozen=True)
class Correct:
    """grader: whose verdicts count; none is the first one. right: earned by a right text. wrong: by a wrong one."""

    grader: str | None = None
    right: float = 1.0
    wrong: float = 0.0


@dataclass(frozen=True)
class SlmCorrect:
    """grader: whose verdicts count; none is the first one."""

    grader: str | None = None


def correct(context: Context, options: Correct) -> Values:
    """`right` where the grader says so, else `wrong`; None where it could not judge, as when the gold answer cannot be
    read (ours; there an unreadable gold answer earns 1, section 5.2)."""
    return [
        None if grade.correct is None else options.right if grade.correct else options.wrong
        for grade in context.graded(options.grader)
    ]


def slm_correct(context: Context, options: SlmCorrect) -> Values:
    """1 for a right text, -1 for a wrong one, -0.5 for one without a box: SLM-Math's values (section 3.4); which is
    right the grader says."""
    return [
        None if grade.correct is None else 1.0 if grade.correct else -1.0 if BOXED in text else -0.5
        for grade, text in zip(context.graded(options.grader), context.texts, strict=True)
    ]


def format_before_think(context: Context) -> Values:
    """1 where a box closes before the first ``</think>``, else 0: one may stop reading there. As in the two-stage
    recipe (format2 of section 5.2); there the box need not be balanced, and any ``</think>`` counts."""
    return [float(_boxed_before(text, text.find(THOUGHT))) for text in context.texts]


def fast_math_format(context: Context) -> Values:
    """1 where ``oxed{``, ``}`` and ``</think>`` follow one another, else 0: format2 as published (section 5.2)."""
    return [float(_in_turn(text, "oxed{", "}", THOUGHT)) for text in context.texts]


def decided(context: Context) -> Values:
    """Of a verifier, for problems whose answer is CORRECT, INCORRECT or UNCLEAR: 1 for the right decision, -0.3 for
    UNCLEAR where it is not, -1 for a wrong one. As in SLM-Math (section 3.4), with its parse mended: see
    `mra_decision.decision`."""
    return _decisions(context, decision.decided, unclear_is_right=True)


def slm_decided(context: Context) -> Values:
    """The same with the decision parsed as published, and -0.3 for UNCLEAR in any case (section 3.4)."""
    return _decisions(context, decision.decided_as_published, unclear_is_right=False)


def _decisions(context: Context, read: Callable[[str], str], *, unclear_is_right: bool) -> Values:
    found: Values = []
    for problem, text in zip(context.problems, context.texts, strict=True):
        said, gold = read(text), problem.answer.strip().upper()
        right = said == gold and (unclear_is_right or said != decision.UNCLEAR)
        found.append(1.0 if right else -0.3 if said == decision.UNCLEAR else -1.0)
    return found


def _boxed_before(text: str, end: int) -> bool:
    closed = closed_box(text)
    return closed is not None and closed <= end


def _in_turn(text: str, *parts: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at) + len(part)
        if at < len(part):
            return False
    return True


@dataclass(frozen=True)
class Reward:
    """score: the function, called with a Context, and with its options where it has a class of them. decides: it is
    for problems whose answer is a decision."""

    score: Callable[..., Values]
    options: type | None = None
    decides: bool = False


REWARDS: Mapping[str, Reward] = {
    "correct": Reward(correct, Correct),
    "slm-correct": Reward(slm_correct, SlmCorrect),
    "format-before-think": Reward(format_before_think),
    "fast-math-format": Reward(fast_math_format),
    "cosine": Reward(length_rewards.cosine, length_rewards.Cosine),
    "fast-math-cosine": Reward(length_rewards.fast_math_cosine, length_rewards.FastMathCosine),
    "length": Reward(length_rewards.length, length_rewards.Length),
    "fast-math-length": Reward(length_rewards.fast_math_length, length_rewards.Length),
    "repetition": Reward(length_rewards.repetition, length_rewards.Repetition),
    "repo": Reward(repo_rewards.repo, repo_rewards.Repo),
    "repo-style": Reward(repo_rewards.repo_style),
    "decision": Reward(decided, decides=True),
    "slm-decision": Reward(slm_decided, decides=True),
}
_OWNER = Plugin("grpo", "built-in", "mra_grpo", "")


@dataclass(frozen=True)
class Wanted:
    """A reward as a recipe asks for it."""

    name: str
    weight: float
    options: Any

    @property
    def needs_grades(self) -> bool:
        """Whether it rests on a grader's verdicts."""
        return hasattr(self.options, "grader")

    def score(self, context: Context) -> Values:
        """What each text earns, not yet weighted."""
        function = REWARDS[self.name].score
        return function(context) if self.options is None else function(context, self.options)

    def check(self, problems: Sequence[Problem], graders: Sequence[str]) -> None:
        """Raises UsageError for a grader that there is not, or problems that the reward does not fit."""
        if self.needs_grades and not graders:
            raise UsageError(f"The reward '{self.name}' needs a grader: name one in 'graders' of the model")
        if self.needs_grades and self.options.grader not in (None, *graders):
            raise unknown("grader", self.options.grader, graders, where=f"in the reward '{self.name}'")
        if REWARDS[self.name].decides:
            for problem in problems:
                if problem.answer.strip().upper() not in decision.WORDS:
                    raise UsageError(
                        f"The reward '{self.name}' is for problems whose answer is {', '.join(decision.WORDS)}, but "
                        f"that of '{problem.id}' is {problem.answer!r:.60}. Use the reward 'correct' there."
                    )


@dataclass(frozen=True)
class Entry:
    """What a recipe says of a reward. weight: what it is multiplied by in the sum. options: its own."""

    weight: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


def wanted(name: str, entry: Any) -> Wanted:
    """The reward called `name`, of a weight or a mapping of weight and options. Raises UsageError for an unknown name
    or option, with the nearest one, and for a wrong value."""
    if name not in REWARDS:
        close = nearest(name, REWARDS)
        hint = f" Did you mean '{close}'?" if close else ""
        raise UsageError(f"Unknown reward '{name}'.{hint} There are: {', '.join(REWARDS)}.")
    said = dict(entry) if isinstance(entry, Mapping) else {"weight": entry}
    parsed: Entry = Registered("rewards", name, _OWNER, None, Entry).parse_options(said)
    if not math.isfinite(parsed.weight):
        raise UsageError(f"The weight of the reward '{name}' must be a finite number (got {parsed.weight})")
    options = Registered("rewards", name, _OWNER, None, REWARDS[name].options).parse_options(parsed.options)
    return Wanted(name, parsed.weight, options)
