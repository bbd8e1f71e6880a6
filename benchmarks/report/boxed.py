"""A grader that takes no time: the last box, compared as text. The benchmark is of the report, not of grading."""

from mra_bench import Grade, hookimpl


def grade(problem, text):
    """Right where the content of the last box is the gold answer."""
    start = text.rfind("\\boxed{") + 7
    answer = text[start : text.find("}", start)]
    correct = answer == problem.answer
    reason = f"{answer!r} is {'' if correct else 'not '}the gold answer."
    return Grade(correct, answer, reason, "correct" if correct else "wrong", (start, start + len(answer)), "boxed")


@hookimpl
def register_graders(register):
    """The grader `boxed`."""
    register("boxed", grade)
