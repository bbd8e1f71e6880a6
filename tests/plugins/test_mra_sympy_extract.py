"""Where the answer of a text is: boxes, phrases, closing sentences, run-on, what is expected."""

from __future__ import annotations

import pytest
from mra_sympy import Options, extract, grade

from mra_bench.types import Grade, Problem


def graded(gold: str, text: str, options: Options | None = None) -> Grade:
    return grade(Problem("p", "?", gold), text, options)


@pytest.mark.parametrize(
    ("text", "answer", "rule"),
    [
        (r"so \boxed{42}.", "42", "boxed"),
        (r"\boxed{\frac{1}{\sqrt{2}}} done", r"\frac{1}{\sqrt{2}}", "boxed"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}", "boxed"),
        (r"\fbox{7}", "7", "boxed"),
        (r"\boxed 7", "7", "boxed"),
        (r"first \boxed{3} and so finally \boxed{4", "3", "boxed"),
        (r"<think>\boxed{1}</think> It is \boxed{2}", "2", "boxed"),
        (r"<think>\boxed{1}</think>", "1", "boxed"),
        (r"\boxed{1} and \boxed{2}", "1 , 2", "boxed"),
        ("6 * 3 = 18\n#### 18", "18", "hash"),
        ("#### 1. Plan\nadd\n#### 2. Result\nThe answer is 9.", "9", "phrase"),
        ("Final Answer: The final answer is $12,000$. I hope it is correct.", "12,000", "phrase"),
        ("The answer is 5 because 3 + 2 = 5.", "5", "phrase"),
        ("Thus the answer is 26 dollars.", "26 dollars", "phrase"),
        ("The final answer is 10. So the answer is 12.", "10", "phrase"),
        ("**Answer:** 3.5", "3.5", "phrase"),
        ("2 + 2 = 4\nA: 4", "4", "phrase"),
        ("She pays $29.00.", "$29.00", "last-number"),
        ("from 7 to -5", "-5", "last-number"),
        ("so 9-5", "9-5", "last-number"),
        ("about 3/4 of them", "3/4", "last-number"),
        ("that makes 1,234,567 stones", "1,234,567", "last-number"),
        ("so 28% of it", "28%", "last-number"),
    ],
)
def test_extraction(text: str, answer: str, rule: str) -> None:
    found = extract(text)
    assert found is not None
    assert (found.answer, found.rule) == (answer, rule)
    if " , " not in answer:
        assert text[found.span[0] : found.span[1]] == answer


@pytest.mark.parametrize("text", ["", "   \n", "no idea", r"\boxed{}", r"\boxed{", "####"])
def test_nothing_to_extract(text: str) -> None:
    assert extract(text) is None
    found = graded("4", text)
    assert (found.correct, found.kind, found.answer) == (False, "no-answer", "")


def test_the_grade_keeps_the_answer_as_it_stood() -> None:
    found = graded("1/2", "The answer is $0.50$.")
    assert (found.extracted, found.answer, found.rule) == ("0.50", "1/2", "phrase")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"-\boxed{8}", "-8"), (r"$x = -\boxed{8}$", "-8"), (r"\boxed{8}\pi", r"8\pi"),
        (r"\boxed{a+b}\pi", r"(a+b)\pi"),
        (r"$\boxed{5.4}$ cents", "5.4 cents"), (r"\boxed{8} cm", "8 cm"), (r"\boxed{\text{Answer: }8}", "8"),
        (r"\boxed{25}\%", r"25\%"), (r"\\boxed{7}", "7"),
        (r"so $9 - \boxed{8}$", "9 - 8"), (r"\boxed{8} cats", "8"), (r"\boxed{8}. More text", "8"),
        (r"\boxed{8} = 8", "8"),
    ],
)  # fmt: skip
def test_what_is_written_onto_a_box_belongs_to_the_answer(text: str, answer: str) -> None:
    found = extract(text)
    assert found is not None
    assert found.answer == answer


