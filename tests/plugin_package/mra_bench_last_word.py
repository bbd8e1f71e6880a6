"""A grader as a stranger would ship it: correct when the last word is the gold answer."""

from mra_bench import Grade, Problem, hookimpl


def grade(problem: Problem, text: str) -> Grade:
    last = text.split()[-1] if text.split() else ""
    return Grade(correct=last == problem.answer, answer=last, reason="the last word")


@hookimpl
def register_graders(register):
    register("last-word", grade)
