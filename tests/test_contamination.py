import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench.contamination import (
    HALF_SHARED,
    HOLDS_QUESTION,
    SAME_QUESTION,
    Overlap,
    Questions,
    TrainingText,
    find_duplicates,
    find_overlaps,
    guard,
)
from mra_bench.errors import UsageError
from mra_bench.normalised import normalise, numbers_of, template_of, words_of
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


def test_words_numbers_and_templates():
    assert words_of(normalise("Roslyn has twenty-one boxes: 5 of them cost $2.50!")) == (
        "roslyn has twenty one boxes 5 of them cost 2.50".split()
    )
    assert words_of(normalise("小明有3个苹果")) == ["小", "明", "有", "3", "个", "苹", "果"]
    assert numbers_of(words_of("ten boxes five of 5 and 10 in all one by one")) == ("10", "10", "5", "5")
    assert template_of(normalise("Ann has 3 pens.")) == template_of(normalise("ann has seven pens"))
    assert template_of(normalise("3 + x")) != template_of(normalise("3 - x"))


def overlaps(training, evaluations):
    asked = [Questions(name, problems(questions)) for name, questions in evaluations.items()]
    return find_overlaps((t if isinstance(t, TrainingText) else TrainingText(*t) for t in training), asked)


def test_overlaps_come_in_training_order_with_their_place():
    found = overlaps(
        [("t1", "Nothing like it"), ("t2", "what is 2+2"), ("t3", "How many?")],
        {"arith/test": ["What is 2 + 2?", "How many!"], "hard/test": ["WHAT IS 2+2"]},
    )
    assert found == [
        Overlap("t2", "arith/test", "test/0", SAME_QUESTION),
        Overlap("t2", "hard/test", "test/0", SAME_QUESTION),
        Overlap("t3", "arith/test", "test/1", SAME_QUESTION),
    ]


def test_questions_without_any_word_or_number_do_not_match():
    assert overlaps([("t", "?")], {"d": ["...", ""]}) == []


LONG = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many clips did "
    "Natalia sell altogether in April and May?"
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (LONG.upper(), SAME_QUESTION),
        (f"Solve this in 3 steps. {LONG} Think well.", HOLDS_QUESTION),  # whatever numbers stand around it
        (LONG.replace("altogether", "in all"), HALF_SHARED),
        (LONG.replace("48", "forty-eight").replace("altogether", "in all"), None),  # 40 and 8, which is not 48
        (LONG.replace("48", "49"), None),
        (LONG.replace("altogether", "in all") + " She is 9.", None),
        (LONG.replace("altogether", "in all").replace("and then", "but"), None),  # under half of the runs is left
        (LONG[:40], None),
    ],
)
def test_which_texts_meet_a_question_by_which_rule(text, rule):
    assert [o.rule for o in overlaps([("t", text)], {"d": [LONG]})] == ([rule] if rule else [])


def test_a_short_question_in_a_longer_text_is_no_overlap():
    assert (
        overlaps([("t", "What is the sum of the first 10 primes, if 1 is left out?")], {"d": ["the first 10 primes"]})
        == []
    )


def test_half_of_the_runs_is_enough_and_less_is_not():
    words = [f"w{chr(97 + i)}" for i in range(24)]  # 12 runs of 13 words
    half, less = words[:18], words[:17]  # 6 and 5 of them
    assert [o.rule for o in overlaps([("t", " ".join(half))], {"d": [" ".join(words)]})] == [HALF_SHARED]
    assert overlaps([("t", " ".join(less))], {"d": [" ".join(words)]}) == []


def test_a_text_that_is_no_question_says_what_it_is():
    text = TrainingText("train/7", f"First we ask: {LONG} We add.", "solution")
    assert overlaps([text], {"d": [LONG]}) == [Overlap("train/7", "d", "test/0", HOLDS_QUESTION, "solution")]


def test_questions_of_the_same_templates_overlap_when_equal_only():
    text = TrainingText("t", LONG.replace("altogether", "in all"), templates="arith")
    equal = TrainingText("e", LONG, templates="arith")
    made = Questions("made", problems([LONG]), "arith")
    other = Questions("other", problems([LONG]), "gsm8k")
    assert [(o.train_id, o.dataset) for o in find_overlaps([text, equal], [made])] == [("e", "made")]
    assert [(o.train_id, o.dataset) for o in find_overlaps([text], [made, other])] == [("t", "other")]


def test_a_generator_of_training_texts_is_read_once():
    rows_read = []
    training = (TrainingText(rows_read.append(i) or str(i), f"row {i}") for i in range(50))
    overlaps(training, {"a": ["row 7"], "b": ["row 8"]})
    assert rows_read == list(range(50))