RIGHT = [
    # a statement, then its explanation
    ("45", "The result is 45 (see equation 7)."), ("14", "The minimum value is 14, attained at $x=3$."),
    ("14", "Thus the final answer is $14$, where $n = 2$."), ("14", "The correct answer is 14, not 41."),
    ("7", "Therefore x = 7, found in step 2."), ("42", "6*7 = 42, so 42 apples are left after 3 days."),
    ("2/3", r"The answer is $\frac{2}{3}$, or approximately 0.667."), ("x+1", "Hence $f(x)=x+1$ for all $x>0$."),
    # the whole of what is written
    (r"\sqrt{30}", "So AT² = 30 and AT = √30."), ("2s", "Kai rode at a speed of 2s after the first mile."),
    ("36/35", "The smallest positive such x is 1 1/35."), ("3:4", "The ratio of boys to girls is 3:4."),
    ("1.04e-3", r"The amount of boron is $1.04 \times 10^{-3}$ grams."), (r"8\pi", r"The area is $8\pi$."),
    ("24", "The answer is 8 times 3 = 24."), (r"2\sqrt{2}", "所以 cotα = 2√2"), ("3:30 pm", "They arrive at 3:30 pm."),
    # lists, where several values are expected
    ("3, 5, 7", "The roots are x = 3, x = 5, or x = 7."), ("-3,0", "Comparing coefficients, $b=-3$ and $c=0$."),
    ("1,3", "the minimum possible number is 1 and the maximum possible number is 3."),
    ("7,14,18", "Therefore, Rayna is 7, Qing is 14 and Paolo is 18."), ("(1,7)", "The point is therefore **(1, 7)**."),
    # phrases of several languages and dresses
    ("42", "Answer - 42"), ("42", "<answer>42</answer>"), ("42", "**Final Answer**\n\n42"), ("42", "故答案为：42"),
    ("42", "【答案】42"), ("42", "La réponse est 42."), ("8", "#### 8 apples are left."), ("42", "答案：42"),
    # who says it
    ("9", "The student says the answer is 8. Correct answer: 9"), ("9", "I think the answer is 9."),
    ("5", "The answer is not 4. It is 5."), ("9", "It can't be 8, so it must be 9."),
    # list marks and remarks
    ("12", "1. Add 5 and 7.\n2. 5+7 = 12.\n3. Done."), ("12", "x = 12\n\nCheck: 2*12 + 1 = 25. Correct!"),
    ("11", "11 is the smallest prime greater than 10."), ("80", "He pays $80.\n\nNote that $5 was saved."),
    # words
    ("Monday", "So the day is Monday."), ("infinitely many", "There are infinitely many solutions."),
    ("does not exist", "So the limit does not exist."), ("no solution", "Therefore, there is no solution."),
    ("even", "Since $f(-x)=f(x)$, the function is even."), ("Yes", "Answer: Yes, because every vector is one."),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "text"), RIGHT)
def test_the_answer_in_a_sentence(gold: str, text: str) -> None:
    found = graded(gold, text)
    assert found.correct is True, found


WRONG = [
    ("7", "The result is 45 (see equation 7)."), ("3", "The minimum value is 14, attained at $x=3$."),
    ("2", "Therefore x = 7, found in step 2."), ("8", r"The area is $8\pi$."), ("8", "So we get 8x."),
    ("3", "y = x - 3"),
    ("14", "So 2x = 14."), ("12", "The answer is greater than 12."), ("8", "The answer is 8 more than 20."),
    ("8", "The answer is definitely not 8."), ("8", "The answer cannot be 8."), ("8", "The answer can't be 8."),
    ("8", "8 is not the answer."), ("8", "The student says the answer is 8. Correct answer: 9"),
    ("2", "The two roots are 1 and 2."), ("6", "It is either 5 or 6."), ("2", "$x = 1$ and $x = 2$."),
    ("5 cm", "The length is 5 m."), ("3 hours", "The trip takes 3 minutes."), (r"\$5", "It costs 5 cents."),
    ("8", r"-\boxed{8}"), ("8", r"\boxed{8}\pi"), ("3", "1. Add 5 and 7.\n2. 5+7 = 12.\n3. Done."),
    ("no solution", "The equation has one solution."), ("even", "The function is not even."),
    ("Yes", "The answer is no."),
    ("converges", "Therefore the series does not converge."), ("5,7", "The roots are x = 3, x = 5, or x = 7."),
]  # fmt: skip


