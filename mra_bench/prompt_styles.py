"""Ways to ask that have a name: what is said with a question, and how the answer is to be given.

The named ones follow the habits of published systems in words of our own. What a recipe says itself comes first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from mra_bench.dataset_rows import last_boxed
from mra_bench.errors import UsageError, nearest, unknown
from mra_bench.split_samples import question_hash
from mra_bench.types import Example, Problem, PromptStyle

CLOSING = "The final answer is \\boxed"
CHINESE = "问题：{question}\n解答："

STYLES: Mapping[str, PromptStyle] = {
    "bare": PromptStyle(),
    "boxed": PromptStyle("Reason step by step and put the final answer in \\boxed{}.", "boxed"),
    "boxed-letter": PromptStyle(
        "Reason step by step and put the letter of the right choice in \\boxed{}.", "boxed"
    ),
    "hash": PromptStyle("Reason step by step and end with a line that holds #### and the final answer.", "hash"),
    "plan": PromptStyle(
        "Make a plan and carry it out step by step. Put the final answer in \\boxed{}, and nothing behind it.", "boxed"
    ),
    "chinese": PromptStyle("请一步一步地推理，最后把答案写在 \\boxed{} 里。", "boxed", plain=CHINESE),
    "chinese-letter": PromptStyle(
        "请一步一步地推理，最后把正确选项的字母写在 \\boxed{} 里。", "boxed", plain=CHINESE
    ),
}  # fmt: skip


def named_style(name: str) -> PromptStyle:
    """The style called `name`. Raises UsageError naming the nearest."""
    if name not in STYLES:
        raise unknown("prompt style", name, STYLES)
    return STYLES[name]


def with_examples(style: PromptStyle, problems: Sequence[Problem], wanted: Sequence[str], where: str) -> PromptStyle:
    """`style` with worked examples: of `problems`, those whose ids (or the hashes of whose questions, see
    `split_samples.question_hash`) are `wanted`, in that order, each ending as the style asks.

    Raises UsageError beginning with `where` for one that is not there, or has no solution.
    """
    known = {problem.id: problem for problem in problems}
    hashed = {} if all(name in known for name in wanted) else {question_hash(p.question): p for p in problems}
    examples = []
    for name in wanted:
        problem = known.get(name) or hashed.get(name)
        if problem is None:
            close = nearest(name, known)
            hint = f" Is it '{close}'?" if close else ""
            raise UsageError(f"{where} has no row '{name}' to show as an example.{hint}")
        if not problem.solution:
            raise UsageError(f"{where}: the row '{name}' cannot be an example, since it has no solution")
        worked = in_format(problem.solution, problem.answer, style.answer_format)
        examples.append(Example(problem.id, problem.question, worked))
    return dataclasses.replace(style, examples=tuple(examples))


def in_format(solution: str, answer: str, answer_format: str) -> str:
    """A reference solution that ends as `answer_format` asks: "boxed", "hash", or "" for as it is."""
    box = last_boxed(solution)
    if answer_format == "boxed" and box is None:
        return f"{solution}\n{CLOSING}{{{answer}}}."
    if answer_format == "hash":
        *lines, last = solution.splitlines()
        if lines and last.startswith(CLOSING) and last.endswith("}."):  # how the specs end a solution for the box
            solution = "\n".join(lines)
        elif box is not None:
            before, _, after = solution.rpartition("\\boxed")
            solution = before + after.replace(f"{{{box}}}", box, 1)
        return f"{solution}\n#### {answer}"
    return solution
