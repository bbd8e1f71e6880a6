import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench.contamination import SAME_QUESTION, Overlap, Rule, find_duplicates, find_overlaps, guard, normalise
from mra_bench.errors import UsageError
from mra_bench.types import Problem

DATA = Path(__file__).parents[2] / "shared" / "data"
QUESTION = "Tom's shop sold 1,234 apples at $2.50 each. How much money (in dollars) did twenty-one days bring?"


def rows(name, field):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project (../shared/data)")
    return [json.loads(line)[field] for line in path.read_text(encoding="utf-8").splitlines()]


def problems(questions):
    return [Problem(f"test/{i}", question, "") for i, question in enumerate(questions)]


@pytest.mark.parametrize(
    "other",
    [
        QUESTION.upper(),
        QUESTION.replace(" ", "\n  "),
        QUESTION.replace("'", "’"),
        QUESTION.replace("twenty-one", "twenty one"),
        QUESTION.replace("1,234", "1234"),
        QUESTION.replace("1,234", "1{,}234"),
        QUESTION.replace("$2.50", "\\$2.50"),
        QUESTION.replace("each.", "each ..."),
        QUESTION.rstrip("?") + " ?",
        QUESTION.replace("2.50", "２.５０"),
    ],
)
def test_the_same_question_in_another_dress(other):
    assert normalise(other) == normalise(QUESTION)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$\\left( x^{2} \\right)\\,$ is", "\\( (x^2) \\) is"),
        ("$\\dfrac{1}{2}$", "$$\\frac{1}{2}.$$"),
        ("10\\,000 and 10{,}000", "10,000 and 10000"),
        ("Find $y=2x+1$", "find $y = 2 x + 1$."),
        ("x² and 5 − 3", "x^2 and 5-3"),
        ("A 3-day trip of 5km", "a 3 day trip of 5 km"),
        ("fill in ____ here", "fill in ______ here"),
        ("\\text{cm}~long", "cm long"),
    ],
)
def test_spelling_that_carries_no_mathematics(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 + 4", "3 - 4"),
        ("0.5", "5"),
        ("0.5", "0 5"),
        ("2.50", "250"),
        ("1,234", "1,235"),
        ("(1,2)", "(12)"),
        ("1,23", "123"),
        ("10²", "102"),
        ("10₂", "102"),
        ("2½", "21/2"),
        ("2*(3+4)", "2*3+4"),
        ("\\frac{1}{23}", "\\frac{12}{3}"),
        ("what is 5!", "what is 5"),
        ("f'(2)", "f(2)"),
        ("x-y", "x y"),
        ("x < 3", "x > 3"),
        ("5%", "5"),
        ("-5", "5"),
        ("1,234,5", "12345"),
        ("हिन्दी 3", "हिन्दी 4"),
        ("√2", "2"),
    ],
)
def test_other_mathematics_is_another_question(one, other):
    assert normalise(one) != normalise(other)


@given(st.text())
@settings(deadline=None)
def test_normalising_never_fails_and_leaves_single_spaces(text):
    done = normalise(text)
    assert done == " ".join(done.split())


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@settings(deadline=None)
def test_questions_are_as_different_as_their_numbers(a, b):
    same = normalise(f"Ann has {a:,} pens.") == normalise(f"ann has {b} pens")
    assert same == (a == b)


@given(st.decimals(min_value=0, max_value=9999, places=2))
@settings(deadline=None)
def test_decimals_stay_whole(value):
    assert f"costs {value} today" == normalise(f"Costs ${value}, today.")


def test_overlaps_come_in_training_order_with_their_place():
    found = find_overlaps(
        [("t1", "Nothing like it"), ("t2", "what is 2+2"), ("t3", "How many?")],
        {"arith/test": problems(["What is 2 + 2?", "How many!"]), "hard/test": problems(["WHAT IS 2+2"])},
    )
    assert found == [
        Overlap("t2", "arith/test", "test/0", "same question"),
        Overlap("t2", "hard/test", "test/0", "same question"),
        Overlap("t3", "arith/test", "test/1", "same question"),
    ]