@pytest.mark.parametrize(("gold", "text"), WRONG)
def test_what_is_no_answer_earns_nothing(gold: str, text: str) -> None:
    found = graded(gold, text)
    assert found.correct is not True, found


@pytest.mark.parametrize(
    ("text", "expects", "answer"),
    [
        ("The roots are 1, 2 and 3.", "list", "1 , 2 , 3"), ("So f(x) = 2x", "equation", "f(x) = 2x"),
        ("So f(x) = 2x", "expression", "2x"), ("The correct choice is C. That makes 14.", "choice", "C"),
        ("It is option C, which makes 14.", "number", "14"), ("So the day is Monday 7.", "text", "Monday 7"),
    ],
)  # fmt: skip
def test_what_is_expected_decides_ties(text: str, expects: str, answer: str) -> None:
    found = extract(text, expects)
    assert found is not None
    assert found.answer == answer


def test_the_word_of_the_dataset_wins() -> None:
    text = "It is option C, which makes 14."
    assert grade(Problem("p", "?", "14"), text).extracted == "14"
    assert grade(Problem("p", "?", "14", expects="choice"), text).extracted == "option C"


@pytest.mark.parametrize(
    "follow",
    ["\n\nQuestion: Ann has 7 pears. How many?\nAnswer: 99", "\nQ: 8 + 91?\nA: 99", "\nProblem 2: x\n#### 99",
     "<|im_end|>\n<|im_start|>user 99", "\n**Question:** 99", "\nHuman: 99", "\n### Instruction\n99", "\n[INST] 99"],
)  # fmt: skip
def test_a_run_on_is_not_searched(follow: str) -> None:
    right, wrong = graded("18", "#### 18" + follow), graded("17", "so 9 * 2 = 18" + follow)
    assert (right.correct, right.answer, right.kind) == (True, "18", "correct")
    assert "ran on" in right.reason
    assert (wrong.correct, wrong.answer, wrong.kind) == (False, "18", "ran-on")


@pytest.mark.parametrize(
    "follow",
    ["\n\nExample 2: Tom has 5 pens.\nThe answer is 12.", "\n\nNow try this one: What is 5+7? The answer is 12.",
     "\n\nHere is another problem. The answer is 12.", "\n\nWhat is 5+7?\n12", "\n\n问题：5+7？\n答案：12"],
)  # fmt: skip
def test_a_next_question_behind_a_stated_answer_is_not_searched(follow: str) -> None:
    assert graded("7", "The answer is 7." + follow).correct is True
    assert graded("12", "The answer is 7." + follow).correct is False


@pytest.mark.parametrize(
    ("gold", "text"),
    [("4", "Question: 2 + 2?\nAnswer: 4"), ("2", "How many are left? 5 - 3 = 2"),
    ("2", "5 were there.\n\nHow many are left?\n5 - 3 = 2"),
     ("4", "Problem 2: compute 2+2.\nSolution: 2+2=4"), ("9", "Example: 2 + 2 = 4.\nThe answer is 9.")],
)  # fmt: skip
def test_a_question_that_is_part_of_the_solution_is_no_run_on(gold: str, text: str) -> None:
    found = graded(gold, text)
    assert (found.correct, found.kind) == (True, "correct")


def test_a_second_hash_answer_is_a_run_on() -> None:
    found = graded("18", "9 * 2 = 18\n#### 18\nNext, 7 * 3 = 21\n#### 21")
    assert (found.correct, found.rule) == (True, "hash")


def test_a_thought_never_closed_holds_no_answer() -> None:
    text = "<think>3+5=8, so the answer is 8"
    assert graded("8", text).kind == "no-answer"
    assert graded("8", text, Options(answer_in_thoughts=True)).correct is True
    assert graded("8", "<think>maybe 7</think>The answer is 8").correct is True