def test_real_questions_planted_in_training_are_found():
    """As they are, in an instruction, and with the words of the last quarter changed."""
    train, test = rows("gsm8k/train.jsonl", "question"), rows("gsm8k/test.jsonl", "question")
    training = [(f"train/{i}", question) for i, question in enumerate(train[:1000])]
    rng = random.Random(0)
    planted = rng.sample([i for i, q in enumerate(test) if len(words_of(normalise(q))) > 40], 30)
    for place, index in enumerate(planted):
        words = test[index].split()
        kept = len(words) * 3 // 4
        numbers = [bool(numbers_of(words_of(normalise(word)))) for word in words]
        changed = [word if n < kept or numbers[n] else f"{word}x" for n, word in enumerate(words)]
        dressed = ("  " + test[index].upper() + "\n", f"Solve:\n{test[index]}\nStep by step.", " ".join(changed))
        training.insert(rng.randrange(len(training)), (f"planted/{index}", dressed[place % 3]))
    found = overlaps(training, {"gsm8k/test": test})
    rules = {(o.train_id, o.problem_id): o.rule for o in found}
    assert set(rules) == {(f"planted/{i}", f"test/{i}") for i in planted}
    assert [rules[f"planted/{i}", f"test/{i}"] for i in planted[:2]] == [SAME_QUESTION, HOLDS_QUESTION]
    assert sum(rule == HALF_SHARED for rule in rules.values()) == 10


def test_real_questions_with_another_number_are_not_found():
    test = rows("gsm8k/test.jsonl", "question")
    changed = []
    for index, question in enumerate(test[:400]):
        digits = [place for place, char in enumerate(question) if char in "123456789"]
        if digits:
            place = digits[index % len(digits)]
            changed.append((str(index), question[:place] + str(int(question[place]) % 9 + 1) + question[place + 1 :]))
    assert len(changed) > 300
    assert overlaps(changed, {"gsm8k/test": test}) == []


def test_a_published_training_file_that_holds_test_questions_is_found():
    """LLM-Adapters' math_data.json: most of GSM8K's test."""
    training = [(str(i), q) for i, q in enumerate(rows("llm_adapters_math/sft_data.jsonl", "instruction"))]
    found = overlaps(training, {"test": rows("gsm8k/test.jsonl", "question")})
    assert len({o.problem_id for o in found}) == 1055
    assert {o.rule for o in found} == {SAME_QUESTION}


def test_math_train_overlaps_few_of_math_500():
    """Each read by a person: the same situation or figure with the same numbers, asked for something else; one differs
    in a sign."""
    training = [(f"train/{i}", q) for i, q in enumerate(rows("math/train.jsonl", "problem"))]
    found = overlaps(training, {"test": rows("math500/test.jsonl", "problem")})
    assert {o.rule for o in found} == {HALF_SHARED}
    assert {int(o.problem_id.removeprefix("test/")) for o in found} == {17, 46, 123, 166, 177, 226, 227, 320}
    assert len({o.train_id for o in found}) == 12


FOUND = [Overlap(f"train/{i}", "test", f"test/{i}", SAME_QUESTION) for i in range(5)]
SIZES = {"test": 1319, "hard": 20}


def test_refusing_names_the_counts_the_first_pairs_and_both_ways_on():
    with pytest.raises(UsageError) as error:
        guard(FOUND, "refuse", SIZES)
    message = str(error.value)
    assert message.startswith("5 training rows hold test questions (5 of the 1,319 problems of test)")
    assert "train/0 and test test/0 (same question)" in message
    assert "train/2 and test test/2" in message
    assert "train/3" not in message
    assert "--drop-contaminated" in message
    assert "--allow-contamination" in message


def test_one_row_that_matches_twice_is_one_row():
    twice = [Overlap("t", "test", "1", SAME_QUESTION), Overlap("t", "hard", "1", HOLDS_QUESTION, "solution")]
    with pytest.raises(UsageError, match=r"^1 training row holds .*\(1 of the 1,319 problems of test, 1 of the"):
        guard(twice, "refuse", SIZES)
    with pytest.raises(UsageError, match="solution of t and hard 1 "):
        guard(twice, "refuse", SIZES)
    assert guard(twice, "drop", SIZES) == {"t"}


def test_dropping_and_allowing():
    assert guard(FOUND, "drop", SIZES) == {f"train/{i}" for i in range(5)}
    assert guard(FOUND, "allow", SIZES) == frozenset()
    assert guard([], "refuse", SIZES) == guard([], "drop", SIZES) == frozenset()


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
