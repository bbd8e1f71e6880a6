"""Choice answers in every writing, and what only looks like one."""

from __future__ import annotations

import pytest
from mra_sympy import choices, equivalent, grade

from mra_bench.types import Problem

SAME = [
    *(("B", text) for text in (
        "(B)", "B)", "B.", "b", "**B**", r"\textbf{(B)}\ 12", r"\mathrm{(B)}", r"\text{B}", "Option B", "choice (B)",
        "B - the second", "B: 12", "(B) 12", "选B", "故选：B", "the correct answer is B", "B is correct", "Ｂ",
        "B, since f is decreasing", "B and not A", "'B'",
    )),
    ("(B) 12", "12"), ("(B) 12", "B"), ("B)$65", "65"),
        ("E)None of these", "none of the above"), (r"\text{(C)}", "C"),
    (r"\textbf{(A)}\ \frac{1}{2}", "0.5"), ("ACD", "A, C, D"), ("ACD", "A, C and D"),
    ("ACD", r"\text{A},\text{C},\text{D}"),
    ("①③", r"\textcircled{1}\textcircled{3}"), ("①③", "①、③"), ("I and III only", "I, III"), ("C", "C Cecile"),
]  # fmt: skip
OTHER = [
    ("C", "C is incorrect"), ("B", "A or B"), ("A", "A. B is correct"), ("(B) 12", "(B) 13"), ("(B) 12", "13"),
    ("(B) 12", "(C) 12"), ("B", "B = 3"), ("B", "B + C"), ("B", "BC"), ("B", "2B"), ("B", "-B"), ("B", "B'"),
    ("B", "B^2"),
    ("A", "An apple"), ("A", r"A \cup B"), ("A(2,3)", "A"), ("ACD", "AC"), ("①③", "①②"), ("I, III", "I, II"),
    ("AB", "BC"),
    ("(a) 5, (b) 7", "a"), ("C", "Celsius"),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "prediction"), SAME)
def test_the_same_choice(gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is True
    assert equivalent(prediction, gold).correct is True


@pytest.mark.parametrize(("gold", "prediction"), OTHER)
def test_another_choice_or_none(gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is not True
    assert equivalent(prediction, gold).correct is not True


@pytest.mark.parametrize(("text", "name"), [("(b)", "B"), ("A, C", "AC"), ("①③", "1, 3"), ("I and II", "I, II")])
def test_the_name_of_a_choice_is_one_string(text: str, name: str) -> None:
    found = choices.read(text)
    assert found is not None
    assert found.name == name


LISTED = ("10", "12", "14", "16")


@pytest.mark.parametrize(
    ("gold", "text", "correct"),
    [
        ("B", r"\boxed{12}", True), ("B", r"\boxed{12.0}", True), ("B", "So the total is 12.", True),
        ("12", "The answer is B.", True), ("12", "The answer is C.", False), ("B", r"\boxed{14}", False),
        ("B", r"\boxed{13}", False), ("B", r"\boxed{B}", True),
    ],
)  # fmt: skip
def test_a_letter_and_what_it_stands_for(gold: str, text: str, correct: bool) -> None:
    assert grade(Problem("p", "?", gold, choices=LISTED), text).correct is correct


def test_a_value_that_two_letters_stand_for_names_none() -> None:
    assert grade(Problem("p", "?", "B", choices=("12", "12.0", "14")), r"\boxed{12}").correct is False


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("B", "故选：B."), ("B", "综上，答案选B。"), ("D", "所以选项A错误，选项C错误，故选D"),
        ("B", "【答案】B\n【解析】由A可知"),
        ("B", "The correct option is B) 12."),
        ("C", "Option A gives 10, option B gives 12. So the correct choice is C."),
        ("D", "<answer>D</answer>"), ("A", "The final answer is (A) and not (B)."),
        ("AC", "The correct statements are A and C."),
        ("①③", "①正确；②错误；③正确。故答案为：①③"), ("B", "A is wrong because it is odd. B is right."),
        ("A", "I choose A"),
        ("C", "So (A) and (B) are wrong, and (C) is right."), ("G", "T = 0.4(6^3). The correct choice is **G**."),
        ("E", "**Final Answer: (E) 20**"), ("D", "D. it can't be A"),
        ("B", "I would choose option (B) over option (C)."),
    ],
)  # fmt: skip
def test_a_choice_in_a_text(gold: str, text: str) -> None:
    assert grade(Problem("p", "?", gold), text).correct is True


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("A", "Final answer: A or B, not sure"), ("C", "Therefore, option C is incorrect."), ("B", "所以选项B错误。"),
        ("A", "The answer is a prime number."), ("A", "A good way to start is to add. The answer is B."),
        ("D", r"\boxed{A, D}"),
    ],
)  # fmt: skip
def test_no_choice_in_a_text(gold: str, text: str) -> None:
    assert grade(Problem("p", "?", gold), text).correct is not True


@pytest.mark.parametrize(
    "text",
    ["So option B is eliminated.", "The wrong option: B", "The least likely is B.", "So (B) does not hold.",
     "Answer: (B) is wrong", "Answer: B. Wait, actually C.", "The answer is B? No, it's C.",
     r"\boxed{A}, not \boxed{B}"],
)  # fmt: skip
def test_a_choice_denied_or_taken_back_is_not_chosen(text: str) -> None:
    assert grade(Problem("p", "?", "B"), text).correct is not True


@pytest.mark.parametrize(
    "text",
    ["Answer: C. Wait, actually B.", r"\boxed{B}, not \boxed{A}", "Option A is eliminated, so the answer is B.",
     "B. This is incorrect for even n, as asked.", "The incorrect statement is B."],
)  # fmt: skip
def test_a_choice_kept_is_chosen(text: str) -> None:
    assert grade(Problem("p", "?", "B"), text).correct is True


def test_a_choice_denied_in_chinese_is_not_the_answer() -> None:
    text = "选项 C 不符合题意，因此，正确选项是 A。"
    assert grade(Problem("p", "?", "A"), text).correct is True
    assert grade(Problem("p", "?", "C"), text).correct is False