@pytest.mark.parametrize(
    "text",
    ["\\boxed{5}\n\nWait, I should double-check: it is actually 6.",
     "So the answer is 5.\nHmm, let me check. 3+3=6. So it is actually 6."],
)  # fmt: skip
def test_a_correction_replaces_the_answer(text: str) -> None:
    found = graded("6", text)
    assert (found.correct, found.rule) == (True, "correction")
    assert "corrects" in found.reason
    assert graded("5", text, Options(corrections=False)).correct is True
    assert graded("5", r"\boxed{5} Wait, let me check: 2 + 3 = 5. Yes.").correct is True


HOSTILE = [
    "\n" * 100_000 + "5", "answer" + " " * 99_990, "  \n \n" * 20_000 + "What?", "(see " * 20_000, "A) " * 33_000,
    "$a$ and " * 12_500, "①" * 100_000, "<<1>>" * 20_000, "so the answer is 5. " * 5_000, "the answer is not " * 6_000,
    "\\boxed{5}\\pi " + "\\pi" * 30_000, "x=1, " * 20_000, "Wait it is actually " * 5_000, "故选" * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:12]!r}x{len(text)}")
@pytest.mark.parametrize("expects", ["number", "choice", "text", "list", ""])
def test_hostile_texts_are_searched(text: str, expects: str) -> None:
    found = extract(text, expects)
    assert found is None or (len(found.answer) <= 5000 and 0 <= found.span[0] <= found.span[1] <= len(text))


NOT_FIVE = [
    # boxes: denied, or part of a formula
    r"The answer is not \boxed{5}.", r"\boxed{5} is incorrect.", r"\boxed{5} is wrong, the right answer is 6.",
    r"\boxed{5}. Wait, no. The answer is 6.", r"$\frac{\boxed{5}}{6}$", r"$\sqrt{\boxed{5}}$", r"$2^{\boxed{5}}$",
    r"$x = 2 - \boxed{5}$", r"$x = 2 \cdot \boxed{5}$", r"$x = \frac12 \boxed{5}$", r"$\boxed{5} + 2$",
    r"$\boxed{5}\cdot 10^3$", r"$\boxed{5}\sqrt2$", r"$\boxed{5} x$", r"$\boxed{5} i$", r"$\boxed{5},000$",
    r"$0.\boxed{5}$", r"$\boxed{5}! ways", r"$\boxed{5}$ or $6$", r"-x = \boxed{5}",
    # denied in the main clause, said by another, taken back
    "I don't think the answer is 5.", "I doubt the answer is 5.", "It is not true that the answer is 5.",
    "It is false that the answer is 5.", "The answer is anything but 5.", "The wrong answer is 5.",
    "It's 6. Bob's answer is 5.", "The answer is 5? No, it is 6.", "The answer is 5. Wait, that's wrong. It's 6.",
    "The answer is 5. This is incorrect; it should be 6.", "The answer is 5. Actually it's 6.", "#### 5 wrong",
    "Answer: $5$ is not correct, $6$ is.",
    # signs and words that belong to the number
    "Answer: ≠5", "Answer: <5", "Answer: >5", "#### ≠ 5", "Answer: ∛5", "The answer is 5 times 6.",
    "The answer is 5 minus 2.", "The answer is 5 divided by 2.", "The answer is 5 squared.", "It is 5 times 6.",
    "The answer is 5 factorial.", "The answer is 5 to the power of 2.", "The answer is 5 times the square root of 2.",
    "The answer is 5 with remainder 2.", "The answer is 5 if x > 0 and 6 otherwise.",
    # rejected, a bound, a question, no answer at all
    "x = 5 does not work.", "x = 5 is an extraneous root.", "x = 5 must be rejected.", "We reject x = 5.",
    "So 5 doesn't work.", "So 5 is too small.", "A common mistake is 5.", "So x is below 5.", "So x exceeds 5.",
    "Is the answer 5? No.", "I don't know. I used 5 steps.", "There are 5 options. I cannot decide.",
    "There are 5 cases. I was not able to determine the final answer.",
    # the left side is no name of the value
    "So -x = 5.", "So x/2 = 5.", "So x^2 = 5.", "So 1/x = 5.",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_FIVE)
