"""How a problem is put to any model: as plain text, or as the messages of a chat."""

from __future__ import annotations

from mra_bench.types import Problem, PromptStyle

PLAIN_FORMAT = "Question: {question}\nAnswer:"


def plain_prompt(problem: Problem, style: PromptStyle) -> str:
    """The plain prompt: the instruction on a line of its own, if any, the worked examples, if any, each behind an empty
    line, then the question, then ``Answer:`` (or both as the style's `plain` has it)."""
    shown = [f"{_plain(example.question, style)} {example.answer}" for example in style.examples]
    asked = "\n\n".join([*shown, _plain(problem.question, style)])
    if not style.instruction:
        return asked
    return "\n".join([style.instruction, *([""] if shown else []), asked])


def plain_stops(style: PromptStyle) -> tuple[str, ...]:
    """Strings by which a base model goes on to a next question, in a plain format of the style's own."""
    opening = style.plain.partition("{question}")[0].strip()
    return (f"\n{opening}",) if opening else ()


def chat_messages(problem: Problem, style: PromptStyle) -> list[dict[str, str]]:
    """The same as the messages of a chat: the instruction behind each question, each worked example as a question that
    was asked and answered before."""
    messages = []
    for example in style.examples:
        messages.append({"role": "user", "content": _asked(example.question, style)})
        messages.append({"role": "assistant", "content": example.answer})
    return [*messages, {"role": "user", "content": _asked(problem.question, style)}]


def _plain(question: str, style: PromptStyle) -> str:
    return (style.plain or PLAIN_FORMAT).replace("{question}", question, 1)


def _asked(question: str, style: PromptStyle) -> str:
    return f"{question}\n{style.instruction}" if style.instruction else question
