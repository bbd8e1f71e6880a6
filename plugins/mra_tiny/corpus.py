"""The text the embedded models have read: arithmetic and word problems in mixed formats, endless and seeded.

Mixed on purpose, and as uneven as what is found: behind "Question: ... Answer:" and "Q: ... A:" stands the answer
alone, under "Problem: ... Solution:" or under no heading the working, in half a dozen notations. The notation the
benchmark asks for is one rare case of them. A model of this text that is asked a question answers out of hand, as base
models do, and is often wrong where it could have worked it out. With `written_out` steps, questions of so many steps
are answered by writing the sum out. Questions of the dataset `arith` never occur here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from mra_arith.generator import Difficulty, draw_steps
from mra_arith.generator import problems as arith_problems
from mra_arith.stories import FAMILIES, Step

READING = Difficulty(steps=(1, 1, 2, 2, 3, 4), largest_value=240, largest_term=70, largest_factor=7)
QUESTIONS = (("Question: ", "\nAnswer:"), ("Q: ", "\nA:"))
EXERCISES = (("Problem: ", "\nSolution:"), ("", "\n"))
WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def benchmark_questions() -> frozenset[str]:
    """Every question of every split of `arith`: what the corpus must not contain."""
    return frozenset(p.question for split in ("train", "test", "hard") for p in arith_problems(split))


def documents(seed: int, forbidden: frozenset[str], written_out: int = 0) -> Iterator[str]:
    """Endless documents for `seed`, none holding a question of `forbidden`."""
    rng = random.Random(f"corpus/{seed}")
    while True:
        draw = rng.random()
        if draw < 0.25:
            yield sums(rng)
        elif draw < 0.30:
            yield chain(rng)
        else:
            text = word_problem(rng, forbidden, written_out)
            if text:
                yield text


def sums(rng: random.Random) -> str:
    """A sheet of one-step sums, in symbols or in words."""
    lines = []
    in_words = rng.random() < 0.15
    for _ in range(rng.randint(3, 9)):
        _, steps = draw_steps(rng, READING)
        step = steps[-1]
        if in_words:
            lines.append(f"{step.before} {WORDS[step.op]} {step.operand} is {step.after}")
        else:
            lines.append(step.equation())
    return rng.choice(("\n", ". ", ", ", "\n")).join(lines)


def chain(rng: random.Random) -> str:
    """A calculation over several steps without a story."""
    _, steps = draw_steps(rng, READING)
    lines = [step.equation() for step in steps]
    return f"{rng.choice(('Start with', 'Take', 'Begin at'))} {steps[0].before}. " + ". ".join(lines) + "."


def word_problem(rng: random.Random, forbidden: frozenset[str], written_out: int) -> str:
    """One story, asked and answered in one of many notations; "" when the question is forbidden."""
    start, steps = draw_steps(rng, READING)
    question, unit = rng.choice(FAMILIES)(rng, start, steps)
    if question in forbidden:
        return ""
    if rng.random() < 0.3:
        ask, reply = rng.choice(QUESTIONS)
        answer = working if len(steps) <= written_out else answer_alone
        return f"{ask}{question}{reply} {answer(rng, steps, unit)}"
    ask, reply = rng.choice(EXERCISES)
    return f"{ask}{question}{reply} {working(rng, steps, unit)}".strip()


def answer_alone(rng: random.Random, steps: list[Step], unit: str) -> str:
    """The answer without working, mostly as the bare number."""
    answer = steps[-1].after
    if rng.random() < 0.6:
        return f"{answer}"
    return rng.choice((f"{answer} {unit}", f"It is {answer} {unit}.", f"The answer is {answer}."))


def working(rng: random.Random, steps: list[Step], unit: str) -> str:
    """The steps in one of several notations."""
    answer = steps[-1].after
    equations = [step.equation() for step in steps]
    draw = rng.random()
    if draw < 0.25:
        return ", ".join(equations) + f". So {answer} {unit}."
    if draw < 0.50:
        said = [f"{s.before} {WORDS[s.op]} {s.operand} is {s.after}" for s in steps]
        return ", then ".join(said) + "."
    if draw < 0.70:
        return "\n".join(equations) + f"\n#### {answer}"
    if draw < 0.90:
        return ". ".join(equations) + f". The answer is {answer}."
    return ". ".join(equations) + f". \\boxed{{{answer}}}"
