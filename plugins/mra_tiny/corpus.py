"""The text the embedded models have read: arithmetic and word problems in mixed formats, endless and seeded.

Mixed on purpose. Most word problems are answered directly, some with working, in half a dozen notations; the notation
the benchmark asks for is one rare case of them. Questions of the dataset `arith` never occur here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from mra_arith.generator import Difficulty, draw_steps
from mra_arith.generator import problems as arith_problems
from mra_arith.stories import FAMILIES, Step

READING = Difficulty(steps=(1, 1, 2, 2, 3, 4), largest_value=240, largest_term=70, largest_factor=7)
PROMPTS = (("Question: ", "\nAnswer:"), ("Q: ", "\nA:"), ("Problem: ", "\nSolution:"), ("", "\n"))
WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def benchmark_questions() -> frozenset[str]:
    """Every question of every split of `arith`: what the corpus must not contain."""
    return frozenset(p.question for split in ("train", "test", "hard") for p in arith_problems(split))


def documents(seed: int, forbidden: frozenset[str]) -> Iterator[str]:
    """Endless documents for `seed`, none holding a question of `forbidden`."""
    rng = random.Random(f"corpus/{seed}")
    while True:
        draw = rng.random()
        if draw < 0.40:
            yield sums(rng)
        elif draw < 0.48:
            yield chain(rng)
        else:
            text = word_problem(rng, forbidden)
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


def word_problem(rng: random.Random, forbidden: frozenset[str]) -> str:
    """One story, asked and answered in one of many notations; "" when the question is forbidden."""
    start, steps = draw_steps(rng, READING)
    question, unit = rng.choice(FAMILIES)(rng, start, steps)
    if question in forbidden:
        return ""
    ask, reply = rng.choice(PROMPTS)
    return f"{ask}{question}{reply} {answer_text(rng, steps, unit)}".strip()


def answer_text(rng: random.Random, steps: list[Step], unit: str) -> str:
    """The answer alone (half of the time), or with working in one of several notations."""
    answer = steps[-1].after
    equations = [step.equation() for step in steps]
    draw = rng.random()
    if draw < 0.50:
        return rng.choice((f"{answer}", f"{answer} {unit}", f"It is {answer} {unit}.", f"The answer is {answer}."))
    if draw < 0.62:
        return ", ".join(equations) + f". So {answer} {unit}."
    if draw < 0.74:
        said = [f"{s.before} {WORDS[s.op]} {s.operand} is {s.after}" for s in steps]
        return ", then ".join(said) + "."
    if draw < 0.84:
        return "\n".join(equations) + f"\n#### {answer}"
    if draw < 0.94:
        return ". ".join(equations) + f". The answer is {answer}."
    return ". ".join(equations) + f". \\boxed{{{answer}}}"