def test_a_number_that_is_not_claimed_is_no_answer(text: str) -> None:
    found = graded("5", text)
    assert found.correct is not True, found


FIVE = [
    r"$x = \boxed{5}$", r"\boxed{5}, where x > 2", r"$a+b = 2+3 = \boxed{5}$", r"Thus \boxed{5} apples.",
    r"$\boxed{5}$ or $5.0$", r"**Answer** - \boxed{5}", r"\boxed{5}! Great.", r"$2 + 3 = \boxed{5}$ cats",
    r"It is not 4 but \boxed{5}.", r"Not \boxed{4}. The answer is \boxed{5}.", r"$\text{So } \boxed{5}$",
    "I don't think it is 4, so the answer is 5.", "The wrong answer is 4; the answer is 5.", "=> 5", "> 5",
    "The answer is 5. Wait, let me check: 2 + 3 = 5. Yes.", "The answer is 5!", "The answer is 5 times as many.",
    "Is it 4? No. It is 5.", "We reject x = -2, so x = 5.", "x = -2 is extraneous, so x = 5.", "So $x+y = 5$.",
    "The answer is 4. Wait, that's wrong. It's 5.", "Bob's answer is 4. The correct answer is 5.",
    "The answer is 5. It is not correct to say 6.",
    "The answer is 5 because 4 is too small.", "I don't know the other roots, but x = 5.",
]  # fmt: skip


@pytest.mark.parametrize("text", FIVE)
def test_what_is_claimed_is_the_answer(text: str) -> None:
    found = graded("5", text)
    assert found.correct is True, found


@pytest.mark.parametrize(
    ("gold", "text"),
    [("no solution", "It is not true that there is no solution."), ("yes", "It would be true if 1=2."),
     ("no solution", "x = 2 is the only solution. If x = 3, there is no solution."),
     ("yes", "If it is true, then 1 = 2.")],
)  # fmt: skip
def test_a_statement_denied_or_supposed_is_not_made(gold: str, text: str) -> None:
    assert graded(gold, text).correct is not True


def test_the_formula_around_a_box_is_the_answer() -> None:
    assert graded("5/6", r"$\frac{\boxed{5}}{6}$").correct is True
    assert graded("5000", r"$x = \boxed{5},000$").correct is True
    assert graded("7", r"$\boxed{5} + 2$").correct is True


@pytest.mark.parametrize("text", [r"- \boxed{5}", "So:\n- \\boxed{5}", "Results:\n * $\\boxed{5}$"])
def test_a_bullet_before_a_box_is_no_minus(text: str) -> None:
    found = extract(text)
    assert found is not None
    assert found.answer == "5"


def test_endless_white_space_is_survived() -> None:
    found = extract("\n" * 50_000 + "The answer is" + " " * 50 + "7.")
    assert found is not None
    assert (found.answer, found.span) == ("7", (50_063, 50_064))
    assert extract(" " * 100_000 + "The answer is" + " " * 100_000) is None


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        (r"\frac{1}{2}", r"Hence the value is - \frac{1}{2}"),
        (r"\sqrt{2}", r"Hence - \sqrt{2}"),
        ("0", "The volume is 1 000."),
        ("2", r"E = \frac12 mv^2"),
        ("0", "So it is cosh(0)"),
    ],
)
def test_a_piece_of_a_formula_is_no_answer(gold: str, text: str) -> None:
    assert grade(Problem("p", "?", gold), text).correct is not True


def test_separated_thousands_and_an_unclosed_box_are_read() -> None:
    assert grade(Problem("p", "?", "5000000"), "So we have 5 000 000 people.").correct is True
    assert grade(Problem("p", "?", "192"), r"156 + 36 = 192. The answer is \boxed{192 dollars.").correct is True


def test_a_last_sentence_in_brackets_is_a_remark() -> None:
    text = "It is 200 - 80 = **120**. (If repairs were taken off one would get 70, but that is not asked.)"
    assert grade(Problem("p", "?", "120"), text).correct is True
    assert grade(Problem("p", "?", "70"), text).correct is False