def test_questions_without_any_word_or_number_do_not_match():
    assert find_overlaps([("t", "?")], {"d": problems(["...", ""])}) == []


def test_each_rule_is_named_and_reported_once():
    words = Rule("shared word", lambda question: question.split())
    found = find_overlaps([("t", "red green blue")], {"d": problems(["green red"])}, rules=(SAME_QUESTION, words))
    assert found == [Overlap("t", "d", "test/0", "shared word")]


def test_a_generator_of_training_rows_is_read_once():
    rows_read = []
    training = ((rows_read.append(i) or str(i), f"row {i}") for i in range(50))
    find_overlaps(training, {"a": problems(["row 7"]), "b": problems(["row 8"])})
    assert rows_read == list(range(50))


def test_real_questions_planted_in_training_are_found():
    train, test = rows("gsm8k/train.jsonl", "question"), rows("gsm8k/test.jsonl", "question")
    training = [(f"train/{i}", question) for i, question in enumerate(train[:2000])]
    rng = random.Random(0)
    planted = rng.sample(range(len(test)), 20)
    for index in planted:
        dressed = "  " + test[index].upper().replace(" ", "  ").replace(".", " .") + "\n"
        training.insert(rng.randrange(len(training)), (f"planted/{index}", dressed))
    found = find_overlaps(training, {"gsm8k/test": problems(test)})
    assert {(o.train_id, o.problem_id) for o in found} == {(f"planted/{i}", f"test/{i}") for i in planted}


def test_real_questions_with_another_number_are_not_found():
    test = rows("gsm8k/test.jsonl", "question")
    changed = []
    for index, question in enumerate(test[:400]):
        digits = [place for place, char in enumerate(question) if char in "123456789"]
        if digits:
            place = digits[index % len(digits)]
            changed.append((str(index), question[:place] + str(int(question[place]) % 9 + 1) + question[place + 1 :]))
    assert len(changed) > 300
    assert find_overlaps(changed, {"gsm8k/test": problems(test)}) == []


def test_a_real_question_that_is_in_both_splits_of_math_is_found():
    found = find_overlaps(
        [(str(i), q) for i, q in enumerate(rows("math/train.jsonl", "problem"))],
        {"math/test": problems(rows("math/test.jsonl", "problem"))},
    )
    assert len(found) == 4  # each read by a person: they differ in spacing, braces and full stops only


OVERLAPS = [Overlap(f"train/{i}", "gsm8k/test", f"test/{i}", "same question") for i in range(5)]


def test_refusing_names_the_count_the_first_pairs_and_both_ways_on():
    with pytest.raises(UsageError) as error:
        guard(OVERLAPS, "refuse")
    message = str(error.value)
    assert message.startswith("5 training questions are also in the evaluation")
    assert "train/0 = gsm8k/test test/0" in message
    assert "train/2 = gsm8k/test test/2" in message
    assert "train/3" not in message
    assert "--drop-contaminated" in message
    assert "--allow-contamination" in message


def test_one_row_that_matches_twice_is_one_row():
    twice = [Overlap("t", "a", "1", "same question"), Overlap("t", "b", "1", "same question")]
    with pytest.raises(UsageError, match=r"^1 training question is also"):
        guard(twice, "refuse")
    assert guard(twice, "drop") == {"t"}


def test_dropping_and_allowing():
    assert guard(OVERLAPS, "drop") == {f"train/{i}" for i in range(5)}
    assert guard(OVERLAPS, "allow") == frozenset()
    assert guard([], "refuse") == guard([], "drop") == frozenset()


def test_duplicates_are_found_by_their_normalised_question():
    questions = {
        "a": "What is 2 + 3?",
        "b": "1,000 - 1",
        "c": "what is 2+3",
        "d": "1000 - 1 .",
        "e": "?",
        "f": "...",
        "g": "2 + 4",
    }
    found = find_duplicates(Problem(name, question, "1") for name, question in questions.items())
    assert found == [["a", "c"], ["b", "d"]]
